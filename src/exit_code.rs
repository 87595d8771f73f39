//! Exit codes of the command line: part of the contract.

use crate::gate::verdict::Word;

/// What the process ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ExitCode {
    /// Verified, or the case is fixed.
    Verified = 0,
    /// Refused.
    Refused = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// A mandatory question could not be answered.
    Inconclusive = 3,
    /// A person must decide.
    NeedsHuman = 4,
    /// Not reproduced, more information is needed, or already fixed.
    NotReproduced = 5,
    /// A budget ran out.
    OverBudget = 6,
    /// A defect of failfirst.
    Internal = 70,
}

impl From<Word> for ExitCode {
    fn from(word: Word) -> Self {
        match word {
            Word::Verified => Self::Verified,
            Word::Refused => Self::Refused,
            Word::NeedsHuman => Self::NeedsHuman,
            Word::Inconclusive => Self::Inconclusive,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}

impl ExitCode {
    /// The code for an error that ended the command.
    pub fn of_error(error: &anyhow::Error) -> Self {
        use crate::git::GitError;
        use crate::lab::LabError;
        use crate::verify::VerifyError;
        let lab = |error: &LabError| match error {
            LabError::Git(GitError::Git { .. }) => Self::Internal,
            LabError::Git(_) | LabError::Lang(_) | LabError::NoSandbox { .. } | LabError::Checkout { .. } => {
                Self::Usage
            }
            LabError::Setup { .. } | LabError::Sandbox { .. } | LabError::Io { .. } => Self::Inconclusive,
            LabError::Internal(_) => Self::Internal,
        };
        if let Some(error) = error.downcast_ref::<VerifyError>() {
            return match error {
                VerifyError::Lab(error) => lab(error),
                VerifyError::Overlay(_) => Self::Inconclusive,
                VerifyError::Git(GitError::Git { .. }) => Self::Internal,
                _ => Self::Usage,
            };
        }
        if let Some(error) = error.downcast_ref::<crate::github::prove::ProveError>() {
            return match error {
                crate::github::prove::ProveError::Verify(VerifyError::Lab(error)) => lab(error),
                crate::github::prove::ProveError::Verify(VerifyError::Overlay(_)) => Self::Inconclusive,
                _ => Self::Usage,
            };
        }
        // What GitHub refuses, or does not answer, is neither a verdict nor a defect of ours.
        if error.is::<crate::github::client::ClientError>()
            || error.is::<crate::github::publish::PublishError>()
        {
            return Self::Inconclusive;
        }
        if error.is::<crate::github::bundle::BundleError>()
            || error.is::<crate::github::event::EventError>()
            || error.is::<crate::github::fetch::FetchError>()
            || error.is::<crate::config::ConfigError>()
        {
            return Self::Usage;
        }
        if error.is::<crate::cli::Usage>() || error.is::<std::io::Error>() {
            return Self::Usage;
        }
        error.downcast_ref::<LabError>().map_or(Self::Internal, lab)
    }
}
