//! An asynchronous assertion that nobody waits for.

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};

/// The rule.
pub(super) struct Unawaited;

impl Rule for Unawaited {
    fn id(&self) -> &'static str {
        "unawaited-assertion"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test end before an asynchronous assertion is decided?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        if !view.grammar.is_script() {
            return Vec::new();
        }
        view.calls()
            .filter(|call| {
                let callee = call.callee.as_str();
                callee.starts_with("expect(")
                    && (callee.contains(".resolves.") || callee.contains(".rejects."))
                    || matches!(callee, "assert.rejects" | "assert.doesNotReject")
            })
            .filter(|call| call.node.parent().is_some_and(|above| above.kind() == "expression_statement"))
            .map(|call| {
                Hit::at(call.node, view, Weight::Note, "nobody waits for the assertion (`await` is missing)")
            })
            .collect()
    }
}
