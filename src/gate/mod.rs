//! Gates: each answers one question about a change by running code, and believes nobody.
//!
//! [`judge`] splits the change, composes the variants ([`trial`]) and asks the gates in
//! [`GATES`], cheapest and most decisive first. [`verdict`] holds the table that turns their outcomes
//! into one word. A [`red::ProvenFailingTest`] and a [`green::VerifiedFix`] can be made only here.
//! Adding a gate is a file, a line in [`GATES`] and tests (see CONTRIBUTING.md).

pub mod altered;
pub mod answer;
pub mod canaries;
pub mod class;
pub mod clones;
pub mod discover;
pub mod green;
pub mod inert;
pub mod judge;
pub mod missing_api;
pub mod mutants;
pub mod neutral;
pub mod overlay;
pub mod poison;
pub mod reach;
#[cfg(test)]
mod real_world;
pub mod red;
pub mod regressions;
pub mod roles;
pub mod scope;
pub mod smells;
pub mod split;
pub mod stability;
pub mod touched;
pub mod trial;
pub mod twin;
pub mod unfix;
pub mod verdict;

use crate::lab::{LabError, Request};
use trial::Trial;
use verdict::{Check, GateReport};

/// A check that runs code or reads the change.
pub trait Gate: Sync {
    /// Which check of the catalogue it answers.
    fn check(&self) -> Check;

    /// The runs that it needs; they are made for all gates of a round together, in random order.
    ///
    /// # Errors
    /// A variant cannot be composed.
    fn plan(&self, trial: &Trial<'_>) -> Result<Vec<Request>, LabError>;

    /// Its answer. Runs that were planned are there already; it may ask for more.
    ///
    /// # Errors
    /// The lab failed, which is never an answer.
    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError>;
}

/// The gates in rounds: a round is asked only when no earlier one refused (unless all are wanted).
pub static GATES: &[&[&dyn Gate]] = &[
    &[&scope::Scope],
    &[
        &red::Red,
        &green::Green,
        &inert::Inert,
        &canaries::Canaries,
        &stability::Stability,
        &smells::Smells,
        &clones::Clones,
    ],
    &[&twin::Twin, &reach::Reach, &poison::Poison, &unfix::Unfix, &neutral::Neutral],
    &[&regressions::NoRegressions],
    // It never refuses, and costs most: whoever is refused is not asked.
    &[&mutants::Mutants],
];
