//! A function as a series of tokens with its names set aside, and the names that it calls in order.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use tree_sitter::Node;

use crate::lang::grammar::{call, descendants, is_comment, is_number, is_string, text};

/// How many tokens are compared at once.
const WINDOW: usize = 6;

/// What is compared of a function.
#[derive(Clone, Debug)]
pub(super) struct Print {
    /// Every run of [`WINDOW`] tokens, with its number.
    runs: HashMap<u64, u32>,
    /// How many runs there are.
    count: u32,
    /// The last names of what it calls, in order.
    pub(super) calls: Vec<String>,
    /// How many tokens there are.
    pub(super) tokens: usize,
    /// How many of them are operators and keywords.
    pub(super) structure: usize,
}

impl Print {
    /// Of the body of a function.
    pub(super) fn of(body: Node<'_>, source: &str) -> Self {
        let tokens = tokens(body, source, Names::SetAside);
        let mut runs = HashMap::new();
        for run in tokens.windows(WINDOW) {
            let mut hasher = DefaultHasher::new();
            run.hash(&mut hasher);
            *runs.entry(hasher.finish()).or_insert(0) += 1;
        }
        let calls = descendants(body).filter_map(|node| call(node, source));
        let structure = tokens
            .iter()
            .filter(|token| !matches!(token.as_str(), "name" | "number" | "text" | "." | "(" | ")"));
        Self {
            count: runs.values().sum(),
            calls: calls.map(|call| call.name().to_owned()).collect(),
            tokens: tokens.len(),
            structure: structure.count(),
            runs,
        }
    }

    /// Which part of this function the other one contains, from 0 to 1.
    pub(super) fn contained_in(&self, other: &Self) -> f64 {
        let both: u32 =
            self.runs.iter().map(|(run, count)| (*count).min(*other.runs.get(run).unwrap_or(&0))).sum();
        if self.count == 0 { 0.0 } else { f64::from(both) / f64::from(self.count) }
    }

    /// Which part of this function's calls the other one makes, in the same order, from 0 to 1; 1
    /// where it makes none.
    pub(super) fn calls_in(&self, other: &Self) -> f64 {
        if self.calls.is_empty() {
            return 1.0;
        }
        common(&self.calls, &other.calls) as f64 / self.calls.len() as f64
    }
}

/// The length of the longest series that both hold in order.
fn common(one: &[String], other: &[String]) -> usize {
    let mut best = vec![0; other.len() + 1];
    for left in one {
        let mut diagonal = 0;
        for (at, right) in other.iter().enumerate() {
            let above = best[at + 1];
            best[at + 1] = if left == right { diagonal + 1 } else { above.max(best[at]) };
            diagonal = above;
        }
    }
    best.last().copied().unwrap_or(0)
}

/// What becomes of names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// All names are alike.
    SetAside,
    /// Names of attributes, methods and functions that are called stay; variables are alike.
    OfCallsKept,
}

/// The tokens below a node, with literals and (some) names set aside. Commas, semicolons, comments and
/// docstrings are left out.
pub(super) fn tokens(root: Node<'_>, source: &str, names: Names) -> Vec<String> {
    let mut out = Vec::new();
    let mut waiting = vec![root];
    while let Some(node) = waiting.pop() {
        if is_comment(node) || is_docstring(node) {
            continue;
        }
        if is_string(node) {
            out.push("text".to_owned());
            continue;
        }
        if is_number(node) {
            out.push("number".to_owned());
            continue;
        }
        if node.child_count() == 0 {
            out.extend(token(node, source, names));
            continue;
        }
        let mut cursor = node.walk();
        let children: Vec<_> = node.children(&mut cursor).collect();
        waiting.extend(children.into_iter().rev());
    }
    out
}

fn token(leaf: Node<'_>, source: &str, names: Names) -> Option<String> {
    let text = text(leaf, source);
    if matches!(text, "," | ";" | "" | "\n") {
        return None;
    }
    let kind = leaf.kind();
    if kind.ends_with("identifier") || kind == "self" || kind == "this" {
        let keeps = names == Names::OfCallsKept
            && (matches!(kind, "property_identifier" | "field_identifier")
                || leaf.parent().is_some_and(|above| {
                    let named = |field| above.child_by_field_name(field) == Some(leaf);
                    named("function") || named("attribute") || named("macro")
                }));
        return Some(if keeps { text.to_owned() } else { "name".to_owned() });
    }
    Some(text.to_owned())
}

fn is_docstring(node: Node<'_>) -> bool {
    node.kind() == "expression_statement"
        && node.named_child_count() == 1
        && node.named_child(0).is_some_and(is_string)
}
