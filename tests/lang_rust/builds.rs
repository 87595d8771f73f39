//! What a build that fails says about the test.

use failfirst::lang::{Cause, Status};

use super::harness::{Fixture, manifest};

const LIB: &str = "\
pub struct Cart { pub items: Vec<u32> }
pub enum Kind { Old }
pub trait Shape { fn area(&self) -> u32; }
impl Cart {
    pub fn new() -> Self { Self { items: Vec::new() } }
    pub fn add(&mut self, item: u32) { self.items.push(item); }
}
pub fn total(items: &[u32]) -> u32 { items.iter().sum() }
mod private { pub fn hidden() {} }
";

/// Builds `body` as a test of an integration test file.
fn cause_of(crate_: &Fixture, body: &str) -> (Cause, String) {
    crate_.write("tests/t.rs", body);
    let run = crate_.files(&*crate_.cargo(), &["tests/t.rs"]);
    assert!(run.reading.complete, "{body}\n{}", run.log);
    assert!(run.reading.cases.is_empty(), "{body}");
    let (file, cause, message) = run.load_failure();
    assert_eq!(file, Some("tests/t.rs"), "{body}");
    (cause.clone(), message.to_owned())
}

#[test]
fn names_and_signatures_that_are_not_there_are_told_from_mistakes() {
    let crate_ = Fixture::new(&[("src/lib.rs", LIB), ("tests/t.rs", "")]);
    let test = |body: &str| format!("#[test]\nfn t() {{\n    {body}\n}}\n");
    for (body, symbol) in [
        (test("assert_eq!(demo::subtract(2, 1), 1);"), "subtract"),
        (format!("use demo::Basket;\n{}", test("let _ = Basket;")), "Basket"),
        (test("assert_eq!(demo::shop::open(), 1);"), "shop"),
        (test("assert_eq!(demo::Cart::new().total(), 0);"), "Cart.total"),
        (test("let _ = demo::Cart::with_capacity(3);"), "Cart::with_capacity"),
        (test("let _ = demo::Kind::New;"), "Kind::New"),
        (test("assert_eq!(demo::Cart::new().count, 0);"), "Cart.count"),
        (test("let _ = demo::Cart { items: vec![], owner: 1 };"), "Cart.owner"),
        (test("assert_eq!(demo::total(&[1], true), 1);"), "total"),
        (test("demo::Cart::new().add(1, 2);"), "add"),
        (test("let _: Option<demo::Missing> = None;"), "Missing"),
        (
            format!(
                "struct Dot;\nimpl demo::Shape for Dot {{ fn area(&self) -> u32 {{ 0 }} fn edges(&self) {{}} }}\n{}",
                test("")
            ),
            "edges",
        ),
        (test("assert_eq!(demo::total(vec![1]), 1);"), "total"),
        (test("demo::check!(1);"), "check"),
    ] {
        let (cause, message) = cause_of(&crate_, &body);
        assert_eq!(cause, Cause::Unresolved { symbol: symbol.to_owned() }, "{body}{message}");
    }
    let (cause, _) = cause_of(&crate_, &test("let x = demo::subtract(1, 2); let y = demo::Cart::first(x);"));
    assert_eq!(cause, Cause::Unresolved { symbol: "subtract".to_owned() });

    for body in [test("let s = String::new(); drop(s); drop(s);"), "#[test]\nfn t( {\n".to_owned()] {
        let (cause, message) = cause_of(&crate_, &body);
        assert!(matches!(cause, Cause::Broken { .. }), "{body}: {cause:?} {message}");
    }
}

#[test]
fn an_error_in_production_stops_every_test_and_is_nobodys_missing_name() {
    let crate_ = Fixture::new(&[("src/lib.rs", LIB), ("tests/t.rs", "#[test]\nfn t() {}\n")]);
    crate_.write("src/lib.rs", "pub fn a() -> u32 { nowhere() }\n");
    let run = crate_.files(&*crate_.cargo(), &["tests/t.rs"]);
    let (file, cause, message) = run.load_failure();
    assert_eq!((file, cause), (None, &Cause::Raised));
    assert!(message.contains("cannot find function `nowhere`"), "{message}");
    let load = &run.reading.load_failures[0].failure;
    assert!(load.frames.is_empty() && load.excerpt.contains("src/lib.rs:1"), "{load:?}");
}

