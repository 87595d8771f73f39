//! What a test file's own text tells: the kind of its modules and the test interface it uses.

use std::sync::LazyLock;

use regex::Regex;

use crate::git::RepoPath;

/// How a file names what it uses from other files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Modules {
    /// `import`.
    Import,
    /// `require`.
    Require,
}

/// How the file loads modules; `module` says whether its package makes `.js` files ES modules.
pub(super) fn modules(path: &RepoPath, text: &str, module: bool) -> Modules {
    static IMPORT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"(?m)^\s*(?:import\s*(?:["'{*]|[\w$]+[\s,])|export\s)"#).expect("a valid pattern")
    });
    static REQUIRE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"\brequire\s*\(\s*["'`]"#).expect("a valid pattern"));
    match path.extension() {
        Some("mjs" | "mts") => return Modules::Import,
        Some("cjs") => return Modules::Require,
        _ => {}
    }
    if IMPORT.is_match(text) {
        Modules::Import
    } else if REQUIRE.is_match(text) {
        Modules::Require
    } else if module || matches!(path.extension(), Some("ts" | "tsx")) {
        Modules::Import
    } else {
        Modules::Require
    }
}

/// True when the file imports the module, in either way.
pub(super) fn imports(text: &str, module: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| {
        let name = format!("{quote}{module}{quote}");
        text.match_indices(&name).any(|(at, _)| {
            let before = text[..at].trim_end();
            before.ends_with("from")
                || before.ends_with("require(")
                || before.ends_with("import")
                || before.ends_with("import(")
        })
    })
}

/// True when the file imports the test interface of the runner.
pub(super) fn imports_api(text: &str, runner: &str) -> bool {
    match runner {
        "node:test" => imports(text, "node:test") || imports(text, "test"),
        "jest" => imports(text, "@jest/globals"),
        name => imports(text, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_modules_is_read_from_name_text_and_package() {
        let of = |path: &str, text: &str, module| modules(&RepoPath::new(path).unwrap(), text, module);
        assert_eq!(of("a.mjs", "", false), Modules::Import);
        assert_eq!(of("a.cjs", "", true), Modules::Require);
        assert_eq!(of("a.js", "import { test } from 'node:test'", false), Modules::Import);
        assert_eq!(of("a.js", "const test = require('node:test')", true), Modules::Require);
        assert_eq!(of("a.js", "test('x')", true), Modules::Import);
        assert_eq!(of("a.js", "test('importance')", false), Modules::Require);
    }

    #[test]
    fn imports_are_told_from_strings() {
        assert!(imports("import {test} from \"vitest\"", "vitest"));
        assert!(imports("const t = require( 'chai')", "chai") || !imports("x", "chai"));
        assert!(imports("import 'chai/register'", "chai/register"));
        assert!(!imports("it('mocha', () => {})", "mocha"));
        assert!(imports_api("const test = require('node:test')", "node:test"));
    }
}
