//! Reads what a case starts from, frozen at the time of its trigger.

use std::path::Path;
use std::process::Command;

use jiff::Timestamp;
use serde::Deserialize;

use super::authorise::{Permission, PullFacts, is_login};
use super::client::{Client, ClientError, Pace, Server};
use super::endpoint::Endpoint;
use super::event;
use crate::issue::{self, GitHubIssue, Issue, IssueError, Raw, Reference};

/// The most comments that are read; no agent reads more, and no maintainer either.
const MAX_COMMENTS: usize = 1000;

#[derive(Deserialize)]
struct IssueFields {
    title: String,
    body: Option<String>,
    user: Option<User>,
    #[serde(default)]
    labels: Vec<Label>,
    pull_request: Option<serde::de::IgnoredAny>,
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Object { name: Option<String> },
    Text(String),
}

#[derive(Deserialize)]
struct CommentFields {
    body: Option<String>,
    user: Option<User>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct PermissionFields {
    permission: String,
    role_name: Option<String>,
}

/// The permission of a person on a repository.
///
/// # Errors
/// [`ClientError`].
pub fn permission(client: &Client, repository: &str, login: &str) -> Result<Permission, ClientError> {
    if !is_login(login) {
        return Ok(Permission::None);
    }
    let route = format!("/repos/{repository}/collaborators/{login}/permission");
    let found: Option<PermissionFields> = client.find(&route)?;
    Ok(found.map_or(Permission::None, |found| {
        Permission::of_answer(&found.permission, found.role_name.as_deref().unwrap_or_default())
    }))
}

/// A pull request as it is now.
///
/// # Errors
/// [`ClientError`].
pub fn pull(client: &Client, repository: &str, number: u64) -> Result<(event::Pull, PullFacts), ClientError> {
    let pull: event::Pull = client.get(&format!("/repos/{repository}/pulls/{number}"))?;
    let own = pull.head.repo.as_ref().is_some_and(|repo| repo.full_name.eq_ignore_ascii_case(repository));
    let facts = PullFacts { head: pull.head.sha.clone(), foreign: !own };
    Ok((pull, facts))
}

/// An issue that somebody named, as it is now. A token goes only to the server that it belongs to.
///
/// # Errors
/// [`IssueError::GitHub`], with the way out.
pub fn named(reference: &GitHubIssue, now: Timestamp) -> Result<Issue, IssueError> {
    from(reference, Endpoint::from_environment(reference), Pace::default(), now)
}

fn from(
    reference: &GitHubIssue,
    endpoint: Endpoint,
    pace: Pace,
    now: Timestamp,
) -> Result<Issue, IssueError> {
    let Endpoint { api, token } = endpoint;
    let known = token.is_some();
    let failed = |what: String| IssueError::GitHub { issue: reference.to_string(), api: api.clone(), what };
    let server = Server { graphql: format!("{api}/graphql"), web: String::new(), api: api.clone() };
    Client::new(server, token, Pace { patience: std::time::Duration::ZERO, ..pace })
        .and_then(|client| issue(&client, reference, None, now))
        .map_err(|error| failed(way_out(&error, known)))
}

/// What went wrong with reading an issue, and what to do about it.
fn way_out(error: &ClientError, known: bool) -> String {
    match error {
        ClientError::Limited { message, .. } => {
            let way_out = if known { "wait, then run again" } else { "set GITHUB_TOKEN" };
            format!("the rate limit is used up ({message}); {way_out}")
        }
        ClientError::Refused { status: 401, .. } => {
            "the token is not accepted; check GITHUB_TOKEN or GH_TOKEN".to_owned()
        }
        ClientError::Refused { status: 403, message, .. } => {
            format!("access is denied ({message}); the token needs the permission `issues: read`")
        }
        ClientError::Refused { status: 404, .. } if known => {
            "there is no such issue, or the token may not see it; check the number and the token".to_owned()
        }
        ClientError::Refused { status: 404, .. } => {
            "there is no such issue, or it is private; for a private one set GITHUB_TOKEN".to_owned()
        }
        ClientError::Refused { status: 410, .. } => "the issue was deleted".to_owned(),
        ClientError::Answer { what, .. } => what.clone(),
        other => other.to_string(),
    }
}

/// An issue with its comments as they stood at `at`.
///
/// What the event itself carried wins over what the API gives later; comments written or edited after
/// `at` are left out, and the issue says so.
///
/// # Errors
/// [`ClientError`].
pub fn issue(
    client: &Client,
    reference: &GitHubIssue,
    carried: Option<&event::Issue>,
    at: Timestamp,
) -> Result<Issue, ClientError> {
    let route = format!("/repos/{}/{}/issues/{}", reference.owner, reference.repo, reference.number);
    let fields: IssueFields = client.get(&route)?;
    if fields.pull_request.is_some() {
        return Err(ClientError::Answer {
            route,
            what: "it is a pull request; judge it with `failfirst verify --pr`".to_owned(),
        });
    }
    let (found, more): (Vec<CommentFields>, bool) =
        client.list(&format!("{route}/comments"), MAX_COMMENTS)?;
    let mut left_out = Vec::new();
    if more {
        left_out.push(format!("all comments after the first {MAX_COMMENTS}"));
    }
    let late = |time: Option<Timestamp>| time.is_some_and(|time| time > at);
    let before = found.len();
    let comments: Vec<issue::Comment> = found
        .into_iter()
        .filter(|comment| !late(comment.created_at) && !late(comment.updated_at))
        .map(|comment| issue::Comment {
            author: comment.user.map(|user| user.login),
            created_at: comment.created_at,
            body: comment.body.unwrap_or_default(),
        })
        .collect();
    match before - comments.len() {
        0 => {}
        1 => left_out.push("1 comment that was written or edited after the order".to_owned()),
        n => left_out.push(format!("{n} comments that were written or edited after the order")),
    }
    let (title, body) = match carried {
        Some(carried) if !carried.title.is_empty() => {
            if carried.title != fields.title || carried.body != fields.body {
                left_out.push("an edit of the issue after the order".to_owned());
            }
            (carried.title.clone(), carried.body.clone())
        }
        _ => {
            if late(fields.updated_at) && carried.is_none() {
                tracing::info!("issue {} was touched after {at}", reference.number);
            }
            (fields.title, fields.body)
        }
    };
    let raw = Raw {
        reference: Reference::GitHub(reference.clone()),
        title,
        body: body.unwrap_or_default(),
        author: fields.user.map(|user| user.login),
        labels: fields
            .labels
            .into_iter()
            .filter_map(|label| match label {
                Label::Object { name } => name,
                Label::Text(name) => Some(name),
            })
            .collect(),
        comments,
        left_out,
    };
    Ok(issue::freeze(raw, at))
}

/// Why a pull request's commits cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// git failed.
    #[error("pull request #{number} cannot be fetched from {remote}: {what}")]
    Git {
        /// The pull request.
        number: u64,
        /// The remote.
        remote: String,
        /// What git said.
        what: String,
    },
    /// Something else was pushed in between.
    #[error("pull request #{number} is at {now}, and not at {wanted} any more; judge it again")]
    Moved {
        /// The pull request.
        number: u64,
        /// Its head now.
        now: String,
        /// The head that was asked for.
        wanted: String,
    },
}

