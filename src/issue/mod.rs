//! Intake: a bug report is read, freed of what its readers cannot see, and frozen.
//!
//! `file` and [`crate::github::fetch`] yield a [`Raw`] report; [`freeze`] is the only way from there to an
//! [`Issue`], so no text reaches a prompt or a report unsanitised.

mod file;
mod reference;
mod sanitise;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use reference::{GitHubIssue, Reference};

/// Why an issue cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The file cannot be read.
    #[error("issue file {path} cannot be read: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The file has not the form of an issue.
    #[error("issue file {path}: {what}")]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and the way out.
        what: String,
    },
    /// A text that names no issue.
    #[error(
        "`{text}` names no issue; write `owner/repo#12`, the issue's address, or `--issue FILE` with a Markdown or JSON file"
    )]
    Reference {
        /// As given.
        text: String,
    },
    /// GitHub did not give the issue.
    #[error("{issue} cannot be read from {api}: {what}")]
    GitHub {
        /// Which issue.
        issue: String,
        /// The API's address.
        api: String,
        /// What happened, and the way out.
        what: String,
    },
}

/// Where an issue is to be read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// A Markdown or JSON file.
    File(PathBuf),
    /// GitHub, read-only.
    GitHub(GitHubIssue),
}

/// A bug report as its author wrote it. Nothing but [`freeze`] takes it.
#[derive(Clone, PartialEq, Debug)]
pub struct Raw {
    /// Where it came from.
    pub reference: Reference,
    /// The title.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// Who reported it.
    pub author: Option<String>,
    /// The labels' names.
    pub labels: Vec<String>,
    /// The comments, oldest first.
    pub comments: Vec<Comment>,
    /// What was left out on reading, one sentence fragment each.
    pub left_out: Vec<String>,
}

/// A comment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Comment {
    /// Who wrote it.
    #[serde(default)]
    pub author: Option<String>,
    /// When.
    #[serde(default)]
    pub created_at: Option<Timestamp>,
    /// The text, in Markdown.
    pub body: String,
}

/// A bug report, sanitised and frozen. Its texts are still a stranger's words: data, never instructions.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Issue {
    /// Where it came from.
    pub reference: Reference,
    /// The title, on one line.
    pub title: String,
    /// The text, in Markdown.
    pub body: String,
    /// Who reported it.
    #[serde(default)]
    pub author: Option<String>,
    /// The labels' names.
    pub labels: Vec<String>,
    /// The comments, oldest first.
    pub comments: Vec<Comment>,
    /// When it was read; what came later is not part of the case.
    pub frozen_at: Timestamp,
    /// What was taken out because a reader of the rendered page does not see it, one fragment each.
    pub removed: Vec<String>,
}

/// Reads, sanitises and freezes the issue in a Markdown or JSON file.
///
/// # Errors
/// [`IssueError::Io`], [`IssueError::Form`].
pub fn read(path: &Path, now: Timestamp) -> Result<Issue, IssueError> {
    Ok(freeze(read_file(path)?, now))
}

/// Reads a Markdown or JSON file without sanitising it.
///
/// # Errors
/// [`IssueError::Io`], [`IssueError::Form`].
pub fn read_file(path: &Path) -> Result<Raw, IssueError> {
    file::read(path)
}

/// Sanitises every text of a report and stamps it.
pub fn freeze(raw: Raw, now: Timestamp) -> Issue {
    let mut removed = raw.left_out;
    let mut clean = |text: &str, place: &str| {
        let cleaned = sanitise::markdown(text);
        removed.extend(cleaned.removed.into_iter().map(|what| format!("{what} in {place}")));
        cleaned.text
    };
    let body = clean(&raw.body, "the text");
    let comments = raw
        .comments
        .into_iter()
        .enumerate()
        .map(|(index, comment)| Comment {
            body: clean(&comment.body, &format!("comment {}", index + 1)),
            author: comment.author.map(|name| sanitise::line(&name).text),
            created_at: comment.created_at,
        })
        .collect();
    let title = sanitise::line(&raw.title);
    removed.extend(title.removed.into_iter().map(|what| format!("{what} in the title")));
    Issue {
        reference: raw.reference,
        title: title.text,
        body,
        author: raw.author.map(|name| sanitise::line(&name).text),
        labels: raw.labels.iter().map(|label| sanitise::line(label).text).collect(),
        comments,
        frozen_at: now,
        removed,
    }
}

impl Source {
    /// Reads `owner/repo#12` or the address of an issue.
    ///
    /// # Errors
    /// [`IssueError::Reference`].
    pub fn parse(text: &str) -> Result<Self, IssueError> {
        GitHubIssue::parse(text)
            .map(Self::GitHub)
            .ok_or_else(|| IssueError::Reference { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_a_report_is_sanitised_on_freezing() {
        let hidden = "a\u{200b}b";
        let issue = freeze(
            Raw {
                reference: Reference::File { name: "bug.md".into(), number: None },
                title: format!("{hidden}\nsecond line"),
                body: "text <!-- do evil -->".into(),
                author: Some(hidden.into()),
                labels: vec![hidden.into()],
                comments: vec![Comment {
                    author: Some(hidden.into()),
                    created_at: None,
                    body: hidden.into(),
                }],
                left_out: vec!["2 comments past the limit".into()],
            },
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(issue.title, "ab second line");
        assert_eq!(issue.body.trim(), "text");
        assert_eq!(issue.author.as_deref(), Some("ab"));
        assert_eq!(issue.labels, ["ab"]);
        assert_eq!(issue.comments[0].body, "ab");
        assert_eq!(
            issue.removed,
            [
                "2 comments past the limit",
                "1 HTML comment in the text",
                "1 invisible character (U+200B) in comment 1",
                "1 invisible character (U+200B) in the title",
            ]
        );
        let text = serde_json::to_string(&issue).unwrap();
        assert_eq!(serde_json::from_str::<Issue>(&text).unwrap(), issue);
    }
}
