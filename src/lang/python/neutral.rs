//! Hides the test runner from production code.

use std::path::Path;

use super::essence::parse;
use crate::git::RepoPath;

/// The statement that hides `sys.modules` entries and variables of test runners from files.
const HIDE: &str = include_str!("neutral.py");

/// The source of a test file that begins with hiding the runner from `files`.
pub(super) fn neutral(source: &str, root: &Path, files: &[RepoPath]) -> Option<String> {
    let tree = parse(source)?;
    let top = tree.root_node();
    let mut cursor = top.walk();
    // Docstring and imports of the future have to come first.
    let first = top.named_children(&mut cursor).find(|child| match child.kind() {
        "comment" | "future_import_statement" => false,
        "expression_statement" => child.named_child(0).is_none_or(|inner| inner.kind() != "string"),
        _ => true,
    })?;
    let files: Vec<_> = files.iter().map(|file| file.under(root).to_string_lossy().into_owned()).collect();
    let files = serde_json::to_string(&files).ok()?;
    let code = serde_json::to_string(&HIDE.replace("FILES", &format!("frozenset({files})"))).ok()?;
    let at = first.start_byte();
    // A definition cannot follow on the same line.
    let simple = first.kind().starts_with("import_") || first.kind() == "expression_statement";
    let end = if simple { "; " } else { "\n" };
    Some(format!(
        "{}exec(compile({code}, \"<neutral>\", \"exec\"), {{}}){end}{}",
        &source[..at],
        &source[at..]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_after_what_must_come_first() {
        let files = [RepoPath::new("a.py").unwrap()];
        for source in [
            "'''Doc.'''\nfrom __future__ import annotations\nimport a\n",
            "# -*- coding: utf-8 -*-\n@mark\ndef test():\n    pass\n",
            "class A:\n    pass\n",
        ] {
            let text = neutral(source, Path::new("/p"), &files).unwrap();
            assert!(parse(&text).is_some(), "{text}");
            let at = text.find("exec(").unwrap();
            assert!(text.find("__future__ import").is_none_or(|future| future < at), "{text}");
            assert!(text.contains("/p/a.py"), "{text}");
        }
    }
}
