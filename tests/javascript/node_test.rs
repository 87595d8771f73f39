//! node:test.

use failfirst::lang::{Cause, Phase, Selection, Status, Template};

use crate::harness::{Tree, assert_sound, case, cause, innermost, status, unresolved};

const CART: (&str, &str) = (
    "src/cart.mjs",
    "export const total = (a) => {\n  if (a === null) throw new RangeError('bad cart');\n  return a.length;\n};\n\
     export const boom = async () => { throw new TypeError('async boom'); };\nexport default {};\n",
);

fn tree(test: &str) -> Tree {
    Tree::bare(&[CART, ("test/cart.test.mjs", test)])
        .settings(|settings| settings.runner = Some("node".to_owned()))
}

const HEAD: &str = "import { test, describe, it, before, beforeEach, after } from 'node:test';\n\
    import assert from 'node:assert/strict';\nimport cart, { total, boom } from '../src/cart.mjs';\n";

#[test]
fn every_kind_of_result_is_told_apart() {
    let text = format!(
        "{HEAD}describe('cart', () => {{ describe('deep', () => {{ it('adds \"q\" (x) a.b > c', () => assert.equal(total([1]), 1)); }});\n\
         it('fails', () => assert.equal(total([1]), 2));\n\
         it('raises', () => total(null));\n\
         it('awaits', async () => {{ await boom(); }});\n\
         it('call', () => cart.sum());\n\
         it('name', () => undefinedName());\n\
         it('dup', () => {{}}); it('dup', () => assert.equal(1, 2));\n\
         it('skipped', {{ skip: true }}, () => {{}}); it('todo', {{ todo: true }}, () => {{ throw new Error('x'); }});\n\
         it('slow', {{ timeout: 30 }}, () => new Promise((done) => setTimeout(done, 2000)));\n\
         it('text', () => {{ throw 'a string'; }}); }});\n\
         test('parent', async (t) => {{ await t.test('child', () => assert.equal(1, 2)); }});\n\
         describe('hook', () => {{ before(() => {{ throw new Error('no database'); }}); it('one', () => {{}}); }});\n\
         describe('each', () => {{ beforeEach(() => {{ throw new Error('no table'); }}); it('one', () => {{}}); }});\n\
         describe('last', () => {{ after(() => {{ throw new Error('no end'); }}); it('one', () => {{}}); }});\n"
    );
    let reading = tree(&text).files(&["test/cart.test.mjs"]);
    assert_sound(&reading);
    let at = |name: &str| format!("test/cart.test.mjs > {name}");
    assert_eq!(status(&reading, &at("cart > deep > adds \"q\" (x) a.b > c")), Status::Passed);
    assert_eq!(cause(&reading, &at("cart > fails")), &Cause::Assertion);
    assert_eq!(innermost(&reading, &at("cart > fails")), "test/cart.test.mjs:5");
    assert_eq!(cause(&reading, &at("cart > raises")), &Cause::Raised);
    assert_eq!(innermost(&reading, &at("cart > raises")), "src/cart.mjs:2");
    let failure = case(&reading, &at("cart > raises")).failure.as_ref().unwrap();
    assert_eq!((failure.exception.as_str(), failure.message.as_str()), ("RangeError", "bad cart"));
    assert_eq!(innermost(&reading, &at("cart > awaits")), "src/cart.mjs:5");
    assert_eq!(cause(&reading, &at("cart > call")), &unresolved("cart.sum"));
    assert_eq!(cause(&reading, &at("cart > name")), &unresolved("undefinedName"));
    assert_eq!(status(&reading, &at("cart > dup")), Status::Passed);
    assert_eq!(cause(&reading, &at("cart > dup #2")), &Cause::Assertion);
    assert_eq!(status(&reading, &at("cart > skipped")), Status::Skipped);
    assert_eq!(status(&reading, &at("cart > todo")), Status::Skipped);
    assert_eq!(cause(&reading, &at("cart > slow")), &Cause::TimedOut);
    assert_eq!(cause(&reading, &at("cart > text")), &Cause::Raised);
    assert_eq!(cause(&reading, &at("parent > child")), &Cause::Assertion);
    assert_eq!(cause(&reading, &at("parent")), &Cause::Assertion);
    for name in ["hook > one", "each > one"] {
        let failure = case(&reading, &at(name)).failure.as_ref().unwrap();
        assert_eq!((failure.phase, &failure.cause), (Phase::Setup, &Cause::Raised), "{name}");
    }
    assert_eq!(status(&reading, &at("last > one")), Status::Passed);
    assert_eq!(reading.load_failures.len(), 1);
    assert_eq!(reading.load_failures[0].failure.phase, Phase::Teardown);
    assert!(reading.cases.iter().all(|case| case.file.is_some()));
    assert!(!reading.cases.iter().any(|case| case.id.as_str().ends_with(".mjs")));
}

