//! Production code that skips the test that calls it.

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::Grammar;

/// The rule.
pub(super) struct SkipRaised;

impl Rule for SkipRaised {
    fn id(&self) -> &'static str {
        "skip-raised"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix skip the test that calls it?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let hit = |node| Hit::at(node, view, Weight::Human, "the fix skips the test that calls it");
        match view.grammar {
            Grammar::Python => {
                let raised = view.nodes().filter(|node| node.kind() == "raise_statement").filter(|node| {
                    ["SkipTest", "Skipped", "skip.Exception"]
                        .iter()
                        .any(|word| view.text(*node).contains(word))
                });
                let called = view.calls().filter(|call| {
                    matches!(
                        call.callee.as_str(),
                        "pytest.skip" | "pytest.xfail" | "pytest.exit" | "unittest.skip"
                    )
                });
                raised.map(hit).chain(called.map(|call| hit(call.node))).collect()
            }
            Grammar::Go => view
                .calls()
                .filter(|call| matches!(call.name(), "SkipNow" | "Skipf") || call.callee == "t.Skip")
                .map(|call| hit(call.node))
                .collect(),
            _ => Vec::new(),
        }
    }
}
