//! Production code that finds out whether a test runner is there.

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, ancestors, is_string, string_value};

/// The rule.
pub(super) struct RunnerDetection;

impl Rule for RunnerDetection {
    fn id(&self) -> &'static str {
        "runner-detection"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix find out whether it runs under a test?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let what = "the fix finds out whether it runs under a test";
        let found: Vec<Node<'_>> = match view.grammar {
            Grammar::Python => strings(view, |value, around| {
                value.starts_with("PYTEST_")
                    || matches!(
                        value,
                        "pytest" | "_pytest" | "py.test" | "unittest" | "nose" | "TOX_ENV_NAME"
                    ) && ["sys.modules", "sys.argv", "environ", "getenv", "find_spec"]
                        .iter()
                        .any(|word| around.contains(word))
            }),
            Grammar::Rust => view
                .nodes()
                .filter(|node| match node.kind() {
                    "macro_invocation" => {
                        let text: String = view.text(*node).split_whitespace().collect();
                        text.starts_with("cfg!(") && has_word(&text, "test")
                    }
                    "attribute_item" => {
                        let text: String = view.text(*node).split_whitespace().collect();
                        text.starts_with("#[cfg(") && text.contains("not(test)")
                    }
                    _ => false,
                })
                .chain(strings(view, |value, around| {
                    (value.starts_with("NEXTEST")
                        || matches!(value, "RUST_TEST_THREADS" | "CARGO_TARGET_TMPDIR"))
                        && around.contains("env")
                }))
                .collect(),
            Grammar::Go => view
                .calls()
                .filter(|call| {
                    call.callee == "testing.Testing"
                        || call.callee == "flag.Lookup"
                            && call
                                .arguments
                                .first()
                                .is_some_and(|name| view.text(*name).starts_with("\"test."))
                })
                .map(|call| call.node)
                .chain(strings(view, |value, around| {
                    (value == ".test" || value.starts_with("-test.")) && around.contains("os.Args")
                }))
                .collect(),
            _ => view.nodes().filter(|node| in_script(*node, view)).collect(),
        };
        found.into_iter().map(|node| Hit::at(node, view, Weight::Human, what)).collect()
    }
}

/// Strings, by their value and the statement around them.
fn strings<'a>(view: &View<'a>, is_one: impl Fn(&str, &str) -> bool) -> Vec<Node<'a>> {
    view.nodes()
        .filter(|node| is_string(*node))
        .filter(|node| {
            let statement = ancestors(*node).take_while(|above| !above.kind().ends_with("block")).last();
            // The head of a compound statement, without its body.
            let around = statement.map(|statement| view.text(statement).lines().take(3).collect::<String>());
            is_one(string_value(*node, view.text), &around.unwrap_or_default())
        })
        .collect()
}

fn in_script(node: Node<'_>, view: &View<'_>) -> bool {
    let text = || view.text(node).split_whitespace().collect::<String>();
    let is_variable = |name: &str| {
        matches!(name, "JEST_WORKER_ID" | "NODE_TEST_CONTEXT" | "MOCHA_COLORS")
            || name == "VITEST"
            || name.starts_with("VITEST_")
    };
    match node.kind() {
        "member_expression" => {
            let text = text();
            match text.rsplit_once('.') {
                Some(("process.env" | "import.meta.env", name)) => is_variable(name),
                Some(("globalThis" | "global" | "window", name)) => {
                    matches!(name, "jest" | "vi" | "vitest" | "describe" | "__vitest_worker__" | "mocha")
                }
                _ => false,
            }
        }
        "subscript_expression" => {
            let text = text();
            text.starts_with("process.env[")
                && is_variable(text[12..].trim_end_matches(']').trim_matches(['"', '\'']))
        }
        "unary_expression" => {
            matches!(
                text().as_str(),
                "typeofjest" | "typeofvi" | "typeofdescribe" | "typeofit" | "typeofexpect"
            )
        }
        "binary_expression" => {
            let text = text().replace('"', "'");
            text.contains("process.env.NODE_ENV")
                && text.contains("'test'")
                && !text.contains("||")
                && !text.contains("&&")
        }
        _ => false,
    }
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|part| part == word)
}
