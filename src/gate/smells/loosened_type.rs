//! Types and lints that are loosened.

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Grammar, is_comment};

/// The rule.
pub(super) struct LoosenedType;

impl Rule for LoosenedType {
    fn id(&self) -> &'static str {
        "loosened-type"
    }

    fn side(&self) -> Side {
        Side::Fix
    }

    fn question(&self) -> &'static str {
        "Does the fix loosen a type, or silence a checker?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        let silences = |text: &str| {
            [
                "type: ignore",
                "pyright: ignore",
                "noqa",
                "@ts-ignore",
                "@ts-expect-error",
                "@ts-nocheck",
                "eslint-disable",
                "nolint",
            ]
            .iter()
            .any(|mark| text.contains(mark))
        };
        view.nodes()
            .filter_map(|node| {
                let text = view.text(node);
                let what = if is_comment(node) && silences(text) {
                    "the fix silences a checker"
                } else {
                    match (view.grammar, node.kind()) {
                        (Grammar::Rust, "unsafe_block") => "the fix adds unsafe code",
                        (Grammar::Rust, "attribute_item") if text.starts_with("#[allow(") => {
                            "the fix silences a checker"
                        }
                        (Grammar::Go, "selector_expression") if text == "unsafe.Pointer" => {
                            "the fix adds unsafe code"
                        }
                        (Grammar::Python, "type") if matches!(text, "Any" | "typing.Any" | "object") => {
                            "the fix loosens a type"
                        }
                        (Grammar::TypeScript | Grammar::Tsx, "predefined_type") if text == "any" => {
                            "the fix loosens a type"
                        }
                        _ => return None,
                    }
                };
                let first = node.start_position().row;
                Some(Hit { rows: (first, first), ..Hit::at(node, view, Weight::Note, what) })
            })
            .collect()
    }
}
