//! Issues in files: Markdown with front matter, or JSON as GitHub's REST API gives it.

use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Comment, IssueError, Raw, Reference};

/// A report larger than this is no report.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Labels, comments and authors come as plain values or as GitHub's objects.
#[derive(Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Label { name: String },
    User { login: String },
}

impl Name {
    fn text(self) -> String {
        match self {
            Self::Text(text) | Self::Label { name: text } | Self::User { login: text } => text,
        }
    }
}

/// The fields of both forms. Others are ignored: exported issues carry dozens.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    number: Option<u64>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default, alias = "user")]
    author: Option<Name>,
    #[serde(default)]
    labels: Vec<Name>,
    #[serde(default)]
    comments: Comments,
}

/// GitHub's own `comments` is a count; files hold the comments themselves.
#[derive(Deserialize)]
#[serde(untagged)]
enum Comments {
    List(Vec<CommentFields>),
    Count(u64),
}

impl Default for Comments {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Deserialize)]
struct CommentFields {
    #[serde(default, alias = "user")]
    author: Option<Name>,
    #[serde(default)]
    created_at: Option<String>,
    body: String,
}

pub(super) fn read(path: &Path) -> Result<Raw, IssueError> {
    let io = |source| IssueError::Io { path: path.to_owned(), source };
    let form = |what: String| IssueError::Form { path: path.to_owned(), what };
    if std::fs::metadata(path).map_err(io)?.len() > MAX_BYTES {
        return Err(form("is larger than 4 MiB; keep the report and drop its attachments".to_owned()));
    }
    let bytes = std::fs::read(path).map_err(io)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| form("is not UTF-8; convert it, for example with `iconv -t utf-8`".to_owned()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let is_json = path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("json"));
    if is_json { json(text, name) } else { markdown(text, name) }.map_err(form)
}

fn json(text: &str, name: String) -> Result<Raw, String> {
    let fields: Fields = serde_json::from_str(text).map_err(|error| {
        format!("is no issue in JSON ({error}); GitHub's REST form is expected: title, body, labels, user, comments")
    })?;
    let title = fields.title.clone().ok_or("has no `title`")?;
    assemble(fields, title, None, name)
}

fn markdown(text: &str, name: String) -> Result<Raw, String> {
    let normal = text.replace("\r\n", "\n");
    let Some(rest) = normal.strip_prefix("---\n") else {
        let (title, body) = heading(&normal).ok_or(
            "has no title; start it with front matter (`---`, `title: …`, `---`) or with a heading (`# …`)",
        )?;
        return assemble(Fields::empty(), title, Some(body), name);
    };
    let (front, body) = match rest.split_once("\n---\n") {
        Some((front, body)) => (front, body),
        None => {
            let front = rest.strip_suffix("\n---").ok_or("its front matter is not closed with `---`")?;
            (front, "")
        }
    };
    let fields: Fields = serde_saphyr::from_str(front).map_err(|error| {
        let line = error.to_string().lines().next().unwrap_or_default().to_owned();
        format!(
            "its front matter is not understood ({line}); it holds `title`, `number`, `author`, `labels` (a list) and `comments` (a list of `author`, `created_at`, `body`)"
        )
    })?;
    match fields.title.clone() {
        Some(title) => assemble(fields, title, Some(body.to_owned()), name),
        None => {
            let (title, body) =
                heading(body).ok_or("has no title; add `title: …` to its front matter".to_owned())?;
            assemble(fields, title, Some(body), name)
        }
    }
}

fn heading(text: &str) -> Option<(String, String)> {
    let (first, rest) = text.trim_start().split_once('\n').unwrap_or((text.trim_start(), ""));
    let title = first.strip_prefix("# ")?.trim();
    (!title.is_empty()).then(|| (title.to_owned(), rest.to_owned()))
}

impl Fields {
    fn empty() -> Self {
        Self {
            title: None,
            number: None,
            body: None,
            author: None,
            labels: Vec::new(),
            comments: Comments::default(),
        }
    }
}

