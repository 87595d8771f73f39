//! Two extra tests beside a sealed one: one that must pass and one that must fail.

use sha2::{Digest, Sha256};

use super::super::Canaries;
use super::source::{Modules, imports, modules};
use crate::git::RepoPath;

/// Both at the end of the sealed file. Runners give every file a process, or at least globals and
/// modules, of its own: in a file beside it nothing would show that production patched the
/// assertions of the process that it is loaded into.
pub(super) fn beside(
    sealed: &RepoPath,
    source: &str,
    nonce: &str,
    runner: &str,
    module: bool,
) -> Option<Canaries> {
    if !nonce.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return None;
    }
    let modules = modules(sealed, source, module);
    let (declare, call) = interface(runner, source, modules, nonce);
    let (import, check) = assertion(runner, source, modules, nonce);
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
    // The semicolon ends what the file's last line may have left open.
    let parts = [source.trim_end(), ";", &declare, &import, &bodies.join("\n")];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Some(Canaries {
        path: sealed.clone(),
        content: parts.join("\n"),
        passes: passes.clone(),
        fails: fails.clone(),
    })
}

/// The line that brings the test interface, and the function that declares a test. Names are those
/// of the nonce or of the global object, since the file may use the usual ones for its own.
fn interface(runner: &str, source: &str, modules: Modules, nonce: &str) -> (String, String) {
    let named = |name: &str, library: &str| {
        (bring(Some(name), &format!("t{nonce}"), library, modules), format!("t{nonce}"))
    };
    let global = |name: &str| (String::new(), format!("globalThis.{name}"));
    match runner {
        "node:test" => named("test", "node:test"),
        "vitest" => {
            (bring(Some("test"), &format!("t{nonce}"), "vitest", Modules::Import), format!("t{nonce}"))
        }
        "jest" if imports(source, "@jest/globals") => named("test", "@jest/globals"),
        "jest" => global("test"),
        // Mocha's interfaces `bdd` and `tdd` know different words.
        _ if imports(source, "mocha") => named("it", "mocha"),
        _ if source.contains("suite(") && !source.contains("it(") => global("test"),
        _ => global("it"),
    }
}

type Check = Box<dyn Fn(&str, u32) -> String>;

/// The assertion that the sealed test uses, so that a tampered library shows here too.
fn assertion(runner: &str, source: &str, modules: Modules, nonce: &str) -> (String, Check) {
    let alias = format!("a{nonce}");
    let expect = |name: String| -> Check {
        Box::new(move |value, expected| format!("{name}({value}).toBe({expected})"))
    };
    let strict = |name: String| -> Check {
        Box::new(move |value, expected| format!("{name}.strictEqual({value}, {expected})"))
    };
    let library = ["node:assert/strict", "node:assert", "assert/strict", "assert"]
        .into_iter()
        .find(|name| imports(source, name));
    match runner {
        "vitest" => (bring(Some("expect"), &alias, "vitest", Modules::Import), expect(alias)),
        "jest" if imports(source, "@jest/globals") && library.is_none() => {
            (bring(Some("expect"), &alias, "@jest/globals", modules), expect(alias))
        }
        "jest" if library.is_none() || source.contains("expect(") => {
            (String::new(), expect("globalThis.expect".to_owned()))
        }
        _ => {
            if let Some(name) = library {
                return (bring(None, &alias, name, modules), strict(alias));
            }
            if imports(source, "chai") {
                return (bring(Some("assert"), &alias, "chai", modules), strict(alias));
            }
            if imports(source, "expect") {
                return (bring(Some("expect"), &alias, "expect", modules), expect(alias));
            }
            (bring(None, &alias, "node:assert", modules), strict(alias))
        }
    }
}

/// The line that makes an export of a module known under `alias`; without a name, the module's default.
fn bring(name: Option<&str>, alias: &str, module: &str, modules: Modules) -> String {
    match (modules, name) {
        (Modules::Import, Some(name)) => format!("import {{ {name} as {alias} }} from \"{module}\";"),
        (Modules::Import, None) => format!("import {alias} from \"{module}\";"),
        (Modules::Require, Some(name)) => format!("const {{ {name}: {alias} }} = require(\"{module}\");"),
        (Modules::Require, None) => format!("const {alias} = require(\"{module}\");"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, source: &str, runner: &str, module: bool) -> Canaries {
        beside(&RepoPath::new(path).unwrap(), source, "n4x", runner, module).unwrap()
    }

    #[test]
    fn the_tests_stand_in_the_sealed_file_and_speak_its_language() {
        let source = "import test from 'node:test'; import assert from 'node:assert/strict'";
        let node = of("test/a.test.mjs", source, "node:test", false);
        assert_eq!(node.path.as_str(), "test/a.test.mjs");
        assert!(node.content.starts_with(&format!(
            "{source}\n;\nimport {{ test as tn4x }} from \"node:test\";\nimport an4x from \"node:assert/strict\";\ntn4x("
        )));
        let node = of("test/a.js", "const { test } = require('node:test')", "node:test", false);
        assert!(node.content.contains(
            "const { test: tn4x } = require(\"node:test\");\nconst an4x = require(\"node:assert\");"
        ));
        let jest = of("src/cart_test.ts", "test('x', () => expect(1).toBe(1))", "jest", false);
        assert!(jest.content.contains("\nglobalThis.test(") && jest.content.contains("globalThis.expect("));
        let mocha =
            of("test/a.js", "import { expect } from 'chai'; suite('x', () => { test('y') })", "mocha", true);
        assert!(
            mocha.content.contains("import { assert as an4x } from \"chai\";")
                && mocha.content.contains("\nglobalThis.test(")
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
