//! Events of GitHub Actions, as far as failfirst reads them.
//!
//! Own minimal types: a new action or field of GitHub's must not break anything, so what is unknown
//! is ignored and what is absent is `None`.

use serde::Deserialize;
use serde_json::Value;

/// An account.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub struct Account {
    /// The name.
    #[serde(default)]
    pub login: String,
    /// `User`, `Bot`, `Organization`, …
    #[serde(default, rename = "type")]
    pub kind: String,
}

impl Account {
    /// True for anything but a person.
    pub fn is_bot(&self) -> bool {
        self.kind == "Bot" || self.login.ends_with("[bot]")
    }
}

/// An issue or a pull request, as far as the event tells.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct Issue {
    /// Its number.
    #[serde(default)]
    pub number: u64,
    /// The title at the time of the event.
    #[serde(default)]
    pub title: String,
    /// The text at the time of the event.
    #[serde(default)]
    pub body: Option<String>,
    /// `open`, `closed`.
    #[serde(default)]
    pub state: Option<String>,
    /// When it was last touched, which for an event about it is the time of the event.
    #[serde(default)]
    pub updated_at: Option<jiff::Timestamp>,
    /// Present on an issue that is a pull request.
    #[serde(default)]
    pub pull_request: Option<Value>,
}

/// One side of a pull request.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct Side {
    /// The commit.
    #[serde(default)]
    pub sha: String,
    /// The branch.
    #[serde(default, rename = "ref")]
    pub name: String,
    /// The repository; absent when it was deleted.
    #[serde(default)]
    pub repo: Option<Named>,
}

/// A pull request.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct Pull {
    /// Its number.
    #[serde(default)]
    pub number: u64,
    /// What it changes.
    #[serde(default)]
    pub head: Side,
    /// What it is to be merged into.
    #[serde(default)]
    pub base: Side,
}

/// Something with a name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
pub struct Named {
    /// `owner/repo`, of a repository.
    #[serde(default)]
    pub full_name: String,
    /// The short name.
    #[serde(default)]
    pub name: String,
}

/// A comment.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct Comment {
    /// Its text.
    #[serde(default)]
    pub body: Option<String>,
    /// When it was written.
    #[serde(default)]
    pub created_at: Option<jiff::Timestamp>,
    /// Who wrote it.
    #[serde(default)]
    pub user: Option<Account>,
}

/// What a payload holds that matters here.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
pub struct Payload {
    /// What happened.
    #[serde(default)]
    pub action: Option<String>,
    /// Who did it.
    #[serde(default)]
    pub sender: Option<Account>,
    /// Where.
    #[serde(default)]
    pub repository: Option<Named>,
    /// The issue.
    #[serde(default)]
    pub issue: Option<Issue>,
    /// The pull request.
    #[serde(default)]
    pub pull_request: Option<Pull>,
    /// The comment.
    #[serde(default)]
    pub comment: Option<Comment>,
    /// The label that was added or removed.
    #[serde(default)]
    pub label: Option<Named>,
    /// What a dispatch was given.
    #[serde(default)]
    pub inputs: Option<Value>,
}

/// Why a payload cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// The file cannot be read.
    #[error("event file {path}: {what}; GITHUB_EVENT_PATH must name the payload of the event")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The payload has not the form of an event.
    #[error("the payload of the event `{name}` is not what GitHub documents ({what})")]
    Form {
        /// The event.
        name: String,
        /// What is wrong.
        what: String,
    },
}

/// An event.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Its name (`issue_comment`).
    pub name: String,
    /// Its payload.
    pub payload: Payload,
}

/// No payload is larger, in bytes.
const MAX_PAYLOAD: u64 = 25 << 20;

impl Event {
    /// Reads a payload.
    ///
    /// # Errors
    /// [`EventError::Form`].
    pub fn parse(name: &str, text: &[u8]) -> Result<Self, EventError> {
        let form =
            |error: serde_json::Error| EventError::Form { name: name.to_owned(), what: error.to_string() };
        let value: Value = serde_json::from_slice(text).map_err(form)?;
        // Events that failfirst does not know may hold other things under the same names.
        if !matches!(
            name,
            "issues"
                | "issue_comment"
                | "pull_request"
                | "workflow_dispatch"
                | "schedule"
                | "repository_dispatch"
        ) {
            let sender = serde_json::from_value(value["sender"].clone()).ok();
            return Ok(Self { name: name.to_owned(), payload: Payload { sender, ..Payload::default() } });
        }
        let payload = serde_json::from_value(value).map_err(form)?;
        Ok(Self { name: name.to_owned(), payload })
    }

    /// Reads the event of the running job, from `GITHUB_EVENT_NAME` and `GITHUB_EVENT_PATH`.
    ///
    /// # Errors
    /// [`EventError`].
    pub fn from_environment() -> Result<Self, EventError> {
        let name = std::env::var("GITHUB_EVENT_NAME").unwrap_or_default();
        let path = std::env::var("GITHUB_EVENT_PATH").unwrap_or_default();
        let file = |what: String| EventError::File { path: path.clone(), what };
        if name.is_empty() || path.is_empty() {
            return Err(file("GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not set".to_owned()));
        }
        let length = std::fs::metadata(&path).map_err(|error| file(error.to_string()))?.len();
        if length > MAX_PAYLOAD {
            return Err(file(format!("it has {length} bytes, more than any event")));
        }
        let text = std::fs::read(&path).map_err(|error| file(error.to_string()))?;
        Self::parse(&name, &text)
    }
}
