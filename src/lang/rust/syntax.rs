//! Reading Rust source: which attributes mark code that exists only under test.

use std::ops::Range;

use tree_sitter::{Node, Parser, Tree};

/// Parses a Rust file; `None` only when the grammar does not load.
pub(super) fn parse(source: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_rust::LANGUAGE.into()).ok()?;
    parser.parse(source, None)
}

/// An item with the attributes and doc comments in front of it.
pub(super) struct Item<'tree> {
    /// The item's own node.
    pub(super) node: Node<'tree>,
    /// From the first attribute or doc comment to the end of the item.
    pub(super) range: Range<usize>,
    /// True when an attribute makes the item part of test builds only, or a test itself.
    pub(super) only_test: bool,
}

/// The items of a file or of a `{…}` body, in order.
pub(super) fn items<'tree>(container: Node<'tree>, source: &str) -> Vec<Item<'tree>> {
    let mut found = Vec::new();
    let mut lead: Option<usize> = None;
    let mut only_test = false;
    let mut cursor = container.walk();
    for node in container.named_children(&mut cursor) {
        match node.kind() {
            "attribute_item" => {
                lead.get_or_insert(node.start_byte());
                only_test |= marks_test(text(node, source));
            }
            "line_comment" | "block_comment" => {
                if is_outer_doc(text(node, source)) {
                    lead.get_or_insert(node.start_byte());
                }
            }
            // A lone `;` after a macro call or a braced item belongs to nobody.
            "inner_attribute_item" | "shebang" | "empty_statement" => {}
            _ => {
                let start = lead.take().unwrap_or(node.start_byte());
                found.push(Item { node, range: start..node.end_byte(), only_test });
                only_test = false;
            }
        }
    }
    found
}

/// The text of a node.
pub(super) fn text<'source>(node: Node<'_>, source: &'source str) -> &'source str {
    source.get(node.byte_range()).unwrap_or_default()
}

fn is_outer_doc(comment: &str) -> bool {
    (comment.starts_with("///") && !comment.starts_with("////"))
        || (comment.starts_with("/**") && !comment.starts_with("/***") && comment != "/**/")
}

/// True when a whole file is under `#![cfg(test)]`.
pub(super) fn file_is_only_test(root: Node<'_>, source: &str) -> bool {
    let mut cursor = root.walk();
    root.named_children(&mut cursor)
        .filter(|node| node.kind() == "inner_attribute_item")
        .any(|node| cfg_of(text(node, source)).is_some_and(implies_test))
}

/// True when an attribute (`#[…]`) makes its item part of test builds only: `cfg` with a condition
/// that implies `test`, or the mark of a test function.
pub(super) fn marks_test(attribute: &str) -> bool {
    if let Some(condition) = cfg_of(attribute) {
        return implies_test(condition);
    }
    let path = attribute_path(attribute);
    let last = path.rsplit("::").next().unwrap_or(path).trim();
    matches!(
        last,
        "test"
            | "bench"
            | "rstest"
            | "test_case"
            | "test_matrix"
            | "case"
            | "gtest"
            | "proptest"
            | "quickcheck"
            | "parameterized"
            | "wasm_bindgen_test"
            | "test_log"
            | "should_panic"
    )
}

/// True when an attribute is `#[cfg(…)]` with a condition that implies `test`.
pub(super) fn cfg_test_only(attribute: &str) -> bool {
    cfg_of(attribute).is_some_and(implies_test)
}

fn attribute_path(attribute: &str) -> &str {
    let inner = attribute.trim_start_matches('#').trim_start_matches('!').trim_start();
    let inner = inner.strip_prefix('[').unwrap_or(inner).trim_start();
    let end = inner.find(['(', '=', ']', '[', '{']).unwrap_or(inner.len());
    inner[..end].trim()
}

/// The condition of a `cfg` attribute.
fn cfg_of(attribute: &str) -> Option<&str> {
    if attribute_path(attribute) != "cfg" {
        return None;
    }
    let open = attribute.find('(')?;
    let close = attribute.rfind(')')?;
    attribute.get(open + 1..close)
}

/// True when the condition can hold only in a test build. `not(…)` never implies it, and `any(…)`
/// does only when each of its branches does.
fn implies_test(condition: &str) -> bool {
    let condition = condition.trim();
    if condition == "test" {
        return true;
    }
    let Some(open) = condition.find('(') else { return false };
    let Some(inner) = condition[open + 1..].strip_suffix(')') else { return false };
    let branches = split_arguments(inner);
    match condition[..open].trim() {
        "all" => branches.iter().any(|branch| implies_test(branch)),
        "any" => !branches.is_empty() && branches.iter().all(|branch| implies_test(branch)),
        _ => false,
    }
}

fn split_arguments(inner: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0u32, false, 0);
    for (at, character) in inner.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_conditions_that_need_a_test_build_count() {
        for yes in [
            "#[cfg(test)]",
            "#[cfg( test )]",
            "#[cfg(all(test, feature = \"std\"))]",
            "#[cfg(all(feature = \"a,b\", test))]",
            "#[cfg(any(all(test, unix), test))]",
            "#[test]",
            "#[tokio::test(flavor = \"multi_thread\")]",
            "#[rstest]",
            "#[test_case(1, 2)]",
        ] {
            assert!(marks_test(yes), "{yes}");
        }
        for no in [
            "#[cfg(not(test))]",
            "#[cfg(any(test, feature = \"test-util\"))]",
            "#[cfg(feature = \"test\")]",
            "#[cfg_attr(test, derive(Debug))]",
            "#[derive(Debug)]",
            "#[doc = \"test\"]",
            "#[cfg(all(not(test), unix))]",
        ] {
            assert!(!marks_test(no), "{no}");
        }
    }
}
