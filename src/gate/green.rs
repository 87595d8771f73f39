//! K2: does the same test pass on the fixed code?

use super::Gate;
use super::red::{ProvenFailingTest, loaded_elsewhere, log};
use super::trial::{Choice, Trial, Variant, describe, headline};
use super::verdict::{Check, FailureClass, GateReport, Outcome, Verdict, Word};
use crate::lab::{LabError, Request, TestRun};
use crate::lang::Status;

/// The gate.
pub struct Green;

/// A fix that every mandatory gate let pass. Made only by [`verify`].
#[derive(Debug, serde::Serialize)]
pub struct VerifiedFix {
    verdict: Verdict,
}

impl VerifiedFix {
    /// The verdict, with all evidence.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }
}

/// Asks every gate about a change that claims to fix what `proven` shows.
///
/// # Errors
/// The lab failed. Anything but a verified fix is no error: its verdict is the inner result.
pub fn verify(
    proven: &ProvenFailingTest,
    mut question: super::judge::Question<'_>,
) -> Result<Result<VerifiedFix, Verdict>, LabError> {
    // The seal: what is judged are the bytes that were seen to fail.
    if question.trial.test.digest() != proven.digest() || question.trial.base != proven.base() {
        return Err(LabError::Internal(
            "a fix was to be judged by another test than the proven one".to_owned(),
        ));
    }
    question.trial.tests = proven.tests().to_vec();
    let verdict = question.ask()?;
    Ok(if verdict.verdict == Word::Verified { Ok(VerifiedFix { verdict }) } else { Err(verdict) })
}

/// The fixed code does not build or load, so that no replication test could run.
fn not_loaded(trial: &Trial<'_>, runs: &[std::sync::Arc<TestRun>]) -> Option<GateReport> {
    let (run, id) = runs
        .iter()
        .flat_map(|run| trial.tests.iter().map(move |id| (run, id)))
        .find(|(run, id)| run.reading.case(id).is_none())?;
    let load = run.reading.load_failures.first()?;
    let what = load.file.as_ref().map_or_else(
        || "the fixed code does not build".to_owned(),
        |file| format!("{file} cannot be loaded on the fixed code"),
    );
    let reason = format!("{what}: {}", headline(&load.failure));
    let case = trial.case_of(run, id, load.file.as_ref());
    let seen = trial.evidence(run, id, case.as_ref());
    let report = GateReport::new(Check::K2, Outcome::Fail, reason).class(FailureClass::E);
    Some(report.evidence([seen, log(run)]))
}

impl Gate for Green {
    fn check(&self) -> Check {
        Check::K2
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        let mut requests = vec![trial.files_request(Variant::Fixed)];
        if !trial.tests.is_empty() {
            requests.extend(trial.named_requests(Variant::Fixed));
        }
        Ok(requests)
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: String| GateReport::new(Check::K2, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(
                Outcome::Skipped,
                "there is no replication test that could turn green".to_owned(),
            ));
        }
        let runs = trial.observations(Variant::Fixed)?;
        if let Some(broken) = runs.iter().flat_map(|run| &run.broken_seals).next() {
            let reason = format!("the bytes of the test changed while it ran on the fixed code: {broken}");
            return Ok(report(Outcome::Fail, reason).class(FailureClass::F));
        }
        if let Some(answer) = loaded_elsewhere(Check::K2, &runs) {
            return Ok(answer);
        }
        if let Some(answer) = not_loaded(trial, &runs) {
            return Ok(answer);
        }
        // The look at whole files also runs other tests, which may crash for reasons of their own;
        // the runs of exactly the replication tests must be flawless.
        for run in &runs[1..] {
            let no_verdict = |what: &str| {
                let reason = format!("no verdict from the run on the fixed code: {what}");
                Ok(report(Outcome::Fail, reason).class(FailureClass::F).evidence([log(run)]))
            };
            if run.timed_out() {
                return no_verdict("it ran until its time was over");
            }
            if let Some(what) = run.reading.disagreements.first() {
                return no_verdict(what);
            }
            if !run.reading.complete {
                return no_verdict("the runner's report is not complete");
            }
        }
        for run in &runs {
            for id in &trial.tests {
                let case = run.reading.case(id);
                let status = case.map(|case| case.status);
                if status == Some(Status::Passed) {
                    continue;
                }
                let how = status.map_or("did not run", describe);
                let class = match status {
                    Some(Status::Failed) => case.map_or(FailureClass::F, |case| {
                        super::class::of_case(case, &trial.context(trial.fixed))
                    }),
                    _ => FailureClass::E,
                };
                let reason = match status {
                    Some(Status::Failed) => format!("{id} still fails on the fixed code"),
                    _ => format!("{id} {how} on the fixed code, so it shows nothing"),
                };
                let seen = trial.evidence(run, id, case);
                return Ok(report(Outcome::Fail, reason).class(class).evidence([seen, log(run)]));
            }
        }
        let alone = trial.choice == Choice::Alone;
        for run in runs[1..].iter().filter(|_| alone) {
            if let Some(other) = run.reading.cases.iter().find(|case| !trial.tests.contains(&case.id)) {
                let reason = format!("a run of exactly the replication tests also ran {}", other.id);
                return Ok(report(Outcome::Inconclusive, reason).evidence([log(run)]));
            }
        }
        let (count, times) = (trial.tests.len(), runs.len());
        let subject =
            if count == 1 { "the test passes".to_owned() } else { format!("all {count} tests pass") };
        let seen = trial.tests.iter().map(|id| trial.evidence(&runs[0], id, runs[0].reading.case(id)));
        let reason = format!("{subject} on the fixed code in each of {times} runs, with unchanged bytes");
        Ok(report(Outcome::Pass, reason).evidence(seen))
    }
}
