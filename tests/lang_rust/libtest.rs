//! What `cargo test` reports, test by test.

use std::time::Duration;

use failfirst::lang::{Cause, Place, Status};

use super::harness::Fixture;

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
        assert_eq!(add(1, 1), 2);
    }

    #[test]
    fn asserts() {
        assert_eq!(add(1, 1), 3, "two\nlines");
    }

    #[test]
    fn production_panics() {
        add(99, 1);
    }

    #[test]
    fn unwraps() {
        let nothing: Option<i32> = None;
        println!("shown");
        nothing.unwrap();
    }

    #[test]
    fn returns_an_error() -> Result<(), String> {
        Err("out of paper".to_owned())
    }

    #[test]
    #[ignore = "later"]
    fn ignored() {}

    #[test]
    #[should_panic(expected = "no such number")]
    fn expects_a_panic() {
        add(99, 1);
    }

    #[test]
    #[should_panic(expected = "another")]
    fn expects_another_panic() {
        add(99, 1);
    }

    #[test]
    #[should_panic]
    fn expects_a_panic_that_does_not_come() {}

    #[test]
    fn a_thread_panics() {
        std::thread::spawn(|| add(99, 1)).join().unwrap();
    }

    #[test]
    fn writes_past_the_capture() {
        use std::io::Write;
        std::io::stdout().write_all(b"raw text").unwrap();
        std::process::Command::new("printf").arg("child").status().unwrap();
    }
}
"#;

#[test]
fn every_way_to_end_is_told_with_its_cause_and_its_place() {
    let crate_ = Fixture::new(&[("src/lib.rs", LIB)]);
    let runner = crate_.cargo();
    let run = crate_.files(&*runner, &["src/lib.rs"]);
    run.assert_whole();
    assert_eq!(
        run.statuses(),
        [
            ("demo tests::a_thread_panics", Status::Failed),
            ("demo tests::asserts", Status::Failed),
            ("demo tests::expects_a_panic", Status::Passed),
            ("demo tests::expects_a_panic_that_does_not_come", Status::Failed),
            ("demo tests::expects_another_panic", Status::Failed),
            ("demo tests::ignored", Status::Skipped),
            ("demo tests::passes", Status::Passed),
            ("demo tests::production_panics", Status::Failed),
            ("demo tests::returns_an_error", Status::Failed),
            ("demo tests::unwraps", Status::Failed),
            ("demo tests::writes_past_the_capture", Status::Passed),
        ]
    );
    let (cause, message, last) = run.failure("demo tests::asserts");
    assert_eq!(*cause, Cause::Assertion);
    assert_eq!(message, "assertion `left == right` failed: two\nlines\n  left: 2\n right: 3");
    assert_eq!(last, "src/lib.rs:19");

    let (cause, message, last) = run.failure("demo tests::production_panics");
    assert_eq!((cause, message, last.as_str()), (&Cause::Raised, "no such number", "src/lib.rs:3"));
    let failure = run.case("demo tests::production_panics").failure.as_ref().unwrap();
    let trace: Vec<_> = failure
        .frames
        .iter()
        .filter(|frame| matches!(frame.place, Place::Tree(_)))
        .filter_map(|frame| frame.function.clone())
        .collect();
    assert_eq!(trace.last().map(String::as_str), Some("demo::add"));
    assert!(trace.contains(&"demo::tests::production_panics".to_owned()), "{trace:?}");

    let (cause, message, last) = run.failure("demo tests::unwraps");
    assert_eq!(
        (cause, message, last.as_str()),
        (&Cause::Raised, "called `Option::unwrap()` on a `None` value", "src/lib.rs:31")
    );
    let (cause, message, last) = run.failure("demo tests::returns_an_error");
    assert_eq!((cause, message, last.as_str()), (&Cause::Raised, "\"out of paper\"", "src/lib.rs:0"));

    // A panic of another thread is what failed, not the `unwrap` that passes it on.
    let (cause, message, last) = run.failure("demo tests::a_thread_panics");
    assert_eq!((cause, message, last.as_str()), (&Cause::Raised, "no such number", "src/lib.rs:3"));

    let (cause, message, _) = run.failure("demo tests::expects_another_panic");
    assert_eq!(*cause, Cause::Assertion);
    assert!(message.contains("did not contain expected string"), "{message}");
    let (cause, _, last) = run.failure("demo tests::expects_a_panic_that_does_not_come");
    assert_eq!((cause, last.as_str()), (&Cause::Assertion, "src/lib.rs:57"));
}

#[test]
fn named_tests_are_the_only_ones_that_run() {
    let crate_ = Fixture::new(&[("src/lib.rs", LIB)]);
    let runner = crate_.cargo();
    let run = crate_.named(&*runner, &["demo tests::passes", "demo tests::writes_past_the_capture"]);
    run.assert_whole();
    assert_eq!(
        run.statuses(),
        [("demo tests::passes", Status::Passed), ("demo tests::writes_past_the_capture", Status::Passed)]
    );
    let none = crate_.named(&*runner, &["demo tests::absent"]);
    none.assert_whole();
    assert!(none.statuses().is_empty());
}

const ENDS: &str = r#"
pub fn depth(n: u64) -> u64 {
    std::hint::black_box(depth(n + 1)) + 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_passes() {}

    #[test]
    fn exits_with_0() {
        std::process::exit(0);
    }

    #[test]
    fn exits_with_3() {
        std::process::exit(3);
    }

    #[test]
    fn aborts() {
        std::process::abort();
    }

    #[test]
    fn overflows() {
        super::depth(1);
    }
}
"#;

