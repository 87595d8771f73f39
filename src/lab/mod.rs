//! The lab: rebuilds every variant of the project from git objects and runs tests in it.
//!
//! A *variant* is a git tree composed in the scratch object database (base, base + test, head …). It
//! is laid over the prepared checkout, at the project's own path where the machine allows it
//! (`sandbox`), so that installed dependencies keep working. A *run* is a variant, a selection of
//! tests and a repetition; it is made once ([`TestRun`]).

mod bounds;
mod checkout;
mod flood;
mod process;
mod progress;
mod run;
pub(crate) mod sandbox;
mod scratch;
mod workspace;

use std::path::PathBuf;

pub use bounds::{Bounds, Relay, Stop};
pub use progress::{Progress, Quiet, RunEnd};
pub use run::{Lab, Options, Request, TestRun};
pub use sandbox::init::run_if_asked;
pub use sandbox::{Level, Network, SandboxReport};
pub use scratch::{Keep, Scratch};
pub use workspace::Workspace;

/// Why the lab could not do its work. Never a refusal: nothing was learnt about the change.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// Git objects could not be read or written.
    #[error(transparent)]
    Git(#[from] crate::git::GitError),
    /// No adapter serves the project.
    #[error(transparent)]
    Lang(#[from] crate::lang::LangError),
    /// A file operation failed.
    #[error("failed to {doing} {path}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The checkout cannot be used.
    #[error("failed to read the checkout {path}: {what}")]
    Checkout {
        /// Where.
        path: PathBuf,
        /// Git's answer.
        what: String,
    },
    /// The sandbox did not start.
    #[error("the sandbox did not start: {what}")]
    Sandbox {
        /// The helper's last words.
        what: String,
    },
    /// Isolation is required and not to be had.
    #[error(
        "`level = \"required\"` under [sandbox] cannot be met: {what}; allow it, or set `level = \"auto\"` where the code is trusted"
    )]
    NoSandbox {
        /// What is missing.
        what: String,
    },
    /// A set-up command failed.
    #[error("the set-up command `{command}` (`setup` under [project]) failed on the base tree:\n{tail}")]
    Setup {
        /// The command.
        command: String,
        /// The end of its output.
        tail: String,
    },
    /// A defect of failfirst.
    #[error("internal error: {0}")]
    Internal(String),
}

/// The isolation that this machine offers; `helper` is the failfirst binary.
pub fn sandbox_report(helper: &std::path::Path, scratch: &Scratch) -> SandboxReport {
    use sandbox::{Namespaces, Plain, Sandbox};
    match Namespaces::probe(helper, scratch.path()) {
        Ok(sandbox) => sandbox.report(),
        Err(what) => Plain::new(scratch.path(), what).report(),
    }
}

/// A random identifier of `bytes` × 2 hexadecimal digits that code under test cannot guess.
pub fn nonce(bytes: usize) -> String {
    let mut buffer = vec![0_u8; bytes];
    getrandom::fill(&mut buffer).expect("the system has random numbers");
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts items into a random order.
pub fn shuffle<T>(items: &mut [T]) {
    for last in (1..items.len()).rev() {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        let index = u64::from_le_bytes(bytes) % (last as u64 + 1);
        items.swap(last, usize::try_from(index).unwrap_or(0));
    }
}
