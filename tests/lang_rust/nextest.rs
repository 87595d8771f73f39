//! The same crates under nextest.

use std::time::Duration;

use failfirst::lang::{Cause, Selection, Status};

use super::harness::{Fixture, command};

const LIB: &str = r#"pub fn add(a: i32, b: i32) -> i32 {
    if a == 99 {
        panic!("no such number");
    }
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes() {
        println!("raw ü & <text>");
    }

    #[test]
    fn asserts() {
        assert_eq!(add(1, 1), 3);
    }

    #[test]
    fn production_panics() {
        add(99, 1);
    }

    #[test]
    #[ignore]
    fn ignored() {}

    #[test]
    #[should_panic]
    fn expects_a_panic() {
        add(99, 1);
    }

    #[test]
    fn returns_an_error() -> Result<(), String> {
        Err("out of paper".to_owned())
    }

    #[test]
    fn aborts() {
        std::process::abort();
    }
}
"#;

#[test]
fn every_way_to_end_is_told() {
    let crate_ = Fixture::new(&[("src/lib.rs", LIB), ("tests/api.rs", "#[test]\nfn t() {}\n")]);
    let runner = crate_.nextest();
    let run = crate_.files(&*runner, &["src/lib.rs"]);
    run.assert_whole();
    let expected = [
        ("demo tests::aborts", Status::Failed),
        ("demo tests::asserts", Status::Failed),
        ("demo tests::expects_a_panic", Status::Passed),
        ("demo tests::ignored", Status::Skipped),
        ("demo tests::passes", Status::Passed),
        ("demo tests::production_panics", Status::Failed),
        ("demo tests::returns_an_error", Status::Failed),
    ];
    assert_eq!(run.statuses(), expected);
    let (cause, _, last) = run.failure("demo tests::asserts");
    assert_eq!((cause, last.as_str()), (&Cause::Assertion, "src/lib.rs:19"));
    let (cause, message, last) = run.failure("demo tests::production_panics");
    assert_eq!((cause, message, last.as_str()), (&Cause::Raised, "no such number", "src/lib.rs:3"));
    assert!(run.failure("demo tests::returns_an_error").1.contains("out of paper"));
    assert!(run.failure("demo tests::aborts").1.contains("SIGABRT"));

    let named = crate_.named(&*runner, &["demo tests::passes", "demo::api t", "demo tests::ignored"]);
    named.assert_whole();
    assert_eq!(
        named.statuses(),
        [
            ("demo tests::ignored", Status::Skipped),
            ("demo tests::passes", Status::Passed),
            ("demo::api t", Status::Passed)
        ]
    );
    let none = crate_.named(&*runner, &["demo tests::absent"]);
    none.assert_whole();
    assert!(none.statuses().is_empty());

    let suite = crate_.run(&*runner, &Selection::Suite);
    suite.assert_whole();
    assert_eq!(suite.statuses().len(), expected.len() + 1);
}

#[test]
fn an_exit_with_0_that_nextest_takes_for_a_pass_is_none() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", "pub fn end() { std::process::exit(0) }\n"),
        ("tests/api.rs", "#[test]\nfn ends() {\n    demo::end();\n    panic!();\n}\n#[test]\nfn t() {}\n"),
    ]);
    let runner = crate_.nextest();
    for run in [crate_.files(&*runner, &["tests/api.rs"]), crate_.run(&*runner, &Selection::Suite)] {
        assert_eq!(run.case("demo::api ends").status, Status::Failed);
        assert_eq!(run.case("demo::api t").status, Status::Passed);
        assert!(run.reading.disagreements[0].contains("before the test did"), "{:?}", run.reading);
    }
}

#[test]
fn retries_and_filters_of_the_project_do_not_apply() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", ""),
        (
            ".config/nextest.toml",
            "[profile.default]\nretries = 3\ndefault-filter = \"not test(flaky)\"\n\n[profile.ci]\nslow-timeout = \
             \"60s\"\n",
        ),
        (
            "tests/api.rs",
            "#[test]\nfn flaky() {\n    let mark = std::path::Path::new(env!(\"CARGO_TARGET_TMPDIR\")).join(\"seen\");\n    \
             let seen = mark.exists();\n    std::fs::write(mark, \"\").unwrap();\n    assert!(seen);\n}\n",
        ),
    ]);
    let runner = crate_.nextest();
    let run = crate_.named(&*runner, &["demo::api flaky"]);
    run.assert_whole();
    assert_eq!(run.statuses(), [("demo::api flaky", Status::Failed)]);
    let runner = crate_.runner(&command("cargo nextest run --profile ci {tests}"));
    assert_eq!(runner.name(), "nextest");
    let run = crate_.files(&*runner, &["tests/api.rs"]);
    run.assert_whole();
    assert_eq!(run.statuses(), [("demo::api flaky", Status::Passed)]);
}

#[test]
fn a_build_that_fails_is_told_as_with_cargo() {
    let crate_ = Fixture::new(&[("src/lib.rs", ""), ("tests/api.rs", "#[test]\nfn t() { demo::no(); }\n")]);
    let run = crate_.files(&*crate_.nextest(), &["tests/api.rs"]);
    let (file, cause, _) = run.load_failure();
    assert_eq!((file, cause), (Some("tests/api.rs"), &Cause::Unresolved { symbol: "no".to_owned() }));
    assert!(run.reading.complete && run.reading.disagreements.is_empty(), "{:#?}", run.reading);
}

#[test]
fn a_test_that_hangs_is_named() {
    let mut crate_ = Fixture::new(&[
        ("src/lib.rs", ""),
        ("tests/api.rs", "#[test]\nfn hangs() { loop { std::thread::park(); } }\n#[test]\nfn t() {}\n"),
    ]);
    let runner = crate_.nextest();
    crate_.build(&*runner, "tests/api.rs");
    crate_.end_after(Duration::from_secs(8));
    let run = crate_.files(&*runner, &["tests/api.rs"]);
    assert!(!run.reading.complete);
    assert_eq!(run.failure("demo::api hangs").0, &Cause::TimedOut, "{}", run.log);
    assert_eq!(run.case("demo::api t").status, Status::Passed);
}
