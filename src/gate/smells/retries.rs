//! Trying again until it works.

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, children};

/// The rule for tests.
pub(super) struct RetriesInTest;

/// The rule for fixes.
pub(super) struct RetriesInFix;

impl Rule for RetriesInTest {
    fn id(&self) -> &'static str {
        "retries"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Is a test run again until it passes?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let what = "the test is run again until it passes";
        let hit = |node| Hit::at(node, view, Weight::Note, what);
        match view.grammar {
            Grammar::Python => view
                .nodes()
                .filter(|node| node.kind() == "decorator")
                .filter(|node| {
                    let text = view.text(*node);
                    ["mark.flaky", "@flaky", "@retry", "@rerun"].iter().any(|mark| text.contains(mark))
                })
                .map(hit)
                .collect(),
            Grammar::Rust | Grammar::Go => Vec::new(),
            _ => {
                let calls = view
                    .calls()
                    .filter(|call| matches!(call.callee.as_str(), "jest.retryTimes" | "this.retries"));
                let options = view.nodes().filter(|node| {
                    node.kind() == "pair"
                        && children(*node).first().is_some_and(|key| view.text(*key) == "retry")
                });
                calls.map(|call| hit(call.node)).chain(options.map(hit)).collect()
            }
        }
    }
}

impl Rule for RetriesInFix {
    fn id(&self) -> &'static str {
        "retries-in-fix"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix try again until it works?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let named = |name: &str| {
            let name = name.to_lowercase();
            matches!(
                name.as_str(),
                "retry" | "retries" | "max_retries" | "maxretries" | "attempts" | "max_attempts"
            )
        };
        view.nodes()
            .filter(|node| {
                matches!(
                    node.kind(),
                    "assignment"
                        | "variable_declarator"
                        | "let_declaration"
                        | "for_statement"
                        | "for_expression"
                        | "keyword_argument"
                        | "default_parameter"
                        | "typed_default_parameter"
                        | "pair"
                        | "decorator"
                )
            })
            .filter(|node| {
                let name = ["left", "name", "pattern", "key"]
                    .iter()
                    .find_map(|field| node.child_by_field_name(field));
                name.is_some_and(|name| named(view.text(name)))
                    || node.kind() == "decorator" && view.text(*node).starts_with("@retry")
            })
            .map(|node| Hit {
                rows: (node.start_position().row, node.start_position().row),
                ..Hit::at(node, view, Weight::Note, "the fix tries again until it works")
            })
            .collect()
    }
}
