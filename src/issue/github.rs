//! Issues on GitHub, read-only.

use std::time::Duration;

use octocrab::Octocrab;
use octocrab::service::middleware::retry::RetryConfig;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Comment, GitHubIssue, IssueError, Raw, Reference};

const CONNECT: Duration = Duration::from_secs(10);
const READ: Duration = Duration::from_secs(30);
/// A read is safe to repeat; this many times in all.
const TRIES: u32 = 3;
const PAGE: usize = 100;
/// No agent reads more than this, and no maintainer either.
const MAX_PAGES: usize = 10;

/// Where an API answers and who asks.
#[derive(Clone)]
pub struct Endpoint {
    /// The base address (`https://HOST/api/v3` on a GitHub Enterprise Server).
    pub api: String,
    /// The token, if there is one.
    pub token: Option<String>,
    /// How long to wait before a read is repeated.
    pub pause: Duration,
}

impl Endpoint {
    /// The endpoint for an issue, from `GITHUB_API_URL` and the usual token variables.
    ///
    /// A token is only ever sent to the server that it belongs to: an address that names another
    /// host must not be able to collect it.
    pub fn from_environment(issue: &GitHubIssue) -> Self {
        Self::choose(issue, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn choose(issue: &GitHubIssue, variable: impl Fn(&str) -> Option<String>) -> Self {
        const PUBLIC: &str = "https://api.github.com";
        let own = variable("GITHUB_API_URL").unwrap_or_else(|| PUBLIC.to_owned());
        let own = own.trim_end_matches('/').to_owned();
        let own_host = if own == PUBLIC { "github.com".to_owned() } else { host(&own) };
        let any = |names: &[&str]| names.iter().find_map(|name| variable(name));
        let tokens = ["GITHUB_TOKEN", "GH_TOKEN"];
        let (api, token) = match issue.host.as_deref() {
            None => (own, any(&tokens)),
            Some(host) if host == own_host => (own, any(&tokens)),
            Some("github.com" | "www.github.com") => (PUBLIC.to_owned(), variable("GITHUB_COM_TOKEN")),
            Some(host) => {
                let trusted = variable("GH_HOST").is_some_and(|known| known.eq_ignore_ascii_case(host));
                let token =
                    trusted.then(|| any(&["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"])).flatten();
                (format!("https://{host}/api/v3"), token)
            }
        };
        Self { api, token, pause: Duration::from_secs(2) }
    }
}

fn host(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_ascii_lowercase()
}

#[derive(Deserialize)]
struct IssueFields {
    title: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    labels: Vec<Label>,
    #[serde(default)]
    pull_request: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

/// The API gives labels as objects, and as plain names in old issues.
#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Object { name: Option<String> },
    Text(String),
}

#[derive(Deserialize)]
struct CommentFields {
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    created_at: Option<jiff::Timestamp>,
}

pub(super) fn fetch(issue: &GitHubIssue, endpoint: &Endpoint) -> Result<Raw, IssueError> {
    let failed =
        |what: String| IssueError::GitHub { issue: issue.to_string(), api: endpoint.api.clone(), what };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(format!("no runtime could be started: {error}")))?
        .block_on(async { gather(issue, endpoint, &connect(endpoint)?).await })
        .map_err(failed)
}

fn connect(endpoint: &Endpoint) -> Result<Octocrab, String> {
    // octocrab's own retries repeat writes too, and it has no time limits unless they are set.
    let mut builder = Octocrab::builder()
        .base_uri(endpoint.api.as_str())
        .map_err(|_| format!("`{}` is no address; correct GITHUB_API_URL", endpoint.api))?
        .add_retry_config(RetryConfig::None)
        .set_connect_timeout(Some(CONNECT))
        .set_read_timeout(Some(READ));
    if let Some(token) = &endpoint.token {
        builder = builder.personal_token(token.clone());
    }
    builder.build().map_err(|error| describe(&error, endpoint))
}

async fn gather(issue: &GitHubIssue, endpoint: &Endpoint, client: &Octocrab) -> Result<Raw, String> {
    let route = format!("/repos/{}/{}/issues/{}", issue.owner, issue.repo, issue.number);
    let fields: IssueFields = get(client, endpoint, &route).await?;
    if fields.pull_request.is_some() {
        return Err("it is a pull request; judge it with `failfirst verify`".to_owned());
    }
    let mut comments = Vec::new();
    let mut left_out = Vec::new();
    for page in 1..=MAX_PAGES + 1 {
        if page > MAX_PAGES {
            left_out.push(format!("all comments after the first {}", comments.len()));
            break;
        }
        // Pages are asked for by number: absolute next-page links do not survive every proxy.
        let found: Vec<CommentFields> =
            get(client, endpoint, &format!("{route}/comments?per_page={PAGE}&page={page}")).await?;
        let whole = found.len() == PAGE;
        comments.extend(found.into_iter().map(|comment| Comment {
            author: comment.user.map(|user| user.login),
            created_at: comment.created_at,
            body: comment.body.unwrap_or_default(),
        }));
        if !whole {
            break;
        }
    }
    Ok(Raw {
        reference: Reference::GitHub(issue.clone()),
        title: fields.title,
        body: fields.body.unwrap_or_default(),
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
    })
}

async fn get<T: DeserializeOwned>(client: &Octocrab, endpoint: &Endpoint, route: &str) -> Result<T, String> {
    let mut tried = 0;
    loop {
        tried += 1;
        let error = match client.get::<serde_json::Value, _, ()>(route, None).await {
            Ok(value) => {
                return serde_json::from_value(value)
                    .map_err(|error| format!("the answer is not what GitHub documents ({error})"));
            }
            Err(error) => error,
        };
        let passing = match &error {
            octocrab::Error::GitHub { source, .. } => source.status_code.is_server_error(),
            octocrab::Error::Service { .. } | octocrab::Error::Hyper { .. } => true,
            _ => false,
        };
        if !passing || tried == TRIES {
            return Err(describe(&error, endpoint));
        }
        tokio::time::sleep(endpoint.pause * tried).await;
    }
}

fn describe(error: &octocrab::Error, endpoint: &Endpoint) -> String {
    let octocrab::Error::GitHub { source, .. } = error else {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(inner) = cause {
            let more = inner.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = inner.source();
        }
        let first = text.lines().next().unwrap_or_default();
        return format!("{first}; is the server reachable from here?");
    };
    let status = source.status_code.as_u16();
    let limited = source.message.to_ascii_lowercase().contains("rate limit");
    match status {
        403 | 429 if limited => {
            let way_out = if endpoint.token.is_some() { "wait, then run again" } else { "set GITHUB_TOKEN" };
            format!("the rate limit is used up ({}); {way_out}", source.message)
        }
        401 => "the token is not accepted; check GITHUB_TOKEN or GH_TOKEN".to_owned(),
        403 => {
            format!("access is denied ({}); the token needs the permission `issues: read`", source.message)
        }
        404 if endpoint.token.is_some() => {
            "there is no such issue, or the token may not see it; check the number and the token".to_owned()
        }
        404 => "there is no such issue, or it is private; for a private one set GITHUB_TOKEN".to_owned(),
        410 => "the issue was deleted".to_owned(),
        _ => format!("the answer was {status} ({})", source.message),
    }
}

#[cfg(test)]
mod tests;
