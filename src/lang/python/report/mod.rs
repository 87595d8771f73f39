//! Reads what a session script reported, and holds it against what else is known of the run.

mod events;
mod fold;
mod hang;
mod witness;

use std::path::Path;

use super::modules::Modules;
use crate::lang::{Output, Reading};
pub(super) use events::{ErrorData, FrameData};
pub(super) use witness::Witness;

/// The whole reading of one session.
pub(super) fn read(
    witness: Witness,
    outputs: &[Output],
    out: &Path,
    root: &Path,
    modules: &Modules,
) -> Reading {
    let Some(output) = outputs.last() else { return Reading::default() };
    let log = events::Log::read(&out.join("report.jsonl"));
    let mut reading = fold::fold(&log, output, out, root, modules);
    let found = witness::compare(witness, &log, &reading, output, out);
    reading.disagreements.extend(found);
    reading
}