#[test]
fn the_lines_of_inline_tests_are_known_as_they_were_compiled() {
    let crate_ = Fixture::new(&[("src/lib.rs", "pub mod a;\n"), ("src/a.rs", "pub fn a() {}\n")]);
    crate_.write(
        "src/a.rs",
        "pub fn a() {}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {\n        super::b();\n    }\n}\n",
    );
    let run = crate_.files(&*crate_.cargo(), &["src/a.rs"]);
    let (file, cause, _) = run.load_failure();
    assert_eq!((file, cause), (Some("src/a.rs"), &Cause::Unresolved { symbol: "b".to_owned() }));

    crate_.write("src/a.rs", "pub fn a() {\n    b();\n}\n\n#[cfg(test)]\nmod tests {}\n");
    let run = crate_.files(&*crate_.cargo(), &["src/a.rs"]);
    assert_eq!(run.load_failure().1, &Cause::Raised);
}

#[test]
fn a_file_that_builds_runs_although_another_one_does_not() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", LIB),
        ("tests/bad.rs", "#[test]\nfn t() { demo::nothing(); }\n"),
        ("tests/good.rs", "#[test]\nfn t() {}\n"),
    ]);
    let run = crate_.files(&*crate_.cargo(), &["tests/bad.rs", "tests/good.rs"]);
    assert_eq!(run.statuses(), [("demo::good t", Status::Passed)]);
    assert_eq!(run.load_failure().0, Some("tests/bad.rs"));
    assert!(run.reading.complete && run.reading.disagreements.is_empty());
}

#[test]
fn an_error_in_a_helper_is_told_for_the_test_file_that_needs_it() {
    let crate_ = Fixture::new(&[
        ("src/lib.rs", LIB),
        ("tests/common/mod.rs", "pub fn help() { demo::nothing(); }\n"),
        ("tests/t.rs", "mod common;\n#[test]\nfn t() { common::help(); }\n"),
    ]);
    let run = crate_.files(&*crate_.cargo(), &["tests/t.rs", "tests/common/mod.rs"]);
    let (file, cause, _) = run.load_failure();
    assert_eq!((file, cause), (Some("tests/t.rs"), &Cause::Unresolved { symbol: "nothing".to_owned() }));
}

#[test]
fn a_dependency_that_cannot_be_fetched_is_infrastructure() {
    let toml = format!("{}\n[dependencies]\nno-such-crate-of-ours = \"1\"\n", manifest("demo"));
    let crate_ = Fixture::new(&[("Cargo.toml", &toml), ("src/lib.rs", ""), ("tests/t.rs", "")]);
    let run = crate_.files(&*crate_.cargo(), &["tests/t.rs"]);
    let (file, cause, _) = run.load_failure();
    assert!(matches!(cause, Cause::Infrastructure { .. }), "{cause:?}\n{}", run.log);
    assert_eq!(file, None);
    assert!(run.reading.complete);
}

#[test]
fn a_target_that_the_manifest_hides_is_a_load_failure() {
    let crate_ = Fixture::new(&[("src/lib.rs", ""), ("tests/t.rs", "#[test]\nfn t() {}\n")]);
    let runner = crate_.cargo();
    crate_.write("Cargo.toml", &manifest("demo").replace("edition", "autotests = false\nedition"));
    let run = crate_.files(&*runner, &["tests/t.rs"]);
    let (_, cause, message) = run.load_failure();
    assert!(matches!(cause, Cause::Broken { .. }), "{cause:?}");
    assert!(message.contains("no test target named `t`"), "{message}");

    let own = "[[test]]\nname = \"t\"\nharness = false\n";
    crate_.write("Cargo.toml", &format!("{}{own}", manifest("demo")));
    crate_.write("tests/t.rs", "fn main() {}\n");
    let run = crate_.files(&*runner, &["tests/t.rs"]);
    assert!(!run.reading.complete && run.reading.cases.is_empty(), "{:#?}", run.reading);
}

#[test]
fn cargo_sees_a_file_that_changes_after_a_build() {
    let crate_ = Fixture::new(&[("src/lib.rs", "pub fn one() -> u8 { 1 }\n"), ("tests/t.rs", "")]);
    crate_.write("tests/t.rs", "#[test]\nfn t() { assert_eq!(demo::one(), 1); }\n");
    let runner = crate_.cargo();
    for (text, expected) in [
        ("pub fn one() -> u8 { 1 }\n", Status::Passed),
        ("pub fn one() -> u8 { 2 }\n", Status::Failed),
        ("pub fn one() -> u8 { 1 }\n", Status::Passed),
    ] {
        crate_.write("src/lib.rs", text);
        let run = crate_.files(&*runner, &["tests/t.rs"]);
        assert_eq!(run.statuses(), [("demo::t t", expected)]);
    }
}
