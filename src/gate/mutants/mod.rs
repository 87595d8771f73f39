//! K9: which small changes of the fix does the test not notice?
//!
//! The changed lines are altered a little, one change at a time, and the replication tests run on each.
//! A change that they do not notice shows a line whose behaviour nobody looks at. That is for people to
//! weigh, so this gate never refuses; a change that cannot be built or loaded says nothing and is not
//! counted.

mod choose;
mod variants;

use std::time::Duration;

use super::Gate;
use super::answer::{Answer, answer};
use super::trial::{Trial, Variant};
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::lab::{LabError, Request};
use choose::Mutant;
use variants::Variants;

/// The gate.
pub struct Mutants;

/// A run on a mutant may take this many times as long as on the fixed code, so that a loop which does not
/// end any more costs little.
const PATIENCE: u32 = 10;
/// And at least this long, for the start of the runner on a busy machine.
const LEAST: Duration = Duration::from_secs(5);

impl Gate for Mutants {
    fn check(&self) -> Check {
        Check::K9
    }

    /// Which variants can be built is known only after the first build, so all runs are made in `judge`.
    fn plan(&self, _trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        Ok(Vec::new())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let skipped = |reason: &str| Ok(GateReport::new(Check::K9, Outcome::Skipped, reason));
        let most = trial.settings.mutants.0 as usize;
        if most == 0 {
            return skipped("switched off (`mutants = 0` under [gates])");
        }
        if trial.tests.is_empty() {
            return skipped("there is no replication test");
        }
        let (mutants, left) = choose::choose(trial, most)?;
        if mutants.is_empty() {
            return skipped("the changed lines hold nothing that could be altered a little");
        }
        let fixed = trial.lab.run(&trial.request(Variant::Fixed, trial.chosen(), 1))?;
        if answer(trial, &fixed) != Answer::Green {
            return skipped("the test does not pass on the fixed code, so it cannot notice less");
        }
        let mut variants = Variants::make(trial, &mutants)?;
        let green = variants.green.unwrap_or_else(|| fixed.outputs.iter().map(|output| output.took).sum());
        let limit = (green * PATIENCE).max(LEAST);
        for (_, request) in &mut variants.requests {
            request.limit = Some(limit);
        }
        let requests: Vec<_> = variants.requests.iter().map(|(_, request)| request.clone()).collect();
        let (new, took) = trial.lab.run_all(&requests)?;
        let mut seen = Seen { left: left + variants.untried, unviable: variants.unviable, ..Seen::default() };
        for (mutant, request) in &variants.requests {
            let run = trial.lab.run(request)?;
            match answer(trial, &run) {
                Answer::Green => seen.survivors.push(evidence(&mutants[*mutant])),
                _ if run.timed_out() => {
                    seen.noticed.push(short(&mutants[*mutant]));
                    seen.endless += 1;
                }
                Answer::Red | Answer::Hung => seen.noticed.push(short(&mutants[*mutant])),
                Answer::Broken => seen.unviable += 1,
            }
        }
        let mut report = seen.report();
        report.runs = variants.runs + new;
        report.seconds = (variants.took + took).as_secs_f64();
        Ok(report)
    }
}

/// What the runs showed.
#[derive(Default)]
struct Seen {
    noticed: Vec<String>,
    /// Of these, how many were ended by the limit.
    endless: usize,
    survivors: Vec<Evidence>,
    unviable: usize,
    left: usize,
}

impl Seen {
    fn report(self) -> GateReport {
        let total = self.noticed.len() + self.survivors.len();
        if total == 0 {
            let reason =
                "no small change of the changed lines can be built and loaded, so none could be noticed";
            return GateReport::new(Check::K9, Outcome::Skipped, reason);
        }
        let reason = format!("{} of {total} mutants of the changed lines were noticed", self.noticed.len());
        let mut evidence = self.survivors;
        if !self.noticed.is_empty() {
            evidence.push(Evidence::Note { text: format!("noticed: {}", self.noticed.join("; ")) });
        }
        let mut note = |count: usize, text: &str| {
            if count > 0 {
                evidence.push(Evidence::Note { text: format!("{count} {text}") });
            }
        };
        note(self.endless, "of the mutants that were noticed made the test run into its time limit");
        note(self.unviable, "further mutants could not be built or loaded and are not counted");
        note(self.left, "further mutants were not tried (`mutants` under [gates] sets how many are)");
        GateReport::new(Check::K9, Outcome::Pass, reason).evidence(evidence)
    }
}

/// A mutant in a list.
fn short(mutant: &Mutant) -> String {
    let Mutant { path, line, column, before, after, .. } = mutant;
    let after = if after.trim().is_empty() { "nothing" } else { after };
    format!("{path}:{line}:{column} {before} → {after}")
}

fn evidence(mutant: &Mutant) -> Evidence {
    Evidence::Mutant {
        path: mutant.path.clone(),
        line: mutant.line,
        operator: mutant.operator.to_string(),
        before: mutant.before.clone(),
        after: mutant.after.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_built_is_not_counted() {
        let seen = Seen { unviable: 3, ..Seen::default() };
        assert_eq!(seen.report().outcome, Outcome::Skipped);
        let report =
            Seen { noticed: vec!["a".to_owned(), "b".to_owned()], unviable: 3, left: 1, ..Seen::default() }
                .report();
        assert_eq!(report.outcome, Outcome::Pass);
        assert_eq!(report.reason, "2 of 2 mutants of the changed lines were noticed");
        assert_eq!(report.evidence.len(), 3);
    }
}
