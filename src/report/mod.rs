//! Reports: pure functions from a verdict to texts.
//!
//! [`Report`] is plain data; whoever has a verdict or a run record fills it. Each format is one
//! file: [`terminal`], [`markdown`], [`html`], [`json`], [`sarif`]. All sentences that go outward
//! stand in [`wording`]; [`quote`] and [`visible`] make untrusted text harmless; [`page`] is what
//! Markdown and HTML show; [`progress`] speaks while a run is under way.

pub mod github;
pub mod html;
pub mod json;
pub mod markdown;
mod of_record;
pub mod page;
pub mod progress;
pub mod quote;
pub mod sarif;
mod templates;
pub mod terminal;
pub mod visible;
pub mod wording;

#[cfg(test)]
pub(crate) mod fixture;

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::gate::verdict::{Check, Verdict};
use crate::git::RepoPath;

pub use crate::record::Outcome as CaseOutcome;
pub use json::CaseReport;
pub(crate) use of_record::patch_view;
pub use terminal::Style;

/// The form of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub enum Format {
    /// For a person at a terminal.
    #[default]
    Terminal,
    /// The verdict as data; `failfirst schema` prints its schema.
    Json,
    /// The text of a review or a comment, within GitHub's limits.
    Markdown,
    /// One self-contained page.
    Html,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Terminal => "terminal",
            Self::Json => "json",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Sarif => "sarif",
        })
    }
}

/// A format that does not exist.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no report format; known are terminal, json, markdown, html and sarif")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;
    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        <Self as ValueEnum>::from_str(text, true).map_err(|_| UnknownFormat(text.to_owned()))
    }
}

/// The report in the form asked for. `style` matters to the terminal only.
pub fn render(format: Format, report: &Report, style: Style) -> String {
    match format {
        Format::Terminal => terminal::render(report, style),
        Format::Json => json::render(report),
        Format::Markdown => markdown::render(report),
        Format::Html => html::render(report),
        Format::Sarif => sarif::render(report),
    }
}

/// All that a report may tell. Texts from agents, tests and repositories are untrusted here; the
/// formats quote them.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The verdict; absent when a case ended before there was a change to judge.
    pub verdict: Option<Verdict>,
    /// The case around it, when agents worked on an issue.
    pub case: Option<Case>,
    /// The change that was judged.
    pub patch: Option<PatchView>,
    /// The source of the sealed tests.
    pub sealed_sources: Vec<SourceView>,
    /// The repository on its forge; links are made only with it.
    pub repository: Option<Repository>,
    /// The one command that reproduces the verdict locally.
    pub reproduce: String,
}

impl Report {
    /// A report on a judged change, with nothing else known yet.
    pub fn of(verdict: Verdict, reproduce: impl Into<String>) -> Self {
        Self {
            verdict: Some(verdict),
            case: None,
            patch: None,
            sealed_sources: Vec::new(),
            repository: None,
            reproduce: reproduce.into(),
        }
    }

    /// Why the case ended as it did, unless the verdict says the same.
    pub(crate) fn explanation(&self) -> &str {
        let explanation = self.case.as_ref().map_or("", |case| case.explanation.trim());
        let said = self.verdict.as_ref().is_some_and(|verdict| verdict.summary.trim() == explanation);
        if said { "" } else { explanation }
    }
}

/// A change, for people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PatchView {
    /// The changed files.
    pub files: Vec<ChangedFile>,
    /// The unified diff; empty where it is not wanted.
    pub diff: String,
}

/// How much of a file changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangedFile {
    /// Where.
    pub path: RepoPath,
    /// What the file is for (`production`, `test`, `docs`), for people.
    pub role: String,
    /// Lines added; `None` for binary files.
    pub added: Option<usize>,
    /// Lines removed; `None` for binary files.
    pub removed: Option<usize>,
}

/// A file's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceView {
    /// Where.
    pub path: RepoPath,
    /// Its text, or that of its test items.
    pub text: String,
}

/// A repository on a forge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repository {
    server: String,
    name: String,
}

