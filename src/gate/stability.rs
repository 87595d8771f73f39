//! K15: is the result the same every time?

use super::Gate;
use super::trial::{Trial, Variant};
use super::verdict::{Check, GateReport, Outcome};
use crate::lab::{LabError, Request};
use crate::lang::Status;

/// The gate.
pub struct Stability;

impl Gate for Stability {
    fn check(&self) -> Check {
        Check::K15
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        let mut requests = Vec::new();
        if !trial.tests.is_empty() {
            for variant in [Variant::BaseTest, Variant::Fixed] {
                requests.push(trial.files_request(variant));
                requests.extend(trial.named_requests(variant));
            }
        }
        Ok(requests)
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: String| GateReport::new(Check::K15, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(Outcome::Skipped, "there is no replication test".to_owned()));
        }
        let mut count = 0;
        for variant in [Variant::BaseTest, Variant::Fixed] {
            let runs = trial.observations(variant)?;
            count = runs.len();
            for id in &trial.tests {
                let file = runs.iter().find_map(|run| run.reading.case(id)?.file.clone());
                let cases: Vec<_> = runs.iter().map(|run| trial.case_of(run, id, file.as_ref())).collect();
                let status = |case: &Option<crate::lang::Case>| case.as_ref().map(|case| case.status);
                let passes = cases.iter().filter(|case| status(case) == Some(Status::Passed)).count();
                if passes != 0 && passes != cases.len() {
                    let seen =
                        runs.iter().zip(&cases).map(|(run, case)| trial.evidence(run, id, case.as_ref()));
                    let reason = format!(
                        "{id} is not stable on the {}: it passed in {passes} of {} runs (together with its file's other tests, \
                         and on its own)",
                        variant.label(),
                        cases.len()
                    );
                    return Ok(report(Outcome::Fail, reason).evidence(seen));
                }
            }
        }
        let network = if trial.lab.sandbox().kind == "none" {
            "the network was not cut off"
        } else {
            "without network"
        };
        Ok(report(
            Outcome::Pass,
            format!(
                "{count} runs on either side gave the same result, with the file's other tests and alone, {network}"
            ),
        ))
    }
}
