//! One conversation with a GitHub server, that obeys its limits.
//!
//! Reads are repeated when the server fails in passing. Writes are never repeated blindly: after a
//! time-out nobody knows whether they happened, so [`ClientError::Unknown`] sends the caller back to
//! look. A limited request did not happen; it waits as the server says and is sent again.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, IF_NONE_MATCH, USER_AGENT};
use http::{Method, Uri};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::client::proxy::matcher::Matcher;
use octocrab::Octocrab;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::transport;

/// How often a read is tried in all.
const TRIES: u32 = 3;
/// No answer that failfirst asks for is larger, in bytes.
const MAX_ANSWER: usize = 32 << 20;

/// A server's addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Server {
    /// The REST API (`https://api.github.com`, `https://HOST/api/v3`).
    pub api: String,
    /// The GraphQL API (`https://api.github.com/graphql`, `https://HOST/api/graphql`).
    pub graphql: String,
    /// The web pages (`https://github.com`).
    pub web: String,
}

impl Server {
    /// From `GITHUB_API_URL`, `GITHUB_GRAPHQL_URL` and `GITHUB_SERVER_URL`, which a runner sets; what is
    /// absent follows from the API's address.
    pub fn from_environment() -> Self {
        Self::choose(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn choose(variable: impl Fn(&str) -> Option<String>) -> Self {
        let trimmed = |name: &str| variable(name).map(|text| text.trim_end_matches('/').to_owned());
        let api = trimmed("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
        let graphql = trimmed("GITHUB_GRAPHQL_URL").unwrap_or_else(|| match api.strip_suffix("/v3") {
            Some(start) => format!("{start}/graphql"),
            None => format!("{api}/graphql"),
        });
        let web = trimmed("GITHUB_SERVER_URL").unwrap_or_else(|| match api.strip_suffix("/api/v3") {
            Some(start) => start.to_owned(),
            None => "https://github.com".to_owned(),
        });
        Self { api, graphql, web }
    }
}

/// How long to wait, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two writes; GitHub asks for a second at least.
    pub write: Duration,
    /// The least wait after a secondary limit that names no time.
    pub secondary: Duration,
    /// The longest wait for a limit, all waits together. After that the request fails.
    pub patience: Duration,
    /// Before a read that failed in passing is repeated.
    pub retry: Duration,
    /// How long one request may take.
    pub timeout: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            write: Duration::from_secs(1),
            secondary: Duration::from_secs(60),
            patience: Duration::from_secs(15 * 60),
            retry: Duration::from_secs(2),
            timeout: Duration::from_secs(30),
        }
    }
}

/// Why a request came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The server refused it.
    #[error("{method} {route}: {status} {message}{hint}")]
    Refused {
        /// The method.
        method: String,
        /// The path.
        route: String,
        /// The status code.
        status: u16,
        /// What the server said.
        message: String,
        /// The way out, in brackets, or nothing.
        hint: String,
    },
    /// A write whose answer did not arrive: it may have happened or not.
    #[error("{method} {route}: {what}; it may have happened all the same")]
    Unknown {
        /// The method.
        method: String,
        /// The path.
        route: String,
        /// What was seen.
        what: String,
    },
    /// The server cannot be reached, or keeps failing.
    #[error("{method} {route}: {what}; is {server} reachable from here?")]
    Unreachable {
        /// The method.
        method: String,
        /// The path.
        route: String,
        /// What was seen.
        what: String,
        /// The server.
        server: String,
    },
    /// A limit is used up for longer than failfirst waits.
    #[error("{route}: the rate limit is used up ({message}); run again later")]
    Limited {
        /// The path.
        route: String,
        /// What the server said.
        message: String,
    },
    /// The answer is not what GitHub documents.
    #[error("{route}: the answer is not what GitHub documents ({what})")]
    Answer {
        /// The path.
        route: String,
        /// What is wrong.
        what: String,
    },
    /// The client cannot be set up.
    #[error("{0}")]
    Setup(String),
}

impl ClientError {
    /// The status code, where the server refused.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What the server said, in lower case.
    pub fn said(&self) -> String {
        match self {
            Self::Refused { message, .. } => message.to_ascii_lowercase(),
            _ => String::new(),
        }
    }
}

