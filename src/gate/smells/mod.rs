//! K13: is anything suspicious in the test or the patch?
//!
//! Rules in the manner of a linter, one a file. Each reads the syntax trees of the test's files or of
//! the production files that the fix changes, and only what the change *adds* counts: what the base
//! already holds is nobody's trick. A hit by which the evidence is undermined asks for a person;
//! the milder ones are shown and decide nothing. Nothing is refused here: reading is not running.

mod disabled_security;
mod expected_failure;
mod loosened_type;
mod network;
mod patched_clock;
mod reads_source;
mod retries;
mod runner_detection;
pub mod scene;
mod skip_mark;
mod skip_raised;
mod special_cased;
mod stack_inspection;
mod substituted;
mod swallowed_assertion;
mod swallowed_error;
mod tautology;
mod to_be_flipped;
mod unawaited;
mod waits;

use std::collections::HashMap;

use tree_sitter::Node;

use self::scene::{Scene, SourceFile, View};
use super::Gate;
use super::trial::{Trial, clip};
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::git::RepoPath;
use crate::lab::{LabError, Request};
use crate::lang::grammar::squeezed;

/// The gate.
pub struct Smells;

/// Which code a rule reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// The test.
    Test,
    /// The production files that the fix changes.
    Fix,
}

/// What a hit means for the verdict.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// It is shown.
    Note,
    /// It undermines the evidence: a person must look.
    Human,
}

/// One rule.
pub trait Rule: Sync {
    /// Its name (`skip-mark`).
    fn id(&self) -> &'static str;

    /// What it reads.
    fn side(&self) -> Side;

    /// What it asks, for documentation and readers.
    fn question(&self) -> &'static str;

    /// Everything in a version of a file that it objects to, whether the change added it or not.
    fn look(&self, view: &View<'_>, scene: &Scene<'_>) -> Vec<Hit>;
}

/// All rules.
pub static RULES: &[&dyn Rule] = &[
    &skip_mark::SkipMark,
    &expected_failure::ExpectedFailure,
    &to_be_flipped::ToBeFlipped,
    &tautology::Tautology,
    &swallowed_assertion::SwallowedAssertion,
    &unawaited::Unawaited,
    &substituted::Substituted,
    &reads_source::ReadsSource,
    &waits::WaitsInTest,
    &network::Network,
    &retries::RetriesInTest,
    &runner_detection::RunnerDetection,
    &stack_inspection::StackInspection,
    &special_cased::SpecialCased,
    &skip_raised::SkipRaised,
    &swallowed_error::SwallowedError,
    &disabled_security::DisabledSecurity,
    &patched_clock::PatchedClock,
    &loosened_type::LoosenedType,
    &waits::WaitsInFix,
    &retries::RetriesInFix,
];

/// What a rule saw at one place.
#[derive(Clone, Debug)]
pub struct Hit {
    rows: (usize, usize),
    key: String,
    test: Option<String>,
    weight: Weight,
    what: String,
}

impl Hit {
    /// At a node; `what` is a fragment that says what is wrong there.
    pub fn at<'a>(node: Node<'a>, view: &View<'a>, weight: Weight, what: impl Into<String>) -> Self {
        Self {
            rows: (node.start_position().row, node.end_position().row),
            key: squeezed(node, view.text),
            test: view.test_around(node),
            weight,
            what: what.into(),
        }
    }
}

/// A hit that counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// What it read.
    pub side: Side,
    /// What it means.
    pub weight: Weight,
    /// Where.
    pub path: RepoPath,
    /// The first line, counted from 1.
    pub line: usize,
    /// What is wrong there, as a fragment.
    pub what: String,
    /// The line's text.
    pub excerpt: String,
}

/// Asks every rule about what the change adds. The gravest findings come first.
pub fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in RULES {
        let files = match rule.side() {
            Side::Test => &scene.tests,
            Side::Fix => &scene.fix,
        };
        // Code that moves from one file to another is not new.
        let mut known: HashMap<String, usize> = HashMap::new();
        for hit in files.iter().filter_map(SourceFile::before).flat_map(|view| rule.look(&view, scene)) {
            *known.entry(hit.key).or_default() += 1;
        }
        let mut kept = Vec::new();
        for file in files {
            for hit in rule.look(&file.now(), scene) {
                let left = known.get_mut(&hit.key).filter(|left| **left > 0);
                if !file.is_added(hit.rows.0..=hit.rows.1) {
                    // It stands where it stood.
                    if let Some(left) = left {
                        *left -= 1;
                    }
                    continue;
                }
                kept.push((file, hit));
            }
        }
        for (file, hit) in kept {
            if let Some(left) = known.get_mut(&hit.key).filter(|left| **left > 0) {
                *left -= 1;
                continue;
            }
            let line = file.now().text.lines().nth(hit.rows.0).unwrap_or_default().trim();
            found.push(Finding {
                rule: rule.id(),
                side: rule.side(),
                weight: if is_aside(&hit, scene) { Weight::Note } else { hit.weight },
                path: file.path.clone(),
                line: hit.rows.0 + 1,
                what: hit.what,
                excerpt: clip(line, 160),
            });
        }
    }
    found.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    found
}

/// True for a hit in a test that is no replication test.
fn is_aside(hit: &Hit, scene: &Scene<'_>) -> bool {
    let Some(test) = &hit.test else { return false };
    !scene.ids.is_empty() && !scene.ids.iter().any(|id| id.contains(test.as_str()))
}

/// What the rules found in a trial.
///
/// # Errors
/// An object is missing.
pub fn of_trial(trial: &Trial<'_>) -> Result<Vec<Finding>, LabError> {
    let (store, production) = (trial.store(), &trial.change.production);
    let mut scene = Scene::read(store, trial.roles, trial.base, trial.fixed, &trial.test, production)?;
    scene.ids = trial.tests.iter().map(ToString::to_string).collect();
    scene.issue = trial.issue.map(str::to_lowercase);
    Ok(findings(&scene))
}

impl Gate for Smells {
    fn check(&self) -> Check {
        Check::K13
    }

    fn plan(&self, _trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        // It reads and runs nothing.
        Ok(Vec::new())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        Ok(report(&of_trial(trial)?))
    }
}

/// The answer to what was found.
fn report(found: &[Finding]) -> GateReport {
    let (outcome, reason) = match found {
        [] => (Outcome::Pass, "no rule objects to what the change adds".to_owned()),
        [first, ..] if first.weight == Weight::Human => {
            (Outcome::Human, format!("{} line {}: {}", first.path, first.line, first.what))
        }
        [_] => (Outcome::Pass, "nothing that undermines the evidence; one line is worth a look".to_owned()),
        all => (
            Outcome::Pass,
            format!("nothing that undermines the evidence; {} lines are worth a look", all.len()),
        ),
    };
    let evidence = found.iter().take(40).map(|finding| Evidence::Path {
        path: finding.path.clone(),
        what: format!("line {}: {} [{}]: {}", finding.line, finding.what, finding.rule, finding.excerpt),
    });
    GateReport::new(Check::K13, outcome, reason).evidence(evidence)
}

#[cfg(test)]
mod tests;
