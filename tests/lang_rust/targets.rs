//! Which files belong to which test program.

use failfirst::lang::{Selection, Status};

use super::harness::{Fixture, command, manifest};

const TEST: &str = "#[test]\nfn t() {}\n";
const INLINE: &str = "pub fn f() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n";

#[test]
fn a_production_file_stands_for_its_own_inline_tests_only() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", &format!("pub mod a;\n#[path = \"odd/place.rs\"]\npub mod moved;\n{INLINE}")),
        (
            "src/a/mod.rs",
            &format!("pub mod b;\nmod inner {{ #[test]\nfn t() {{}} }}\n#[cfg(test)]\nmod tests;\n{TEST}"),
        ),
        ("src/a/b.rs", INLINE),
        ("src/a/tests.rs", TEST),
        ("src/odd/place.rs", INLINE),
    ]);
    let runner = crate_.cargo();
    for (file, expected) in [
        ("src/lib.rs", vec!["demo tests::t"]),
        ("src/a/mod.rs", vec!["demo a::inner::t", "demo a::t"]),
        ("src/a/b.rs", vec!["demo a::b::tests::t"]),
        ("src/a/tests.rs", vec!["demo a::tests::t"]),
        ("src/odd/place.rs", vec!["demo moved::tests::t"]),
    ] {
        let run = crate_.files(&*runner, &[file]);
        run.assert_whole();
        let found: Vec<_> = run.statuses().into_iter().map(|(id, _)| id).collect();
        assert_eq!(found, expected, "{file}");
        for case in &run.reading.cases {
            assert_eq!(case.file.as_ref().unwrap().as_str(), file, "{}", case.id);
        }
    }
}

#[test]
fn programs_of_a_package_are_told_apart() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", &format!("pub mod shared;\n{INLINE}")),
        ("src/shared.rs", INLINE),
        ("src/main.rs", &format!("mod cli;\nfn main() {{}}\n{TEST}")),
        ("src/cli.rs", INLINE),
        ("src/bin/tool.rs", &format!("fn main() {{}}\n{TEST}")),
        ("tests/api.rs", &format!("mod common;\n{TEST}")),
        ("tests/common/mod.rs", "pub fn help() {}\n"),
        ("tests/it/main.rs", "mod part;\n"),
        ("tests/it/part.rs", TEST),
    ]);
    let runner = crate_.cargo();
    for (file, expected) in [
        ("src/shared.rs", "demo shared::tests::t"),
        ("src/main.rs", "demo::bin/demo t"),
        ("src/cli.rs", "demo::bin/demo cli::tests::t"),
        ("src/bin/tool.rs", "demo::bin/tool t"),
        ("tests/api.rs", "demo::api t"),
        ("tests/it/part.rs", "demo::it part::t"),
    ] {
        let run = crate_.files(&*runner, &[file]);
        run.assert_whole();
        assert_eq!(run.statuses(), [(expected, Status::Passed)], "{file}");
        let named = crate_.named(&*runner, &[expected]);
        named.assert_whole();
        assert_eq!(named.statuses(), [(expected, Status::Passed)]);
    }
    assert!(crate_.files(&*runner, &["tests/common/mod.rs"]).assert_whole().statuses().is_empty());
}

#[test]
fn files_that_the_base_does_not_have_are_found_by_cargos_customs() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", "pub mod a;\n"),
        ("src/a.rs", "pub fn f() {}\n"),
        ("tests/it/main.rs", ""),
    ]);
    let runner = crate_.cargo();
    crate_.write("tests/new.rs", TEST);
    crate_.write("tests/it/main.rs", "mod late;\n");
    crate_.write("tests/it/late.rs", TEST);
    crate_.write("src/a.rs", "pub fn f() {}\n#[cfg(test)]\nmod tests;\n");
    crate_.write("src/a/tests.rs", TEST);
    for (file, expected) in [
        ("tests/new.rs", "demo::new t"),
        ("tests/it/late.rs", "demo::it late::t"),
        ("src/a/tests.rs", "demo a::tests::t"),
    ] {
        let run = crate_.files(&*runner, &[file]);
        run.assert_whole();
        assert_eq!(run.statuses(), [(expected, Status::Passed)], "{file}");
    }
}

