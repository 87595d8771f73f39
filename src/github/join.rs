//! What verify signed off becomes a publication; anything else does not.

use std::path::Path;

use super::authorise::Subject;
use super::bundle::{self, Bundle, BundleError, PartKind, SIGNOFF, Signoff};
use super::diff::Diff;
use super::plan::Publication;
use crate::gate::verdict::Word;
use crate::record::Digest;
use crate::report::{Report, Repository, SourceView, patch_view};

/// Where a publication stands, besides what was signed off.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The server's web address.
    pub web: String,
    /// The address of the run with its artifacts.
    pub run: Option<String>,
    /// A label that must still be on the issue.
    pub trigger: Option<String>,
}

/// Reads what crosses from verify to publish. `digest` is that of the sign-off, told by verify itself and
/// not by a file.
///
/// # Errors
/// [`BundleError`] for whatever verify did not sign off.
pub fn read(
    bundle: Option<&Path>,
    signoff: &Path,
    digest: &str,
    surroundings: Surroundings,
) -> Result<Publication, BundleError> {
    let (signed, found): (Signoff, Digest) = bundle::read(signoff)?;
    if found.as_str() != digest {
        let what = format!("its digest is {}, and verify signed off {}", found.as_str(), cut(digest));
        return Err(BundleError::Refused { path: signoff.to_owned(), what });
    }
    let own = bundle.map(Bundle::read).transpose()?;
    join(own.as_ref().map(|(bundle, digest)| (bundle, digest)), &signed, surroundings)
        .map_err(|what| BundleError::Refused { path: bundle.unwrap_or(signoff).to_owned(), what })
}

fn cut(text: &str) -> String {
    crate::report::visible::visible_line(text).chars().take(80).collect()
}

/// Joins a bundle with its sign-off.
///
/// # Errors
/// A fragment that says what does not fit.
pub fn join(
    bundle: Option<(&Bundle, &Digest)>,
    signoff: &Signoff,
    surroundings: Surroundings,
) -> Result<Publication, String> {
    if signoff.schema != SIGNOFF || !bundle::is_repository(&signoff.repository) || signoff.number == 0 {
        return Err("the sign-off has not the form that verify writes".to_owned());
    }
    if signoff.bundle.as_ref() != bundle.map(|(_, digest)| digest) {
        return Err("verify signed off another bundle, or none".to_owned());
    }
    let repository = Repository::new(&surroundings.web, &signoff.repository);
    let mut publication = Publication {
        repository: signoff.repository.clone(),
        subject: Subject::Pull(signoff.number),
        base: crate::git::Oid::of_blob(b""),
        parts: Vec::new(),
        head: None,
        report: Report { repository, ..nothing(signoff) },
        diff: Diff::parse(&signoff.diff),
        trigger: surroundings.trigger,
        run: surroundings.run,
        web: surroundings.web,
    };
    let Some((bundle, _)) = bundle else {
        let verdict = signoff.verdict.as_ref().ok_or("the sign-off holds no verdict")?;
        publication.base = verdict.base;
        publication.head = Some(verdict.head.to_string());
        return Ok(publication);
    };
    if bundle.repository != signoff.repository || bundle.issue != signoff.number {
        return Err("bundle and sign-off are about different issues".to_owned());
    }
    if bundle.parts.last().map(|part| part.tree) != signoff.tree
        || bundle.parts.is_empty() != signoff.verdict.is_none()
    {
        return Err("verify proved another change, or none".to_owned());
    }
    publication.subject = Subject::Issue(bundle.issue);
    publication.base = bundle.base;
    let mut report = Report::from(&bundle.record);
    report.repository = publication.report.repository.take();
    report.reproduce.clone_from(&signoff.reproduce);
    // The word is verify's; the record can only lower it.
    report.verdict = signoff.verdict.as_ref().map(|found| bundle::final_verdict(found, &bundle.record));
    if let Some(case) = &mut report.case
        && signoff.verdict.is_none()
        && case.outcome == crate::record::Outcome::Fixed
    {
        return Err("the record claims a fix, and verify proved none".to_owned());
    }
    // What is shown of the change is what verify saw, too.
    report.patch = (!signoff.diff.is_empty()).then(|| patch_view(&signoff.diff));
    let test = bundle.parts.iter().filter(|part| part.kind == PartKind::Test).flat_map(|part| &part.files);
    report.sealed_sources = test
        .filter_map(|file| Some(SourceView { path: file.path.clone(), text: file.text.clone()? }))
        .collect();
    // What verify refuses is told, and not offered.
    if report
        .verdict
        .as_ref()
        .is_some_and(|verdict| matches!(verdict.verdict, Word::Verified | Word::NeedsHuman))
    {
        publication.parts.clone_from(&bundle.parts);
    }
    publication.report = report;
    Ok(publication)
}

fn nothing(signoff: &Signoff) -> Report {
    Report {
        verdict: signoff.verdict.clone(),
        case: None,
        patch: (!signoff.diff.is_empty()).then(|| patch_view(&signoff.diff)),
        sealed_sources: Vec::new(),
        repository: None,
        reproduce: signoff.reproduce.clone(),
    }
}
