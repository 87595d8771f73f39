//! K10: does the fix work where it cannot see the test runner?
//!
//! Each run is a run of tests, so the runner is hidden instead: the test's file begins with a statement
//! by which the changed production files find neither its modules nor its variables. That the test bears
//! such a beginning is tried with one that hides nothing.

use super::Gate;
use super::answer::{Answer, answer};
use super::overlay::Item;
use super::trial::Trial;
use super::verdict::{Check, GateReport, Outcome};
use crate::git::{Edit, Entry, RepoPath};
use crate::lab::{LabError, Request};

/// The gate.
pub struct Neutral;

impl Gate for Neutral {
    fn check(&self) -> Check {
        Check::K10
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        Ok(request(trial, true)?.into_iter().collect())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: &str| GateReport::new(Check::K10, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(Outcome::Skipped, "there is no replication test"));
        }
        let Some(hidden) = request(trial, true)? else {
            let reason = "the test runner cannot be hidden from code in this language; K13 looks for signs in the patch";
            return Ok(report(Outcome::Skipped, reason));
        };
        let run = trial.lab.run(&hidden)?;
        if answer(trial, &run) == Answer::Green {
            let reason = "the test passes on the fixed code also where that code cannot see the test runner";
            return Ok(report(Outcome::Pass, reason));
        }
        let bears = match request(trial, false)? {
            Some(control) => answer(trial, trial.lab.run(&control)?.as_ref()) == Answer::Green,
            None => false,
        };
        if !bears {
            let reason = "hiding the test runner disturbs the test itself, so nothing is learnt from it";
            return Ok(report(Outcome::Skipped, reason));
        }
        let shown = trial.shown(&run);
        if answer(trial, &run) != Answer::Red {
            let reason = "with the test runner hidden from the changed code the test does not run to its end; a person must see \
                          whether the fix looks for the runner";
            return Ok(report(Outcome::Human, reason).evidence(shown).evidence([super::red::log(&run)]));
        }
        let reason = "the fix works only where it sees a test runner: with the runner's modules and variables hidden from the \
                      changed code the test fails";
        Ok(report(Outcome::Fail, reason).evidence(shown))
    }
}

/// The run of the tests on the fixed code with the runner hidden, or (`hides` = false) with the means but
/// not the effect; `None` where the language has no means.
fn request(trial: &Trial<'_>, hides: bool) -> Result<Option<Request>, LabError> {
    if trial.tests.is_empty() {
        return Ok(None);
    }
    let (store, language) = (trial.store(), trial.lab.language());
    let from: Vec<RepoPath> = if hides {
        trial.change.production.iter().map(|change| change.path.clone()).collect()
    } else {
        Vec::new()
    };
    let mut edits = Vec::new();
    for item in &trial.test.items {
        let Item::File(path, entry) = item else { continue };
        if !trial.files.contains(path) {
            continue;
        }
        let Ok(source) = String::from_utf8(store.blob(entry.oid)?) else { continue };
        if let Some(text) = language.neutral(path, &source, trial.lab.root(), &from) {
            let oid = store.write_blob(text.as_bytes())?;
            edits.push(Edit::Put(path.clone(), Entry { oid, ..*entry }));
        }
    }
    if edits.is_empty() {
        return Ok(None);
    }
    let tree = store.compose(trial.fixed, &edits)?;
    let label =
        if hides { "fix that cannot see the runner + test" } else { "fix + test with an idle beginning" };
    Ok(Some(trial.request_on(tree, label, trial.chosen(), 1)))
}
