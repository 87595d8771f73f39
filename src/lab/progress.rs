//! Who is told about runs while they happen.

use std::time::Duration;

/// How a run ended, as far as a reader of the progress cares. The gates judge; this does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunEnd {
    /// All tests passed.
    Green,
    /// A test failed.
    Red,
    /// There is no clear result.
    Unclear,
}

/// Told of what happens. Runs may start and end on several threads at once.
pub trait Progress: Send + Sync {
    /// A new stage begins (`preparing the checkout`).
    fn stage(&self, text: &str);
    /// A run begins. The name says what it is for (`base + test, 1 of 3`).
    fn run_started(&self, name: &str);
    /// The run of that name has ended.
    fn run_finished(&self, name: &str, end: RunEnd, took: Duration);
    /// Everything has ended; nothing is said afterwards.
    fn done(&self);
}

/// Says nothing.
#[derive(Clone, Copy, Default, Debug)]
pub struct Quiet;

impl Progress for Quiet {
    fn stage(&self, _text: &str) {}
    fn run_started(&self, _name: &str) {}
    fn run_finished(&self, _name: &str, _end: RunEnd, _took: Duration) {}
    fn done(&self) {}
}
