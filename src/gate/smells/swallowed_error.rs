//! Production code that drops errors.

use super::scene::{Scene, View};
use super::swallowed_assertion::is_idle;
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, children};

/// The rule.
pub(super) struct SwallowedError;

impl Rule for SwallowedError {
    fn id(&self) -> &'static str {
        "swallowed-error"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix drop errors of any kind?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let dropped = "the fix drops errors of any kind";
        let quiet = "the fix goes on after an error";
        match view.grammar {
            Grammar::Python => view
                .nodes()
                .filter(|node| node.kind() == "except_clause")
                .filter_map(|node| {
                    let broad = node
                        .child_by_field_name("value")
                        .is_none_or(|value| matches!(view.text(value), "Exception" | "BaseException"));
                    let idle = children(node).last().is_some_and(|body| is_idle(*body));
                    let (weight, what) = match (broad, idle) {
                        (true, true) => (Weight::Human, dropped),
                        (true, false) => (Weight::Note, "the fix catches errors of any kind"),
                        (false, true) => (Weight::Note, quiet),
                        (false, false) => return None,
                    };
                    Some(Hit::at(node, view, weight, what))
                })
                .chain(view.calls().filter(|call| call.callee.ends_with("suppress")).filter_map(|call| {
                    let broad = call
                        .arguments
                        .iter()
                        .any(|kind| matches!(view.text(*kind), "Exception" | "BaseException"));
                    broad.then(|| Hit::at(call.node, view, Weight::Human, dropped))
                }))
                .collect(),
            Grammar::Rust => {
                let discards = view.nodes().filter(|node| {
                    node.kind() == "let_declaration"
                        && node
                            .child_by_field_name("pattern")
                            .is_some_and(|pattern| view.text(pattern) == "_")
                        && node
                            .child_by_field_name("value")
                            .is_some_and(|value| value.kind() == "call_expression")
                });
                let defaults = view.calls().filter(|call| call.name() == "unwrap_or_default");
                discards
                    .map(|node| Hit::at(node, view, Weight::Note, quiet))
                    .chain(defaults.map(|call| Hit::at(call.node, view, Weight::Note, quiet)))
                    .collect()
            }
            Grammar::Go => view
                .nodes()
                .filter(|node| {
                    let left = node.child_by_field_name("left");
                    let last = left.and_then(|left| children(left).last().copied());
                    matches!(node.kind(), "assignment_statement" | "short_var_declaration")
                        && last.is_some_and(|last| view.text(last) == "_")
                        && node.child_by_field_name("right").is_some_and(|right| {
                            children(right).first().is_some_and(|value| value.kind() == "call_expression")
                        })
                })
                .map(|node| Hit::at(node, view, Weight::Note, quiet))
                .chain(view.calls().filter(|call| call.callee == "recover").filter_map(|call| {
                    let alone =
                        call.node.parent().is_some_and(|above| above.kind() == "expression_statement");
                    alone.then(|| Hit::at(call.node, view, Weight::Human, "the fix drops every panic"))
                }))
                .collect(),
            _ => {
                let clauses = view.nodes().filter(|node| {
                    node.kind() == "catch_clause"
                        && node.child_by_field_name("body").is_some_and(|body| children(body).is_empty())
                });
                let promises = view.calls().filter(|call| {
                    let handler: Option<String> = call
                        .arguments
                        .first()
                        .map(|handler| view.text(*handler).split_whitespace().collect());
                    call.name() == "catch"
                        && handler
                            .is_some_and(|handler| matches!(handler.as_str(), "()=>{}" | "function(){}"))
                });
                clauses
                    .map(|node| Hit::at(node, view, Weight::Human, dropped))
                    .chain(promises.map(|call| Hit::at(call.node, view, Weight::Human, dropped)))
                    .collect()
            }
        }
    }
}
