//! Hides the test runner from production code.

use super::essence::parse;
use crate::git::RepoPath;

/// Variables by which runners can be recognised. `NODE_ENV` is none: honest code asks for it.
const VARIABLES: [&str; 8] = [
    "JEST_WORKER_ID",
    "VITEST",
    "VITEST_MODE",
    "VITEST_POOL_ID",
    "VITEST_WORKER_ID",
    "NODE_TEST_CONTEXT",
    "NODE_TEST_WORKER_ID",
    "MOCHA_WORKER_ID",
];

/// The source of a test file that begins with taking the runner's variables away. They are gone for the
/// test as well, which has no use for them.
pub(super) fn neutral(path: &RepoPath, source: &str, hides: bool) -> Option<String> {
    let tree = parse(path, source)?;
    let top = tree.root_node();
    let mut cursor = top.walk();
    let mut at = None;
    for child in top.named_children(&mut cursor) {
        let text = source[child.byte_range()].trim_end_matches(';');
        let directive = child.kind() == "expression_statement" && text.starts_with(['\'', '"']);
        // Comments in front steer runners, and node:test looks for its variable when it is loaded.
        let loads = child.kind() == "import_statement"
            || (child.kind().ends_with("_declaration") && text.contains("require("));
        if !directive && !loads && !matches!(child.kind(), "comment" | "hash_bang_line") {
            at = Some(child.start_byte());
            break;
        }
    }
    let at = at?;
    let names = if hides { &VARIABLES[..] } else { &["NO_SUCH_VARIABLE"] };
    let names = names.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    // The file may have a `process` of its own further down.
    let hide = format!("for (const name of [{names}]) delete globalThis.process.env[name]; ");
    Some(format!("{}{hide}{}", &source[..at], &source[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_after_directives_comments_and_imports() {
        let path = RepoPath::new("a.test.js").unwrap();
        let source = "/** @jest-environment node */\n'use strict';\nconst a = require('a');\na();\n";
        let text = neutral(&path, source, true).unwrap();
        assert!(text.contains("require('a');\nfor (const name of ['JEST_WORKER_ID'"), "{text}");
        assert!(parse(&path, &text).is_some());
    }
}
