//! Rust: `cargo test` and `cargo nextest`, with tests inside production files.

mod build;
mod canary;
mod cargo;
mod diagnostics;
mod essence;
mod inline;
mod libtest;
mod machine;
mod manifest;
mod modules;
mod mutation;
mod nextest;
mod panics;
mod report;
mod settings;
mod surgery;
mod syntax;
mod targets;
mod twin;

use super::{
    Inline, LangError, Language, Project, Role, Runner, RunnerSettings, SettingChange, command,
    protected::Class,
};
use crate::git::RepoPath;
use crate::lang::grammar::Grammar;
use crate::lang::surgery::Surgery;

/// Rust.
pub(super) struct Rust;

const RUNNERS: &str = "cargo, nextest";

impl Language for Rust {
    fn name(&self) -> &'static str {
        "rust"
    }

    fn detect(&self, project: &dyn Project) -> u8 {
        if project.has("Cargo.toml") {
            90
        } else if project.paths().iter().any(|path| path.file_name() == "Cargo.toml") {
            40
        } else {
            0
        }
    }

    fn role(&self, path: &RepoPath) -> Option<Role> {
        role(path)
    }

    fn runner(&self, project: &dyn Project, settings: &RunnerSettings) -> Result<Box<dyn Runner>, LangError> {
        let command = cargo::Cargo::of(settings.command.as_ref(), "command")?;
        let nextest = match settings.runner.as_deref() {
            Some("nextest") => true,
            Some("cargo") => false,
            Some(name) => {
                return Err(LangError::UnknownRunner {
                    name: name.to_owned(),
                    language: "rust",
                    known: RUNNERS,
                });
            }
            None if settings.command.is_some() => command.is_nextest,
            None => project.has(".config/nextest.toml") && command::find_program("cargo-nextest").is_some(),
        };
        if nextest {
            return Ok(Box::new(nextest::Nextest::new(project, settings)?));
        }
        Ok(Box::new(libtest::Libtest::new(project, settings)?))
    }

    fn inline_tests(&self, path: &RepoPath, source: &str) -> Option<Inline> {
        is_mixed(path).then(|| inline::split(source)).flatten()
    }

    fn graft(&self, path: &RepoPath, base: &str, tests: &str) -> Option<String> {
        is_mixed(path).then(|| inline::graft(base, tests)).flatten()
    }

    fn runner_settings_changed(
        &self,
        path: &RepoPath,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Option<SettingChange> {
        (path.file_name() == "Cargo.toml").then(|| settings::changed(old, new)).flatten()
    }

    fn surgery(&self) -> &'static dyn Surgery {
        &surgery::RustSurgery
    }

    fn twins(&self, path: &RepoPath, source: &str, line: u32, nonce: &str) -> Option<crate::lang::Twins> {
        let grammar = Grammar::of(path)?;
        crate::lang::twin::twins(grammar, &twin::RustAssertions, source, line, nonce)
    }

    fn essence(&self, path: &RepoPath, source: &str) -> Option<String> {
        (path.extension() == Some("rs")).then(|| essence::essence(source)).flatten()
    }
}

/// True for files that may hold production code and tests side by side.
fn is_mixed(path: &RepoPath) -> bool {
    path.extension() == Some("rs") && role(path) == Some(Role::Production)
}

/// The role of a file by cargo's customs.
fn role(path: &RepoPath) -> Option<Role> {
    let folders: Vec<&str> = path.folders().collect();
    let name = path.file_name();
    if folders.first() == Some(&".cargo")
        || folders.contains(&".cargo")
        || path.as_str().ends_with(".config/nextest.toml")
        || matches!(name, "rust-toolchain" | "rust-toolchain.toml" | "Cross.toml")
    {
        return Some(Role::Protected(Class::Runner));
    }
    if name == "Cargo.toml" {
        return Some(Role::Other);
    }
    let in_source = folders.iter().position(|folder| *folder == "src");
    if name == "build.rs" && in_source.is_none() && !folders.contains(&"tests") {
        return Some(Role::Protected(Class::Runner));
    }
    let tests = folders.iter().position(|folder| *folder == "tests");
    if let Some(tests) = tests {
        return Some(below_tests(
            path,
            &folders[tests + 1..],
            in_source.is_some_and(|source| source < tests),
        ));
    }
    if name.ends_with(".snap") || name.ends_with(".snap.new") || folders.contains(&"testdata") {
        return Some(Role::TestSupport);
    }
    if in_source.is_none() && folders.iter().any(|folder| matches!(*folder, "benches" | "examples" | "fuzz"))
    {
        return Some(Role::Other);
    }
    if path.extension() == Some("rs") {
        let stem = name.trim_end_matches(".rs");
        let is_test = matches!(stem, "tests" | "test") || stem.ends_with("_test") || stem.ends_with("_tests");
        return Some(if is_test { Role::Test } else { Role::Production });
    }
    in_source.map(|_| Role::Production)
}

/// `inner` are the folders between `tests/` and the file.
fn below_tests(path: &RepoPath, inner: &[&str], in_source: bool) -> Role {
    const SUPPORT: [&str; 22] = [
        "common",
        "support",
        "util",
        "utils",
        "helper",
        "helpers",
        "data",
        "fixture",
        "fixtures",
        "testdata",
        "snapshots",
        "ui",
        "pass",
        "fail",
        "run-pass",
        "run-fail",
        "compile-fail",
        "compile_fail",
        "expand",
        "trybuild",
        "resources",
        "assets",
    ];
    if path.extension() != Some("rs") || inner.iter().any(|folder| SUPPORT.contains(folder)) {
        return Role::TestSupport;
    }
    let stem = path.file_name().trim_end_matches(".rs");
    let is_helper = SUPPORT.contains(&stem) && (in_source || !inner.is_empty());
    if is_helper { Role::TestSupport } else { Role::Test }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role_of(path: &str) -> Option<Role> {
        role(&RepoPath::new(path).unwrap())
    }

    #[test]
    fn roles_follow_cargos_customs() {
        for (path, expected) in [
            ("src/lib.rs", Role::Production),
            ("crates/core/src/a/b.rs", Role::Production),
            ("src/page.html", Role::Production),
            ("src/tests.rs", Role::Test),
            ("src/a/test.rs", Role::Test),
            ("src/a/tests/b.rs", Role::Test),
            ("src/parser_tests.rs", Role::Test),
            ("tests/cli.rs", Role::Test),
            ("crates/core/tests/it/main.rs", Role::Test),
            ("crates/core/tests/it/sub.rs", Role::Test),
            ("tests/common/mod.rs", Role::TestSupport),
            ("tests/data/a.json", Role::TestSupport),
            ("tests/ui/wrong.rs", Role::TestSupport),
            ("src/snapshots/a__b.snap", Role::TestSupport),
            ("benches/speed.rs", Role::Other),
            ("examples/show.rs", Role::Other),
            ("Cargo.toml", Role::Other),
            ("build.rs", Role::Protected(Class::Runner)),
            ("crates/core/build.rs", Role::Protected(Class::Runner)),
            ("src/build.rs", Role::Production),
            (".cargo/config.toml", Role::Protected(Class::Runner)),
            (".config/nextest.toml", Role::Protected(Class::Runner)),
            ("rust-toolchain.toml", Role::Protected(Class::Runner)),
        ] {
            assert_eq!(role_of(path), Some(expected), "{path}");
        }
        assert_eq!(role_of("README.md"), None);
        assert_eq!(role_of("clippy.toml"), None);
    }
}
