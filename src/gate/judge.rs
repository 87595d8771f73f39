//! The judge: asks the gates in order and writes the verdict.

use std::time::{Duration, Instant};

use super::discover::Discovery;
use super::trial::{Look, Trial};
use super::verdict::{Check, Evidence, GateReport, Outcome, SCHEMA, Verdict, Word, decide};
use super::{GATES, Gate};
use crate::git::Oid;
use crate::lab::{LabError, Request};

/// Whether to go on after a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Stop at the first refusal.
    UntilRefused,
    /// Ask every gate.
    All,
}

/// A trial with the commits that it is about.
pub struct Question<'a> {
    /// The variants.
    pub trial: Trial<'a>,
    /// The commit with the bug.
    pub base: Oid,
    /// The commit with the fix.
    pub head: Oid,
    /// How far to go.
    pub extent: Extent,
}

impl Question<'_> {
    /// Asks every gate. Where the replication tests are not known yet, they are looked for first.
    ///
    /// # Errors
    /// The lab failed.
    pub fn ask(&mut self) -> Result<Verdict, LabError> {
        let started = Instant::now();
        let mut reports: Vec<GateReport> = Vec::new();
        let mut aside = Vec::new();
        for (round, gates) in GATES.iter().enumerate() {
            let refused = reports.iter().find(|report| report.outcome == Outcome::Fail);
            if let (Some(report), Extent::UntilRefused) = (refused, self.extent) {
                let reason = format!("not asked, since {} ({}) refused already", report.id, report.name);
                reports.extend(
                    gates.iter().map(|gate| GateReport::new(gate.check(), Outcome::Skipped, reason.clone())),
                );
                continue;
            }
            if round == 1 && self.trial.tests.is_empty() && !self.trial.test.items.is_empty() {
                let mut discovery = Discovery::make(&self.trial)?;
                if discovery.replication_tests().is_empty() && self.trial.may_be_read_elsewhere() {
                    self.trial.look = Look::Everywhere;
                    discovery = Discovery::make(&self.trial)?;
                }
                self.trial.tests = discovery.replication_tests();
                if self.trial.tests.is_empty()
                    && let Some(emptied) = super::missing_api::emptied(&self.trial, &discovery)?
                    && !emptied.red.is_empty()
                {
                    self.trial.stub = Some(emptied.tree);
                    self.trial.tests = emptied.red;
                }
                aside = discovery.red_on_both_sides().into_iter().map(|one| one.id.to_string()).collect();
            }
            if round == 1 {
                self.trial.settle_choice()?;
            }
            reports.extend(self.round(gates)?);
        }
        if !aside.is_empty()
            && let Some(red) = reports.iter_mut().find(|report| report.id == Check::K1)
        {
            let names = aside.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
            let text = format!("red on both sides, so not judged: {names}");
            red.evidence.push(Evidence::Note { text });
        }
        let asked = |check: &Check| reports.iter().any(|report| report.id == *check);
        let missing: Vec<_> = Check::ALL.into_iter().filter(|check| !asked(check)).collect();
        reports.extend(missing.into_iter().map(|check| {
            GateReport::new(
                check,
                Outcome::Skipped,
                "this version of failfirst does not ask this question yet",
            )
        }));
        reports.sort_by_key(|report| report.id);
        Ok(self.verdict(reports, started.elapsed()))
    }

    /// Asks the gates of a round: their runs are made together, in random order.
    fn round(&self, gates: &[&dyn Gate]) -> Result<Vec<GateReport>, LabError> {
        let mut planned: Vec<Vec<Request>> = Vec::new();
        for gate in gates {
            planned.push(gate.plan(&self.trial)?);
        }
        let all: Vec<_> = planned.iter().flatten().cloned().collect();
        self.trial.lab.run_all(&all)?;
        let mut counted: Vec<Request> = Vec::new();
        let mut reports = Vec::new();
        for (gate, requests) in gates.iter().zip(planned) {
            let mut report = gate.judge(&self.trial)?;
            for request in requests {
                if !counted.contains(&request) {
                    report.runs += 1;
                    report.seconds += self.trial.lab.run(&request)?.took.as_secs_f64();
                    counted.push(request);
                }
            }
            reports.push(report);
        }
        Ok(reports)
    }

    fn verdict(&self, gates: Vec<GateReport>, took: Duration) -> Verdict {
        let word = decide(&gates);
        let runner = self.trial.lab.runner();
        Verdict {
            schema: SCHEMA.to_owned(),
            verdict: word,
            summary: summary(word, &gates),
            base: self.base,
            head: self.head,
            sealed: self.trial.test.sealed_files(),
            sealed_digest: self.trial.test.digest(),
            tests: self.trial.tests.clone(),
            gates,
            sandbox: self.trial.lab.sandbox(),
            languages: vec![format!("{}: {}", self.trial.lab.language().name(), runner.label())],
            took: took.as_secs_f64(),
        }
    }
}

/// One sentence: the reason of the gate that decided.
fn summary(word: Word, gates: &[GateReport]) -> String {
    let deciding = match word {
        Word::Verified => {
            return "the test fails on the buggy code, passes on the fixed code, and nothing but the production change \
                    turns it green"
                .to_owned();
        }
        Word::Refused => Outcome::Fail,
        Word::NeedsHuman => Outcome::Human,
        Word::Inconclusive => Outcome::Inconclusive,
    };
    // Gates are sorted by number; a test that is not red says more than what follows from it.
    let decided = gates.iter().find(|gate| gate.outcome == deciding);
    decided.map_or_else(|| "a mandatory question was not answered".to_owned(), |gate| gate.reason.clone())
}