impl Repository {
    /// `server` is the forge's address (`https://github.com`), `name` is `owner/repo`. `None` where
    /// one of them is not of that form, since links are made from them.
    pub fn new(server: &str, name: &str) -> Option<Self> {
        let server = server.trim_end_matches('/');
        let host = server.strip_prefix("https://").or_else(|| server.strip_prefix("http://"))?;
        let plain = |text: &str, more: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        let (owner, repo) = name.split_once('/')?;
        let good = plain(host, ".-:") && plain(owner, "-_.") && plain(repo, "-_.");
        good.then(|| Self { server: server.to_owned(), name: name.to_owned() })
    }

    /// `owner/repo`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The repository's address.
    pub fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// The address of lines of a file at a commit.
    pub fn lines_url(&self, commit: impl fmt::Display, place: &Location) -> String {
        let lines = match (place.line, place.end_line) {
            (None, _) => String::new(),
            (Some(line), Some(end)) if end > line => format!("#L{line}-L{end}"),
            (Some(line), _) => format!("#L{line}"),
        };
        format!("{}/blob/{commit}/{}{lines}", self.url(), percent_encode(place.path.as_str()))
    }
}

/// The path as part of an address.
pub(crate) fn percent_encode(path: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A place in a file of the base.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// The file.
    pub path: RepoPath,
    /// The first line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u32>,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        match (self.line, self.end_line) {
            (Some(line), Some(end)) if end > line => write!(f, ":{line}-{end}"),
            (Some(line), _) => write!(f, ":{line}"),
            _ => Ok(()),
        }
    }
}

/// What agents did about an issue.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// The number, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The title.
    pub title: String,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// Why it ended so; for `needs-info` the question.
    pub explanation: String,
    /// True when the agents' replies come from a recording.
    pub replayed: bool,
    /// The analyst's account of the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_cause: Option<String>,
    /// Where the cause lies, on the base.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// The attempts that were refused, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused_attempts: Vec<Attempt>,
    /// What the reviewer says; it can lower a verdict, never raise it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// The agents, as `role: name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
    /// What the agents used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// An attempt of an agent that a gate refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Whose (`analyst`, `fixer`).
    pub role: String,
    /// Counted from 1 for each role.
    pub number: u32,
    /// The gate that refused it, where one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<Check>,
    /// Why.
    pub reason: String,
}

/// A remark of the reviewer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    /// Where, in the changed tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Location>,
    /// The remark.
    pub text: String,
}

/// What agents used.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Money, where the price is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Tokens read by the models.
    pub input_tokens: u64,
    /// Tokens written by the models.
    pub output_tokens: u64,
    /// Requests to model providers.
    pub requests: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_by_their_names() {
        for format in Format::value_variants() {
            assert_eq!(format.to_string().parse(), Ok(*format));
        }
        assert_eq!("pdf".parse::<Format>(), Err(UnknownFormat("pdf".to_owned())));
    }

    #[test]
    fn links_are_made_only_from_a_plain_server_and_name() {
        let repository = Repository::new("https://github.example:8443/", "acme/shop").unwrap();
        let place =
            Location { path: RepoPath::new("src/a b#.py").unwrap(), line: Some(3), end_line: Some(5) };
        assert_eq!(
            repository.lines_url("abc", &place),
            "https://github.example:8443/acme/shop/blob/abc/src/a%20b%23.py#L3-L5"
        );
        for (server, name) in [
            ("javascript:alert(1)", "a/b"),
            ("https://x.example/path", "a/b"),
            ("https://x.example", "a/b/c"),
            ("https://x.example", "a)/b"),
            ("https://x.example", "a"),
            ("https://", "a/b"),
        ] {
            assert_eq!(Repository::new(server, name), None, "{server} {name}");
        }
    }

    #[test]
    fn every_format_of_every_verdict_names_the_base() {
        for (name, report) in fixture::all().into_iter().filter(|(_, report)| report.verdict.is_some()) {
            for format in Format::value_variants() {
                let text = render(*format, &report, Style::default());
                assert!(text.contains("1a2b3c4d5e"), "{name} as {format}: {text}");
            }
        }
    }
}
