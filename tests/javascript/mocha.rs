//! Mocha.

use failfirst::lang::{Cause, Phase, Selection, Status, Template};

use crate::harness::{Tree, assert_sound, case, cause, innermost, status, unresolved};

const CART: (&str, &str) = (
    "src/cart.js",
    "exports.total = (a) => {\n  if (a === null) throw new RangeError('bad cart');\n  return a.length;\n};\n\
     exports.boom = async () => { throw new TypeError('async boom'); };\n",
);
const PACKAGE: (&str, &str) = (
    "package.json",
    r#"{"name":"x","scripts":{"test":"nyc mocha --require ./test/setup.js 'test/**/*.spec.js'"},"mocha":{"bail":true}}"#,
);
const RC: (&str, &str) = (".mocharc.json", r#"{"spec":["test/**/*.spec.js"],"retries":3,"timeout":200}"#);
const SETUP: (&str, &str) = ("test/setup.js", "global.SETUP = 1;\n");
const OTHER: (&str, &str) = ("test/other.spec.js", "it('other', () => { throw new Error('other'); });\n");

fn tree(test: &str) -> Tree {
    Tree::new(&[PACKAGE, RC, SETUP, OTHER, CART, ("test/cart.spec.js", test)])
}

#[test]
fn every_kind_of_result_is_told_apart() {
    let reading = tree(
        "const { total, boom, nope } = require('../src/cart'); const assert = require('assert'); const chai = import('chai');\n\
         describe('cart', () => { describe('deep', () => { it('adds \"q\" (x) a.b > c', () => assert.equal(total([1]), SETUP)); });\n\
         it('fails', () => { assert.equal(total([1]), 2); });\n\
         it('raises', () => total(null));\n\
         it('awaits', async () => { await boom(); });\n\
         it('call', () => nope());\n\
         it('name', () => undefinedName());\n\
         it('chai', async () => { (await chai).expect(1).to.equal(2); });\n\
         it('dup', () => {}); it('dup', () => assert.strictEqual(1, 2));\n\
         it.skip('skipped', () => {}); it('todo');\n\
         it('slow', () => new Promise((done) => setTimeout(done, 3000)));\n\
         it('text', () => { throw 'a string'; }); });\n\
         describe('hook', () => { before(() => { throw new Error('no database'); }); it('one', () => {}); });\n\
         describe('each', () => { beforeEach(() => { throw new Error('no table'); }); it('one', () => {}); it('two', () => {}); });\n\
         describe('end', () => { afterEach(() => { throw new Error('no drop'); }); it('one', () => {}); });\n\
         describe('last', () => { after(() => { throw new Error('no end'); }); it('one', () => {}); });\n",
    )
    .files(&["test/cart.spec.js"]);
    assert_sound(&reading);
    let at = |name: &str| format!("test/cart.spec.js > {name}");
    assert_eq!(status(&reading, &at("cart > deep > adds \"q\" (x) a.b > c")), Status::Passed);
    assert_eq!(cause(&reading, &at("cart > fails")), &Cause::Assertion);
    assert_eq!(innermost(&reading, &at("cart > fails")), "test/cart.spec.js:3");
    assert_eq!(cause(&reading, &at("cart > raises")), &Cause::Raised);
    assert_eq!(innermost(&reading, &at("cart > raises")), "src/cart.js:2");
    let failure = case(&reading, &at("cart > raises")).failure.as_ref().unwrap();
    assert_eq!((failure.exception.as_str(), failure.message.as_str()), ("RangeError", "bad cart"));
    assert_eq!(innermost(&reading, &at("cart > awaits")), "src/cart.js:5");
    assert_eq!(cause(&reading, &at("cart > call")), &unresolved("nope"));
    assert_eq!(cause(&reading, &at("cart > name")), &unresolved("undefinedName"));
    assert_eq!(cause(&reading, &at("cart > chai")), &Cause::Assertion);
    assert_eq!(cause(&reading, &at("cart > dup #2")), &Cause::Assertion);
    assert_eq!(status(&reading, &at("cart > skipped")), Status::Skipped);
    assert_eq!(status(&reading, &at("cart > todo")), Status::Skipped);
    assert_eq!(cause(&reading, &at("cart > slow")), &Cause::TimedOut);
    for name in ["hook > one", "each > one", "each > two"] {
        assert_eq!(case(&reading, &at(name)).failure.as_ref().unwrap().phase, Phase::Setup, "{name}");
    }
    assert_eq!(case(&reading, &at("end > one")).failure.as_ref().unwrap().phase, Phase::Teardown);
    assert_eq!(status(&reading, &at("last > one")), Status::Passed);
    assert_eq!(reading.load_failures.len(), 1);
    assert_eq!(reading.load_failures[0].failure.phase, Phase::Teardown);
}

#[test]
fn a_file_that_cannot_be_loaded_is_no_test() {
    for (text, expected) in [
        ("require('../src/missing');", unresolved("../src/missing")),
        (
            "require('left-pad');",
            Cause::Infrastructure { what: "module `left-pad` is not installed".to_owned() },
        ),
        ("sum(1);", unresolved("sum")),
        ("require('../src/cart').total(null);", Cause::Raised),
        ("it('x', () => {", Cause::Broken { what: "Unexpected end of input".to_owned() }),
        (
            "it('x', () => {}); it.only('y', () => {});",
            Cause::Broken { what: "`.only` forbidden by --forbid-only".to_owned() },
        ),
    ] {
        let reading = tree(text).files(&["test/cart.spec.js"]);
        assert_sound(&reading);
        assert_eq!(reading.cases, [], "{text}");
        assert_eq!(reading.load_failures[0].failure.cause, expected, "{text}");
        assert_eq!(reading.load_failures[0].file.as_ref().unwrap().as_str(), "test/cart.spec.js", "{text}");
    }
    let modules = Tree::new(&[
        ("package.json", r#"{"name":"x","devDependencies":{"mocha":"11"}}"#),
        ("src/cart.mjs", "export const total = 1;\n"),
        ("test/cart.spec.mjs", "import { nope } from '../src/cart.mjs';\nit('x', () => {});\n"),
    ]);
    assert_eq!(modules.files(&["test/cart.spec.mjs"]).load_failures[0].failure.cause, unresolved("nope"));
}

#[test]
fn an_early_exit_leaves_the_report_incomplete() {
    let reading = tree("it('a', () => {}); it('b', () => process.exit(0));").files(&["test/cart.spec.js"]);
    assert!(!reading.complete);
    assert!(reading.case(&"test/cart.spec.js > b".into()).is_none());
    let hang = tree("it('a', () => {}); it('h', function () { this.timeout(0); setInterval(() => {}, 1000); return new Promise(() => {}); });")
        .limit(10)
        .files(&["test/cart.spec.js"]);
    assert!(!hang.complete);
    assert_eq!(cause(&hang, "test/cart.spec.js > h"), &Cause::TimedOut);
}

#[test]
fn what_reaches_no_test_is_a_disagreement() {
    for text in [
        "it('x', () => { setTimeout(() => { throw new Error('late'); }, 20); });",
        "it('x', () => { Promise.resolve().then(() => require('assert').equal(1, 2)); });",
    ] {
        let reading = tree(text).files(&["test/cart.spec.js"]);
        assert_eq!(status(&reading, "test/cart.spec.js > x"), Status::Passed, "{text}");
        assert_eq!(reading.disagreements.len(), 1, "{text}");
    }
    let flaky = tree("it('x', function () { this.retries(2); global.n = (global.n || 0) + 1; if (n < 2) throw new Error('x'); });")
        .files(&["test/cart.spec.js"]);
    assert!(flaky.disagreements[0].contains("run 2 times"), "{:?}", flaky.disagreements);
}

#[test]
fn only_the_selection_runs() {
    let tree = tree("describe('d', () => { it('a (1)', () => {}); it('a (1) b', () => { throw 1; }); });");
    let named = tree.tests(&["test/cart.spec.js > d > a (1)"]);
    assert_sound(&named);
    assert_eq!(named.cases.len(), 1);
    let none = tree.tests(&["test/cart.spec.js > gone"]);
    assert!(none.complete && none.cases.is_empty() && none.disagreements.is_empty());
    let suite = tree.run(&Selection::Suite);
    assert_eq!(cause(&suite, "test/other.spec.js > other"), &Cause::Raised);
    assert_eq!(suite.cases.len(), 3);
}

#[test]
fn typescript_parallel_runs_and_commands_of_the_user() {
    let typed = Tree::new(&[
        (
            "package.json",
            r#"{"name":"x","type":"module","scripts":{"test":"mocha --import=tsx -j 2 --parallel \"test/**/*.spec.ts\""}}"#,
        ),
        (
            "src/cart.ts",
            "export enum Kind { A = 1 }\nexport const kind = (): Kind => {\n  throw new RangeError(`no ${Kind.A}`);\n};\n",
        ),
        (
            "test/cart.spec.ts",
            "import { kind } from '../src/cart.js';\ndescribe('d', () => {\n  it('a', () => {});\n  it('b', () => { kind(); });\n});\n",
        ),
    ]);
    let reading = typed.files(&["test/cart.spec.ts"]);
    assert_sound(&reading);
    assert_eq!(status(&reading, "test/cart.spec.ts > d > a"), Status::Passed);
    assert_eq!(innermost(&reading, "test/cart.spec.ts > d > b"), "src/cart.ts:3");
    for command in ["npx mocha --require ./test/setup.js {tests}", "npm test -- {tests}"] {
        let package = (
            "package.json",
            r#"{"name":"x","scripts":{"test":"mocha --require ./test/setup.js 'test/**/*.spec.js'"}}"#,
        );
        let test =
            "it('a', () => { require('assert')(SETUP); }); it('b', () => { throw new TypeError('b'); });";
        let tree = Tree::new(&[package, RC, SETUP, OTHER, CART, ("test/cart.spec.js", test)])
            .settings(|settings| settings.command = Some(Template::parse(command).unwrap()));
        let reading = tree.files(&["test/cart.spec.js"]);
        assert_eq!(status(&reading, "test/cart.spec.js > a"), Status::Passed, "{command}");
        assert_eq!(cause(&reading, "test/cart.spec.js > b"), &Cause::Raised, "{command}");
        assert_eq!(reading.cases.len(), 2, "{command}");
    }
}
