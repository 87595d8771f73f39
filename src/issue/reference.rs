//! What an issue is called.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an issue came from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reference {
    /// A file.
    File {
        /// Its name, without the folder.
        name: String,
        /// The number that the file states.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<u64>,
    },
    /// GitHub.
    GitHub(GitHubIssue),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, number: Some(number) } => write!(f, "#{number} ({name})"),
            Self::File { name, number: None } => f.write_str(name),
            Self::GitHub(issue) => issue.fmt(f),
        }
    }
}

/// An issue on GitHub or on a GitHub Enterprise Server.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GitHubIssue {
    /// The server that its address names; `None` for `owner/repo#12`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The owner of the repository.
    pub owner: String,
    /// The repository.
    pub repo: String,
    /// The issue's number.
    pub number: u64,
}

impl GitHubIssue {
    /// Reads `owner/repo#12` or `https://HOST/owner/repo/issues/12`, with whatever follows the number.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
            let mut parts = rest.split(['/', '?', '#']);
            let host = parts.next().filter(|host| !host.is_empty() && !host.contains('@'))?;
            let (owner, repo) = (parts.next()?, parts.next()?);
            if parts.next()? != "issues" {
                return None;
            }
            return Self::checked(Some(host.to_ascii_lowercase()), owner, repo, parts.next()?);
        }
        let (slug, number) = text.split_once('#')?;
        let (owner, repo) = slug.split_once('/')?;
        Self::checked(None, owner, repo, number)
    }

    fn checked(host: Option<String>, owner: &str, repo: &str, number: &str) -> Option<Self> {
        let name = |text: &str| {
            !text.is_empty()
                && !matches!(text, "." | "..")
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let number = number.parse().ok().filter(|&number| number > 0)?;
        (name(owner) && name(repo)).then(|| Self {
            host,
            owner: owner.to_owned(),
            repo: repo.to_owned(),
            number,
        })
    }
}

impl fmt::Display for GitHubIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.owner, self.repo, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_name_an_issue_are_read() {
        let short = GitHubIssue::parse("a-b/c.d#12").unwrap();
        assert_eq!((short.owner.as_str(), short.repo.as_str(), short.number), ("a-b", "c.d", 12));
        for address in ["https://GitHub.com/o/r/issues/7", "https://github.com/o/r/issues/7#issuecomment-1"] {
            let issue = GitHubIssue::parse(address).unwrap();
            assert_eq!(issue.host.as_deref(), Some("github.com"));
            assert_eq!(issue.to_string(), "o/r#7");
        }
    }

    #[test]
    fn what_names_no_issue_is_refused() {
        for text in [
            "",
            "12",
            "a/b",
            "a/b#",
            "a/b#0",
            "a/b#x",
            "../b#1",
            "a/b c#1",
            "a/b/c#1",
            "https://github.com/o/r/pull/7",
            "https://u@evil/o/r/issues/1",
            "https:///o/r/issues/1",
        ] {
            assert_eq!(GitHubIssue::parse(text), None, "{text}");
        }
    }
}
