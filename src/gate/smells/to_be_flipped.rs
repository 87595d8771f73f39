//! A test that asserts the bug, and says so.

use std::sync::LazyLock;

use regex::Regex;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{is_comment, is_string};

/// The rule.
pub(super) struct ToBeFlipped;

impl Rule for ToBeFlipped {
    fn id(&self) -> &'static str {
        "to-be-flipped"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test say that its expectation is to be changed with the fix?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        static WORDS: LazyLock<Regex> = LazyLock::new(|| {
            let after = r"(?:once|when|after)\b[^.\n]{0,40}\bfix(?:ed)?\b[^.\n]{0,40}\b(?:flip|invert|change|update|replace|expect)\b[^.\n]{0,30}\b(?:to|this|assert\w*|expect\w*)";
            let whose = r"\bfix(?:er)?\b[^.\n]{0,25}\b(?:must|should|will|is to|has to|needs to|to)\s+(?:flip|invert|update|change|adjust)\b[^.\n]{0,25}\b(?:this|assert\w*|expect\w*|to)\b";
            let state =
                r"\bassert(?:s|ing)?\s+the\s+(?:bug|buggy|wrong|incorrect|current \(?(?:buggy|wrong|broken))";
            let known =
                r"\b(?:flip|invert)\s+(?:this|the)\s+(?:assertion|expectation|expected value|assert)\b";
            Regex::new(&format!("(?i){after}|{whose}|{state}|{known}")).expect("a fixed pattern")
        });
        view.nodes()
            .filter(|node| is_comment(*node) || is_string(*node))
            .filter(|node| {
                let plain = view.text(*node).split_whitespace().collect::<Vec<_>>().join(" ");
                WORDS.is_match(&plain)
            })
            .map(|node| {
                Hit::at(node, view, Weight::Human, "the test says that its expectation is that of the bug")
            })
            .collect()
    }
}
