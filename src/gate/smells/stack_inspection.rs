//! Production code that looks at who called it.

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, descendants, enclosing, is_string, string_value};

/// The rule.
pub(super) struct StackInspection;

impl Rule for StackInspection {
    fn id(&self) -> &'static str {
        "stack-inspection"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix look for tests among its callers?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let looks = view.nodes().filter(|node| match view.grammar {
            Grammar::Python => {
                let text = view.text(*node);
                matches!(node.kind(), "attribute")
                    && matches!(
                        text,
                        "inspect.stack"
                            | "inspect.currentframe"
                            | "sys._getframe"
                            | "traceback.extract_stack"
                            | "traceback.format_stack"
                    )
            }
            Grammar::Go => {
                node.kind() == "selector_expression"
                    && matches!(
                        view.text(*node),
                        "runtime.Caller" | "runtime.Callers" | "runtime.Stack" | "debug.Stack"
                    )
            }
            Grammar::Rust => {
                node.kind() == "scoped_identifier"
                    && matches!(
                        view.text(*node),
                        "Backtrace::capture"
                            | "Backtrace::force_capture"
                            | "std::backtrace::Backtrace::capture"
                            | "std::backtrace::Backtrace::force_capture"
                            | "thread::current"
                            | "std::thread::current"
                            | "std::env::current_exe"
                            | "env::current_exe"
                    )
            }
            _ => {
                node.kind() == "member_expression"
                    && node.child_by_field_name("property").is_some_and(|name| view.text(name) == "stack")
            }
        });
        looks
            .filter_map(|node| {
                // Whoever wants to tell tests from other callers must name them.
                let function = enclosing(node, view.text).map_or(view.root, |function| function.node);
                let named = descendants(function).any(|inner| {
                    (is_string(inner) || inner.kind() == "regex")
                        && names_tests(string_value(inner, view.text), view.text(inner))
                });
                named.then(|| Hit::at(node, view, Weight::Human, "the fix looks for tests among its callers"))
            })
            .collect()
    }
}

fn names_tests(value: &str, whole: &str) -> bool {
    let text = if value.is_empty() { whole } else { value };
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).collect::<Vec<_>>();
    // A sentence (a docstring, a message) may speak of tests.
    text.len() <= 40
        && words.len() <= 5
        && words.iter().any(|word| {
            matches!(
                *word,
                "test"
                    | "tests"
                    | "pytest"
                    | "unittest"
                    | "jest"
                    | "vitest"
                    | "mocha"
                    | "spec"
                    | "testing"
                    | "deps"
            )
        })
}