fn assemble(fields: Fields, title: String, body: Option<String>, name: String) -> Result<Raw, String> {
    if title.trim().is_empty() {
        return Err("has an empty title".to_owned());
    }
    let mut left_out = Vec::new();
    let comments = match fields.comments {
        Comments::List(list) => list,
        Comments::Count(0) => Vec::new(),
        Comments::Count(count) => {
            left_out.push(format!("{count} comments, which the file counts but does not hold"));
            Vec::new()
        }
    };
    let comments = comments
        .into_iter()
        .map(|comment| {
            let created_at = comment
                .created_at
                .map(|text| {
                    text.parse::<Timestamp>().map_err(|_| {
                        format!("has a comment with `created_at: {text}`; write it as 2026-01-31T12:00:00Z")
                    })
                })
                .transpose()?;
            Ok(Comment { author: comment.author.map(Name::text), created_at, body: comment.body })
        })
        .collect::<Result<Vec<_>, String>>()?;
    Ok(Raw {
        reference: Reference::File { name, number: fields.number },
        title,
        body: body.or(fields.body).unwrap_or_default(),
        author: fields.author.map(Name::text),
        labels: fields.labels.into_iter().map(Name::text).collect(),
        comments,
        left_out,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &[u8]) -> Result<Raw, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn markdown_with_front_matter_is_an_issue() {
        let raw = file(
            "bug.md",
            b"---\ntitle: \"Totals: wrong for 0 items\"\nnumber: 12\nauthor: ada\nstate: open\nlabels: [bug, cart]\ncomments:\n  - author: bob\n    created_at: 2026-01-02T03:04:05Z\n    body: |\n      Also with\n      two items.\n  - body: seen\n---\nIt is *wrong*.\n---\nnot front matter\n",
        )
        .unwrap();
        assert_eq!(raw.title, "Totals: wrong for 0 items");
        assert_eq!(raw.reference.to_string(), "#12 (bug.md)");
        assert_eq!(raw.author.as_deref(), Some("ada"));
        assert_eq!(raw.labels, ["bug", "cart"]);
        assert_eq!(raw.comments[0].body, "Also with\ntwo items.\n");
        assert_eq!(raw.comments[0].created_at.unwrap().to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(raw.comments[1].author, None);
        assert_eq!(raw.body, "It is *wrong*.\n---\nnot front matter\n");
    }

    #[test]
    fn markdown_without_front_matter_takes_its_heading_as_title() {
        let raw = file("bug.md", b"\xef\xbb\xbf# Crash on start\r\n\r\nIt crashes.\r\n").unwrap();
        assert_eq!((raw.title.as_str(), raw.body.trim()), ("Crash on start", "It crashes."));
        assert!(
            file("bug.md", b"no heading").unwrap_err().contains("has no title; start it with front matter")
        );
    }

    #[test]
    fn the_json_of_the_rest_api_is_an_issue() {
        let raw = file(
            "issue.json",
            br#"{"number":3,"title":"t","body":null,"user":{"login":"ada","id":1},"labels":[{"id":1,"name":"bug"},"ux"],
                "comments":[{"user":{"login":"bob"},"created_at":"2026-01-02T03:04:05Z","body":"c"}],"state":"open"}"#,
        )
        .unwrap();
        assert_eq!((raw.author.as_deref(), raw.body.as_str()), (Some("ada"), ""));
        assert_eq!(raw.labels, ["bug", "ux"]);
        assert_eq!(raw.comments[0].author.as_deref(), Some("bob"));
        let counted = file("issue.json", br#"{"title":"t","comments":4}"#).unwrap();
        assert_eq!(counted.left_out, ["4 comments, which the file counts but does not hold"]);
    }

    #[test]
    fn a_file_of_another_form_says_what_is_expected() {
        assert!(file("a.json", b"nonsense").unwrap_err().contains("GitHub's REST form is expected"));
        assert!(file("a.json", b"{}").unwrap_err().contains("has no `title`"));
        assert!(file("a.md", b"---\ntitle: x\n").unwrap_err().contains("not closed"));
        assert!(file("a.md", b"---\ntitle: [x\n---\n").unwrap_err().contains("not understood"));
        assert!(file("a.md", b"caf\xe9").unwrap_err().contains("not UTF-8"));
        assert!(
            file("a.md", b"---\ntitle: x\ncomments: [{body: a, created_at: soon}]\n---\n")
                .unwrap_err()
                .contains("2026-01-31")
        );
    }
}
