//! Production code that replaces the clock: whoever measures time in the same process, the test among
//! them, then sees what the fix wants.

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, is_string, squeezed, string_value};

/// The rule.
pub(super) struct PatchedClock;

impl Rule for PatchedClock {
    fn id(&self) -> &'static str {
        "patched-clock"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix replace the clock?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let hit = |node: Node<'_>, name: &str| {
            Hit::at(
                node,
                view,
                Weight::Human,
                format!("the fix replaces {name}, which tests may measure with"),
            )
        };
        let assigned = view.nodes().filter_map(|node| {
            let left = matches!(node.kind(), "assignment" | "assignment_expression")
                .then(|| node.child_by_field_name("left"))??;
            let name = squeezed(left, view.text);
            is_clock(view.grammar, &name).then(|| hit(node, &name))
        });
        let set = view.calls().filter_map(|call| {
            let [owner, name, ..] = call.arguments.as_slice() else { return None };
            let sets = matches!(call.callee.as_str(), "setattr" | "Object.defineProperty");
            if !sets || !is_string(*name) {
                return None;
            }
            let name = format!("{}.{}", squeezed(*owner, view.text), string_value(*name, view.text));
            is_clock(view.grammar, &name).then(|| hit(call.node, &name))
        });
        assigned.chain(set).collect()
    }
}

/// True for a function of the language's own clock. Rust and Go have none that could be replaced.
fn is_clock(grammar: Grammar, name: &str) -> bool {
    match grammar {
        Grammar::Python => match name.split_once('.') {
            Some(("time", name)) => matches!(
                name.trim_end_matches("_ns"),
                "time" | "monotonic" | "perf_counter" | "process_time" | "sleep"
            ),
            Some(("datetime", name)) => matches!(name, "datetime" | "date"),
            _ => false,
        },
        Grammar::Rust | Grammar::Go => false,
        _ => {
            let name = ["globalThis.", "global.", "window."]
                .iter()
                .find_map(|global| name.strip_prefix(global))
                .unwrap_or(name);
            matches!(
                name,
                "Date" | "Date.now" | "performance.now" | "process.hrtime" | "process.hrtime.bigint"
            )
        }
    }
}
