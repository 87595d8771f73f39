//! Jest.

use failfirst::lang::{Cause, Phase, Status, Template};

use crate::harness::{Tree, assert_sound, case, cause, innermost, status, unresolved};

const CART: (&str, &str) = (
    "src/cart.js",
    "exports.total = (a) => {\n  if (a === null) throw new RangeError('bad cart');\n  return a.length;\n};\n\
     exports.boom = async () => { throw new TypeError('async boom'); };\n",
);
const PACKAGE: (&str, &str) = ("package.json", r#"{"name":"x","scripts":{"test":"jest --coverage --bail"}}"#);

fn tree(test: &str) -> Tree {
    Tree::new(&[PACKAGE, CART, ("test/cart.test.js", test)])
}

#[test]
fn every_kind_of_result_is_told_apart() {
    let reading = tree(
        "const { total, boom, nope } = require('../src/cart'); const assert = require('assert');\n\
         describe('cart', () => { describe('deep', () => { test('adds \"q\" (x) a.b > c', () => expect(total([1])).toBe(1)); });\n\
         test('fails', () => { expect(total([1])).toBe(2); });\n\
         test('raises', () => total(null));\n\
         test('awaits', async () => { await boom(); });\n\
         test('call', () => nope());\n\
         test('name', () => undefinedName());\n\
         test('dup', () => {}); test('dup', () => assert.strictEqual(1, 2));\n\
         test.skip('skipped', () => {}); test.todo('todo');\n\
         test.failing('xfail', () => { throw new Error('x'); }); test.failing('xpass', () => {});\n\
         test('slow', () => new Promise((done) => setTimeout(done, 3000)), 30);\n\
         test('counts', () => { expect.assertions(1); });\n\
         test('snapshot', () => { expect({ a: 1 }).toMatchSnapshot(); }); });\n\
         describe('hook', () => { beforeAll(() => { throw new Error('no database'); }); test('one', () => {}); });\n\
         describe('last', () => { afterAll(() => { throw new Error('no end'); }); test('one', () => {}); });\n",
    )
    .files(&["test/cart.test.js"]);
    assert_sound(&reading);
    let at = |name: &str| format!("test/cart.test.js > {name}");
    assert_eq!(status(&reading, &at("cart > deep > adds \"q\" (x) a.b > c")), Status::Passed);
    assert_eq!(cause(&reading, &at("cart > fails")), &Cause::Assertion);
    assert_eq!(innermost(&reading, &at("cart > fails")), "test/cart.test.js:3");
    assert_eq!(cause(&reading, &at("cart > raises")), &Cause::Raised);
    assert_eq!(innermost(&reading, &at("cart > raises")), "src/cart.js:2");
    let failure = case(&reading, &at("cart > raises")).failure.as_ref().unwrap();
    assert_eq!((failure.exception.as_str(), failure.message.as_str()), ("RangeError", "bad cart"));
    assert_eq!(innermost(&reading, &at("cart > awaits")), "src/cart.js:5");
    assert_eq!(cause(&reading, &at("cart > call")), &unresolved("nope"));
    assert_eq!(cause(&reading, &at("cart > name")), &unresolved("undefinedName"));
    assert_eq!(status(&reading, &at("cart > dup")), Status::Passed);
    assert_eq!(cause(&reading, &at("cart > dup #2")), &Cause::Assertion);
    assert_eq!(status(&reading, &at("cart > skipped")), Status::Skipped);
    assert_eq!(status(&reading, &at("cart > todo")), Status::Skipped);
    assert_eq!(status(&reading, &at("cart > xfail")), Status::ExpectedFailure);
    assert_eq!(status(&reading, &at("cart > xpass")), Status::UnexpectedPass);
    assert_eq!(cause(&reading, &at("cart > slow")), &Cause::TimedOut);
    assert_eq!(cause(&reading, &at("cart > counts")), &Cause::Assertion);
    // In CI mode a new snapshot is a failure, and none is written.
    assert_eq!(cause(&reading, &at("cart > snapshot")), &Cause::Assertion);
    assert_eq!(cause(&reading, &at("hook > one")), &Cause::Raised);
    assert_eq!(status(&reading, &at("last > one")), Status::Passed);
    assert_eq!(reading.load_failures.len(), 1);
    assert_eq!(reading.load_failures[0].failure.phase, Phase::Teardown);
}

#[test]
fn a_file_that_cannot_be_loaded_is_no_test() {
    for (text, expected) in [
        ("require('../src/missing'); test('x', () => {});", unresolved("../src/missing")),
        (
            "require('left-pad'); test('x', () => {});",
            Cause::Infrastructure { what: "module `left-pad` is not installed".to_owned() },
        ),
        ("sum(1); test('x', () => {});", unresolved("sum")),
        ("require('../src/cart').total(null); test('x', () => {});", Cause::Raised),
    ] {
        let reading = tree(text).files(&["test/cart.test.js"]);
        assert_sound(&reading);
        assert_eq!(reading.cases, [], "{text}");
        assert_eq!(reading.load_failures[0].failure.cause, expected, "{text}");
        assert_eq!(reading.load_failures[0].file.as_ref().unwrap().as_str(), "test/cart.test.js");
    }
    let barren = tree("module.exports = 1;").files(&["test/cart.test.js"]);
    assert_sound(&barren);
    assert!(barren.cases.is_empty() && barren.load_failures.is_empty());
    let broken = tree("test('x', () => {").files(&["test/cart.test.js"]);
    assert!(matches!(broken.load_failures[0].failure.cause, Cause::Broken { .. }));
}

#[test]
fn an_early_exit_leaves_the_report_incomplete() {
    let reading =
        tree("test('a', () => {}); test('b', () => process.exit(0));").files(&["test/cart.test.js"]);
    assert!(!reading.complete && reading.cases.is_empty());
    let reading = tree("test('a', () => { Promise.reject(new Error('later')); }); test('b', async () => { await new Promise((r) => setTimeout(r, 50)); });")
        .files(&["test/cart.test.js"]);
    assert!(
        !reading.complete
            || !reading.disagreements.is_empty()
            || reading.cases.iter().any(|case| case.status == Status::Failed)
    );
}

#[test]
fn retries_are_a_disagreement_and_only_leaves_the_others_skipped() {
    let reading = tree("jest.retryTimes(2); let n = 0; test('flaky', () => { n += 1; expect(n).toBe(2); });")
        .files(&["test/cart.test.js"]);
    assert_eq!(reading.disagreements.len(), 1);
    assert!(reading.disagreements[0].contains("run 2 times"), "{:?}", reading.disagreements);
    let reading = tree("test('a', () => {}); test.only('b', () => {});").files(&["test/cart.test.js"]);
    assert_eq!(status(&reading, "test/cart.test.js > a"), Status::Skipped);
}

#[test]
fn named_tests_run_alone() {
    let tree =
        tree("describe('d > e', () => { test('a (1)', () => {}); test('a (1) b', () => { throw 1; }); });");
    let reading = tree.tests(&["test/cart.test.js > d > e > a (1)"]);
    assert_sound(&reading);
    assert_eq!(reading.cases.len(), 1);
    let none = tree.tests(&["test/cart.test.js > gone"]);
    assert!(none.complete && none.cases.is_empty() && none.disagreements.is_empty());
}

#[test]
fn the_hanging_test_is_named() {
    let reading = tree(
        "test('a', () => {}); test('h', () => new Promise(() => {}), 1e6); setInterval(() => {}, 1000);",
    )
    .limit(20)
    .files(&["test/cart.test.js"]);
    assert!(!reading.complete);
    assert_eq!(cause(&reading, "test/cart.test.js > h"), &Cause::TimedOut);
}

#[test]
fn typescript_and_modules_run_as_the_project_has_them() {
    let typed = Tree::new(&[
        ("package.json", r#"{"name":"x","devDependencies":{"jest":"30"}}"#),
        (
            "babel.config.js",
            "module.exports = { presets: [['@babel/preset-typescript', {}]], plugins: ['@babel/plugin-transform-modules-commonjs'] };",
        ),
        (
            "src/cart.ts",
            "export const total = (a: number[]): number => {\n\n  return a.map((x) => x.n.m).length;\n};\n",
        ),
        (
            "src/cart.spec.ts",
            "import { total, nope } from './cart';\ninterface A { a: number }\n\
            test('a', () => { const x: A = { a: 1 }; expect(total([])).toBe(0); });\n\
            test('b', () => { total([1]); });\ntest('c', () => { nope(); });\n",
        ),
    ]);
    let reading = typed.files(&["src/cart.spec.ts"]);
    assert_sound(&reading);
    assert_eq!(status(&reading, "src/cart.spec.ts > a"), Status::Passed);
    assert_eq!(innermost(&reading, "src/cart.spec.ts > b"), "src/cart.ts:3");
    assert_eq!(cause(&reading, "src/cart.spec.ts > c"), &unresolved("nope"));

    let modules = Tree::new(&[
        (
            "package.json",
            r#"{"name":"x","type":"module","scripts":{"test":"NODE_OPTIONS=--experimental-vm-modules npx jest"},"jest":{"transform":{}}}"#,
        ),
        ("src/cart.js", "export const total = () => 1;\n"),
        (
            "test/cart.test.js",
            "import { total } from '../src/cart.js';\ntest('a', () => { expect(total()).toBe(1); });\n",
        ),
        ("test/bad.test.js", "import { nope } from '../src/cart.js';\ntest('a', () => {});\n"),
    ]);
    assert_eq!(status(&modules.files(&["test/cart.test.js"]), "test/cart.test.js > a"), Status::Passed);
    let bad = modules.files(&["test/bad.test.js"]);
    assert_eq!(bad.load_failures[0].failure.cause, unresolved("nope"));
}

#[test]
fn commands_of_the_user_are_kept() {
    for command in ["npx jest {tests}", "npm test -- {tests}", "node_modules/.bin/jest -i"] {
        let tree = tree("test('a', () => {}); test('b', () => { expect(1).toBe(2); });")
            .settings(|settings| settings.command = Some(Template::parse(command).unwrap()));
        let reading = tree.files(&["test/cart.test.js"]);
        assert_sound(&reading);
        assert_eq!(cause(&reading, "test/cart.test.js > b"), &Cause::Assertion, "{command}");
    }
}