/// How many requests were made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// All requests.
    pub requests: u32,
    /// Those that write.
    pub writes: u32,
}

struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

/// A client of one server, with one token.
pub struct Client {
    octocrab: Octocrab,
    runtime: tokio::runtime::Runtime,
    server: Server,
    token: Option<String>,
    pace: Pace,
    count: Cell<Count>,
    last_write: Cell<Option<Instant>>,
    waited: Cell<Duration>,
    /// Answers by path, with their ETag: an unchanged one costs nothing of the rate limit.
    seen: RefCell<HashMap<String, (String, Value)>>,
}

impl Client {
    /// A client for a server.
    ///
    /// # Errors
    /// [`ClientError::Setup`].
    pub fn new(server: Server, token: Option<String>, pace: Pace) -> Result<Self, ClientError> {
        let address: Uri = server.api.parse().map_err(|_| {
            ClientError::Setup(format!("`{}` is no address; correct GITHUB_API_URL", server.api))
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| ClientError::Setup(format!("no runtime could be started: {error}")))?;
        let octocrab = {
            let _inside = runtime.enter();
            transport::open(&address, &Matcher::from_env()).map_err(ClientError::Setup)?
        };
        Ok(Self {
            octocrab,
            runtime,
            server,
            token,
            pace,
            count: Cell::default(),
            last_write: Cell::default(),
            waited: Cell::default(),
            seen: RefCell::default(),
        })
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The token, for whoever must keep it out of texts.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// How many requests were made so far.
    pub fn count(&self) -> Count {
        self.count.get()
    }

    /// Waits between two looks at the server.
    pub fn pause(&self) {
        std::thread::sleep(self.pace.retry);
    }

    /// Reads; `None` where there is nothing (404).
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn find<T: DeserializeOwned>(&self, route: &str) -> Result<Option<T>, ClientError> {
        match self.get(route) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn get<T: DeserializeOwned>(&self, route: &str) -> Result<T, ClientError> {
        let value = self.read(&Method::GET, route, None)?;
        serde_json::from_value(value)
            .map_err(|error| ClientError::Answer { route: route.to_owned(), what: error.to_string() })
    }

    /// Reads all pages of a list, up to `most` entries. The second value says whether there are more.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn list<T: DeserializeOwned>(&self, route: &str, most: usize) -> Result<(Vec<T>, bool), ClientError> {
        const PAGE: usize = 100;
        let mut all = Vec::new();
        let joint = if route.contains('?') { '&' } else { '?' };
        for page in 1.. {
            // Pages are asked for by number: absolute next-page links do not survive every proxy.
            let found: Vec<T> = self.get(&format!("{route}{joint}per_page={PAGE}&page={page}"))?;
            let whole = found.len() == PAGE;
            all.extend(found);
            if all.len() > most {
                all.truncate(most);
                return Ok((all, true));
            }
            if !whole {
                break;
            }
        }
        Ok((all, false))
    }

    /// Asks the GraphQL API for data. Partial data is an error: what is missing would be taken for absent.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn query<T: DeserializeOwned>(&self, query: &str, variables: Value) -> Result<T, ClientError> {
        let body = json!({ "query": query, "variables": variables });
        let value = self.read(&Method::POST, "/graphql", Some(&body))?;
        graphql_data(value)
    }

    /// Changes something through the GraphQL API.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn mutate<T: DeserializeOwned>(&self, query: &str, variables: Value) -> Result<T, ClientError> {
        let body = json!({ "query": query, "variables": variables });
        graphql_data(self.write(&Method::POST, "/graphql", &body)?)
    }

