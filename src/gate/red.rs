//! K1: does the test fail on the buggy code, for the right reason?

use super::Gate;
use super::class::signature;
use super::discover::Discovery;
use super::overlay::Overlay;
use super::trial::{Look, Trial, Variant, describe};
use super::verdict::{Check, Evidence, FailureClass, GateReport, Outcome};
use crate::git::TreeId;
use crate::lab::{LabError, Request, TestRun};
use crate::lang::{Cause, Selection, Status, TestId};

/// The gate.
pub struct Red;

/// A test that was seen to fail on the base. Made only by [`prove`]; read back from a file it would be
/// a mere claim, so it cannot be read back.
#[derive(Debug, serde::Serialize)]
pub struct ProvenFailingTest {
    base: TreeId,
    #[serde(skip)]
    test: Overlay,
    tests: Vec<TestId>,
    digest: String,
    report: GateReport,
}

impl ProvenFailingTest {
    /// The tree on which it fails.
    pub fn base(&self) -> TreeId {
        self.base
    }

    /// The frozen bytes.
    pub fn test(&self) -> &Overlay {
        &self.test
    }

    /// The ids that are red.
    pub fn tests(&self) -> &[TestId] {
        &self.tests
    }

    /// SHA-256 of the frozen bytes.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How it failed.
    pub fn report(&self) -> &GateReport {
        &self.report
    }
}

/// Runs the test on the base as often as the settings ask and makes the proof if it is red each
/// time, for an accepted reason, in the same way.
///
/// # Errors
/// The lab failed. A test that is not red is no error: the refusal is the inner result.
pub fn prove(trial: &mut Trial<'_>) -> Result<Result<ProvenFailingTest, GateReport>, LabError> {
    if trial.tests.is_empty() {
        let run = trial.lab.run(&trial.files_request(Variant::BaseTest))?;
        let before = base_failures(trial)?;
        let context = trial.context(trial.base_test);
        let red = run.reading.cases.iter().filter(|case| {
            case.status == Status::Failed
                && super::class::of_case(case, &context).is_red()
                && !before.contains(&case.id)
        });
        trial.tests = red.map(|case| case.id.clone()).collect();
    }
    trial.settle_choice()?;
    trial.lab.run_all(&Red.plan(trial)?)?;
    let report = Red.judge(trial)?;
    if report.outcome != Outcome::Pass {
        return Ok(Err(report));
    }
    Ok(Ok(ProvenFailingTest {
        base: trial.base,
        test: trial.test.clone(),
        tests: trial.tests.clone(),
        digest: trial.test.digest(),
        report,
    }))
}

/// Tests of T's files that the base fails already, with its own version of these files.
fn base_failures(trial: &Trial<'_>) -> Result<Vec<TestId>, LabError> {
    let mut known = Vec::new();
    for path in &trial.files {
        if trial.store().entry(trial.base, path)?.is_some() {
            known.push(path.clone());
        }
    }
    let selection = match trial.look {
        Look::Everywhere => Selection::Suite,
        Look::Files if known.is_empty() => return Ok(Vec::new()),
        Look::Files => Selection::Files(known),
    };
    let run = trial.lab.run(&trial.request(Variant::Base, selection, 0))?;
    Ok(run
        .reading
        .cases
        .iter()
        .filter(|case| case.status == Status::Failed)
        .map(|case| case.id.clone())
        .collect())
}

