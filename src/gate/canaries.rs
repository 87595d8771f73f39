//! K4: can tests still fail in this session?
//!
//! A hook, a patched assertion library or a production object that equals everything makes every
//! test pass. Two extra tests run beside the replication test, in the same session on the fixed code:
//! one must pass, one must fail.

use super::Gate;
use super::red::log;
use super::trial::{Trial, Variant, evidence};
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::git::{Edit, Entry, Mode, TreeId};
use crate::lab::{LabError, Request, TestRun, nonce};
use crate::lang::{Canaries as CanaryFile, Case, Selection, Status};

/// The gate.
pub struct Canaries;

/// What the two extra tests did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Song {
    /// One passed, one failed.
    Right,
    /// Neither was run.
    Silent,
    /// The test that must fail did not.
    NothingFails,
    /// The test that must pass did not.
    NothingPasses,
}

impl Gate for Canaries {
    fn check(&self) -> Check {
        Check::K4
    }

    fn plan(&self, _trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        // The canaries' names are drawn when they are needed; no other gate shares their run.
        Ok(Vec::new())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: &str| GateReport::new(Check::K4, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(Outcome::Skipped, "there is no replication test"));
        }
        let Some((song, run, seen)) = sing(trial, Variant::Fixed)? else {
            return Ok(report(
                Outcome::Inconclusive,
                "no extra test could be placed beside the replication test",
            ));
        };
        let counted = |mut report: GateReport, runs: u32| {
            report.runs = runs;
            report.seconds = run.took.as_secs_f64();
            report.evidence(seen.clone())
        };
        match song {
            Song::Right => {
                let reason = "in the session of the fixed code a test that must fail failed, and one that must pass passed";
                return Ok(counted(report(Outcome::Pass, reason), 1));
            }
            Song::Silent => {
                let reason = "the extra tests were not run by the project's runner, so whether tests can fail is not known";
                return Ok(counted(report(Outcome::Inconclusive, reason), 1).evidence([log(&run)]));
            }
            Song::NothingFails => {
                let reason = "the harness was tampered with: a test that must fail did not fail beside the replication test";
                return Ok(counted(report(Outcome::Fail, reason), 1).evidence([log(&run)]));
            }
            Song::NothingPasses => {}
        }
        // Perhaps the project's own configuration does not let an extra test pass.
        let usual = sing(trial, Variant::BaseTest)?;
        let answer = match usual {
            Some((Song::Right, ..)) => report(
                Outcome::Fail,
                "the harness was tampered with: a test that must pass fails beside the replication test on the fixed code",
            ),
            _ => report(
                Outcome::Inconclusive,
                "extra tests cannot pass in this project, also on the buggy code",
            ),
        };
        Ok(counted(answer, 2).evidence([log(&run)]))
    }
}

type Sung = (Song, std::sync::Arc<TestRun>, Vec<Evidence>);

/// Runs the canaries on a variant; `None` when none can be placed.
fn sing(trial: &Trial<'_>, variant: Variant) -> Result<Option<Sung>, LabError> {
    let Some((tree, file, beside)) = place(trial, trial.tree(variant))? else { return Ok(None) };
    let mut files = vec![beside.clone()];
    if file.path != beside {
        files.push(file.path.clone());
    }
    let label = format!("{} + two extra tests", variant.label());
    let mut request = trial.request_on(tree, &label, Selection::Files(files), 0);
    request.sealed.retain(|path| *path != file.path);
    let run = trial.lab.run(&request)?;
    let find = |part: &str| run.reading.cases.iter().find(|case| case.id.as_str().contains(part));
    let (passes, fails) = (find(&file.passes), find(&file.fails));
    let seen = [("that must pass", passes), ("that must fail", fails)];
    let seen = seen.into_iter().filter_map(|(_, case)| Some(show(&label, case?))).collect();
    let song = match (passes.map(|case| case.status), fails.map(|case| case.status)) {
        (None, None) => Song::Silent,
        (Some(Status::Passed), Some(Status::Failed)) => Song::Right,
        (Some(Status::Passed), _) => Song::NothingFails,
        _ => Song::NothingPasses,
    };
    Ok(Some((song, run, seen)))
}

fn show(label: &str, case: &Case) -> Evidence {
    evidence(label, &case.id, Some(case), None)
}

/// The tree with the canaries beside the first file that holds a replication test.
fn place(
    trial: &Trial<'_>,
    tree: TreeId,
) -> Result<Option<(TreeId, CanaryFile, crate::git::RepoPath)>, LabError> {
    let store = trial.store();
    let run = trial.lab.run(&trial.files_request(Variant::Fixed))?;
    let own = trial.tests.iter().find_map(|id| run.reading.case(id)?.file.clone());
    let first = own.or_else(|| trial.files.first().cloned());
    let Some(beside) = first else { return Ok(None) };
    let Some(source) = store.file(tree, &beside)?.and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Ok(None);
    };
    let Some(canaries) = trial.lab.runner().canaries(&beside, &source, &nonce(5)) else { return Ok(None) };
    let oid = store.write_blob(canaries.content.as_bytes())?;
    let entry = Entry { mode: Mode::File, oid };
    let tree = store.compose(tree, &[Edit::Put(canaries.path.clone(), entry)])?;
    Ok(Some((tree, canaries, beside)))
}
