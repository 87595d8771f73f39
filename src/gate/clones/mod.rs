//! K14: does the test carry its own copy of the logic?
//!
//! A test that re-implements what it is about is green and proves nothing. Every function that T adds
//! is compared with the production functions of both sides: tokens with names set aside, and the order
//! of what is called. A pair is shown, never refused: a reference oracle looks the same, and K7 and K8
//! tell the two apart by running. Production code that still holds what the fix takes away elsewhere is
//! listed too.

mod siblings;
mod tokens;

use std::collections::BTreeSet;

use self::tokens::Print;
use super::Gate;
use super::smells::scene::{Scene, SourceFile, View};
use super::trial::{Trial, clip};
use super::verdict::{Check, Evidence, Excerpt, GateReport, Outcome};
use crate::git::{RepoPath, TreeId};
use crate::lab::{LabError, Request};
use crate::lang::grammar::{self, Grammar, functions};

/// The gate.
pub struct Clones;

/// A production function smaller than this resembles anything.
const LEAST_TOKENS: usize = 22;
/// As [`LEAST_TOKENS`], counting operators and keywords alone.
const LEAST_STRUCTURE: usize = 5;
/// The part of the production function's tokens that the test must hold.
const LEAST_TEXT: f64 = 0.65;
/// The part of its calls.
const LEAST_CALLS: f64 = 0.6;
/// The part of the tokens where nothing, or one thing, is called.
const LEAST_TEXT_ALONE: f64 = 0.8;
/// The most source of a project that is read in whole, in bytes.
const MOST_SOURCE: usize = 3_000_000;

/// A function of the test and the production function that it resembles.
#[derive(Clone, PartialEq, Debug)]
pub struct Pair {
    /// In the test.
    pub test: Excerpt,
    /// In production.
    pub production: Excerpt,
    /// Which part of the production function the test holds, from 0 to 1.
    pub share: f64,
}

impl Pair {
    /// For reports.
    pub fn evidence(&self) -> Evidence {
        Evidence::Clone {
            test: self.test.clone(),
            production: self.production.clone(),
            percent: (self.share * 100.0).round() as u8,
        }
    }
}

fn scene<'a>(trial: &'a Trial<'_>) -> Result<Scene<'a>, LabError> {
    let production = &trial.change.production;
    Ok(Scene::read(trial.store(), trial.roles, trial.base, trial.fixed, &trial.test, production)?)
}

/// The production sources to compare with: those that the fix changes on both sides, and the rest of
/// the fixed tree where that is not much.
fn production(scene: &Scene<'_>, trial: &Trial<'_>) -> Result<Vec<Source>, LabError> {
    let read = |tree: TreeId, path: &RepoPath| -> Result<Option<Source>, LabError> {
        let text = trial.store().file(tree, path)?.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(text.and_then(|text| Source::new(path, text, trial)))
    };
    let mut sources = Vec::new();
    for path in &scene.changed_paths {
        sources.extend(read(trial.fixed, path)?);
        sources.extend(read(trial.base, path)?);
    }
    let mut rest = Vec::new();
    let mut size = 0;
    for path in scene.production.iter().filter(|path| !scene.changed_paths.contains(path)) {
        if Grammar::of(path).is_none() {
            continue;
        }
        let Some(source) = read(trial.fixed, path)? else { continue };
        size += source.text.len();
        if size > MOST_SOURCE {
            return Ok(sources);
        }
        rest.push(source);
    }
    sources.extend(rest);
    Ok(sources)
}

/// A production file's text, without its test items.
struct Source {
    path: RepoPath,
    grammar: Grammar,
    text: String,
    tree: tree_sitter::Tree,
    tests: Vec<String>,
}

impl Source {
    fn new(path: &RepoPath, text: String, trial: &Trial<'_>) -> Option<Self> {
        let grammar = Grammar::of(path)?;
        let tree = grammar.parse(&text)?;
        let inline = trial.roles.language().inline_tests(path, &text);
        let tests = inline.map(|inline| inline.items).unwrap_or_default();
        Some(Self { path: path.clone(), grammar, text, tree, tests })
    }

    fn view(&self) -> View<'_> {
        View { path: &self.path, grammar: self.grammar, text: &self.text, root: self.tree.root_node() }
    }

    /// The functions that ship.
    fn functions(&self) -> Vec<grammar::Function<'_>> {
        let ships = |function: &grammar::Function<'_>| {
            let text = grammar::text(function.node, &self.text);
            !self.tests.iter().any(|item| item.contains(text))
        };
        functions(self.tree.root_node(), &self.text).into_iter().filter(ships).collect()
    }
}

