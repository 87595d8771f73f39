//! Tests inside production files: telling them apart, and moving them between versions of a file.
//!
//! Test items are items that exist only in test builds (`#[cfg(test)]`, also within `all(…)`) and
//! test functions, in the file itself, in modules that ship, and in `impl` blocks. Their attributes
//! and doc comments belong to them. A test that a macro call writes stays production text: only its
//! expansion is a test.

mod container;
#[cfg(test)]
mod tests;

use std::ops::Range;

use tree_sitter::Node;

use self::container::{Container, Show, nested_body};
use super::syntax;
use crate::lang::Inline;

/// The test items of a file and the rest of it; `None` where there are none.
pub(super) fn split(source: &str) -> Option<Inline> {
    let tree = syntax::parse(source)?;
    if syntax::file_is_only_test(tree.root_node(), source) {
        return Some(Inline { items: vec![source.to_owned()], production: String::new() });
    }
    let file = Container::of_file(tree.root_node(), source)?;
    let mut items = Vec::new();
    file.collect_items(&mut items);
    if items.is_empty() {
        return None;
    }
    Some(Inline { items, production: file.text(Show::Production) })
}

/// `base` with its test items replaced by those of `tests`.
///
/// Where the production text of both is equal the result is `tests`, byte by byte. Elsewhere a test
/// item goes behind the production item that it follows in `tests`, or to the end of its module.
pub(super) fn graft(base: &str, tests: &str) -> Option<String> {
    let base_tree = syntax::parse(base)?;
    let tests_tree = syntax::parse(tests)?;
    if syntax::file_is_only_test(tests_tree.root_node(), tests) {
        return Some(tests.to_owned());
    }
    let mut file = Container::of_file(base_tree.root_node(), base)?;
    let donor = Container::of_file(tests_tree.root_node(), tests)?;
    let mut wanted = Vec::new();
    donor.collect_items(&mut wanted);
    if file.text(Show::Production) == donor.text(Show::Production) {
        return Some(tests.to_owned());
    }
    let production = file.text(Show::Production);
    file.take_items_of(&donor)?;
    let grafted = file.text(Show::All);

    // What was put together must read back as its two halves; anything else is no graft.
    let (items, rest) = match split(&grafted) {
        Some(again) => (again.items, again.production),
        None => (Vec::new(), grafted.clone()),
    };
    let same_items = {
        let (mut found, mut wanted) = (items, wanted);
        found.sort();
        wanted.sort();
        found == wanted
    };
    (same_items && words(&rest) == words(&production)).then_some(grafted)
}

/// The lines (counted from 1) that test items cover.
pub(super) fn test_lines(source: &str) -> Vec<Range<u32>> {
    fn line(number: usize) -> u32 {
        u32::try_from(number).unwrap_or(u32::MAX)
    }
    fn visit(container: Node<'_>, source: &str, lines: &mut Vec<Range<u32>>) {
        for item in syntax::items(container, source) {
            if item.only_test {
                let before = source[..item.range.start].matches('\n').count();
                let within = source[item.range.clone()].matches('\n').count();
                lines.push(line(before + 1)..line(before + within + 2));
            } else if let Some(body) = nested_body(item.node) {
                visit(body, source, lines);
            }
        }
    }
    let mut lines = Vec::new();
    if let Some(tree) = syntax::parse(source) {
        if syntax::file_is_only_test(tree.root_node(), source) {
            return std::iter::once(1..u32::MAX).collect();
        }
        visit(tree.root_node(), source, &mut lines);
    }
    lines
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
