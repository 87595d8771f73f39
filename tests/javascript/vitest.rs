//! Vitest.

use failfirst::lang::{Cause, Phase, Status, Template};

use crate::harness::{Tree, assert_sound, case, cause, innermost, status, unresolved};

const CART: (&str, &str) = (
    "src/cart.ts",
    "export const total = (a: number[] | null) => {\n  if (a === null) throw new RangeError('bad cart');\n  return a.length;\n};\n\
     export const boom = async () => { throw new TypeError('async boom'); };\n",
);
const PACKAGE: (&str, &str) =
    ("package.json", r#"{"name":"x","scripts":{"test":"vitest run --coverage --retry=2"}}"#);
const HEAD: &str = "import { test, expect, describe, beforeAll, beforeEach, afterAll } from 'vitest';\n\
    import assert from 'node:assert';\nimport { total, boom, nope } from '../src/cart';\n";

fn tree(test: &str) -> Tree {
    Tree::new(&[PACKAGE, CART, ("test/cart.test.ts", test)])
}

#[test]
fn every_kind_of_result_is_told_apart() {
    let reading = tree(&format!(
        "{HEAD}interface A {{ a: number }}\n\
         describe('cart', () => {{ describe('deep', () => {{ test('adds \"q\" (x) a.b > c', () => {{ expect(total([1])).toBe(1); }}); }});\n\
         test('fails', () => {{ expect(total([1])).toBe(2); }});\n\
         test('raises', () => {{ total(null); }});\n\
         test('awaits', async () => {{ await boom(); }});\n\
         test('call', () => {{ nope(); }});\n\
         test('name', () => {{ undefinedName(); }});\n\
         test('dup', () => {{}}); test('dup', () => assert.strictEqual(1, 2));\n\
         test.skip('skipped', () => {{}}); test.todo('todo');\n\
         test.fails('xfail', () => {{ throw new Error('x'); }}); test.fails('xpass', () => {{}});\n\
         test('slow', () => new Promise((done) => setTimeout(done, 3000)), 30);\n\
         test('counts', () => {{ expect.assertions(1); }});\n\
         test('exits', () => process.exit(0));\n\
         test('snapshot', () => {{ expect({{ a: 1 }}).toMatchSnapshot(); }}); }});\n\
         describe('hook', () => {{ beforeAll(() => {{ throw new Error('no database'); }}); test('one', () => {{}}); }});\n\
         describe('each', () => {{ beforeEach(() => {{ throw new Error('no table'); }}); test('one', () => {{}}); }});\n\
         describe('last', () => {{ afterAll(() => {{ throw new Error('no end'); }}); test('one', () => {{}}); }});\n"
    ))
    .files(&["test/cart.test.ts"]);
    assert_sound(&reading);
    let at = |name: &str| format!("test/cart.test.ts > {name}");
    assert_eq!(status(&reading, &at("cart > deep > adds \"q\" (x) a.b > c")), Status::Passed);
    assert_eq!(cause(&reading, &at("cart > fails")), &Cause::Assertion);
    assert_eq!(innermost(&reading, &at("cart > fails")), "test/cart.test.ts:6");
    assert_eq!(cause(&reading, &at("cart > raises")), &Cause::Raised);
    assert_eq!(innermost(&reading, &at("cart > raises")), "src/cart.ts:2");
    let failure = case(&reading, &at("cart > raises")).failure.as_ref().unwrap();
    assert_eq!((failure.exception.as_str(), failure.message.as_str()), ("RangeError", "bad cart"));
    assert_eq!(innermost(&reading, &at("cart > awaits")), "src/cart.ts:5");
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
    assert_eq!(cause(&reading, &at("cart > exits")), &Cause::Raised);
    assert_eq!(cause(&reading, &at("cart > snapshot")), &Cause::Assertion);
    assert_eq!(case(&reading, &at("hook > one")).failure.as_ref().unwrap().phase, Phase::Setup);
    assert_eq!(cause(&reading, &at("each > one")), &Cause::Raised);
    assert_eq!(status(&reading, &at("last > one")), Status::Passed);
    assert_eq!(reading.load_failures.len(), 1);
    assert_eq!(reading.load_failures[0].failure.phase, Phase::Teardown);
}

#[test]
fn a_file_that_cannot_be_loaded_is_no_test() {
    for (text, expected) in [
        (
            "import '../src/missing'; import { test } from 'vitest'; test('x', () => {});",
            unresolved("../src/missing"),
        ),
        (
            "import 'left-pad'; import { test } from 'vitest'; test('x', () => {});",
            Cause::Infrastructure { what: "module `left-pad` is not installed".to_owned() },
        ),
        ("import { total } from '../src/cart'; total(null);", Cause::Raised),
    ] {
        let reading = tree(text).files(&["test/cart.test.ts"]);
        assert_sound(&reading);
        assert_eq!(reading.cases, [], "{text}");
        assert_eq!(reading.load_failures[0].failure.cause, expected, "{text}");
        assert_eq!(reading.load_failures[0].file.as_ref().unwrap().as_str(), "test/cart.test.ts");
    }
    let broken = tree("import { test } from 'vitest'; test('x', () => {").files(&["test/cart.test.ts"]);
    assert!(matches!(broken.load_failures[0].failure.cause, Cause::Broken { .. }));
}

#[test]
fn what_reaches_no_test_is_a_disagreement() {
    let reading = tree(&format!(
        "{HEAD}test('a', async () => {{ setTimeout(() => {{ expect(1).toBe(2); }}, 5); await new Promise((r) => setTimeout(r, 30)); }});"
    ))
    .files(&["test/cart.test.ts"]);
    assert_eq!(status(&reading, "test/cart.test.ts > a"), Status::Passed);
    assert_eq!(reading.disagreements.len(), 1);
    assert!(reading.disagreements[0].contains("reached no test"), "{:?}", reading.disagreements);
}

#[test]
fn a_crash_leaves_the_report_incomplete() {
    let reading = tree(&format!("{HEAD}test('a', () => {{ process.kill(process.pid, 'SIGKILL'); }});"))
        .files(&["test/cart.test.ts"]);
    assert!(!reading.complete);
    assert!(!reading.cases.iter().any(|case| case.status == Status::Passed));
    let hang = tree(&format!("{HEAD}test('a', () => {{}}); test('h', () => new Promise(() => {{}}), 1e6);"))
        .limit(20)
        .files(&["test/cart.test.ts"]);
    assert!(!hang.complete);
    assert_eq!(cause(&hang, "test/cart.test.ts > h"), &Cause::TimedOut);
}

#[test]
fn retries_and_only_come_to_light() {
    let flaky = "let n = 0; test('flaky', { retry: 2 }, () => { n += 1; expect(n).toBe(2); });";
    let reading = tree(&format!("{HEAD}{flaky}")).files(&["test/cart.test.ts"]);
    assert!(reading.disagreements[0].contains("run 2 times"), "{:?}", reading.disagreements);
    // The retries of the project's script are stripped.
    let reading =
        tree(&format!("{HEAD}{}", flaky.replace("{ retry: 2 }, ", ""))).files(&["test/cart.test.ts"]);
    assert_sound(&reading);
    assert_eq!(cause(&reading, "test/cart.test.ts > flaky"), &Cause::Assertion);
    let only = tree(&format!("{HEAD}test('a', () => {{}}); test.only('b', () => {{}});"))
        .files(&["test/cart.test.ts"]);
    assert_eq!(status(&only, "test/cart.test.ts > a"), Status::Skipped);
    assert!(matches!(cause(&only, "test/cart.test.ts > b"), Cause::Broken { .. }));
}

#[test]
fn only_the_selection_is_read() {
    let files = [
        ("package.json", r#"{"name":"x","scripts":{"test":"vitest run --retry=2"}}"#),
        CART,
        (
            "test/cart.test.ts",
            "import { test } from 'vitest';\ntest('a', () => {});\ntest('a b', () => { throw new Error('x'); });\n",
        ),
        (
            "deep/test/cart.test.ts",
            "import { test } from 'vitest';\ntest('a', () => { throw new Error('other'); });\n",
        ),
    ];
    let tree = Tree::new(&files);
    let reading = tree.files(&["test/cart.test.ts"]);
    assert!(reading.cases.iter().all(|case| case.file.as_ref().unwrap().as_str() == "test/cart.test.ts"));
    let named = tree.tests(&["test/cart.test.ts > a"]);
    assert_eq!(named.cases.len(), 1);
    assert_eq!(status(&named, "test/cart.test.ts > a"), Status::Passed);
    let none = tree.tests(&["test/cart.test.ts > gone"]);
    assert!(none.complete && none.cases.is_empty());
    for command in ["npx vitest run {tests}", "npm test -- {tests}"] {
        let tree =
            Tree::new(&files).settings(|settings| settings.command = Some(Template::parse(command).unwrap()));
        assert_eq!(
            cause(&tree.files(&["test/cart.test.ts"]), "test/cart.test.ts > a b"),
            &Cause::Raised,
            "{command}"
        );
    }
}