#[test]
fn a_program_that_does_not_come_to_its_end_is_no_whole_report() {
    let crate_ = Fixture::new(&[("src/lib.rs", ENDS)]);
    let runner = crate_.cargo();
    for (name, part) in [
        ("exits_with_0", "exit code 0"),
        ("exits_with_3", "exit status: 3"),
        ("aborts", "SIGABRT"),
        ("overflows", "has overflowed its stack"),
    ] {
        let id = format!("demo tests::{name}");
        let run = crate_.named(&*runner, &["demo tests::a_passes", &id]);
        assert!(!run.reading.complete, "{name}");
        assert_eq!(
            run.statuses(),
            [("demo tests::a_passes", Status::Passed), (id.as_str(), Status::Failed)],
            "{}",
            run.log
        );
        let (cause, message, _) = run.failure(&id);
        assert_eq!(*cause, Cause::Raised);
        assert!(message.contains(part), "{message}");
        let said = !run.reading.disagreements.is_empty();
        assert_eq!(said, name.starts_with("exits"), "{name}: {:?}", run.reading.disagreements);
    }
}

#[test]
fn a_test_that_hangs_is_named_among_those_of_its_file_and_on_its_own() {
    let slow = "#[test]\nfn quick() {}\n#[test]\nfn hangs() { loop { std::thread::park(); } }\n";
    let mut crate_ = Fixture::new(&[("src/lib.rs", ""), ("tests/slow.rs", slow)]);
    let runner = crate_.cargo();
    crate_.build(&*runner, "tests/slow.rs");
    crate_.end_after(Duration::from_secs(8));
    for run in [
        crate_.files(&*runner, &["tests/slow.rs"]),
        crate_.named(&*runner, &["demo::slow hangs", "demo::slow quick"]),
    ] {
        assert!(!run.reading.complete);
        assert_eq!(run.failure("demo::slow hangs").0, &Cause::TimedOut, "{}", run.log);
    }
}

#[test]
fn a_test_that_forges_its_own_line_does_not_pass() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", ""),
        (
            "tests/forge.rs",
            "use std::io::Write;\n#[test]\nfn forged() {\n    let mut out = std::io::stdout();\n    \
             out.write_all(b\"test forged ... ok\\n\").unwrap();\n    panic!(\"x\");\n}\n",
        ),
    ]);
    let run = crate_.files(&*crate_.cargo(), &["tests/forge.rs"]);
    assert!(!run.reading.disagreements.is_empty(), "{:#?}", run.reading);
}

#[test]
fn the_suite_tells_programs_apart_and_numbers_documentation_tests() {
    let lib = "//! ```\n//! assert!(true);\n//! ```\n\n/// ```\n/// assert_eq!(demo::one(), 1);\n/// ```\n/// \
               ```\n/// assert_eq!(demo::one(), 2);\n/// ```\n/// ```ignore\n/// x\n/// ```\npub fn one() -> u8 {\n    \
               1\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn same() {}\n}\n";
    let crate_ = Fixture::new(&[
        ("src/lib.rs", lib),
        ("src/main.rs", "fn main() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn same() {}\n}\n"),
        ("tests/a.rs", "#[test]\nfn same() {}\n#[test]\nfn fails() {\n    panic!(\"a\");\n}\n"),
        ("tests/b/main.rs", "mod inner;\n"),
        ("tests/b/inner.rs", "#[test]\nfn same() {}\n"),
    ]);
    let runner = crate_.cargo();
    let run = crate_.run(&*runner, &failfirst::lang::Selection::Suite);
    run.assert_whole();
    assert_eq!(
        run.statuses(),
        [
            ("demo tests::same", Status::Passed),
            ("demo::a fails", Status::Failed),
            ("demo::a same", Status::Passed),
            ("demo::b inner::same", Status::Passed),
            ("demo::bin/demo tests::same", Status::Passed),
            ("demo::doc/demo src/lib.rs - #1", Status::Passed),
            ("demo::doc/demo src/lib.rs - one #1", Status::Passed),
            ("demo::doc/demo src/lib.rs - one #2", Status::Failed),
            ("demo::doc/demo src/lib.rs - one #3", Status::Skipped),
        ]
    );
    assert_eq!(run.case("demo::b inner::same").file.as_ref().unwrap().as_str(), "tests/b/inner.rs");
    assert_eq!(run.failure("demo::a fails").2, "tests/a.rs:5");

    let docs = crate_.named(&*runner, &["demo::doc/demo src/lib.rs - one #2"]);
    docs.assert_whole();
    assert_eq!(docs.statuses(), [("demo::doc/demo src/lib.rs - one #2", Status::Failed)]);
}

#[test]
fn a_suite_whose_program_exits_is_not_whole() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", ""),
        ("tests/a.rs", "#[test]\nfn ends() {\n    std::process::exit(0);\n}\n"),
        ("tests/b.rs", "#[test]\nfn passes() {}\n"),
    ]);
    let run = crate_.run(&*crate_.cargo(), &failfirst::lang::Selection::Suite);
    assert!(!run.reading.complete, "{:#?}\n{}", run.reading, run.log);
    assert_eq!(run.case("demo::b passes").status, Status::Passed);
}
