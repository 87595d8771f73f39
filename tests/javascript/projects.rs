//! Detection, workspaces, canaries.

use failfirst::git::RepoPath;
use failfirst::lang::{Cause, LangError, Status};

use crate::harness::{Tree, assert_sound, cause, status};

#[test]
fn what_is_not_installed_is_said_with_the_way_out() {
    let tree = Tree::bare(&[
        ("package.json", r#"{"scripts":{"test":"jest"}}"#),
        ("test/a.test.js", "test('a', () => {});"),
    ]);
    let Err(error) = tree.runner().map(|runner| runner.label()) else { panic!("jest is not installed") };
    assert_eq!(
        error.to_string(),
        "`jest` is not installed in the checkout (no node_modules/.bin has it); run `npm ci` in the checkout, or list \
         it under `setup` in failfirst.toml"
    );
    let ava = Tree::bare(&[("package.json", r#"{"scripts":{"test":"c8 ava"}}"#), ("test/a.js", "")]);
    assert!(
        ava.runner()
            .map(|runner| runner.label())
            .unwrap_err()
            .to_string()
            .contains("with `ava`, whose reports")
    );
    let unknown = tree.settings(|settings| settings.runner = Some("tape".to_owned()));
    assert!(matches!(unknown.runner().map(|runner| runner.label()), Err(LangError::UnknownRunner { .. })));
}

#[test]
fn the_label_names_versions() {
    let tree = Tree::new(&[("package.json", "{}"), ("a.test.ts", "import { test } from 'vitest';")]);
    let label = tree.runner().unwrap().label();
    assert!(label.starts_with("vitest ") && label.contains(" on Node "), "{label}");
}

#[test]
fn each_workspace_runs_with_its_own_runner() {
    let tree = Tree::new(&[
        ("package.json", r#"{"workspaces":["packages/*"],"scripts":{"test":"npm test --workspaces"}}"#),
        ("packages/a/package.json", r#"{"name":"a","scripts":{"test":"mocha 'test/*.js'"}}"#),
        ("packages/a/src/index.js", "exports.a = () => {\n  throw new RangeError('a');\n};\n"),
        ("packages/a/test/a.js", "it('a', () => { require('../src').a(); });\n"),
        ("packages/b/package.json", r#"{"name":"b","type":"module","scripts":{"test":"vitest"}}"#),
        (
            "packages/b/src/b.test.ts",
            "import { test, expect } from 'vitest';\ntest('b', () => { expect(1).toBe(1); });\n",
        ),
        ("packages/b/fixtures/package.json", r#"{"type":"commonjs"}"#),
    ]);
    let reading = tree.files(&["packages/a/test/a.js", "packages/b/src/b.test.ts"]);
    assert_sound(&reading);
    assert_eq!(cause(&reading, "packages/a/test/a.js > a"), &Cause::Raised);
    assert_eq!(crate::harness::innermost(&reading, "packages/a/test/a.js > a"), "packages/a/src/index.js:2");
    assert_eq!(status(&reading, "packages/b/src/b.test.ts > b"), Status::Passed);
    let suite = tree.run(&failfirst::lang::Selection::Suite);
    assert_eq!(suite.cases.len(), 2);
}

#[test]
fn one_canary_passes_and_one_fails_in_every_runner() {
    let package = ("package.json", "{\"name\":\"x\"}");
    for (path, source, extra) in [
        (
            "test/a.test.mjs",
            "import test from 'node:test';\nimport assert from 'node:assert/strict';\ntest('s', () => assert.ok(true));\n",
            package,
        ),
        ("test/a.test.js", "const test = require('node:test');\ntest('s', () => {});\n", package),
        (
            "test/a.test.js",
            "test('s', () => { expect(1).toBe(1); });\n",
            ("jest.config.js", "module.exports = {};\n"),
        ),
        (
            "src/a.spec.ts",
            "import { it } from 'vitest';\nit('s', () => {});\n",
            ("vitest.config.ts", "export default {};\n"),
        ),
        ("test/a_test.js", "it('s', () => {});\n", (".mocharc.json", "{}")),
        (
            "test/a.mjs",
            "import { expect } from 'chai';\nit('s', () => { expect(1).to.equal(1); });\n",
            (".mocharc.json", "{}"),
        ),
    ] {
        let files = if extra == package { vec![package] } else { vec![package, extra] };
        let tree = Tree::new(&[files, vec![(path, source)]].concat());
        let runner = tree.runner().unwrap();
        let sealed = RepoPath::new(path).unwrap();
        let canaries = runner.canaries(&sealed, source, "k2x9").unwrap();
        tree.write(&canaries.path, &canaries.content);
        let reading = tree.files(&[path]);
        assert_sound(&reading);
        assert_eq!(reading.cases.len(), 3, "{path}");
        assert_eq!(status(&reading, &format!("{path} > s")), Status::Passed);
        assert_eq!(status(&reading, &format!("{} > {}", canaries.path, canaries.passes)), Status::Passed);
        assert_eq!(cause(&reading, &format!("{} > {}", canaries.path, canaries.fails)), &Cause::Assertion);
    }
}
