//! A test that is marked not to run.

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, children};

/// The rule.
pub(super) struct SkipMark;

impl Rule for SkipMark {
    fn id(&self) -> &'static str {
        "skip-mark"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Is a test marked so that it does not run?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let hit = |node| Hit::at(node, view, Weight::Note, "a test is marked so that it may not run");
        match view.grammar {
            Grammar::Python => {
                let mark = |name: &str| {
                    let last = name.rsplit('.').next().unwrap_or(name);
                    matches!(last, "skip" | "skipif" | "skipIf" | "skipUnless")
                        && ["mark.", "unittest.", "pytest."].iter().any(|prefix| name.contains(prefix))
                };
                let decorators = view.nodes().filter(|node| node.kind() == "decorator").filter(|node| {
                    let text = view.text(*node).trim_start_matches('@');
                    mark(text.split('(').next().unwrap_or(text).trim())
                });
                let calls = view.calls().filter(|call| {
                    matches!(call.callee.as_str(), "pytest.skip" | "pytest.importorskip" | "self.skipTest")
                });
                decorators.map(hit).chain(calls.map(|call| hit(call.node))).collect()
            }
            Grammar::Rust => view
                .nodes()
                .filter(|node| node.kind() == "attribute_item" && view.text(*node).starts_with("#[ignore"))
                .map(hit)
                .collect(),
            Grammar::Go => view
                .calls()
                .filter(|call| matches!(call.callee.as_str(), "t.Skip" | "t.Skipf" | "t.SkipNow"))
                .map(|call| hit(call.node))
                .collect(),
            _ => {
                let of_call = |call: &crate::lang::grammar::Call<'_>| {
                    let (first, rest) = call.callee.split_once('.').unwrap_or((&call.callee, ""));
                    let suite = matches!(first, "it" | "test" | "describe" | "suite" | "context" | "specify");
                    suite && rest.split('.').any(|part| matches!(part, "skip" | "todo" | "skipIf" | "runIf"))
                        || matches!(
                            call.callee.as_str(),
                            "xit" | "xtest" | "xdescribe" | "this.skip" | "t.skip" | "t.todo"
                        )
                        || suite
                            && rest.is_empty()
                            && call.arguments.iter().any(|argument| {
                                argument.kind() == "object"
                                    && children(*argument).iter().any(|pair| {
                                        let pair: String = view.text(*pair).split_whitespace().collect();
                                        pair.starts_with("skip:") && !pair.ends_with("false")
                                    })
                            })
                };
                view.calls()
                    .filter(of_call)
                    // The mark alone: the body of the test is no part of it.
                    .map(|call| Hit {
                        rows: (call.node.start_position().row, call.node.start_position().row),
                        ..hit(call.node)
                    })
                    .collect()
            }
        }
    }
}
