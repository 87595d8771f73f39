//! Assertions of Rust: `assert_eq!`, `assert_ne!`, `assert!`.

use tree_sitter::Node;

use super::syntax;
use crate::lang::grammar::{children, descendants, is_number, is_string, text};
use crate::lang::twin::{Assertions, Change, Variant, longer_string, other_integer};

/// As [`Assertions`].
pub(super) struct RustAssertions;

impl Assertions for RustAssertions {
    fn variants(&self, node: Node<'_>, source: &str, nonce: &str) -> Vec<Variant> {
        if node.kind() != "macro_invocation" {
            return Vec::new();
        }
        let Some(name) = node.child_by_field_name("macro") else { return Vec::new() };
        let Some(tokens) = children(node).into_iter().find(|child| child.kind() == "token_tree") else {
            return Vec::new();
        };
        let last = text(name, source).rsplit("::").next().unwrap_or_default();
        let sides = arguments(tokens);
        match (last, sides.as_slice()) {
            ("assert_eq", [left, right, ..]) => {
                let expected = [right, left].into_iter().find_map(|side| expected(side, source, nonce));
                // A wrong value shows a comparison that always holds; its negation does not.
                let negated = Change::of(name, text(name, source).replace("assert_eq", "assert_ne"));
                vec![Variant::asserting(vec![expected.unwrap_or(negated)])]
            }
            ("assert_ne", [_, _, ..]) => {
                vec![Variant::asserting(vec![Change::of(
                    name,
                    text(name, source).replace("assert_ne", "assert_eq"),
                )])]
            }
            ("assert", [condition, ..]) => {
                let (Some(first), Some(end)) = (condition.first(), condition.last()) else {
                    return Vec::new();
                };
                vec![Variant::asserting(vec![Change::before(*first, "!("), Change::behind(*end, ")")])]
            }
            _ => Vec::new(),
        }
    }

    fn trip(&self, node: Node<'_>, _source: &str, nonce: &str) -> Option<Change> {
        Some(Change::of(node, format!("panic!(\"{nonce}\")")))
    }

    fn is_test(&self, function: Node<'_>, source: &str) -> bool {
        function.kind() == "function_item"
            && std::iter::successors(function.prev_sibling(), Node::prev_sibling)
                .take_while(|before| before.kind() == "attribute_item" || before.kind().ends_with("comment"))
                .any(|attribute| {
                    attribute.kind() == "attribute_item" && syntax::marks_test(text(attribute, source))
                })
    }
}

/// The tokens of each argument of a macro.
fn arguments<'t>(tokens: Node<'t>) -> Vec<Vec<Node<'t>>> {
    let mut cursor = tokens.walk();
    let mut sides = vec![Vec::new()];
    let all: Vec<_> = tokens.children(&mut cursor).collect();
    let inner = all.get(1..all.len().saturating_sub(1)).unwrap_or_default();
    for token in inner {
        if token.kind() == "," {
            sides.push(Vec::new());
        } else if let Some(side) = sides.last_mut() {
            side.push(*token);
        }
    }
    sides.retain(|side| !side.is_empty());
    sides
}

/// Another literal in a side that is a value as it is written: a literal, or literals in brackets and in
/// constructors such as `Some(6)`.
fn expected(side: &[Node<'_>], source: &str, nonce: &str) -> Option<Change> {
    let leaves: Vec<Node<'_>> = side
        .iter()
        .flat_map(|token| descendants(*token))
        .filter(|leaf| leaf.child_count() == 0 || is_string(*leaf) || is_number(*leaf))
        .collect();
    // A method that is called works a value out.
    let worked_out = leaves.iter().any(|leaf| match leaf.kind() {
        "identifier" | "self" => {
            let name = text(*leaf, source);
            !name.starts_with(char::is_uppercase) && !matches!(name, "vec" | "std" | "core")
        }
        "?" => true,
        _ => false,
    });
    if worked_out {
        return None;
    }
    leaves.iter().find_map(|leaf| {
        let text = text(*leaf, source);
        let changed = match leaf.kind() {
            "integer_literal" => other_integer(text),
            "string_literal" | "raw_string_literal" => longer_string(text, nonce),
            "boolean_literal" | "true" => Some(if text == "true" { "false" } else { "true" }.to_owned()),
            "false" => Some("true".to_owned()),
            "char_literal" => Some(if text == "'q'" { "'z'" } else { "'q'" }.to_owned()),
            _ => None,
        };
        changed.map(|changed| Change::of(*leaf, changed))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::grammar::Grammar;
    use crate::lang::twin::twins;

    fn lines(assertion: &str) -> Vec<String> {
        let source = format!("#[test]\nfn a() {{\n    {assertion};\n}}\n");
        let twins = twins(Grammar::Rust, &RustAssertions, &source, 3, "q7x").unwrap();
        let line = |content: &str| content.lines().nth(2).unwrap().trim().trim_end_matches(';').to_owned();
        twins.at.iter().map(|twin| line(&twin.content)).collect()
    }

    #[test]
    fn expectations_are_made_wrong() {
        assert_eq!(lines("assert_eq!(f(&[1, 2]), 6)"), ["assert_eq!(f(&[1, 2]), 7)"]);
        assert_eq!(lines("assert_eq!(6u8, f())"), ["assert_eq!(7u8, f())"]);
        assert_eq!(lines("assert_eq!(f(\"12\"), Some(12))"), ["assert_eq!(f(\"12\"), Some(13))"]);
        assert_eq!(lines("assert_eq!(f(), \"a\", \"why\")"), ["assert_eq!(f(), \"aq7x\", \"why\")"]);
        assert_eq!(lines("assert_eq!(f(), vec![1, 2])"), ["assert_eq!(f(), vec![0, 2])"]);
        // A float may be too coarse to tell another digit.
        assert_eq!(lines("assert_eq!(f(), 1.5)"), ["assert_ne!(f(), 1.5)"]);
        assert_eq!(lines("assert_eq!(f(), g())"), ["assert_ne!(f(), g())"]);
        assert_eq!(lines("assert_ne!(f(), 1)"), ["assert_eq!(f(), 1)"]);
        assert_eq!(lines("assert!(f().is_some())"), ["assert!(!(f().is_some()))"]);
        assert_eq!(lines("assert!(a && b, \"why\")"), ["assert!(!(a && b), \"why\")"]);
        assert_eq!(lines("check(f(), 6)"), Vec::<String>::new());
    }
}