    /// Writes, once.
    ///
    /// # Errors
    /// [`ClientError`]; after [`ClientError::Unknown`] look before trying again.
    pub fn write(&self, method: &Method, route: &str, body: &Value) -> Result<Value, ClientError> {
        loop {
            if let Some(last) = self.last_write.get() {
                std::thread::sleep(self.pace.write.saturating_sub(last.elapsed()));
            }
            let sent = self.send(method, route, Some(body), None);
            self.last_write.set(Some(Instant::now()));
            let mut count = self.count.get();
            count.writes += 1;
            self.count.set(count);
            let unknown = |what: String| ClientError::Unknown {
                method: method.to_string(),
                route: route.to_owned(),
                what,
            };
            let raw = sent.map_err(unknown)?;
            match raw.status {
                200..=299 => {
                    // What was read before may not hold any more.
                    self.seen.borrow_mut().clear();
                    return Ok(raw.body);
                }
                500..=599 => return Err(unknown(format!("{} {}", raw.status, message(&raw)))),
                _ => self.wait_or_refuse(method, route, &raw)?,
            }
        }
    }

    fn read(&self, method: &Method, route: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        let mut tried = 0;
        loop {
            tried += 1;
            let known = (method == Method::GET).then(|| self.seen.borrow().get(route).cloned()).flatten();
            let etag = known.as_ref().map(|(etag, _)| etag.as_str());
            let what = match self.send(method, route, body, etag) {
                Ok(raw) => match (raw.status, known) {
                    (304, Some((_, value))) => return Ok(value),
                    (200..=299, _) => {
                        if let (Some(etag), true) = (raw.headers.get(ETAG), method == Method::GET)
                            && let Ok(etag) = etag.to_str()
                        {
                            let entry = (etag.to_owned(), raw.body.clone());
                            self.seen.borrow_mut().insert(route.to_owned(), entry);
                        }
                        return Ok(raw.body);
                    }
                    (500..=599, _) => format!("{} {}", raw.status, message(&raw)),
                    _ => {
                        self.wait_or_refuse(method, route, &raw)?;
                        continue;
                    }
                },
                Err(what) => what,
            };
            if tried == TRIES {
                return Err(ClientError::Unreachable {
                    method: method.to_string(),
                    route: route.to_owned(),
                    what,
                    server: self.server.api.clone(),
                });
            }
            std::thread::sleep(self.pace.retry * tried);
        }
    }

    /// Waits where a limit was hit, which may be 403 or 429 and may or may not name a time; any other
    /// answer is an error.
    fn wait_or_refuse(&self, method: &Method, route: &str, raw: &Raw) -> Result<(), ClientError> {
        let said = message(raw);
        let lower = said.to_ascii_lowercase();
        let header = |name: &str| raw.headers.get(name).and_then(|value| value.to_str().ok());
        let number = |name: &str| header(name).and_then(|text| text.trim().parse::<u64>().ok());
        let after = number("retry-after");
        let used_up = header("x-ratelimit-remaining") == Some("0");
        let limited = matches!(raw.status, 403 | 429)
            && (after.is_some()
                || used_up
                || raw.status == 429
                || lower.contains("rate limit")
                || lower.contains("abuse detection"));
        if !limited {
            return Err(self.refused(method, route, raw, said));
        }
        let wait = if let Some(seconds) = after {
            Duration::from_secs(seconds)
        } else if used_up && let Some(reset) = number("x-ratelimit-reset") {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Duration::from_secs(reset + 1).saturating_sub(now)
        } else {
            // Doubles with what was waited already.
            self.pace.secondary.max(self.waited.get())
        };
        let total = self.waited.get() + wait;
        if total > self.pace.patience {
            return Err(ClientError::Limited { route: route.to_owned(), message: said });
        }
        self.waited.set(total);
        tracing::warn!("{route}: {said}; waiting {} s", wait.as_secs());
        std::thread::sleep(wait);
        Ok(())
    }

    fn refused(&self, method: &Method, route: &str, raw: &Raw, message: String) -> ClientError {
        let needs = raw.headers.get("x-accepted-github-permissions").and_then(|value| value.to_str().ok());
        let hint = match (raw.status, needs) {
            (401, _) => " (the token is not accepted; check GITHUB_TOKEN or GH_TOKEN)".to_owned(),
            (403 | 404, Some(needs)) => format!(" (the token needs the permission `{needs}`)"),
            (301 | 307 | 308, _) => " (the repository was renamed; use its new name)".to_owned(),
            _ => String::new(),
        };
        let (method, route) = (method.to_string(), route.to_owned());
        ClientError::Refused { method, route, status: raw.status, message, hint }
    }