#[test]
fn a_file_that_cannot_be_loaded_is_no_test() {
    for (text, expected) in [
        ("import { nope } from '../src/cart.mjs';", unresolved("nope")),
        ("import '../src/missing.mjs';", unresolved("src/missing.mjs")),
        (
            "import 'left-pad';",
            Cause::Infrastructure { what: "module `left-pad` is not installed".to_owned() },
        ),
        (
            "import { createRequire } from 'node:module'; createRequire(import.meta.url)('../src/gone');",
            unresolved("../src/gone"),
        ),
        ("sum(1);", unresolved("sum")),
        ("import { total } from '../src/cart.mjs'; total(null);", Cause::Raised),
    ] {
        let reading = tree(text).files(&["test/cart.test.mjs"]);
        assert_sound(&reading);
        assert_eq!(reading.cases, [], "{text}");
        assert_eq!(reading.load_failures.len(), 1, "{text}");
        assert_eq!(reading.load_failures[0].failure.cause, expected, "{text}");
        assert_eq!(reading.load_failures[0].file.as_ref().unwrap().as_str(), "test/cart.test.mjs");
    }
    let broken = tree("import test from 'node:test'; test('x', () => {").files(&["test/cart.test.mjs"]);
    assert!(
        matches!(&broken.load_failures[0].failure.cause, Cause::Broken { what } if what == "Unexpected end of input")
    );
}

#[test]
fn an_early_exit_leaves_the_report_incomplete() {
    let exits = format!(
        "{HEAD}test('a', () => {{}});\ntest('b', async () => {{ await 1; process.exit(0); }});\ntest('c', () => {{}});"
    );
    let reading = tree(&exits).files(&["test/cart.test.mjs"]);
    assert!(!reading.complete);
    assert!(reading.cases.iter().all(|case| !case.id.as_str().ends_with("> b")));
    let late = format!(
        "{HEAD}test('a', () => {{}});\ntest('b', async () => {{ await new Promise((r) => setTimeout(r, 300)); process.exit(0); }});"
    );
    assert!(!tree(&late).files(&["test/cart.test.mjs"]).complete);
    let at_once = tree("process.exit(0);").files(&["test/cart.test.mjs"]);
    assert!(!at_once.complete && at_once.cases.is_empty());
    let quiet = tree("globalThis.x = 1;").files(&["test/cart.test.mjs"]);
    assert!(quiet.complete && quiet.cases.is_empty());
    let crash = tree(&format!("{HEAD}test('a', () => process.kill(process.pid, 'SIGKILL'));"))
        .files(&["test/cart.test.mjs"]);
    assert!(!crash.complete);
}

#[test]
fn an_assertion_that_nobody_awaits_is_a_disagreement() {
    let text = format!(
        "{HEAD}test('a', () => {{ new Promise((r) => setTimeout(r, 30)).then(() => assert.equal(1, 2)); }});"
    );
    let reading = tree(&text).files(&["test/cart.test.mjs"]);
    assert_eq!(status(&reading, "test/cart.test.mjs > a"), Status::Passed);
    assert_eq!(reading.disagreements.len(), 1);
    assert!(reading.disagreements[0].contains("reached no test"), "{:?}", reading.disagreements);
}

