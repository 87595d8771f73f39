//! Sleeps and limits of time: a test that needs them depends on time, a fix that adds them may only
//! hide a race.

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, ancestors, is_number};

/// The rule for tests.
pub(super) struct WaitsInTest;

/// The rule for fixes.
pub(super) struct WaitsInFix;

impl Rule for WaitsInTest {
    fn id(&self) -> &'static str {
        "sleep"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test wait for a fixed time?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        sleeps(view)
            .map(|node| Hit::at(node, view, Weight::Note, "the test waits for a fixed time"))
            .collect()
    }
}

impl Rule for WaitsInFix {
    fn id(&self) -> &'static str {
        "sleep-in-fix"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix wait for a fixed time, or set a limit of time?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let waits =
            sleeps(view).map(|node| Hit::at(node, view, Weight::Note, "the fix waits for a fixed time"));
        let limits = view
            .nodes()
            .filter(|node| is_number(*node) && names_a_limit(*node, view))
            .filter_map(|node| node.parent())
            .map(|node| Hit::at(node, view, Weight::Note, "the fix sets a limit of time"));
        waits.chain(limits).collect()
    }
}

fn sleeps<'a>(view: &'a View<'a>) -> impl Iterator<Item = Node<'a>> {
    view.calls()
        .filter(|call| match view.grammar {
            Grammar::Python => {
                matches!(call.callee.as_str(), "time.sleep" | "sleep" | "asyncio.sleep" | "anyio.sleep")
                // Giving way to other tasks is no wait.
                && call.arguments.first().is_none_or(|time| view.text(*time) != "0")
            }
            Grammar::Go => call.callee == "time.Sleep",
            Grammar::Rust => {
                matches!(call.callee.as_str(), "thread::sleep" | "std::thread::sleep" | "tokio::time::sleep")
            }
            _ => {
                matches!(call.callee.as_str(), "sleep" | "delay" | "setTimeout" | "timers.setTimeout")
                    && call
                        .arguments
                        .get(usize::from(call.callee.ends_with("setTimeout")))
                        .is_some_and(|time| is_number(*time) && view.text(*time) != "0")
            }
        })
        .map(|call| call.node)
}

/// True for the number in `timeout=30`, `TIMEOUT = 30`, `{ timeout: 30 }`.
fn names_a_limit(number: Node<'_>, view: &View<'_>) -> bool {
    ancestors(number).take(2).any(|above| {
        let name = ["name", "left", "key"].iter().find_map(|field| above.child_by_field_name(field));
        name.is_some_and(|name| name != number && view.text(name).to_lowercase().ends_with("timeout"))
    })
}
