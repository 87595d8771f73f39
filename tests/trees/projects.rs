//! Projects that cannot be prepared, and settings that cannot be used.

use crate::command::{project, settings, verify};
use crate::repository::{gone, put};

#[test]
fn a_set_up_command_that_fails_is_shown_with_its_output() {
    let repository = project(&[settings("setup = [\"echo one\", \"echo no such package >&2; exit 7\"]\n")]);
    verify(&repository, &[]).says(3, "no such package");
}

#[test]
fn what_the_set_up_makes_is_there_in_every_run() {
    let set_up = "setup = [\"echo 'RATE = 1' > rates.py\"]\n";
    let repository =
        project(&[settings(set_up), put(".gitignore", "rates.py\n"), put("more.py", "import rates\n")]);
    verify(&repository, &[]).says(0, "verified");
}

#[test]
fn a_runner_that_is_absent_is_named() {
    let text = "[test]\ncommand = \"absent/python -m pytest {tests}\"\n";
    let repository = project(&[put("failfirst.toml", text)]);
    verify(&repository, &[]).says(2, "absent/python");
    let repository = project(&[put("failfirst.toml", "[project]\nrunner = \"nose\"\n")]);
    verify(&repository, &[]).says(2, "`runner = \"nose\"`");
}

#[test]
fn a_project_of_no_known_language_is_told_what_to_set() {
    let repository = crate::repository::Repository::new();
    repository.commit(&[put("a.txt", "1\n")]);
    repository.git(&["checkout", "-q", "-b", "fix"]);
    repository.commit(&[put("a.txt", "2\n")]);
    verify(&repository, &[]).says(2, "set `language` under [project]");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    for (text, words) in [
        ("[test]\ntimeuot = \"3s\"\n", "timeuot"),
        ("[test]\ntimeout = \"soon\"\n", "soon"),
        ("[sandbox]\nlevel = \"high\"\n", "high"),
        ("[test\n", "failfirst.toml"),
    ] {
        verify(&project(&[settings(text)]), &[]).says(2, words);
    }
    verify(&project(&[]), &["--config", "absent.toml"]).says(2, "absent.toml");
}

#[test]
fn settings_of_the_change_itself_are_not_obeyed() {
    let repository = project(&[]);
    repository.git(&["checkout", "-q", "fix"]);
    repository.commit(&[settings("[gates]\nregressions = \"off\"\n")]);
    repository.git(&["checkout", "-q", "main"]);
    verify(&repository, &[]).says(4, "failfirst.toml");
}

#[test]
fn a_project_without_settings_is_judged() {
    let python = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/python/bin/python");
    let repository = project(&[gone("failfirst.toml")]);
    let settings = repository.beside("settings.toml");
    std::fs::write(&settings, format!("[test]\ncommand = \"{} -m unittest {{tests}}\"\n", python.display()))
        .unwrap();
    verify(&repository, &["--config", settings.to_str().unwrap()]).says(0, "verified");
}