fn excerpt(view: &View<'_>, node: tree_sitter::Node<'_>) -> Excerpt {
    let (first, last) = (node.start_position().row, node.end_position().row);
    let text: Vec<_> = view.text.lines().skip(first).take((last - first + 1).min(80)).collect();
    let indent =
        text.iter().filter(|line| !line.trim().is_empty()).map(|line| line.len() - line.trim_start().len());
    let indent = indent.min().unwrap_or(0);
    let text: Vec<_> = text.iter().map(|line| line.get(indent..).unwrap_or_default()).collect();
    let line = |row: usize| u32::try_from(row + 1).unwrap_or(u32::MAX);
    Excerpt {
        path: view.path.clone(),
        first: line(first),
        last: line(last),
        text: clip(&text.join("\n"), 6_000),
    }
}

/// The pairs of a trial, the most alike first; each function of the test stands in one at most.
fn pairs(scene: &Scene<'_>, trial: &Trial<'_>) -> Result<Vec<Pair>, LabError> {
    if scene.tests.is_empty() {
        return Ok(Vec::new());
    }
    Ok(compare(&scene.tests, &production(scene, trial)?))
}

fn compare(tests: &[SourceFile], sources: &[Source]) -> Vec<Pair> {
    let candidates: Vec<_> = sources
        .iter()
        .flat_map(|source| source.functions().into_iter().map(move |function| (source, function)))
        .map(|(source, function)| (source, Print::of(function.body, &source.text), function))
        .filter(|(_, print, _)| print.tokens >= LEAST_TOKENS && print.structure >= LEAST_STRUCTURE)
        .collect();
    let mut found: Vec<(Pair, std::ops::Range<usize>)> = Vec::new();
    for file in tests {
        let view = file.now();
        for function in functions(view.root, view.text) {
            let rows = function.node.start_position().row..=function.node.end_position().row;
            if !file.is_added(rows) {
                continue;
            }
            let print = Print::of(function.body, view.text);
            let best = candidates
                .iter()
                .filter(|(source, ..)| {
                    source.grammar.is_script() == view.grammar.is_script()
                        && source.path.extension() == view.path.extension()
                        || source.grammar == view.grammar
                })
                .filter_map(|(source, production, other)| {
                    let (share, calls) = (production.contained_in(&print), production.calls_in(&print));
                    let enough = if production.calls.len() > 1 { LEAST_TEXT } else { LEAST_TEXT_ALONE };
                    (share >= enough && calls >= LEAST_CALLS).then_some((source, other, share))
                })
                .max_by(|one, other| one.2.total_cmp(&other.2));
            if let Some((source, other, share)) = best {
                let pair = Pair {
                    test: excerpt(&view, function.node),
                    production: excerpt(&source.view(), other.node),
                    share,
                };
                found.push((pair, function.node.byte_range()));
            }
        }
    }
    // Of functions within each other the innermost is the copy.
    let inner: Vec<_> = found
        .iter()
        .filter(|(pair, range)| {
            !found.iter().any(|(other, inside)| {
                other.test.path == pair.test.path
                    && inside != range
                    && range.start <= inside.start
                    && inside.end <= range.end
            })
        })
        .map(|(pair, _)| pair.clone())
        .collect();
    let mut pairs = inner;
    pairs.sort_by(|one, other| other.share.total_cmp(&one.share));
    pairs
}

impl Gate for Clones {
    fn check(&self) -> Check {
        Check::K14
    }

    fn plan(&self, _trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        // It reads and runs nothing.
        Ok(Vec::new())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let scene = scene(trial)?;
        let pairs = pairs(&scene, trial)?;
        let forgotten = siblings::of(&scene, &production(&scene, trial)?);
        let reason = match pairs.first() {
            None => "no function of the test resembles production code".to_owned(),
            Some(pair) => format!(
                "the test carries code that resembles {} ({}); whether it stands in for it is for the gates that run \
                 the test to say",
                pair.production.place(),
                pair.test.place()
            ),
        };
        let places: BTreeSet<_> = forgotten.iter().map(|one| (one.path.clone(), one.what.clone())).collect();
        let notes = places.into_iter().take(10).map(|(path, what)| Evidence::Path { path, what });
        Ok(GateReport::new(Check::K14, Outcome::Pass, reason)
            .evidence(pairs.iter().take(3).map(Pair::evidence))
            .evidence(notes))
    }
}

#[cfg(test)]
mod tests;