#[test]
fn the_test_that_hangs_is_named() {
    let text = format!(
        "{HEAD}test('a', () => {{}});\ndescribe('d', () => {{ it('hangs', () => {{ for (;;); }}); }});\ntest('c', () => {{}});"
    );
    let reading = tree(&text).limit(8).files(&["test/cart.test.mjs"]);
    assert!(!reading.complete);
    // A loop that blocks the process also blocks its report, but never hides behind a pass.
    assert!(
        reading.cases.iter().all(|case| case.status != Status::Passed || case.id.as_str().ends_with("> a"))
    );
    let text = format!(
        "{HEAD}test('a', () => {{}});\ndescribe('d', () => {{ it('hangs', () => new Promise((r) => setTimeout(r, 60000))); }});"
    );
    let reading = tree(&text).limit(8).files(&["test/cart.test.mjs"]);
    assert!(!reading.complete);
    assert_eq!(cause(&reading, "test/cart.test.mjs > d > hangs"), &Cause::TimedOut);
}

#[test]
fn named_tests_run_alone_and_only_does_not_hide_the_others() {
    let text = format!(
        "{HEAD}describe('d', () => {{ it('a (1)', () => {{}}); it('b', () => assert.fail('b ran')); }});\n\
         test('parent', async (t) => {{ await t.test('a (1)', () => {{}}); await t.test('z', () => {{}}); }});\n\
         test.only('o', () => {{}});\n"
    );
    let tree = tree(&text);
    let reading = tree.tests(&["test/cart.test.mjs > d > a (1)", "test/cart.test.mjs > parent > z"]);
    let ids: Vec<&str> = reading.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["test/cart.test.mjs > d > a (1)", "test/cart.test.mjs > parent > z"]);
    assert!(reading.cases.iter().all(|case| case.status == Status::Passed));
    let none = tree.tests(&["test/cart.test.mjs > gone"]);
    assert!(none.complete && none.cases.is_empty());
    let whole = tree.files(&["test/cart.test.mjs"]);
    assert_eq!(cause(&whole, "test/cart.test.mjs > d > b"), &Cause::Assertion);
}

#[test]
fn the_scripts_own_options_are_kept() {
    let tree = Tree::new(&[
        (
            "package.json",
            r#"{"name":"x","type":"module","scripts":{"test":"node --import tsx --import ./test/setup.js --test-only --test 'test/*.test.ts'"}}"#,
        ),
        ("src/cart.ts", "export enum Kind { A = 1 }\nexport const kind = (): Kind => Kind.A;\n"),
        ("test/setup.js", "globalThis.SETUP = 1;\n"),
        (
            "test/cart.test.ts",
            "import test from 'node:test';\nimport assert from 'node:assert';\nimport { kind } from '../src/cart';\n\
             declare const SETUP: number;\ninterface Unused { a: number }\n\
             test('a', () => assert.equal(kind(), SETUP));\ntest('b', () => assert.equal(kind(), 2));\n",
        ),
    ]);
    for selection in [
        Selection::Suite,
        Selection::Files(vec![failfirst::git::RepoPath::new("test/cart.test.ts").unwrap()]),
    ] {
        let reading = tree.run(&selection);
        assert_sound(&reading);
        assert_eq!(status(&reading, "test/cart.test.ts > a"), Status::Passed);
        assert_eq!(innermost(&reading, "test/cart.test.ts > b"), "test/cart.test.ts:7");
    }
}

#[test]
fn commands_of_the_user_are_kept() {
    let files = [
        ("package.json", r#"{"name":"x","scripts":{"test":"node --test","none":"node --test --"}}"#),
        (
            "test/a.test.js",
            "const test = require('node:test');\ntest('a', () => {});\ntest('b', () => { throw new Error('b'); });\n",
        ),
    ];
    for command in ["node --test {tests}", "npm test -- {tests}", "SOME_VAR=1 npm run test -- {tests}"] {
        let tree =
            Tree::new(&files).settings(|settings| settings.command = Some(Template::parse(command).unwrap()));
        let reading = tree.files(&["test/a.test.js"]);
        assert_sound(&reading);
        assert_eq!(status(&reading, "test/a.test.js > a"), Status::Passed, "{command}");
        assert_eq!(cause(&reading, "test/a.test.js > b"), &Cause::Raised, "{command}");
        let named = tree.tests(&["test/a.test.js > a"]);
        assert_sound(&named);
        assert_eq!(named.cases.len(), 1, "{command}");
    }
}
