//! What the engine needs from the lab and the gates.

use super::prompt::{ProjectFacts, SealedView};
use crate::agent::Hands;
use crate::agent::claims::Analyst;
use crate::gate::verdict::{GateReport, Verdict};
use crate::git::{Mode, Oid, RepoPath};
use crate::lab::LabError;

/// A file as an agent left it: where, and what it is; `None` when it is gone.
pub type Left = (RepoPath, Option<(Mode, Vec<u8>)>);

/// The lab and the gates, as the engine sees them.
///
/// Proofs are types of the implementation: the engine passes them on and can make none. A fake
/// bench can make fakes, and the real one only what the gates made.
pub trait Bench {
    /// A copy of the project that an agent may change.
    type Workspace: Hands;
    /// What was changed in a workspace, as failfirst found it.
    type Change;
    /// A test that was seen to fail for the right reason.
    type Proven;
    /// A fix that every mandatory gate let pass.
    type Verified;

    /// The commit with the bug.
    fn base(&self) -> Oid;

    /// What agents are told about the project.
    fn facts(&self) -> ProjectFacts;

    /// True when `name` is a commit that the base contains.
    ///
    /// # Errors
    /// The lab failed.
    fn contains_commit(&self, name: &str) -> Result<bool, LabError>;

    /// A fresh workspace with the base.
    ///
    /// # Errors
    /// The lab failed.
    fn analyst_workspace(&self) -> Result<Self::Workspace, LabError>;

    /// A fresh workspace with the base and the sealed test, which is read-only where possible.
    ///
    /// # Errors
    /// The lab failed.
    fn fixer_workspace(&self, proven: &Self::Proven) -> Result<Self::Workspace, LabError>;

    /// A fresh workspace with the fixed project and the sealed test.
    ///
    /// # Errors
    /// The lab failed.
    fn reviewer_workspace(
        &self,
        proven: &Self::Proven,
        change: &Self::Change,
    ) -> Result<Self::Workspace, LabError>;

    /// What the agent changed in its workspace, against what it was given. The inner error is
    /// something that no change may hold: a path that is not UTF-8, more than the limit.
    ///
    /// # Errors
    /// The lab failed.
    fn collect(&self, workspace: &Self::Workspace) -> Result<Result<Self::Change, GateReport>, LabError>;

    /// The change as a unified diff; empty where nothing was changed.
    ///
    /// # Errors
    /// The lab failed.
    fn patch(&self, change: &Self::Change) -> Result<String, LabError>;

    /// The files of the change as they were left, with their bytes; `None` for what is gone.
    ///
    /// # Errors
    /// The lab failed.
    fn files(&self, change: &Self::Change) -> Result<Vec<Left>, LabError>;

    /// Checks the scope of the analyst's change (tests only) and asks whether its tests are red.
    ///
    /// # Errors
    /// The lab failed, which is never a refusal.
    fn prove(
        &self,
        change: &Self::Change,
        claims: &Analyst,
    ) -> Result<Result<Self::Proven, GateReport>, LabError>;

    /// The sealed test, for those who must not touch it.
    ///
    /// # Errors
    /// The lab failed.
    fn sealed(&self, proven: &Self::Proven) -> Result<SealedView, LabError>;

    /// Asks every gate about the fixer's change. The inner error is the verdict on a change that is
    /// not verified.
    ///
    /// # Errors
    /// The lab failed, which is never a refusal.
    fn verify(
        &self,
        proven: &Self::Proven,
        change: &Self::Change,
    ) -> Result<Result<Self::Verified, Verdict>, LabError>;

    /// The verdict that comes with a proof.
    fn verdict(verified: &Self::Verified) -> &Verdict;
}
