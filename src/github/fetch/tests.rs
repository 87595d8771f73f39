use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::*;
use std::time::Duration;

/// A server that answers each request by `route`, and remembers what was asked.
struct Server {
    api: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(route: impl Fn(&str, usize) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}/api/v3", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                reader.read_line(&mut first).unwrap();
                let mut token = String::new();
                loop {
                    let mut header = String::new();
                    reader.read_line(&mut header).unwrap();
                    if let Some(value) = header.to_ascii_lowercase().strip_prefix("authorization:") {
                        token = value.trim().to_owned();
                    }
                    if header.trim().is_empty() {
                        break;
                    }
                }
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                let count = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(format!("{path} {token}").trim().to_owned());
                    seen.len()
                };
                let (status, body) = route(&path, count);
                write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                )
                .unwrap();
            }
        });
        Self { api, asked }
    }

    fn endpoint(&self, token: Option<&str>) -> Endpoint {
        Endpoint { api: self.api.clone(), token: token.map(str::to_owned) }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(endpoint: Endpoint) -> Result<Issue, IssueError> {
    let pace = Pace { retry: Duration::from_millis(1), ..Pace::default() };
    from(&number_seven(), endpoint, pace, Timestamp::now())
}

fn number_seven() -> GitHubIssue {
    GitHubIssue::parse("o/r#7").unwrap()
}

const PLAIN: &str = r#"{"number":7,"title":"t","body":null,"user":null,"labels":[{"name":"bug"},"old"]}"#;

#[test]
fn an_issue_is_read_with_all_pages_of_its_comments() {
    let server = Server::start(|path, _| {
        let body = match path.split_once("page=").map(|(_, page)| page) {
            None => PLAIN.to_owned(),
            Some("100&page=1") => {
                let one = r#"{"user":{"login":"ada"},"created_at":"2026-01-02T03:04:05Z","body":"c"}"#;
                format!("[{}]", vec![one; 100].join(","))
            }
            Some(_) => r#"[{"user":null,"body":"last"}]"#.to_owned(),
        };
        (200, body)
    });
    let raw = read(server.endpoint(Some("tok"))).unwrap();
    assert_eq!(raw.comments.len(), 101);
    assert_eq!(raw.comments[100].body, "last");
    assert_eq!(raw.labels, ["bug", "old"]);
    assert_eq!(
        server.asked(),
        [
            "/api/v3/repos/o/r/issues/7 bearer tok",
            "/api/v3/repos/o/r/issues/7/comments?per_page=100&page=1 bearer tok",
            "/api/v3/repos/o/r/issues/7/comments?per_page=100&page=2 bearer tok",
        ]
    );
}

#[test]
fn a_read_that_fails_in_passing_is_repeated() {
    let server = Server::start(|path, count| match (path.contains("comments"), count) {
        (_, 1 | 2) => (502, "{\"message\":\"bad gateway\"}".to_owned()),
        (false, _) => (200, PLAIN.to_owned()),
        (true, _) => (200, "[]".to_owned()),
    });
    assert_eq!(read(server.endpoint(None)).unwrap().title, "t");
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn every_refusal_names_the_way_out() {
    let cases = [
        (404, "Not Found", 1, "for a private one set GITHUB_TOKEN"),
        (403, "API rate limit exceeded for 1.2.3.4", 1, "set GITHUB_TOKEN"),
        (403, "Resource not accessible", 1, "`issues: read`"),
        (401, "Bad credentials", 1, "check GITHUB_TOKEN"),
        (500, "oops", 3, "500 oops"),
    ];
    for (status, message, requests, expected) in cases {
        let server = Server::start(move |_, _| (status, format!("{{\"message\":\"{message}\"}}")));
        let error = read(server.endpoint(None)).unwrap_err().to_string();
        assert!(error.starts_with("o/r#7 cannot be read from http://127.0.0.1"), "{error}");
        assert!(error.contains(expected), "{error}");
        assert_eq!(server.asked().len(), requests, "{status}");
    }
}

#[test]
fn a_pull_request_is_no_issue() {
    let server = Server::start(|_, _| (200, r#"{"title":"t","pull_request":{"url":"u"}}"#.to_owned()));
    assert!(
        read(server.endpoint(None))
            .unwrap_err()
            .to_string()
            .contains("judge it with `failfirst verify --pr`")
    );
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let endpoint = Endpoint { api: "http://127.0.0.1:1".into(), token: None };
    let error = read(endpoint).unwrap_err().to_string();
    assert!(error.contains("reachable from here?"), "{error}");
}