#[test]
fn packages_of_a_workspace_are_told_apart() {
    let member = |name: &str| manifest(name).replace("\n[profile.dev]\ndebug = 1\n", "");
    let crate_ = Fixture::new(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"2\"\n"),
        ("crates/one/Cargo.toml", &member("one")),
        (
            "crates/one/src/lib.rs",
            "pub fn f() { panic!(\"one\") }\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() { super::f(); }\n}\n",
        ),
        ("crates/one/tests/api.rs", "#[test]\nfn t() { assert!(false); }\n"),
        ("crates/two-b/Cargo.toml", &member("two-b")),
        ("crates/two-b/src/lib.rs", INLINE),
        ("crates/two-b/tests/api.rs", TEST),
    ]);
    let runner = crate_.cargo();
    let run = crate_.files(&*runner, &["crates/one/src/lib.rs", "crates/two-b/tests/api.rs"]);
    run.assert_whole();
    assert_eq!(run.statuses(), [("one tests::t", Status::Failed), ("two-b::api t", Status::Passed)]);
    assert_eq!(run.failure("one tests::t").2, "crates/one/src/lib.rs:1");
    let frames = &run.case("one tests::t").failure.as_ref().unwrap().frames;
    assert!(frames.len() > 2, "{frames:?}");

    let suite = crate_.run(&*runner, &Selection::Suite);
    suite.assert_whole();
    assert_eq!(
        suite.statuses(),
        [
            ("one tests::t", Status::Failed),
            ("one::api t", Status::Failed),
            ("two-b tests::t", Status::Passed),
            ("two-b::api t", Status::Passed)
        ]
    );
    assert_eq!(suite.failure("one::api t").2, "crates/one/tests/api.rs:2");
}

#[test]
fn the_users_command_keeps_its_words() {
    let toml = format!("{}\n[features]\nextra = []\n", manifest("demo"));
    let crate_ = Fixture::new(&[
        ("Cargo.toml", &toml),
        ("src/lib.rs", "#[cfg(feature = \"extra\")]\n#[test]\nfn extra() {}\n"),
    ]);
    let runner = crate_.runner(&command("cargo test --all-features {tests} -- --nocapture"));
    let run = crate_.files(&*runner, &["src/lib.rs"]);
    run.assert_whole();
    assert_eq!(run.statuses(), [("demo extra", Status::Passed)]);
    let suite = crate_.run(&*runner, &Selection::Suite);
    suite.assert_whole();
    assert_eq!(suite.statuses(), [("demo extra", Status::Passed)]);
}

#[test]
fn a_project_in_a_subfolder_is_run_there() {
    let crate_ = Fixture::new(&[
        ("Cargo.toml", ""),
        ("native/Cargo.toml", &manifest("native")),
        ("native/src/lib.rs", INLINE),
        ("native/tests/api.rs", "#[test]\nfn t() { panic!(\"x\"); }\n"),
    ])
    .without("Cargo.toml");
    let runner = crate_.cargo();
    let run = crate_.files(&*runner, &["native/tests/api.rs"]);
    run.assert_whole();
    assert_eq!(run.failure("native::api t").2, "native/tests/api.rs:2");
}

#[test]
fn procedural_macros_and_roots_with_default_members_have_tests_too() {
    let root = format!(
        "[workspace]\nmembers = [\"macros\"]\ndefault-members = [\"macros\"]\n\n{}",
        manifest("demo")
    );
    let macros = "[package]\nname = \"demo-macros\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\nproc-macro = \
                  true\n";
    let crate_ = Fixture::new(&[
        ("Cargo.toml", &root),
        ("src/lib.rs", INLINE),
        ("macros/Cargo.toml", macros),
        ("macros/src/lib.rs", &INLINE.replace("pub ", "")),
    ]);
    let run = crate_.files(&*crate_.cargo(), &["src/lib.rs", "macros/src/lib.rs"]);
    run.assert_whole();
    assert_eq!(run.statuses(), [("demo tests::t", Status::Passed), ("demo-macros tests::t", Status::Passed)]);
}

#[test]
fn a_test_program_of_its_own_kind_is_not_judged_and_hinders_nothing() {
    let toml = format!("{}\n[[test]]\nname = \"own\"\nharness = false\n", manifest("demo"));
    let crate_ = Fixture::new(&[
        ("Cargo.toml", &toml),
        ("src/lib.rs", INLINE),
        ("tests/own.rs", "fn main() {\n    println!(\"all fine\");\n}\n"),
        ("tests/api.rs", TEST),
    ]);
    let runner = crate_.cargo();
    let run = crate_.files(&*runner, &["tests/own.rs", "tests/api.rs"]);
    run.assert_whole();
    assert_eq!(run.statuses(), [("demo::api t", Status::Passed)]);
    let suite = crate_.run(&*runner, &Selection::Suite);
    suite.assert_whole();
    assert_eq!(suite.statuses(), [("demo tests::t", Status::Passed), ("demo::api t", Status::Passed)]);
}
