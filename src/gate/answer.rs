//! What the replication tests say about a variant, in one word.

use super::trial::Trial;
use crate::lab::TestRun;
use crate::lang::Status;

/// The word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// All passed.
    Green,
    /// At least one ran and failed.
    Red,
    /// They ran until their time was over.
    Hung,
    /// They did not run to an end: a file could not be loaded or built, or the runner broke off.
    Broken,
}

impl Answer {
    /// The answer for those to whom it is the same whether tests fail or do not come to an end any more: either way
    /// they noticed something.
    pub fn or_red(self) -> Self {
        if self == Self::Hung { Self::Red } else { self }
    }
}

/// What a run of the replication tests says.
pub fn answer(trial: &Trial<'_>, run: &TestRun) -> Answer {
    let statuses: Vec<_> =
        trial.tests.iter().map(|id| run.reading.case(id).map(|case| case.status)).collect();
    if statuses.iter().all(|status| *status == Some(Status::Passed)) {
        Answer::Green
    } else if statuses.contains(&Some(Status::Failed)) {
        Answer::Red
    } else if run.timed_out() {
        Answer::Hung
    } else {
        Answer::Broken
    }
}
