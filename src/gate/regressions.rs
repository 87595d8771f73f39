//! K12: does everything that passed before still pass?

use std::collections::BTreeSet;

use super::Gate;
use super::overlay::Item;
use super::red::log;
use super::trial::{Trial, Variant};
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::config::Regressions;
use crate::git::{Edit, Entry, RepoPath, TreeId};
use crate::lab::{LabError, Request, TestRun};
use crate::lang::{Case, Role, Selection, Status, TestId};

/// The gate.
pub struct NoRegressions;

/// How often a test that seems to have broken is looked at again on either side.
const AGAIN: u32 = 2;

impl Gate for NoRegressions {
    fn check(&self) -> Check {
        Check::K12
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        let Some(selection) = selection(trial) else { return Ok(Vec::new()) };
        Ok([Variant::Base, Variant::Fixed]
            .map(|variant| trial.request(variant, selection.clone(), 0))
            .to_vec())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: String| GateReport::new(Check::K12, outcome, reason);
        let requests = self.plan(trial)?;
        let [before, after] = requests.as_slice() else {
            let reason = "switched off by `regressions = \"off\"` under [gates] in failfirst.toml: other tests were not run";
            return Ok(report(Outcome::Skipped, reason.to_owned()));
        };
        let (before, after) = (trial.lab.run(before)?, trial.lab.run(after)?);
        let passed = |run: &TestRun| -> BTreeSet<TestId> {
            let passed = run.reading.cases.iter().filter(|case| case.status == Status::Passed);
            passed.map(|case| case.id.clone()).collect()
        };
        let (green_before, green_after) = (passed(&before), passed(&after));
        if green_before.is_empty() && !before.reading.complete {
            let reason =
                "the tests of the project could not be run on the buggy code, so regressions cannot be seen";
            return Ok(report(Outcome::Inconclusive, reason.to_owned()).evidence([log(&before)]));
        }
        let mut broken = Vec::new();
        let mut gone = Vec::new();
        for id in green_before.difference(&green_after) {
            match after.reading.case(id) {
                Some(case) => broken.push(case.clone()),
                None if load_failure(&after, &before, id) || !after.reading.complete => {
                    if let Some(case) = trial.case_of(&after, id, file(&before, id).as_ref()) {
                        broken.push(case);
                    } else {
                        gone.push(id.clone());
                    }
                }
                None => gone.push(id.clone()),
            }
        }
        let flaky = self.look_again(trial, &mut broken)?;
        if !broken.is_empty() {
            let shown = broken.iter().take(10).map(|case| trial.evidence(&after, &case.id, Some(case)));
            let reason = match broken.as_slice() {
                [one] => format!("{} passed before and fails on the fixed code", one.id),
                many => format!(
                    "{} tests passed before and fail on the fixed code, {} among them",
                    many.len(),
                    many[0].id
                ),
            };
            return Ok(report(Outcome::Fail, reason).evidence(shown));
        }
        if !after.reading.complete && before.reading.complete {
            let reason =
                "the run of all tests ended early on the fixed code, which it did not on the buggy code";
            return Ok(report(Outcome::Fail, reason.to_owned()).evidence([log(&after)]));
        }
        let (replaced, gone): (Vec<_>, Vec<_>) =
            gone.into_iter().partition(|id| is_replaced(id, &before, &after));
        let (kept, mut lost) = old_versions(trial, gone)?;
        // A renamed test has a successor in its file; one that was deleted leaves the file weaker.
        let weaker = |id: &TestId| {
            let own = file(&before, id);
            let count = |run: &TestRun| {
                let cases = run.reading.cases.iter().filter(|case| case.file == own);
                cases.filter(|case| case.status == Status::Passed && !trial.tests.contains(&case.id)).count()
            };
            count(&after) < count(&before)
        };
        let (deleted, kept): (Vec<_>, Vec<_>) = kept.into_iter().partition(weaker);
        lost.extend(deleted);
        if !lost.is_empty() {
            let shown = lost.iter().take(10).map(|id| trial.evidence(&after, id, None));
            let reason = match lost.as_slice() {
                [one] => format!("{one} passed before and is gone; a person must say whether that is meant"),
                many => format!(
                    "{} tests that passed before are gone, {} among them; a person must say whether that is meant",
                    many.len(),
                    many[0]
                ),
            };
            return Ok(report(Outcome::Human, reason).evidence(shown));
        }
        let bent = self.bent(trial, &before)?;
        let (replaced_text, bent): (Vec<_>, Vec<_>) =
            bent.into_iter().partition(|(case, _)| trial.tests.contains(&case.id));
        if let Some((first, _)) = bent.first() {
            let shown = bent.iter().take(10).map(|(case, run)| trial.evidence(run, &case.id, Some(case)));
            let reason = format!(
                "{} passed before; the change edits it or what it uses, and as it was before the change it fails on the \
                 fixed code; a person must say whether that is meant",
                first.id
            );
            return Ok(report(Outcome::Human, reason).evidence(shown));
        }
        let scope = if trial.settings.regressions == Regressions::Related {
            " (only files of the change: `regressions = \"related\"`)"
        } else {
            ""
        };
        let mut notes = Vec::new();
        if !flaky.is_empty() {
            let names = flaky.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            notes.push(Evidence::Note { text: format!("flaky, not judged: {names}") });
        }
        if !replaced.is_empty() {
            let names = replaced.iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            notes.push(Evidence::Note { text: format!("parameters changed by the patch: {names}") });
        }
        if !kept.is_empty() {
            let names = kept.iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let text = format!("removed or renamed, and their old versions pass on the fixed code: {names}");
            notes.push(Evidence::Note { text });
        }
        if !replaced_text.is_empty() {
            let names =
                replaced_text.iter().map(|(case, _)| case.id.to_string()).collect::<Vec<_>>().join(", ");
            notes.push(Evidence::Note {
                text: format!("replication tests whose earlier text asserted what the fix changes: {names}"),
            });
        }
        let failing = before.reading.cases.iter().filter(|case| case.status == Status::Failed).count();
        if failing > 0 {
            notes.push(Evidence::Note {
                text: format!("{failing} tests failed on the buggy code already; they are not judged"),
            });
        }
        if !before.reading.complete {
            let reason = format!(
                "the {} tests that passed on the buggy code still pass{scope}, but its run ended early: not every test was seen",
                green_before.len()
            );
            return Ok(report(Outcome::Human, reason).evidence(notes).evidence([log(&before)]));
        }
        let count = green_before.len();
        let subject = match count {
            0 => "no test passed before, so none could break".to_owned(),
            1 => "the one test that passed before still passes".to_owned(),
            _ => format!("all {count} tests that passed before still pass"),
        };
        let reason = format!("{subject}{scope}");
        Ok(report(Outcome::Pass, reason).evidence(notes))
    }
}

