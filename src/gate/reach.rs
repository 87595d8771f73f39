//! K6: does the test reach the changed code?
//!
//! Touched functions and changed statements create files in the root of the tree when they run. Unlike
//! coverage tools this needs nothing installed, says the same in all languages, and also sees
//! subprocesses, servers and workers. It never refuses by itself: what it finds gives K8 its words.

use super::Gate;
use super::altered::Mark;
use super::answer::{Answer, answer};
use super::trial::Trial;
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::lab::{LabError, Request};

/// The gate.
pub struct Reach;

/// What of the change ran when the replication tests ran.
#[derive(Debug, Default)]
pub struct Reached {
    /// Places that were reached.
    pub hit: Vec<Mark>,
    /// Places that were not.
    pub missed: Vec<Mark>,
    /// True when a touched function was seen to raise, whatever the marks say.
    pub raised: bool,
}

impl Reached {
    /// True when any changed code ran.
    pub fn any(&self) -> bool {
        self.raised || !self.hit.is_empty()
    }
}

impl Gate for Reach {
    fn check(&self) -> Check {
        Check::K6
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        Ok(marked(trial)?.into_iter().collect())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: String| GateReport::new(Check::K6, outcome, reason);
        let skipped = |reason: &str| Ok(report(Outcome::Skipped, reason.to_owned()));
        if trial.tests.is_empty() {
            return skipped("there is no replication test");
        }
        let altered = trial.altered()?;
        if !altered.touches_functions() {
            return skipped("the change touches no function, so there is nothing to reach by a call");
        }
        if altered.marked.is_none() {
            return skipped("the changed functions are run by the compiler and can leave no trace");
        }
        let reached = reached(trial)?;
        let evidence = evidence(&reached);
        let functions = |marks: &[Mark]| marks.iter().filter(|mark| mark.entry).count();
        let (hit, all) = (functions(&reached.hit), functions(&reached.hit) + functions(&reached.missed));
        if !reached.hit.is_empty() {
            let lines = reached.hit.len() - hit;
            let of = lines + reached.missed.iter().filter(|mark| !mark.entry).count();
            let reason = format!(
                "the test runs {hit} of {all} changed functions and {lines} of {of} changed statements in them"
            );
            return Ok(report(Outcome::Pass, reason).evidence(evidence));
        }
        if reached.raised {
            let reason = "the changed functions left no mark, but an error raised in them reaches the test";
            return Ok(report(Outcome::Pass, reason.to_owned()).evidence(evidence));
        }
        if altered.touches_more(trial) {
            let reason = "the test runs none of the changed functions; the change also touches code or data outside them";
            return Ok(report(Outcome::Pass, reason.to_owned()).evidence(evidence));
        }
        let reason =
            format!("none of the changed functions ({}) was seen to run under the test", altered.names());
        Ok(report(Outcome::Human, reason).evidence(evidence))
    }
}

fn marked(trial: &Trial<'_>) -> Result<Option<Request>, LabError> {
    if trial.tests.is_empty() {
        return Ok(None);
    }
    let tree = trial.altered()?.marked;
    tree.map(|tree| trial.altered_request(tree, "fix with marks + test")).transpose()
}

/// What the replication tests reach.
///
/// # Errors
/// The lab failed.
pub fn reached(trial: &Trial<'_>) -> Result<Reached, LabError> {
    let altered = trial.altered()?;
    let mut reached = Reached::default();
    if let Some(request) = marked(trial)? {
        let run = trial.lab.run(&request)?;
        for mark in &altered.marks {
            let side = if run.touched.contains(&mark.name) { &mut reached.hit } else { &mut reached.missed };
            side.push(mark.clone());
        }
    }
    if reached.hit.is_empty()
        && let Some(tree) = altered.raising
    {
        let run = trial.lab.run(&trial.altered_request(tree, super::poison::RAISING)?)?;
        reached.raised = answer(trial, &run).or_red() == Answer::Red;
    }
    Ok(reached)
}

/// The places, for people.
pub fn evidence(reached: &Reached) -> Vec<Evidence> {
    let line = |mark: &Mark| format!("`{}` ({}:{})", mark.function, mark.path, mark.line);
    let mut notes = Vec::new();
    for (marks, what) in [(&reached.hit, "reached"), (&reached.missed, "not reached")] {
        let functions: Vec<_> = marks.iter().filter(|mark| mark.entry).take(10).map(line).collect();
        if !functions.is_empty() {
            notes.push(Evidence::Note { text: format!("{what}: {}", functions.join(", ")) });
        }
        let lines: Vec<_> = marks
            .iter()
            .filter(|mark| !mark.entry)
            .take(20)
            .map(|mark| format!("{}:{}", mark.path, mark.line))
            .collect();
        if !lines.is_empty() && what == "not reached" {
            notes.push(Evidence::Note {
                text: format!("changed statements that did not run: {}", lines.join(", ")),
            });
        }
    }
    notes
}
