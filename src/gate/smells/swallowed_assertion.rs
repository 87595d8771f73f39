//! An assertion whose failure the test itself catches.

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, call, children, descendants};

/// The rule.
pub(super) struct SwallowedAssertion;

const WHAT: &str = "the test catches the failure of its own assertion and does nothing with it";

impl Rule for SwallowedAssertion {
    fn id(&self) -> &'static str {
        "swallowed-assertion"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test catch the failure of its own assertions?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let tries = view.nodes().filter(|node| node.kind() == "try_statement");
        match view.grammar {
            Grammar::Python => tries.filter_map(|node| in_python(node, view)).collect(),
            Grammar::Go => view
                .nodes()
                .filter(|node| node.kind() == "defer_statement")
                .filter(|node| recovers_silently(*node, view))
                .map(|node| {
                    Hit::at(
                        node,
                        view,
                        Weight::Human,
                        "the test recovers from every panic and does nothing with it",
                    )
                })
                .collect(),
            // A panic that Rust's `catch_unwind` stops is a value that the test must use.
            Grammar::Rust => Vec::new(),
            _ => tries
                .filter_map(|node| {
                    let handler = node.child_by_field_name("handler")?;
                    let body = handler.child_by_field_name("body")?;
                    let silent = children(body).is_empty();
                    (silent && asserts(node.child_by_field_name("body")?, view))
                        .then(|| Hit::at(handler, view, Weight::Human, WHAT))
                })
                .collect(),
        }
    }
}

fn in_python<'a>(node: Node<'a>, view: &View<'a>) -> Option<Hit> {
    if !asserts(node.child_by_field_name("body")?, view) {
        return None;
    }
    let clause =
        children(node).into_iter().filter(|child| child.kind() == "except_clause").find(|clause| {
            catches_assertions(*clause, view) && children(*clause).last().is_some_and(|body| is_idle(*body))
        })?;
    Some(Hit::at(clause, view, Weight::Human, WHAT))
}

/// True for `except:`, and for clauses that name a type above `AssertionError`.
fn catches_assertions(clause: Node<'_>, view: &View<'_>) -> bool {
    clause.child_by_field_name("value").is_none_or(|value| {
        descendants(value).any(|node| {
            node.kind() == "identifier"
                && matches!(view.text(node), "Exception" | "BaseException" | "AssertionError")
        })
    })
}

/// True for a block that does nothing.
pub(super) fn is_idle(block: Node<'_>) -> bool {
    children(block).iter().all(|statement| {
        matches!(statement.kind(), "pass_statement" | "continue_statement" | "break_statement")
            || statement.kind() == "return_statement" && children(*statement).is_empty()
            || statement.kind() == "expression_statement"
                && children(*statement).iter().all(|only| matches!(only.kind(), "ellipsis" | "string"))
    })
}

fn asserts(body: Node<'_>, view: &View<'_>) -> bool {
    descendants(body).any(|node| {
        node.kind() == "assert_statement"
            || call(node, view.text).is_some_and(|call| {
                call.name().to_lowercase().starts_with("assert")
                    || call.callee.starts_with("assert.")
                    || call.callee == "expect"
            })
    })
}

/// `defer func() { recover() }()`.
fn recovers_silently(node: Node<'_>, view: &View<'_>) -> bool {
    let text: String = view.text(node).split_whitespace().collect();
    matches!(text.as_str(), "deferfunc(){recover()}()" | "deferfunc(){_=recover()}()")
}
