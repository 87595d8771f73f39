//! Two extra tests beside a sealed one: one that must pass and one that must fail.

use sha2::{Digest, Sha256};

use super::super::Canaries;
use super::source::{Modules, imports, modules};
use crate::git::RepoPath;

/// Both in a new file, written as `source` is: same ending, same modules, same assertions.
pub(super) fn beside(
    sealed: &RepoPath,
    source: &str,
    nonce: &str,
    runner: &str,
    module: bool,
) -> Option<Canaries> {
    let path = sealed.sibling(&file_name(sealed.file_name(), nonce)).ok()?;
    let modules = modules(sealed, source, module);
    let (declare, call) = interface(runner, source, modules);
    let (import, check) = assertion(runner, source, modules);
    let digest = Sha256::digest(nonce.as_bytes());
    let word = |at: usize| -> String {
        // Letters only, so that no part of a name looks like a number to code that counts.
        digest[at..at + 8].iter().map(|byte| char::from(b'a' + byte % 26)).collect()
    };
    let (first, second) = (word(0), word(8));
    let text = word(16);
    let sum: u32 = text.bytes().map(u32::from).sum();
    let failing_first = digest[31] & 1 == 1;
    let (passes, fails) = if failing_first { (&second, &first) } else { (&first, &second) };
    let test = |name: &str, expected: u32| {
        let value = format!("Array.from(\"{text}\").reduce((n, c) => n + c.charCodeAt(0), 0)");
        format!("{call}(\"{name}\", () => {{\n  {};\n}});\n", check(&value, expected))
    };
    let wrong = sum + 1 + u32::from(digest[30] % 7);
    let bodies = if failing_first {
        [test(&first, wrong), test(&second, sum)]
    } else {
        [test(&first, sum), test(&second, wrong)]
    };
    let content = [declare, import, String::new(), bodies.join("\n")]
        .into_iter()
        .enumerate()
        .filter(|(at, line)| *at > 1 || !line.is_empty())
        .map(|(_, line)| line)
        .collect::<Vec<_>>()
        .join("\n");
    Some(Canaries {
        path,
        content: content.trim_start().to_owned(),
        passes: passes.clone(),
        fails: fails.clone(),
    })
}

/// The sealed file's name with the nonce in it, still matching whatever pattern finds the sealed file.
fn file_name(name: &str, nonce: &str) -> String {
    let (stem, rest) = match name.find('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name, ""),
    };
    let ending = ["_test", "-test", "_spec", "-spec", "Test", "Spec"]
        .into_iter()
        .find(|ending| stem.ends_with(ending));
    match ending {
        Some(ending) => format!("{}-{nonce}{ending}{rest}", &stem[..stem.len() - ending.len()]),
        None => format!("{stem}-{nonce}{rest}"),
    }
}

/// The line that brings the test interface, and the function that declares a test.
fn interface(runner: &str, source: &str, modules: Modules) -> (String, &'static str) {
    match runner {
        "node:test" => (bring("{ test }", "node:test", modules), "test"),
        "vitest" => ("import { test, expect } from \"vitest\";".to_owned(), "test"),
        "jest" if imports(source, "@jest/globals") => {
            (bring("{ test, expect }", "@jest/globals", modules), "test")
        }
        "jest" => (String::new(), "test"),
        // Mocha's interfaces `bdd` and `tdd` know different words.
        _ if imports(source, "mocha") => (bring("{ it }", "mocha", modules), "it"),
        _ if source.contains("suite(") && !source.contains("it(") => (String::new(), "test"),
        _ => (String::new(), "it"),
    }
}

type Check = Box<dyn Fn(&str, u32) -> String>;

/// The assertion that the sealed test uses, so that a tampered library shows here too.
fn assertion(runner: &str, source: &str, modules: Modules) -> (String, Check) {
    let expect: Check = Box::new(|value, expected| format!("expect({value}).toBe({expected})"));
    let strict: Check = Box::new(|value, expected| format!("assert.strictEqual({value}, {expected})"));
    let library = ["node:assert/strict", "node:assert", "assert/strict", "assert"]
        .into_iter()
        .find(|name| imports(source, name));
    match runner {
        "vitest" => (String::new(), expect),
        "jest" if library.is_none() || source.contains("expect(") => (String::new(), expect),
        _ => {
            if let Some(name) = library {
                return (bring("assert", name, modules), strict);
            }
            if imports(source, "chai") {
                return (bring("{ assert }", "chai", modules), strict);
            }
            if imports(source, "expect") {
                return (bring("{ expect }", "expect", modules), expect);
            }
            (bring("assert", "node:assert", modules), strict)
        }
    }
}

fn bring(names: &str, module: &str, modules: Modules) -> String {
    match modules {
        Modules::Import => format!("import {names} from \"{module}\";"),
        Modules::Require => format!("const {names} = require(\"{module}\");"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, source: &str, runner: &str, module: bool) -> Canaries {
        beside(&RepoPath::new(path).unwrap(), source, "n4x", runner, module).unwrap()
    }

    #[test]
    fn the_file_is_written_as_its_neighbour_is() {
        let node = of(
            "test/a.test.mjs",
            "import test from 'node:test'; import assert from 'node:assert/strict'",
            "node:test",
            false,
        );
        assert_eq!(node.path.as_str(), "test/a-n4x.test.mjs");
        assert!(
            node.content
                .contains("import { test } from \"node:test\";\nimport assert from \"node:assert/strict\";")
        );
        let node = of("test/a.js", "const { test } = require('node:test')", "node:test", false);
        assert!(
            node.content.contains(
                "const { test } = require(\"node:test\");\nconst assert = require(\"node:assert\");"
            )
        );
        let jest = of("src/cart_test.ts", "test('x', () => expect(1).toBe(1))", "jest", false);
        assert_eq!(jest.path.as_str(), "src/cart-n4x_test.ts");
        assert!(jest.content.starts_with("test(") && jest.content.contains("expect("));
        let mocha =
            of("test/a.js", "import { expect } from 'chai'; suite('x', () => { test('y') })", "mocha", true);
        assert!(
            mocha.content.contains("import { assert } from \"chai\";") && mocha.content.contains("\ntest(")
        );
    }

    #[test]
    fn names_do_not_tell_which_test_fails() {
        let mut orders = std::collections::BTreeSet::new();
        for nonce in ["a1", "b2", "c3", "d4", "e5", "f6"] {
            let path = RepoPath::new("a.test.js").unwrap();
            let canaries = beside(&path, "", nonce, "jest", false).unwrap();
            assert_ne!(canaries.passes, canaries.fails);
            orders.insert(canaries.content.find(&canaries.passes) < canaries.content.find(&canaries.fails));
        }
        assert_eq!(orders.len(), 2);
    }
}