impl Gate for Red {
    fn check(&self) -> Check {
        Check::K1
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        let mut requests = vec![trial.files_request(Variant::BaseTest)];
        if !trial.tests.is_empty() {
            requests.extend(trial.named_requests(Variant::BaseTest));
        }
        Ok(requests)
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        if trial.tests.is_empty() {
            return why_none(trial);
        }
        let runs = trial.observations(Variant::BaseTest)?;
        let context = trial.context(trial.tree(Variant::BaseTest));
        let report = |outcome, reason: String| GateReport::new(Check::K1, outcome, reason);
        if let Some(broken) = runs.iter().flat_map(|run| &run.broken_seals).next() {
            let reason = format!("the bytes of the test changed while it ran on the buggy code: {broken}");
            return Ok(report(Outcome::Fail, reason).class(FailureClass::F));
        }
        if let Some(answer) = loaded_elsewhere(Check::K1, &runs) {
            return Ok(answer);
        }
        let mut shown = Vec::new();
        let mut hang = None;
        let mut class = None;
        for id in &trial.tests {
            let file = runs[0].reading.case(id).and_then(|case| case.file.clone());
            let cases: Vec<_> = runs.iter().map(|run| trial.case_of(run, id, file.as_ref())).collect();
            for (run, case) in runs.iter().zip(&cases) {
                let evidence = trial.evidence(run, id, case.as_ref());
                match case {
                    Some(case) if case.status == Status::Failed => {}
                    Some(case) => {
                        let how = describe(case.status);
                        let reason =
                            format!("{id} failed on the buggy code at first, then {how}: it is not stable");
                        return Ok(report(Outcome::Fail, reason).class(FailureClass::E).evidence([evidence]));
                    }
                    None => {
                        let reason = format!("{id} could not be run on its own on the buggy code");
                        let log = log(run);
                        return Ok(report(Outcome::Inconclusive, reason)
                            .class(FailureClass::E)
                            .evidence([evidence, log]));
                    }
                }
            }
            let cases: Vec<_> = cases.into_iter().flatten().collect();
            let signatures: Vec<_> = cases.iter().map(|case| signature(case, &context)).collect();
            let first = &signatures[0];
            if let Some(other) = signatures.iter().find(|other| *other != first) {
                let reason = format!(
                    "{id} fails on the buggy code, but not the same way each time: {} {}, then {} {}",
                    first.class, first.exception, other.class, other.exception
                );
                let seen = runs.iter().zip(&cases).map(|(run, case)| trial.evidence(run, id, Some(case)));
                return Ok(report(Outcome::Fail, reason).evidence(seen));
            }
            hang = hang.or(cases[0]
                .failure
                .as_ref()
                .and_then(|failure| super::class::hangs_in_production(failure, &context)));
            class = class.or(Some(first.class));
            shown.push(trial.evidence(&runs[0], id, cases.first()));
        }
        if let Some(place) = hang {
            return Ok(judge_hang(trial, &place).class(FailureClass::D).evidence(shown));
        }
        let class = class.unwrap_or(FailureClass::F);
        if !class.is_red() {
            return why_none(trial);
        }
        let (count, times) = (trial.tests.len(), runs.len());
        let subject = if count == 1 { "the test fails".to_owned() } else { format!("{count} tests fail") };
        if trial.stub.is_some() {
            return with_api_emptied(trial, &runs, &subject, class)
                .map(|report| report.class(class).evidence(shown));
        }
        let reason = format!(
            "{subject} on the buggy code in each of {times} runs, for an accepted reason: {}",
            class.describe()
        );
        Ok(report(Outcome::Pass, reason).class(class).evidence(shown))
    }
}

/// The base lacks an API that the test needs; the test was seen to fail where that API is empty.
fn with_api_emptied(
    trial: &Trial<'_>,
    runs: &[std::sync::Arc<TestRun>],
    subject: &str,
    class: FailureClass,
) -> Result<GateReport, LabError> {
    let altered = trial.altered()?;
    let stubbed = altered.stubbed.as_ref();
    let names = stubbed
        .map(|stubbed| stubbed.names.iter().take(4).map(|name| format!("`{name}`")).collect::<Vec<_>>());
    let names = names.unwrap_or_default().join(", ");
    let only_raised = stubbed.is_some_and(|stubbed| stubbed.raises)
        && runs.iter().flat_map(|run| &run.reading.cases).filter(|case| trial.tests.contains(&case.id)).all(
            |case| case.failure.as_ref().is_some_and(|failure| failure.message.contains(&altered.message)),
        );
    if only_raised {
        let reason = format!(
            "the test needs an API that the buggy code does not have ({names}), and no default is known for its types: whether \
             the test looks at what it does must be seen by a person"
        );
        return Ok(GateReport::new(Check::K1, Outcome::Human, reason));
    }
    let reason = format!(
        "the test needs an API that the buggy code does not have ({names}); with that API there but empty {subject} in each \
         of {} runs, for an accepted reason: {}",
        runs.len(),
        class.describe()
    );
    Ok(GateReport::new(Check::K1, Outcome::Pass, reason))
}

