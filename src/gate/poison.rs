//! K7: does breaking the changed functions turn the test red?
//!
//! Touched functions raise an error, return nothing, or return something that nobody expects. A test that
//! stays green does not see what they do.

use super::Gate;
use super::answer::{Answer, answer};
use super::trial::Trial;
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::lab::{LabError, Request};

/// The gate.
pub struct Poison;

/// The name of the variant whose touched functions raise.
pub(super) const RAISING: &str = "fix whose changed functions raise an error + test";
const USUAL: &str = "fix whose changed functions return nothing + test";
const UNUSUAL: &str = "fix whose changed functions return something else + test";

impl Gate for Poison {
    fn check(&self) -> Check {
        Check::K7
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        if trial.tests.is_empty() {
            return Ok(Vec::new());
        }
        let altered = trial.altered()?;
        let variants = [(altered.raising, RAISING), (altered.usual, USUAL)];
        variants.into_iter().filter_map(|(tree, label)| Some(trial.altered_request(tree?, label))).collect()
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: String| GateReport::new(Check::K7, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(Outcome::Skipped, "there is no replication test".to_owned()));
        }
        let altered = trial.altered()?;
        let Some(raising) = altered.raising else {
            let reason = "the change touches no function that could be broken on purpose";
            return Ok(report(Outcome::Skipped, reason.to_owned()));
        };
        let seen = |tree, label| -> Result<(Answer, Vec<Evidence>), LabError> {
            let run = trial.lab.run(&trial.altered_request(tree, label)?)?;
            Ok((answer(trial, &run).or_red(), trial.shown(&run).collect()))
        };
        let (raised, mut evidence) = seen(raising, RAISING)?;
        if raised == Answer::Broken {
            let reason = "with the changed functions broken the tests cannot even be loaded, so nothing is learnt from it";
            return Ok(report(Outcome::Skipped, reason.to_owned()).evidence(evidence));
        }
        let mut returned = None;
        for (tree, label) in [(altered.usual, USUAL), (altered.unusual, UNUSUAL)] {
            let Some(tree) = tree else { continue };
            // Where nothing is what the test expects, something else is not.
            if returned == Some(Answer::Red) {
                break;
            }
            let (answer, shown) = seen(tree, label)?;
            if answer != Answer::Broken {
                returned = Some(answer);
                evidence.extend(shown);
            }
        }
        let names = altered.names();
        let (outcome, reason) = match (raised, returned) {
            (Answer::Red, Some(Answer::Red)) => (
                Outcome::Pass,
                format!(
                    "the test fails when the changed functions ({names}) raise an error, and when they return a default"
                ),
            ),
            (Answer::Red, None) => (
                Outcome::Pass,
                format!(
                    "the test fails when the changed functions ({names}) raise an error; no default is known for their types"
                ),
            ),
            (Answer::Red, Some(_)) if only_effects(trial)? => (
                Outcome::Pass,
                format!(
                    "the test fails when the changed functions ({names}) raise an error; they hand nothing back, so whether their \
                     effect is looked at is for K8 to say"
                ),
            ),
            (Answer::Red, Some(_)) => (
                Outcome::Human,
                format!(
                    "the test calls the changed functions ({names}) but stays green whatever they return: a person must see that it \
                     looks at what they do"
                ),
            ),
            (_, Some(Answer::Red)) => (
                Outcome::Pass,
                format!(
                    "the test notices what the changed functions ({names}) return, but takes any error that they raise: it expects \
                     one, or errors are swallowed on the way"
                ),
            ),
            _ => (
                Outcome::Human,
                format!(
                    "the test stays green although the changed functions ({names}) raise an error or return a default"
                ),
            ),
        };
        Ok(report(outcome, reason).evidence(evidence))
    }
}

/// True when no touched function that the test reaches hands anything back.
fn only_effects(trial: &Trial<'_>) -> Result<bool, LabError> {
    let reached = super::reach::reached(trial)?;
    Ok(!reached.hit.is_empty() && reached.hit.iter().all(|mark| mark.void))
}
