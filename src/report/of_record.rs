//! From the record of a run to a report: nothing that the record does not hold is told.

use super::{Attempt, Case, ChangedFile, Location, PatchView, Remark, Report, Repository};
use crate::agent::claims::Suspect;
use crate::git::RepoPath;
use crate::issue::Reference;
use crate::record::{Outcome, RunRecord};

impl From<&RunRecord> for Report {
    fn from(record: &RunRecord) -> Self {
        let issue = record.issue.as_ref();
        let (outcome, explanation) = record.ending.as_ref().map_or_else(
            || (Outcome::Aborted, "the run did not come to an end".to_owned()),
            |ending| (ending.outcome, ending.explanation.clone()),
        );
        let analysis = record.analysis();
        let refused = record.refused().map(|(attempt, refusal)| Attempt {
            role: attempt.stage.to_string(),
            number: attempt.number,
            gate: refusal.check(),
            reason: refusal.reason.clone(),
        });
        let mut remarks = Vec::new();
        if let Some(reason) = &record.lowered {
            remarks.push(Remark { at: None, text: reason.clone() });
        }
        if let Some(opinion) = &record.opinion {
            remarks.push(Remark { at: None, text: opinion.summary.clone() });
            remarks.extend(opinion.remarks.iter().map(|remark| Remark {
                at: Some(Location { path: remark.path.clone(), line: Some(remark.line), end_line: None }),
                text: remark.body.clone(),
            }));
        }
        if let Some(reason) = &record.no_review {
            remarks.push(Remark { at: None, text: format!("nobody reviewed the fix: {reason}") });
        }
        let number = issue.and_then(|issue| match &issue.reference {
            Reference::File { number, .. } => *number,
            Reference::GitHub(issue) => Some(issue.number),
        });
        let case = Case {
            number,
            title: issue.map(|issue| issue.title.clone()).unwrap_or_default(),
            outcome,
            explanation,
            replayed: record.replayed,
            root_cause: analysis
                .map(|analysis| analysis.cause.clone())
                .filter(|cause| !cause.trim().is_empty()),
            locations: analysis
                .map(|analysis| analysis.suspects.iter().map(location).collect())
                .unwrap_or_default(),
            refused_attempts: refused.collect(),
            remarks,
            agents: record.agents.iter().map(|(stage, name)| format!("{stage}: {name}")).collect(),
            cost: record.cost,
        };
        Self {
            verdict: record.verdict.clone(),
            case: Some(case),
            patch: record.fix.as_deref().map(patch_view),
            sealed_sources: Vec::new(),
            repository: issue.and_then(|issue| match &issue.reference {
                Reference::GitHub(issue) => Repository::new(
                    &format!("https://{}", issue.host.as_deref().unwrap_or("github.com")),
                    &format!("{}/{}", issue.owner, issue.repo),
                ),
                Reference::File { .. } => None,
            }),
            reproduce: String::new(),
        }
    }
}

fn location(suspect: &Suspect) -> Location {
    Location { path: suspect.path.clone(), line: Some(suspect.line), end_line: None }
}

/// A unified diff, with the lines counted.
pub(crate) fn patch_view(diff: &str) -> PatchView {
    let mut files: Vec<ChangedFile> = Vec::new();
    for line in diff.lines() {
        if let Some(rest) = line.strip_prefix("diff --git ") {
            let path = rest.rsplit_once(" b/").and_then(|(_, path)| RepoPath::new(path).ok());
            files.extend(path.map(|path| ChangedFile {
                path,
                role: String::new(),
                added: Some(0),
                removed: Some(0),
            }));
            continue;
        }
        let Some(file) = files.last_mut() else { continue };
        let count = match line.as_bytes() {
            [b'+', rest @ ..] if !rest.starts_with(b"++ ") => &mut file.added,
            [b'-', rest @ ..] if !rest.starts_with(b"-- ") => &mut file.removed,
            _ => continue,
        };
        *count = count.map(|count| count + 1);
    }
    PatchView { files, diff: diff.to_owned() }
}
