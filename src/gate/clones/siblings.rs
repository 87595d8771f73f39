//! Production code that still holds what the fix takes away elsewhere (row 72 of the catalogue).

use super::Source;
use super::tokens::{Names, tokens};
use crate::gate::smells::scene::Scene;
use crate::git::RepoPath;
use crate::lang::grammar::{children, descendants, functions};

/// The least number of tokens that are worth a comparison.
const LEAST: usize = 12;
/// The least number of names of attributes and calls, by which a statement is told from others.
const LEAST_NAMES: usize = 2;

/// A place that may have been forgotten.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sibling {
    pub(super) path: RepoPath,
    pub(super) what: String,
}

/// The functions of the fixed tree that hold a statement that the fix takes away.
pub(super) fn of(scene: &Scene<'_>, sources: &[Source]) -> Vec<Sibling> {
    let mut found = Vec::new();
    for file in &scene.fix {
        let (Some(before), now) = (file.before(), file.now()) else { continue };
        // Statements, in token form, that the base's version has and the fixed one has not.
        let statements = |view: &crate::gate::smells::scene::View<'_>| {
            descendants(view.root)
                .filter(|node| is_simple(*node))
                .map(|node| tokens(node, view.text, Names::OfCallsKept))
                .filter(|tokens| tokens.len() >= LEAST && names(tokens) >= LEAST_NAMES)
                .collect::<Vec<_>>()
        };
        let kept = statements(&now);
        let was = statements(&before);
        for gone in was.iter().filter(|gone| {
            let times = |all: &[Vec<String>]| all.iter().filter(|one| one == gone).count();
            times(&kept) < times(&was)
        }) {
            for source in sources.iter().filter(|source| source.grammar == now.grammar) {
                // The base's version of a changed file is no place that was forgotten.
                if scene.changed_paths.contains(&source.path)
                    && (source.path != file.path || source.text != now.text)
                {
                    continue;
                }
                let holders =
                    functions(source.tree.root_node(), &source.text).into_iter().filter(|function| {
                        children(function.body).iter().flat_map(|child| descendants(*child)).any(|node| {
                            is_simple(node) && tokens(node, &source.text, Names::OfCallsKept) == *gone
                        })
                    });
                // The function that lost it may hold it elsewhere for a reason; the author has seen it.
                let elsewhere = |function: &crate::lang::grammar::Function<'_>| {
                    function
                        .name
                        .as_ref()
                        .is_some_and(|name| source.path != file.path || !scene.changed.contains(name))
                };
                for function in holders.filter(elsewhere) {
                    let name = function.name.clone().unwrap_or_default();
                    let lines = function.lines();
                    let what = format!(
                        "lines {}-{}: {name} still holds a statement that the fix takes away in {}",
                        lines.start,
                        lines.end - 1,
                        file.path
                    );
                    let sibling = Sibling { path: source.path.clone(), what };
                    if !found.contains(&sibling) {
                        found.push(sibling);
                    }
                }
            }
        }
    }
    found
}

fn names(tokens: &[String]) -> usize {
    let set_aside =
        ["name", "number", "text", "return", "raise", "throw", "await", "new", "let", "const", "var"];
    let named = |token: &&String| {
        token.chars().all(|c| c.is_alphanumeric() || c == '_') && !set_aside.contains(&token.as_str())
    };
    tokens.iter().filter(named).collect::<std::collections::BTreeSet<_>>().len()
}

/// True for a statement without a body of its own, and for the head of one that has.
fn is_simple(node: tree_sitter::Node<'_>) -> bool {
    let kind = node.kind();
    matches!(
        kind,
        "return_statement"
            | "expression_statement"
            | "lexical_declaration"
            | "variable_declaration"
            | "let_declaration"
            | "short_var_declaration"
            | "assignment_statement"
            | "return_expression"
            | "raise_statement"
            | "throw_statement"
            | "call_expression"
    ) && !descendants(node).skip(1).any(|inner| matches!(inner.kind(), "block" | "statement_block"))
}
