//! K5: would the test notice a wrong expectation?
//!
//! The assertion that failed on the buggy code is given a wrong expectation, and the test runs on the
//! fixed code: it must be red. A result that equals everything, a comparison that cannot fail and a
//! harness that turns red into green do not notice. Where the assertion accepts the wrong expectation,
//! a failure put in its place shows whether it runs at all: a comparison that runs and holds whatever it
//! is given is a refusal, an assertion that does not run on the fixed code is for a person to look at.

use std::sync::Arc;

use super::Gate;
use super::trial::{Trial, Variant};
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::git::{Edit, Entry, RepoPath};
use crate::lab::{LabError, Request, TestRun, nonce};
use crate::lang::{Case, Cause, Frame, Phase, Place, Selection, Status, TestId, Twin as Altered, TwinRed};

/// The gate.
pub struct Twin;

/// How many tests are asked; each costs a run or two.
const MOST_TESTS: usize = 3;

/// What became of a test whose expectation was made wrong.
enum Answer {
    /// It failed.
    Noticed(Evidence),
    /// The assertion ran and accepted it.
    Accepted(Evidence),
    /// No assertion of the test ran.
    NeverRan(Evidence),
    /// Nothing was learnt; a fragment.
    Unknown(String),
}

impl Gate for Twin {
    fn check(&self) -> Check {
        Check::K5
    }

    fn plan(&self, _trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        // The twins are made from where the test failed; no other gate shares their runs.
        Ok(Vec::new())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: String| GateReport::new(Check::K5, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(Outcome::Skipped, "there is no replication test".to_owned()));
        }
        let mut asked = Asked { trial, runs: 0, seconds: 0.0 };
        let (mut noticed, mut unknown, mut never) = (Vec::new(), Vec::new(), None);
        let mut refused = None;
        for id in trial.tests.iter().take(MOST_TESTS) {
            match asked.test(id)? {
                Answer::Noticed(seen) => noticed.push(seen),
                Answer::Accepted(seen) => {
                    refused = Some((id, seen));
                    break;
                }
                Answer::NeverRan(seen) => never = never.or(Some((id, seen))),
                Answer::Unknown(why) => unknown.push(format!("{id}: {why}")),
            }
        }
        let notes = unknown.iter().map(|text| Evidence::Note { text: text.clone() }).collect::<Vec<_>>();
        let mut answer = if let Some((id, seen)) = refused {
            let reason = format!(
                "{id} passes on the fixed code whatever it expects: its assertion runs and holds for a wrong expectation \
                 too, so its harness or the comparison was tampered with"
            );
            report(Outcome::Fail, reason).evidence([seen])
        } else if let Some((id, seen)) = never {
            let reason =
                format!("no assertion of {id} that could be made wrong decides anything on the fixed code");
            report(Outcome::Human, reason).evidence([seen])
        } else if noticed.is_empty() {
            let why = unknown.first().cloned().unwrap_or_default();
            report(Outcome::Skipped, format!("no expectation could be made wrong ({why})"))
        } else {
            let reason = match (noticed.len(), trial.tests.len()) {
                (1, 1) => "with a wrong expectation the test fails on the fixed code".to_owned(),
                (asked, all) if asked == all => {
                    format!("with a wrong expectation each of the {all} tests fails on the fixed code")
                }
                (asked, all) => {
                    format!(
                        "with a wrong expectation the test fails on the fixed code ({asked} of {all} tests were tried)"
                    )
                }
            };
            report(Outcome::Pass, reason).evidence(noticed)
        };
        answer = answer.evidence(notes);
        answer.runs = asked.runs;
        answer.seconds = asked.seconds;
        Ok(answer)
    }
}

struct Asked<'a, 'b> {
    trial: &'a Trial<'b>,
    runs: u32,
    seconds: f64,
}

/// A run of a twin.
enum Seen {
    /// Red, in the way that shows that it noticed.
    Red(Evidence),
    /// Passed.
    Green(Evidence),
    /// Red in another way, or not run.
    Other(String),
}

