//! Canaries run beside the sealed tests, in the same program.

use failfirst::git::RepoPath;
use failfirst::lang::{Runner, Status};

use super::harness::Fixture;

/// Puts canaries beside `path` and says how the two ended.
fn sing(crate_: &Fixture, runner: &dyn Runner, path: &str) -> (Status, Status) {
    use failfirst::lang::Project;
    let source = crate_.text(path).unwrap();
    let place = RepoPath::new(path).unwrap();
    let canaries = runner.canaries(&place, &source, "k3v9").unwrap();
    assert_eq!(canaries.path, place);
    crate_.write(path, &canaries.content);
    let run = crate_.files(runner, &[path]);
    run.assert_whole();
    crate_.write(path, &source);
    let status = |part: &str| {
        let found: Vec<_> = run.reading.cases.iter().filter(|case| case.id.as_str().contains(part)).collect();
        assert_eq!(found.len(), 1, "{part}: {:#?}\n{}", run.reading, run.log);
        found[0].status
    };
    (status(&canaries.passes), status(&canaries.fails))
}

#[test]
fn one_canary_passes_and_one_fails_wherever_tests_stand() {
    let strict = "#![deny(warnings, missing_docs)]\n#![forbid(unsafe_code)]\n//! Demo.\n/// A.\npub mod a;\n";
    let inline = "/// F.\npub fn f() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {\n        assert!(1 < 2);\n    \
                  }\n}\n";
    // The file's own names for what canaries use, as with `use pretty_assertions::assert_eq`.
    let odd = "mod other {\n    macro_rules! equal {\n        ($a:expr, $b:expr) => {\n            if $a != $b {\n                \
               panic!(\"differ\")\n            }\n        };\n    }\n    pub(crate) use equal;\n}\nuse other::equal as \
               assert_eq;\n#[test]\nfn t() {\n    assert_eq!(1, 1);\n}\n";
    let crate_ = Fixture::new(&[
        ("src/lib.rs", strict),
        ("src/a.rs", inline),
        ("tests/api.rs", "#[test]\nfn t() {}"),
        ("tests/odd.rs", odd),
    ]);
    for runner in [crate_.cargo(), crate_.nextest()] {
        for path in ["src/lib.rs", "src/a.rs", "tests/api.rs", "tests/odd.rs"] {
            assert_eq!(sing(&crate_, &*runner, path), (Status::Passed, Status::Failed), "{path}");
        }
    }
}

#[test]
fn an_assertion_that_production_code_replaces_is_noticed() {
    let replaced = "#[macro_export]\nmacro_rules! assert_eq {\n    ($($t:tt)*) => {};\n}\n";
    let inline =
        "#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {\n        assert_eq!(1, 2);\n    }\n}\n";
    let crate_ = Fixture::new(&[
        ("src/lib.rs", &format!("{replaced}{inline}")),
        ("tests/api.rs", "#[macro_use]\nextern crate demo;\n#[test]\nfn t() {\n    assert_eq!(1, 2);\n}\n"),
    ]);
    let runner = crate_.cargo();
    for path in ["src/lib.rs", "tests/api.rs"] {
        assert_eq!(sing(&crate_, &*runner, path), (Status::Passed, Status::Passed), "{path}");
    }
}

#[test]
fn the_oldest_edition_has_canaries_too() {
    let manifest = "[package]\nname = \"demo\"\nversion = \"0.1.0\"\n";
    let crate_ = Fixture::new(&[("Cargo.toml", manifest), ("src/lib.rs", "mod a;\n"), ("src/a.rs", "")]);
    assert_eq!(sing(&crate_, &*crate_.cargo(), "src/a.rs"), (Status::Passed, Status::Failed));
}

#[test]
fn crates_without_the_standard_library_have_canaries_too() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", "#![no_std]\npub mod a;\n"),
        ("src/a.rs", "pub fn f() -> u8 {\n    1\n}\n"),
    ]);
    assert_eq!(sing(&crate_, &*crate_.cargo(), "src/a.rs"), (Status::Passed, Status::Failed));
}
