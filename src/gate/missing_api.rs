//! A test for an API that the base does not have.
//!
//! On the base such a test cannot be loaded, which proves nothing: it would be the same for a test that
//! imports the new name and then asserts on a copy of its own. So the API is put there and emptied: what
//! the fix adds returns a default, what it changes does as before. There the test has to fail, for an
//! accepted reason.

use super::class::of_case;
use super::discover::Discovery;
use super::trial::{Trial, Variant};
use super::unfix::STUBBED;
use super::verdict::{Evidence, FailureClass};
use crate::git::TreeId;
use crate::lab::LabError;
use crate::lang::{Status, TestId};

/// What the tests that lack an API do where it is there and empty.
#[derive(Debug)]
pub struct Emptied {
    /// The variant.
    pub tree: TreeId,
    /// Tests that fail there for an accepted reason.
    pub red: Vec<TestId>,
    /// Tests that pass there.
    pub green: Vec<TestId>,
    /// How they ended.
    pub seen: Vec<Evidence>,
}

/// Runs the tests that lack an API on the base and pass on the fix where that API is empty; `None` where
/// there are none, or where the API cannot be emptied.
///
/// # Errors
/// The lab failed.
pub fn emptied(trial: &Trial<'_>, discovery: &Discovery) -> Result<Option<Emptied>, LabError> {
    let lacking: Vec<_> =
        discovery.candidates.iter().filter(|one| one.class == Some(FailureClass::B) && one.green).collect();
    if lacking.is_empty() {
        return Ok(None);
    }
    let Some(stubbed) = &trial.altered()?.stubbed else { return Ok(None) };
    let selection = trial.files_request(Variant::Fixed).selection;
    let run = trial.lab.run(&trial.request_on(stubbed.tree, STUBBED, selection, 0))?;
    let context = trial.context(stubbed.tree);
    let mut emptied = Emptied { tree: stubbed.tree, red: Vec::new(), green: Vec::new(), seen: Vec::new() };
    for one in lacking {
        let case = run.reading.case(&one.id);
        match case.map(|case| case.status) {
            Some(Status::Passed) => emptied.green.push(one.id.clone()),
            Some(Status::Failed) if case.is_some_and(|case| of_case(case, &context).is_red()) => {
                emptied.red.push(one.id.clone());
            }
            _ => {}
        }
        if emptied.seen.len() < 5 {
            emptied.seen.push(trial.evidence(&run, &one.id, case));
        }
    }
    Ok(Some(emptied))
}
