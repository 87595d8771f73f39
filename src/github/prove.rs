//! Verify's job on a fresh machine: nothing that a bundle claims is believed.

use std::sync::Arc;

use super::bundle::{Bundle, BundleError, SIGNOFF, Signoff};
use crate::gate::judge::{Extent, Question};
use crate::git::{Oid, Store};
use crate::lab::{Keep, Scratch};
use crate::record::Digest;
use crate::verify::{Bench, Inputs, Setup, VerifyError};

/// Why nothing was signed off.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// The bundle is not used.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The gates could not be asked.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// Proves a bundle again: the commits are composed from its files, and all gates are asked.
///
/// `expected` is the commit that the caller was told the case is based on, by somebody other than the
/// bundle.
///
/// # Errors
/// [`ProveError`].
pub fn bundle(
    bundle: &Bundle,
    digest: &Digest,
    expected: Option<Oid>,
    setup: Setup,
    keep: Keep,
) -> Result<Signoff, ProveError> {
    if let Some(expected) = expected.filter(|expected| *expected != bundle.base) {
        let what = format!("it is based on {}, and the case on {expected}", bundle.base);
        return Err(BundleError::Unfit(what).into());
    }
    let scratch = Scratch::new(keep).map_err(VerifyError::from)?;
    let store = Arc::new(Store::open(&setup.repository, scratch.path()).map_err(VerifyError::from)?);
    let commits = bundle.compose(&store)?;
    let mut signoff = Signoff {
        schema: SIGNOFF.to_owned(),
        repository: bundle.repository.clone(),
        number: bundle.issue,
        bundle: Some(digest.clone()),
        verdict: None,
        tree: None,
        diff: String::new(),
        reproduce: format!("failfirst run {}#{}", bundle.repository, bundle.issue),
    };
    let Some((test, fix)) = commits else { return Ok(signoff) };
    let base = store.resolve(&bundle.base.to_string()).map_err(VerifyError::from)?;
    signoff.diff = store.patch_text(base.tree, fix.tree, &[]).map_err(VerifyError::from)?;
    let bench = Bench::open(store, scratch, base, setup)?;
    let trial = bench.trial_sealed(test, fix)?;
    let mut question = Question { trial, base: base.id, head: fix.id, extent: Extent::UntilRefused };
    let verdict = question.ask().map_err(VerifyError::from)?;
    signoff.tree = Some(fix.tree);
    signoff.reproduce = format!(
        "failfirst verify --base {} --test-rev {branch}~1 --head {branch}",
        base.id,
        branch = format_args!("origin/{}issue-{}", super::BRANCH_PREFIX, bundle.issue),
    );
    signoff.verdict = Some(verdict);
    Ok(signoff)
}

/// Judges a pull request and signs it off.
///
/// # Errors
/// [`VerifyError`].
pub fn pull(inputs: Inputs, repository: &str, number: u64, reproduce: &str) -> Result<Signoff, VerifyError> {
    let scratch = Scratch::new(Keep::No)?;
    let place = inputs.repository.clone();
    let verdict = crate::verify::verify(inputs)?;
    let store = Store::open(&place, scratch.path())?;
    let (base, head) = (store.resolve(&verdict.base.to_string())?, store.resolve(&verdict.head.to_string())?);
    Ok(Signoff {
        schema: SIGNOFF.to_owned(),
        repository: repository.to_owned(),
        number,
        bundle: None,
        tree: Some(head.tree),
        diff: store.patch_text(base.tree, head.tree, &[])?,
        reproduce: reproduce.to_owned(),
        verdict: Some(verdict),
    })
}