impl NoRegressions {
    /// Runs what seems broken again on both sides. What then passes on the fixed code, or fails on the
    /// base too, is flaky; it is taken out of `broken`.
    fn look_again(&self, trial: &Trial<'_>, broken: &mut Vec<Case>) -> Result<Vec<TestId>, LabError> {
        const MOST: usize = 200;
        if broken.is_empty() || broken.len() > MOST {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = broken.iter().map(|case| case.id.clone()).collect();
        let mut requests = Vec::new();
        for variant in [Variant::Base, Variant::Fixed] {
            requests.extend((1..=AGAIN).map(|n| trial.request(variant, Selection::Tests(ids.clone()), n)));
        }
        trial.lab.run_all(&requests)?;
        let mut flaky = Vec::new();
        for id in ids {
            let mut base_fails = false;
            let mut fix_passes = false;
            for request in &requests {
                let run = trial.lab.run(request)?;
                let status = run.reading.case(&id).map(|case| case.status);
                if request.tree == trial.fixed {
                    fix_passes |= status == Some(Status::Passed);
                } else {
                    base_fails |= status == Some(Status::Failed);
                }
            }
            if base_fails || fix_passes {
                flaky.push(id);
            }
        }
        broken.retain(|case| !flaky.contains(&case.id));
        Ok(flaky)
    }
}

impl NoRegressions {
    /// Tests that passed before, that the change edits, and that fail on the fixed code with the text
    /// that they had before the change: whoever breaks something can bend its test to fit.
    fn bent(
        &self,
        trial: &Trial<'_>,
        before: &TestRun,
    ) -> Result<Vec<(Case, std::sync::Arc<TestRun>)>, LabError> {
        let Some((tree, old)) = with_old_tests(trial)? else { return Ok(Vec::new()) };
        let Some(first) = old_tests_request(trial, tree, &old) else { return Ok(Vec::new()) };
        let again = |n| Request { repetition: n, ..first.clone() };
        let run = trial.lab.run(&again(0))?;
        let failed = |run: &TestRun, id: &TestId| {
            trial.case_of(run, id, file(before, id).as_ref()).filter(|case| case.status == Status::Failed)
        };
        let passed = before.reading.cases.iter().filter(|case| case.status == Status::Passed);
        let own = passed.filter(|case| match &old {
            Old::All => true,
            Old::In(files) => case.file.as_ref().is_some_and(|file| files.contains(file)),
        });
        let suspects: Vec<_> = own.filter_map(|case| failed(&run, &case.id)).collect();
        if suspects.is_empty() {
            return Ok(Vec::new());
        }
        let second = trial.lab.run(&again(1))?;
        let sure = suspects.into_iter().filter(|case| failed(&second, &case.id).is_some());
        Ok(sure.map(|case| (case, run.clone())).collect())
    }
}

/// A run of the tests that the change may have bent, as they were before, on the fixed code; `None`
/// where all tests are concerned and other tests are not run.
fn old_tests_request(trial: &Trial<'_>, tree: TreeId, old: &Old) -> Option<Request> {
    let selection = match old {
        Old::All => selection(trial)?,
        Old::In(files) => Selection::Files(files.clone()),
    };
    let mut request = trial.request_on(tree, "fix + the tests as they were before the change", selection, 0);
    request.sealed = Vec::new();
    Some(request)
}

/// Tests that are gone: those whose old version passes on the fixed code were renamed or dropped
/// without harm, the others would have shown something.
fn old_versions(trial: &Trial<'_>, gone: Vec<TestId>) -> Result<(Vec<TestId>, Vec<TestId>), LabError> {
    if gone.is_empty() {
        return Ok((Vec::new(), gone));
    }
    let Some((tree, old)) = with_old_tests(trial)? else { return Ok((Vec::new(), gone)) };
    let Some(request) = old_tests_request(trial, tree, &old) else { return Ok((Vec::new(), gone)) };
    let run = trial.lab.run(&request)?;
    let passes = |id: &TestId| run.reading.case(id).is_some_and(|case| case.status == Status::Passed);
    Ok(gone.into_iter().partition(passes))
}

/// Which tests may have been bent.
enum Old {
    /// Those of these files.
    In(Vec<RepoPath>),
    /// Any: the change edits a helper or data that they may share.
    All,
}

/// The fixed code with the test side as the base has it; `None` where the change edits nothing of it
/// that was there.
fn with_old_tests(trial: &Trial<'_>) -> Result<Option<(TreeId, Old)>, LabError> {
    let store = trial.store();
    let mut edits = Vec::new();
    let mut files = Vec::new();
    let mut shared = false;
    for item in &trial.test.items {
        let path = item.path();
        let Some(old) = store.entry(trial.base, path)? else {
            edits.push(Edit::Remove(path.clone()));
            continue;
        };
        match item {
            Item::File(_, new) if *new == old => continue,
            Item::File(..) | Item::Gone(_) => {
                edits.push(Edit::Put(path.clone(), old));
                if trial.roles.of(path) == Role::Test {
                    files.push(path.clone());
                } else {
                    shared = true;
                }
            }
            Item::Inline { .. } => {
                let text = |tree| -> Result<Option<String>, LabError> {
                    Ok(store.file(tree, path)?.and_then(|bytes| String::from_utf8(bytes).ok()))
                };
                let (Some(fixed), Some(before)) = (text(trial.fixed)?, text(trial.base)?) else { continue };
                let language = trial.roles.language();
                // Without test items before there is nothing that could have been bent.
                if language.inline_tests(path, &before).is_none_or(|inline| inline.items.is_empty()) {
                    continue;
                }
                let Some(text) = language.graft(path, &fixed, &before) else { continue };
                let oid = store.write_blob(text.as_bytes())?;
                edits.push(Edit::Put(path.clone(), Entry { oid, ..old }));
                files.push(path.clone());
            }
        }
    }
    let old = match (shared, files.is_empty()) {
        (true, _) => Old::All,
        (false, true) => return Ok(None),
        (false, false) => Old::In(files),
    };
    Ok(Some((store.compose(trial.fixed, &edits)?, old)))
}

fn selection(trial: &Trial<'_>) -> Option<Selection> {
    match trial.settings.regressions {
        Regressions::Suite => Some(Selection::Suite),
        Regressions::Related if !trial.files.is_empty() => Some(Selection::Files(trial.files.clone())),
        Regressions::Related | Regressions::Off => None,
    }
}

fn file(run: &TestRun, id: &TestId) -> Option<RepoPath> {
    run.reading.case(id).and_then(|case| case.file.clone())
}

fn load_failure(after: &TestRun, before: &TestRun, id: &TestId) -> bool {
    let file = file(before, id);
    after.reading.load_failures.iter().any(|load| load.file.is_none() || load.file == file)
}

/// True for a parametrised test whose parameters were edited: the test is there, at least as many
/// of its cases pass, only this id is not.
fn is_replaced(id: &TestId, before: &TestRun, after: &TestRun) -> bool {
    let stem = |id: &TestId| id.as_str().split_once('[').map(|(stem, _)| stem.to_owned());
    let Some(own) = stem(id) else { return false };
    let count = |run: &TestRun| {
        let cases = run.reading.cases.iter().filter(|case| case.status == Status::Passed);
        cases.filter(|case| stem(&case.id).as_ref() == Some(&own)).count()
    };
    count(after) >= count(before)
}