/// A test that hangs replicates a bug only where the bug is a hang.
fn judge_hang(trial: &Trial<'_>, place: &str) -> GateReport {
    const WORDS: [&str; 9] = [
        "hang",
        "hung",
        "infinite",
        "deadlock",
        "never return",
        "never ends",
        "timeout",
        "time out",
        "stuck",
    ];
    let says_so = trial.issue.is_some_and(|issue| {
        let issue = issue.to_lowercase();
        WORDS.iter().any(|word| issue.contains(word))
    });
    if says_so {
        let reason = format!("the test hangs on the buggy code inside {place}, as the report says");
        GateReport::new(Check::K1, Outcome::Pass, reason)
    } else {
        let reason = format!(
            "the test hangs on the buggy code inside {place}; a person must confirm that the bug is a hang"
        );
        GateReport::new(Check::K1, Outcome::Human, reason)
    }
}

/// Says why no test of T replicates anything.
fn why_none(trial: &Trial<'_>) -> Result<GateReport, LabError> {
    let run = trial.lab.run(&trial.files_request(Variant::BaseTest))?;
    let discovery = Discovery::make(trial)?;
    let shown = |wanted: &dyn Fn(&super::discover::Candidate) -> bool| {
        let chosen = discovery.candidates.iter().filter(|one| wanted(one)).take(5);
        chosen.map(|one| trial.evidence(&run, &one.id, one.red.as_ref())).collect::<Vec<_>>()
    };
    let report = |outcome, reason: &str| GateReport::new(Check::K1, outcome, reason);
    if let Some(broken) = run.broken_seals.first() {
        let reason = format!("the bytes of the test changed while it ran on the buggy code: {broken}");
        return Ok(report(Outcome::Fail, &reason).class(FailureClass::F));
    }
    if trial.test.items.is_empty() {
        let reason = "the change holds no test file, so nothing shows the bug";
        return Ok(report(Outcome::Fail, reason).class(FailureClass::E));
    }
    if let Some(answer) = loaded_elsewhere(Check::K1, std::slice::from_ref(&run)) {
        return Ok(answer);
    }
    let of_class = |class: FailureClass| discovery.candidates.iter().any(|one| one.class == Some(class));
    if of_class(FailureClass::B) {
        let emptied = super::missing_api::emptied(trial, &discovery)?;
        if let Some(emptied) = emptied.as_ref().filter(|emptied| !emptied.green.is_empty()) {
            let reason = "the test needs an API that the buggy code does not have, but it passes when that API is there and \
                          empty: it does not depend on what the fix does";
            return Ok(report(Outcome::Fail, reason).class(FailureClass::B).evidence(emptied.seen.clone()));
        }
        let reason = if emptied.is_some() {
            "the test needs an API that the buggy code does not have; with that API there but empty it does not fail for an \
             accepted reason"
        } else {
            "the test needs an API that the buggy code does not have, and that API cannot be emptied to see whether the test \
             would fail for the right reason"
        };
        let evidence = shown(&|one| one.class == Some(FailureClass::B));
        return Ok(report(Outcome::Inconclusive, reason).class(FailureClass::B).evidence(evidence));
    }
    // A runner that shows no stack leaves open whether it was production that hung.
    let unseen_hang = |one: &super::discover::Candidate| {
        let failure = one.red.as_ref().and_then(|case| case.failure.as_ref());
        one.green
            && failure.is_some_and(|failure| failure.cause == Cause::TimedOut && failure.frames.is_empty())
    };
    if discovery.candidates.iter().any(unseen_hang) {
        let reason = "the test does not end on the buggy code, and the runner does not show where it hangs";
        let evidence = shown(&unseen_hang);
        return Ok(report(Outcome::Inconclusive, reason).class(FailureClass::D).evidence(evidence));
    }
    let class_reasons = [
        (FailureClass::C, "the test itself is broken: it fails on the buggy code for a reason of its own"),
        (FailureClass::D, "on the buggy code the surroundings failed, not the code"),
        (FailureClass::F, "the runner says that the test failed on the buggy code, but gives no reason"),
    ];
    for (class, reason) in class_reasons {
        if of_class(class) {
            let evidence = shown(&|one| one.class == Some(class));
            return Ok(report(Outcome::Fail, reason).class(class).evidence(evidence));
        }
    }
    if let Some(load) = run.reading.load_failures.first() {
        let context = trial.context(trial.base_test);
        let class = super::class::of_failure(&load.failure, &context);
        let id = TestId(load.file.as_ref().map_or_else(|| "build".to_owned(), ToString::to_string));
        let case = crate::lang::Case {
            id: id.clone(),
            file: load.file.clone(),
            status: Status::Failed,
            failure: Some(load.failure.clone()),
            seconds: 0.0,
        };
        let outcome = if class == FailureClass::B { Outcome::Inconclusive } else { Outcome::Fail };
        let reason = format!("the test file could not be loaded on the buggy code: {}", class.describe());
        return Ok(report(outcome, &reason).class(class).evidence([trial.evidence(&run, &id, Some(&case))]));
    }
    if run.timed_out() {
        // A runner that shows no stack leaves open whether it was production that hung.
        let ends_when_fixed = discovery.candidates.iter().any(|one| one.green && one.red.is_none());
        let (outcome, reason) = if ends_when_fixed {
            (
                Outcome::Inconclusive,
                "the tests do not end on the buggy code, and the runner does not show where they hang",
            )
        } else {
            (Outcome::Fail, "the tests ran on the buggy code until their time was over")
        };
        return Ok(report(outcome, reason).class(FailureClass::D).evidence([log(&run)]));
    }
    if discovery.candidates.is_empty() {
        let (outcome, class, reason) = if run.reading.complete {
            (Outcome::Fail, FailureClass::E, "no test ran: the runner found none in the test files")
        } else {
            (
                Outcome::Inconclusive,
                FailureClass::D,
                "the test runner could not do its work on the buggy code",
            )
        };
        return Ok(report(outcome, reason).class(class).evidence([log(&run)]));
    }
    let passed =
        |one: &super::discover::Candidate| one.red.as_ref().is_some_and(|case| case.status == Status::Passed);
    if discovery.candidates.iter().any(passed) {
        let reason = "not reproduced: the test passes on the buggy code";
        return Ok(report(Outcome::Fail, reason).evidence(shown(&passed)));
    }
    let reason = "no test ran on the buggy code: all are skipped, expected to fail or absent";
    Ok(report(Outcome::Fail, reason).class(FailureClass::E).evidence(shown(&|_| true)))
}

/// A run that loaded the project's code from elsewhere says nothing about the variant.
pub(super) fn loaded_elsewhere(check: Check, runs: &[std::sync::Arc<TestRun>]) -> Option<GateReport> {
    let (run, file) = runs.iter().find_map(|run| Some((run, run.reading.loaded_outside.first()?)))?;
    let reason = format!(
        "the test loaded {} instead of the project's own file; install the project in place (editable), or set `test.env`",
        file.display()
    );
    Some(GateReport::new(check, Outcome::Inconclusive, reason).evidence([log(run)]))
}

/// The end of a run's output.
pub(super) fn log(run: &TestRun) -> Evidence {
    Evidence::Log { tree: run.request.label.clone(), command: run.commands.join(" && "), tail: run.tail(25) }
}