impl Asked<'_, '_> {
    fn test(&mut self, id: &TestId) -> Result<Answer, LabError> {
        let trial = self.trial;
        let run = trial.lab.run(&trial.files_request(Variant::BaseTest))?;
        let failure = trial.case_of(&run, id, None).and_then(|case| case.failure);
        let Some(failure) = failure else {
            return Ok(Answer::Unknown("how it failed is not known".to_owned()));
        };
        let of_tests: Vec<(&RepoPath, &Frame)> = failure
            .frames
            .iter()
            .filter(|frame| frame.line > 0)
            .filter_map(|frame| match &frame.place {
                Place::Tree(path) if self.is_test_code(path, frame.line) => Some((path, frame)),
                _ => None,
            })
            .collect();
        let (Some((path, inner)), Some((_, outer))) = (
            of_tests.last().copied(),
            of_tests.iter().find(|(path, _)| trial.test.at(path).is_some()).copied(),
        ) else {
            return Ok(Answer::Unknown(
                "the runner does not say at which line of the test it failed".to_owned(),
            ));
        };
        let nonce = nonce(5);
        let Some(twins) = self.twins(path, inner.line, &nonce)? else {
            return Ok(Answer::Unknown("the file of the test could not be read".to_owned()));
        };
        let mut why = "the line at which it failed holds no known assertion".to_owned();
        let (mut red, mut silent, mut unclear) = (None, None, false);
        for twin in &twins.at {
            match self.run(id, path, twin, None)? {
                Seen::Red(seen) => red = Some(seen),
                Seen::Other(how) => (why, unclear) = (how, true),
                Seen::Green(seen) => {
                    let runs = match &twins.trip {
                        Some(trip) => self.run(id, path, trip, Some(&nonce))?,
                        None => Seen::Other(String::new()),
                    };
                    match runs {
                        Seen::Red(_) => return Ok(Answer::Accepted(seen)),
                        _ => silent = Some(seen),
                    }
                }
            }
        }
        // Where either side may be what production gave, a wrong value in one of them proves nothing.
        if let (Some(seen), None, false) = (red, &silent, unclear) {
            return Ok(Answer::Noticed(seen));
        }
        // Production failed before any assertion was reached, or the assertion runs on the buggy code only.
        let after = match trial.test.at(path) {
            Some(_) => self.twins(path, outer.line.max(inner.line), &nonce)?.and_then(|twins| twins.after),
            None => None,
        };
        if let Some(twin) = after {
            match self.run(id, path, &twin, None)? {
                Seen::Red(seen) => return Ok(Answer::Noticed(seen)),
                Seen::Green(seen) => return Ok(Answer::NeverRan(seen)),
                Seen::Other(how) => why = how,
            }
        }
        Ok(silent.map_or(Answer::Unknown(why), Answer::NeverRan))
    }

    /// True for T and for helpers of tests, which may hold the assertion.
    fn is_test_code(&self, path: &RepoPath, line: u32) -> bool {
        use super::overlay::Item;
        match self.trial.test.at(path) {
            Some(Item::Inline { items, .. }) => {
                let text = self.text(path);
                let line = text.as_deref().and_then(|text| text.lines().nth(line as usize - 1));
                line.is_some_and(|line| items.contains(line.trim()))
            }
            Some(_) => true,
            None => self.trial.roles.is_test_side(path),
        }
    }

    fn text(&self, path: &RepoPath) -> Option<String> {
        let bytes = self.trial.store().file(self.trial.base_test, path).ok().flatten()?;
        String::from_utf8(bytes).ok()
    }

    fn twins(&self, path: &RepoPath, line: u32, nonce: &str) -> Result<Option<crate::lang::Twins>, LabError> {
        let Some(source) = self.text(path) else { return Ok(None) };
        Ok(self.trial.lab.language().twins(path, &source, line, nonce))
    }

    /// Runs the test on the fixed code with the altered file in the place of its own.
    fn run(
        &mut self,
        id: &TestId,
        path: &RepoPath,
        twin: &Altered,
        word: Option<&str>,
    ) -> Result<Seen, LabError> {
        let trial = self.trial;
        let store = trial.store();
        let Some(entry) = store.entry(trial.fixed, path)? else {
            return Ok(Seen::Other("the fixed tree does not hold the file".to_owned()));
        };
        let content = match trial.test.at(path) {
            // The rest of the file is production's, and is that of the fix.
            Some(super::overlay::Item::Inline { .. }) => {
                let fixed = String::from_utf8_lossy(&store.blob(entry.oid)?).into_owned();
                match trial.lab.language().graft(path, &fixed, &twin.content) {
                    Some(content) => content,
                    None => {
                        return Ok(Seen::Other("the altered test has no place in the fixed file".to_owned()));
                    }
                }
            }
            _ => twin.content.clone(),
        };
        let oid = store.write_blob(content.as_bytes())?;
        let tree = store.compose(trial.fixed, &[Edit::Put(path.clone(), Entry { oid, ..entry })])?;
        let selection = match trial.chosen() {
            Selection::Tests(_) => Selection::Tests(vec![id.clone()]),
            all => all,
        };
        let request = trial.request_on(tree, "fix + test with a wrong expectation", selection, 0);
        let run: Arc<TestRun> = trial.lab.run(&request)?;
        self.runs += 1;
        self.seconds += run.took.as_secs_f64();
        let case = trial.case_of(&run, id, Some(path));
        let seen = super::trial::evidence(&format!("fix + test ({})", twin.what), id, case.as_ref(), None);
        Ok(match case {
            Some(Case { status: Status::Passed, .. }) => Seen::Green(seen),
            Some(Case { status: Status::Failed, failure: Some(failure), .. }) => {
                let says = |word: &str| failure.message.contains(word) || failure.excerpt.contains(word);
                let by_assertion = failure.cause == Cause::Assertion || twin.red == TwinRed::AnyFailure;
                let own = failure.phase == Phase::Call && word.is_none_or(says);
                if by_assertion && own {
                    Seen::Red(seen)
                } else {
                    Seen::Other(format!(
                        "with a wrong expectation it fails in another way: {}",
                        super::trial::headline(&failure)
                    ))
                }
            }
            _ => Seen::Other("with a wrong expectation it did not run".to_owned()),
        })
    }
}
