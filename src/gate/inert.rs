//! K3: is the test still red without the production change?

use super::Gate;
use super::class::of_case;
use super::trial::{Trial, Variant};
use super::verdict::{Check, Evidence, FailureClass, GateReport, Outcome};
use crate::lab::{LabError, Request};
use crate::lang::Status;

/// The gate.
pub struct Inert;

/// How often the inert variant runs: a test that is green only at times would be missed by one.
const TIMES: u32 = 2;

impl Gate for Inert {
    fn check(&self) -> Check {
        Check::K3
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        if trial.tests.is_empty() || trial.inert == trial.base_test {
            return Ok(Vec::new());
        }
        Ok((1..=TIMES).map(|repetition| trial.request(Variant::Inert, trial.chosen(), repetition)).collect())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: &str| GateReport::new(Check::K3, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(Outcome::Skipped, "there is no replication test"));
        }
        if trial.inert == trial.base_test {
            return Ok(report(Outcome::Pass, "the change holds nothing but the test and production code"));
        }
        let changed: Vec<_> = trial
            .change
            .other
            .iter()
            .take(20)
            .map(|(change, role)| Evidence::Path { path: change.path.clone(), what: describe(*role) })
            .collect();
        let mut unclear = None;
        for request in self.plan(trial)? {
            let run = trial.lab.run(&request)?;
            for id in &trial.tests {
                let case = trial.case_of(&run, id, None);
                let seen = trial.evidence(&run, id, case.as_ref());
                let red = match &case {
                    Some(case) if case.status == Status::Passed => {
                        let reason = format!(
                            "{id} passes without any production change: what turns it green lies outside production"
                        );
                        return Ok(report(Outcome::Fail, &reason).evidence([seen]).evidence(changed));
                    }
                    Some(case) => of_case(case, &trial.context(trial.inert)),
                    None => FailureClass::E,
                };
                let lacks_api = trial.stub.is_some() && red == FailureClass::B;
                if !red.is_red() && red != FailureClass::D && !lacks_api {
                    unclear.get_or_insert((id.clone(), red, seen));
                }
            }
        }
        if let Some((id, class, seen)) = unclear {
            let reason = format!(
                "without the production change {id} neither passes nor fails as before ({}), so a person must look at what \
                 else was changed",
                class.describe()
            );
            return Ok(report(Outcome::Human, &reason).class(class).evidence([seen]).evidence(changed));
        }
        let reason = "with everything but the production change applied, the test is still red";
        Ok(report(Outcome::Pass, reason).evidence(changed))
    }
}

fn describe(role: crate::lang::Role) -> String {
    use crate::lang::Role;
    match role {
        Role::Test => "another test file".to_owned(),
        Role::TestSupport => "helper or data of tests".to_owned(),
        Role::Docs => "documentation".to_owned(),
        Role::Protected(class) => class.describe().to_owned(),
        Role::Production | Role::Other => "neither test nor production code".to_owned(),
    }
}