/// Fetches the head of a pull request, forks included, from `refs/pull/N/head`, and gives the commit. With
/// `wanted` it must be that one.
///
/// The checkout, its branches and its index stay as they are.
///
/// # Errors
/// [`FetchError`].
pub fn pull_head(
    repository: &Path,
    remote: &str,
    number: u64,
    wanted: Option<&str>,
) -> Result<String, FetchError> {
    let failed = |what: String| FetchError::Git { number, remote: remote.to_owned(), what };
    let name = format!("refs/failfirst/pull/{number}");
    let git = |arguments: &[&str]| -> Result<String, FetchError> {
        let output = Command::new("git")
            .arg("-C")
            .arg(repository)
            // Hooks are the checkout's; nothing of the pull request may start one.
            .args(["-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never"])
            .args(arguments)
            .env("GIT_TERMINAL_PROMPT", "0")
            .output()
            .map_err(|error| failed(format!("git cannot be started: {error}")))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            let said = text(&output.stderr);
            Err(failed(said.lines().last().unwrap_or("git failed").to_owned()))
        }
    };
    let refspec = format!("+refs/pull/{number}/head:{name}");
    let fetched = git(&[
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        "--",
        remote,
        &refspec,
    ]);
    if let Err(error) = fetched {
        // A job without a token cannot fetch from a private repository; an earlier step of it did.
        return match wanted {
            Some(wanted) if wanted.len() == 40 => {
                git(&["rev-parse", "--verify", "--quiet", &format!("{wanted}^{{commit}}")]).map_err(|_| error)
            }
            _ => Err(error),
        };
    }
    let now = git(&["rev-parse", "--verify", &format!("{name}^{{commit}}")])?;
    match wanted {
        Some(wanted) if !now.starts_with(wanted) => {
            Err(FetchError::Moved { number, now, wanted: wanted.to_owned() })
        }
        _ => Ok(now),
    }
}

#[cfg(test)]
mod tests;
