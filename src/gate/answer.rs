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
    /// True when the tests noticed something: they failed, or did not come to an end any more.
    pub fn is_red(self) -> bool {
        matches!(self, Self::Red | Self::Hung)
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
