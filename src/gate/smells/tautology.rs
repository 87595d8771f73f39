//! An assertion that holds whatever production does.

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, call, children, descendants, squeezed};

/// The rule.
pub(super) struct Tautology;

impl Rule for Tautology {
    fn id(&self) -> &'static str {
        "tautology"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does an assertion hold whatever the code does?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let mut hits = Vec::new();
        for node in view.nodes() {
            if let Some(condition) = asserted(node, view) {
                let what = match condition {
                    Condition::One(one) if is_true(one, view) => Some((Weight::Note, "asserts a constant")),
                    Condition::One(one) if ends_with_true(one, view) => {
                        Some((Weight::Human, "the assertion ends with `or true`, so it always holds"))
                    }
                    Condition::One(one) if one.kind() == "tuple" && !children(one).is_empty() => {
                        Some((Weight::Human, "asserts a tuple, which is always true"))
                    }
                    Condition::One(one) => {
                        let same = one.kind() == "comparison_operator" || one.kind() == "binary_expression";
                        let sides = children(one);
                        (same && sides.len() == 2 && equal(sides[0], sides[1], view))
                            .then_some((Weight::Note, "compares a value with itself"))
                    }
                    Condition::Two(left, right) => {
                        equal(left, right, view).then_some((Weight::Note, "compares a value with itself"))
                    }
                };
                hits.extend(what.map(|(weight, what)| Hit::at(node, view, weight, what)));
            }
        }
        hits
    }
}

enum Condition<'t> {
    One(Node<'t>),
    Two(Node<'t>, Node<'t>),
}

/// What an assertion claims.
fn asserted<'t>(node: Node<'t>, view: &View<'t>) -> Option<Condition<'t>> {
    if node.kind() == "assert_statement" {
        return children(node).first().copied().map(Condition::One);
    }
    let call_here = call(node, view.text)?;
    let two = |arguments: &[Node<'t>]| Some(Condition::Two(*arguments.first()?, *arguments.get(1)?));
    match view.grammar {
        Grammar::Python => match call_here.callee.as_str() {
            "self.assertEqual" | "self.assertIs" => two(&call_here.arguments),
            "self.assertTrue" => call_here.arguments.first().copied().map(Condition::One),
            _ => None,
        },
        Grammar::Rust => {
            let tokens = children(*call_here.arguments.first()?);
            match (call_here.callee.as_str(), tokens.as_slice()) {
                ("assert!", [only]) => Some(Condition::One(*only)),
                ("assert_eq!", [left, right]) => Some(Condition::Two(*left, *right)),
                _ => None,
            }
        }
        Grammar::Go => None,
        _ => match call_here.callee.as_str() {
            "assert" | "assert.ok" | "assert.isTrue" => {
                call_here.arguments.first().copied().map(Condition::One)
            }
            "assert.equal" | "assert.strictEqual" | "assert.deepEqual" | "assert.deepStrictEqual" => {
                two(&call_here.arguments)
            }
            callee if callee.starts_with("expect(") => {
                let inner = descendants(node)
                    .skip(1)
                    .filter_map(|inner| call(inner, view.text))
                    .find(|inner| inner.callee == "expect")?;
                let matcher = callee.rsplit('.').next()?;
                let equal =
                    matches!(matcher, "toBe" | "toEqual" | "toStrictEqual") && !callee.contains(".not.");
                equal.then_some(())?;
                Some(Condition::Two(*inner.arguments.first()?, *call_here.arguments.first()?))
            }
            _ => None,
        },
    }
}

fn is_true(node: Node<'_>, view: &View<'_>) -> bool {
    matches!(view.text(node), "True" | "true" | "1")
}

fn ends_with_true(node: Node<'_>, view: &View<'_>) -> bool {
    if !matches!(node.kind(), "boolean_operator" | "binary_expression") {
        return false;
    }
    let operator = node.child_by_field_name("operator").map(|operator| view.text(operator));
    matches!(operator, Some("or" | "||"))
        && ["left", "right"].iter().any(|side| {
            node.child_by_field_name(side)
                .is_some_and(|side| matches!(view.text(side), "True" | "true" | "1"))
        })
}

/// The same words on both sides, without a call: whether a call gives the same value twice may be
/// what a test asks.
fn equal(left: Node<'_>, right: Node<'_>, view: &View<'_>) -> bool {
    squeezed(left, view.text) == squeezed(right, view.text)
        && !descendants(left).any(|node| call(node, view.text).is_some() || node.kind() == "token_tree")
}
