//! What of a Rust file decides its behaviour in a build that ships.

use tree_sitter::Node;

use super::syntax;

/// Stands between tokens; no Rust token holds it outside a string, where it does no harm.
const BETWEEN: char = '\u{1f}';

/// The tokens of a file without comments, doc comments and everything that exists only in test
/// builds. `None` where the file does not parse.
pub(super) fn essence(source: &str) -> Option<String> {
    let tree = syntax::parse(source)?;
    let root = tree.root_node();
    if root.has_error() {
        return None;
    }
    let mut tokens = String::with_capacity(source.len());
    if !syntax::file_is_only_test(root, source) {
        write(root, source, &mut tokens);
    }
    Some(tokens)
}

fn write(node: Node<'_>, source: &str, tokens: &mut String) {
    if matches!(node.kind(), "line_comment" | "block_comment") {
        return;
    }
    // The parts of a literal are kept as they stand: layout inside a string is meaning.
    let whole = matches!(node.kind(), "string_literal" | "raw_string_literal" | "char_literal");
    if whole || node.child_count() == 0 {
        let token = syntax::text(node, source);
        if !token.is_empty() {
            tokens.push_str(token);
            tokens.push(BETWEEN);
        }
        return;
    }
    // Attributes stand in front of what they belong to, as siblings: hold them back until it is
    // known whether that is part of a test build only.
    let mut attributes: Vec<Node<'_>> = Vec::new();
    let mut cursor = node.walk();
    let children: Vec<Node<'_>> = node.children(&mut cursor).collect();
    let mut skip_comma = false;
    for child in children {
        match child.kind() {
            "attribute_item" => attributes.push(child),
            "line_comment" | "block_comment" => {}
            "," if skip_comma => skip_comma = false,
            _ => {
                skip_comma = false;
                if attributes.iter().any(|attribute| only_test(*attribute, node, source)) {
                    attributes.clear();
                    skip_comma = true;
                    continue;
                }
                for attribute in attributes.drain(..) {
                    if !is_doc(syntax::text(attribute, source)) {
                        write(attribute, source, tokens);
                    }
                }
                write(child, source, tokens);
            }
        }
    }
    for attribute in attributes {
        write(attribute, source, tokens);
    }
}

/// The marks of test functions mean something only on items; `cfg` does everywhere.
fn only_test(attribute: Node<'_>, parent: Node<'_>, source: &str) -> bool {
    let text = syntax::text(attribute, source);
    if matches!(parent.kind(), "source_file" | "declaration_list") {
        syntax::marks_test(text)
    } else {
        syntax::cfg_test_only(text)
    }
}

fn is_doc(attribute: &str) -> bool {
    let inner = attribute.trim_start_matches("#[").trim_start();
    inner.strip_prefix("doc").is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_layout_and_test_items_do_not_count() {
        let plain = essence("pub fn a(x: u32) -> u32 { x + 1 }\nstruct S { a: u8 }\n").unwrap();
        let dressed = essence(
            "//! Crate.\n/// Adds.\n#[doc = \"more\"]\npub fn a(x: u32)\n -> u32 { /* one */ x + 1 } // end\n\
             #[cfg(test)]\nuse std::fmt;\nstruct S { #[cfg(test)] hits: u32, a: u8 }\n\
             #[cfg(test)]\nmod tests { #[test] fn t() { assert_eq!(super::a(1), 2); } }\n\
             #[cfg(test)] impl S { fn x(&self) {} }\n#[test]\nfn bare() {}\n",
        )
        .unwrap();
        assert_eq!(plain, dressed);
    }

    #[test]
    fn what_changes_behaviour_counts() {
        let base = essence("fn a() -> &'static str { \"a b\" }").unwrap();
        for other in [
            "fn a() -> &'static str { \"a  b\" }",
            "#[inline] fn a() -> &'static str { \"a b\" }",
            "#[cfg(not(test))] fn a() -> &'static str { \"a b\" }",
            "fn a() -> &'static str { if cfg!(test) { \"\" } else { \"a b\" } }",
            "fn a() -> &'static str { r\"a b\" }",
        ] {
            assert_ne!(base, essence(other).unwrap(), "{other}");
        }
        assert_eq!(essence("fn a( {"), None);
        assert_eq!(essence("#[test]\nfn t() {}\n"), essence(""));
    }
}