    fn send(
        &self,
        method: &Method,
        route: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> Result<Raw, String> {
        let mut count = self.count.get();
        count.requests += 1;
        self.count.set(count);
        let address = if route == "/graphql" {
            self.server.graphql.clone()
        } else {
            format!("{}{route}", self.server.api)
        };
        let mut request = http::Request::builder()
            .method(method)
            .uri(address)
            .header(USER_AGENT, concat!("failfirst/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", "2022-11-28");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(etag) = etag {
            request = request.header(IF_NONE_MATCH, etag);
        }
        let text = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                body.to_string()
            }
            None => String::new(),
        };
        let request = request.body(text).map_err(|error| error.to_string())?;
        let exchange = async {
            let response = self.octocrab.execute(request).await.map_err(|error| describe(&error))?;
            let (parts, body) = response.into_parts();
            let bytes = Limited::new(body, MAX_ANSWER)
                .collect()
                .await
                .map_err(|error| format!("the answer broke off ({error})"))?
                .to_bytes();
            let body = match serde_json::from_slice(&bytes) {
                Ok(value) => value,
                Err(_) if bytes.is_empty() || !parts.status.is_success() => Value::Null,
                Err(error) => return Err(format!("the answer is no JSON ({error})")),
            };
            Ok(Raw { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        self.runtime.block_on(async {
            tokio::time::timeout(self.pace.timeout, exchange)
                .await
                .unwrap_or_else(|_| Err(format!("no answer within {} s", self.pace.timeout.as_secs())))
        })
    }
}

fn message(raw: &Raw) -> String {
    let main = raw.body["message"].as_str().unwrap_or_default();
    let more: Vec<&str> = raw.body["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|error| error.as_str().or_else(|| error["message"].as_str()))
        .collect();
    let text = if more.is_empty() { main.to_owned() } else { format!("{main}: {}", more.join("; ")) };
    crate::report::visible::visible_line(&text).chars().take(500).collect()
}

fn graphql_data<T: DeserializeOwned>(mut value: Value) -> Result<T, ClientError> {
    let route = || "/graphql".to_owned();
    if let Some(errors) = value["errors"].as_array()
        && !errors.is_empty()
    {
        let said: Vec<_> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        let kind = errors[0]["type"].as_str().unwrap_or_default();
        if kind == "RATE_LIMITED" {
            return Err(ClientError::Limited { route: route(), message: said.join("; ") });
        }
        return Err(ClientError::Refused {
            method: "POST".to_owned(),
            route: route(),
            status: match kind {
                "FORBIDDEN" | "INSUFFICIENT_SCOPES" => 403,
                "NOT_FOUND" => 404,
                "STALE_DATA" => 409,
                _ => 422,
            },
            message: said.join("; ").chars().take(500).collect(),
            hint: String::new(),
        });
    }
    serde_json::from_value(value["data"].take())
        .map_err(|error| ClientError::Answer { route: route(), what: error.to_string() })
}

fn describe(error: &octocrab::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    // Backtraces and the like stand below the first line.
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(pairs: &[(&str, &str)]) -> Server {
        Server::choose(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_enterprise_server_has_its_own_graphql_and_web_addresses() {
        let own = server(&[("GITHUB_API_URL", "https://ghe.example/api/v3/")]);
        assert_eq!(own.api, "https://ghe.example/api/v3");
        assert_eq!(own.graphql, "https://ghe.example/api/graphql");
        assert_eq!(own.web, "https://ghe.example");
        let public = server(&[]);
        assert_eq!(public.graphql, "https://api.github.com/graphql");
        assert_eq!(public.web, "https://github.com");
    }

    #[test]
    fn partial_graphql_data_is_an_error() {
        let value = json!({ "data": { "a": 1 }, "errors": [{ "type": "FORBIDDEN", "message": "no" }] });
        let error = graphql_data::<Value>(value).unwrap_err();
        assert_eq!(error.status(), Some(403));
    }
}
