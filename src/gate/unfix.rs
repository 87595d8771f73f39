//! K8: does the test fail again when the fix is taken out?
//!
//! K3 takes the production change out whole. Here its text stays, without effect, so that a test which
//! reads the source is not fooled; and what the change brings into being stays too, emptied, so that a
//! test which only imports it is not red for want of a name.

use super::Gate;
use super::altered::Stubbed;
use super::answer::{Answer, answer};
use super::class::has_word;
use super::overlay::Item;
use super::reach::{evidence as reach_evidence, reached};
use super::trial::Trial;
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::lab::{LabError, Request};

/// The gate.
pub struct Unfix;

const UNFIXED: &str = "base code, the text of the fix kept without effect + test";
/// The name of the variant in which what is new is empty.
pub(super) const STUBBED: &str = "base code, what the fix adds kept but emptied + test";

impl Gate for Unfix {
    fn check(&self) -> Check {
        Check::K8
    }

    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        if trial.tests.is_empty() || trial.change.production.is_empty() {
            return Ok(Vec::new());
        }
        let mut requests = vec![trial.altered_request(trial.altered()?.unfixed, UNFIXED)?];
        if let Some(stubbed) = named_stub(trial)? {
            requests.push(trial.altered_request(stubbed.tree, STUBBED)?);
        }
        let single = &trial.altered()?.without_one;
        for (name, tree) in single {
            requests.push(trial.altered_request(*tree, &without(name))?);
        }
        Ok(requests)
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let report = |outcome, reason: String| GateReport::new(Check::K8, outcome, reason);
        if trial.tests.is_empty() {
            return Ok(report(Outcome::Skipped, "there is no replication test".to_owned()));
        }
        if trial.change.production.is_empty() {
            return Ok(report(
                Outcome::Skipped,
                "the change holds no production code to take out".to_owned(),
            ));
        }
        let altered = trial.altered()?;
        let mut evidence = Vec::new();
        let mut look = |tree, label| -> Result<Answer, LabError> {
            let run = trial.lab.run(&trial.altered_request(tree, label)?)?;
            evidence.extend(trial.shown(&run));
            Ok(answer(trial, &run).or_red())
        };
        let kept = look(altered.unfixed, UNFIXED)?;
        if kept == Answer::Green {
            return green(trial, evidence, "although the fix is taken out and only its text is left");
        }
        let stub = named_stub(trial)?;
        let emptied = match &stub {
            Some(stub) => Some(look(stub.tree, STUBBED)?),
            None => None,
        };
        if emptied == Some(Answer::Green) {
            return green(
                trial,
                evidence,
                "although everything that the fix does is emptied and only its names are left",
            );
        }
        // A test for an API that the base lacks cannot be loaded there; then the emptied API decides.
        let (outcome, reason) = match (kept, emptied) {
            (Answer::Red, _) if !altered.touches_functions() => (
                Outcome::Pass,
                "the test fails again when the change is taken out; the change holds no function, so this is all that is known \
                 (weak evidence)",
            ),
            (Answer::Red, _) => {
                (Outcome::Pass, "the test fails again when the fix is taken out and its text is left")
            }
            (_, Some(Answer::Red)) => (
                Outcome::Pass,
                "the test fails again when what the fix adds is emptied and the rest taken out",
            ),
            _ if trial.stub.is_none() => (
                Outcome::Pass,
                "the test fails again when the fix is taken out whole; with its text left in place the tests do not load",
            ),
            _ => (Outcome::Inconclusive, "with the fix taken out the test can be neither loaded nor stubbed"),
        };
        let mut unneeded = Vec::new();
        for (name, tree) in &altered.without_one {
            let run = trial.lab.run(&trial.altered_request(*tree, &without(name))?)?;
            if answer(trial, &run) == Answer::Green {
                unneeded.push(format!("`{name}`"));
            }
        }
        let reason = if unneeded.is_empty() || outcome != Outcome::Pass {
            reason.to_owned()
        } else {
            format!("{reason}; it does not need the change of {}", unneeded.join(", "))
        };
        Ok(report(outcome, reason).evidence(evidence))
    }
}

/// The name of the variant in which one function is as it was.
fn without(name: &str) -> String {
    format!("fix without its change of {name} + test")
}

/// The refusal of a test that passes without the fix.
fn green(trial: &Trial<'_>, mut evidence: Vec<Evidence>, how: &str) -> Result<GateReport, LabError> {
    let reached = reached(trial)?;
    let reason = if reached.any() {
        format!("the test does not depend on the fix: it passes {how}")
    } else {
        format!(
            "the test does not exercise production code: it passes {how}, and none of the changed functions runs under it"
        )
    };
    evidence.extend(reach_evidence(&reached));
    Ok(GateReport::new(Check::K8, Outcome::Fail, reason).evidence(evidence))
}

/// The emptied variant, where the test names something that the fix brings into being.
fn named_stub<'a>(trial: &'a Trial<'_>) -> Result<Option<&'a Stubbed>, LabError> {
    let Some(stubbed) = &trial.altered()?.stubbed else { return Ok(None) };
    let mut text = String::new();
    for item in &trial.test.items {
        match item {
            Item::File(_, entry) => text.push_str(&String::from_utf8_lossy(&trial.store().blob(entry.oid)?)),
            Item::Inline { items, .. } => text.push_str(items),
            Item::Gone(_) => {}
        }
        text.push('\n');
    }
    let parts = stubbed.names.iter().flat_map(|name| name.split(['.', ':', '<', '>', ' ']));
    let named = parts.filter(|part| !part.is_empty()).any(|part| has_word(&text, part));
    Ok(named.then_some(stubbed))
}
