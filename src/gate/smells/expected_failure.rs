//! A test for which passing means failing.

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, call, descendants};

/// The rule.
pub(super) struct ExpectedFailure;

impl Rule for ExpectedFailure {
    fn id(&self) -> &'static str {
        "expected-failure"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Is a test marked so that its failure counts as success?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let what = "the test is marked so that its failure counts as success";
        match view.grammar {
            Grammar::Python => view
                .nodes()
                .filter(|node| node.kind() == "decorator")
                .filter(|node| {
                    let text = view.text(*node);
                    text.contains("mark.xfail") || text.contains("expectedFailure")
                })
                .map(|node| Hit::at(node, view, Weight::Human, what))
                .chain(
                    view.calls()
                        .filter(|call| call.callee == "pytest.xfail")
                        .map(|call| Hit::at(call.node, view, Weight::Human, what)),
                )
                .collect(),
            Grammar::Rust => view
                .nodes()
                .filter(|node| node.kind() == "attribute_item")
                .filter(|node| view.text(*node).starts_with("#[should_panic"))
                .map(|node| should_panic(node, view))
                .collect(),
            Grammar::Go => Vec::new(),
            _ => view
                .calls()
                .filter(|call| {
                    let (first, rest) = call.callee.split_once('.').unwrap_or((&call.callee, ""));
                    matches!(first, "it" | "test")
                        && rest.split('.').any(|part| matches!(part, "failing" | "fails"))
                })
                .map(|call| Hit {
                    rows: (call.node.start_position().row, call.node.start_position().row),
                    ..Hit::at(call.node, view, Weight::Human, what)
                })
                .collect(),
        }
    }
}

/// A panic may be the specified behaviour. It is not where any assertion of the test itself would do.
fn should_panic<'a>(attribute: Node<'a>, view: &View<'a>) -> Hit {
    let item = std::iter::successors(attribute.next_named_sibling(), Node::next_named_sibling)
        .find(|next| next.kind() == "function_item");
    let asserts = item.is_some_and(|item| {
        descendants(item)
            .filter_map(|node| call(node, view.text))
            .any(|call| call.name().starts_with("assert"))
    });
    if asserts && !view.text(attribute).contains("expected") {
        let what =
            "the test passes when any of its own assertions fails (`#[should_panic]` without `expected`)";
        Hit::at(attribute, view, Weight::Human, what)
    } else {
        Hit::at(attribute, view, Weight::Note, "the test expects a panic")
    }
}
