//! Why a build failed, from the compiler's messages.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::super::{Cause, Failure, Phase};
use super::build::{Program, Stop};
use super::targets::Places;
use super::{inline, panics, role};
use crate::git::RepoPath;
use crate::lang::Role;

/// A message of the compiler (`--message-format=json`).
#[derive(Deserialize)]
pub(super) struct Message {
    message: String,
    level: String,
    code: Option<Code>,
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Message>,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    is_primary: bool,
    #[serde(default)]
    text: Vec<SpanLine>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Span,
}

#[derive(Deserialize)]
struct SpanLine {
    text: String,
    highlight_start: usize,
    highlight_end: usize,
}

impl Message {
    /// True for errors, without the closing "aborting due to …".
    pub(super) fn is_error(&self) -> bool {
        self.level.starts_with("error") && !self.message.starts_with("aborting due to")
    }

    fn code(&self) -> &str {
        self.code.as_ref().map_or("", |code| code.code.as_str())
    }

    /// Where it happened: the primary span, or the call of the macro that holds it.
    fn place(&self, places: &Places<'_>) -> Option<(RepoPath, u32)> {
        let primary = self.spans.iter().find(|span| span.is_primary)?;
        let mut span = primary;
        loop {
            if let Some(file) = places.in_tree(&span.file_name) {
                return Some((file, span.line_start));
            }
            span = &span.expansion.as_ref()?.span;
        }
    }

    fn highlighted(&self) -> Option<String> {
        let line = self.spans.iter().find(|span| span.is_primary)?.text.first()?;
        let count = line.highlight_end.saturating_sub(line.highlight_start);
        Some(line.text.chars().skip(line.highlight_start.saturating_sub(1)).take(count).collect())
    }

    /// What "… defined here" notes point at.
    fn defined_here(&self) -> Option<String> {
        self.children.iter().find(|note| note.message.ends_with("defined here"))?.highlighted()
    }
}

/// What one error means for the test in which it stands.
enum Meaning {
    /// A name or a signature that the test expects is not there.
    Missing(String),
    /// Follows from another error.
    Consequence,
    /// The test's own mistake.
    Mistake,
    /// The toolchain or the machine.
    Machine,
}

static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"`([^`]+)`").expect("a valid pattern"));

impl Meaning {
    fn of(message: &Message) -> Self {
        let text = message.message.as_str();
        let quoted: Vec<&str> =
            QUOTED.captures_iter(text).filter_map(|found| found.get(1)).map(|name| name.as_str()).collect();
        let first = || Self::Missing(quoted.first().map_or_else(|| text.to_owned(), |name| last_part(name)));
        let of_type = |joint: &str| match quoted.as_slice() {
            [name, owner, ..] => Self::Missing(format!("{}{joint}{}", last_part(owner), last_part(name))),
            _ => first(),
        };
        let highlighted = || {
            let name = message.highlighted().map(|text| last_part(&text)).filter(|text| !text.is_empty());
            Self::Missing(name.unwrap_or_else(|| text.to_owned()))
        };
        match message.code() {
            // Names.
            "E0425" | "E0432" | "E0433" | "E0412" | "E0405" | "E0404" | "E0422" | "E0423" | "E0531"
            | "E0532" | "E0574" | "E0576" | "E0220" | "E0603" | "E0616" | "E0624" | "E0583" | "E0463" => {
                first()
            }
            "E0407" | "E0437" | "E0438" => first(),
            "E0599" if text.starts_with("no method") || text.starts_with("the method") => of_type("."),
            "E0599" => of_type("::"),
            "E0609" | "E0610" => of_type("."),
            // `struct `Cart` has no field named `x``: the owner comes first.
            "E0560" | "E0026" | "E0559" | "E0027" | "E0769" => match quoted.as_slice() {
                [owner, name, ..] => Self::Missing(format!("{}.{}", last_part(owner), last_part(name))),
                _ => first(),
            },
            "E0063" => match quoted.as_slice() {
                [names @ .., owner] if !names.is_empty() => {
                    Self::Missing(format!("{}.{}", last_part(owner), last_part(names[0])))
                }
                _ => first(),
            },
            // Numbers of arguments, also of types and pattern fields.
            "E0061" | "E0057" | "E0107" | "E0023" | "E0050" | "E0053" | "E0186" | "E0195" | "E0046" => {
                match message.defined_here() {
                    Some(name) => Self::Missing(last_part(&name)),
                    None if quoted.is_empty() => highlighted(),
                    None => first(),
                }
            }
            // Traits that a type of the project does not implement yet.
            "E0277" => match quoted.as_slice() {
                [owner, name, ..]
                    if text.contains("doesn't implement") || text.contains("is not satisfied") =>
                {
                    Self::Missing(format!("{owner}: {name}"))
                }
                [one] if text.contains("is not satisfied") => Self::Missing((*one).to_owned()),
                _ => Self::Missing(text.to_owned()),
            },
            "E0369" => Self::Missing(text.to_owned()),
            // Types differ: an argument of a call tells of another signature.
            "E0308" => match message.defined_here() {
                Some(name) => Self::Missing(last_part(&name)),
                None => Self::Missing(text.to_owned()),
            },
            "E0282" | "E0283" | "E0284" => Self::Consequence,
            "E0554" | "E0514" | "E0460" => Self::Machine,
            "" if text.starts_with("cannot find ") => first(),
            "" if text.starts_with("linking with") || text.contains("No space left on device") => {
                Self::Machine
            }
            _ => Self::Mistake,
        }
    }
}

/// The last segment of a path, without generics and references.
fn last_part(name: &str) -> String {
    let name = name.trim().trim_start_matches('&').trim_start_matches("mut ");
    let plain = name.split(['<', '(']).next().filter(|part| !part.is_empty()).unwrap_or(name);
    plain.rsplit("::").next().unwrap_or(plain).trim().trim_end_matches('!').to_owned()
}

/// What was being compiled when an error came.
pub(super) enum Origin {
    /// A target of the tree, where it is one that tests can run from.
    Tree(Option<Program>),
    /// A package outside the tree, by name.
    Dependency(String),
}

/// What the errors stop, one for each file. `source` gives the text of a file as it was compiled.
pub(super) fn stops(
    errors: &[(Message, Origin)],
    places: &Places<'_>,
    source: &dyn Fn(&str) -> Option<String>,
) -> Vec<Stop> {
    type Group<'a> = (Vec<&'a Message>, Vec<Program>);
    let mut groups: BTreeMap<(Side, Option<RepoPath>), Group<'_>> = BTreeMap::new();
    let mut lines: BTreeMap<RepoPath, Vec<Range<u32>>> = BTreeMap::new();
    let mut found = Vec::new();
    for (message, origin) in errors {
        let target = match origin {
            Origin::Tree(target) => target,
            Origin::Dependency(name) => {
                let what = format!("the dependency `{name}` does not compile: {}", message.message);
                let failure = failure(Cause::Infrastructure { what }, &[message]);
                found.push(Stop { file: None, targets: Vec::new(), failure });
                continue;
            }
        };
        let key = match message.place(places) {
            None => (Side::Production, None),
            Some((file, line)) => {
                let tests = lines.entry(file.clone()).or_insert_with(|| {
                    let primary = message.spans.iter().find(|span| span.is_primary);
                    let text = primary.and_then(|span| source(&span.file_name));
                    text.map(|text| inline::test_lines(&text)).unwrap_or_default()
                });
                match role(&file) {
                    Some(Role::Test | Role::TestSupport) => (Side::Test, Some(file)),
                    _ if tests.iter().any(|range| range.contains(&line)) => (Side::Test, Some(file)),
                    _ => (Side::Production, Some(file)),
                }
            }
        };
        let (messages, targets) = groups.entry(key).or_default();
        // Several targets may have compiled the same file.
        if !messages.iter().any(|known| known.rendered == message.rendered) {
            messages.push(message);
        }
        targets.extend(target.iter().cloned());
    }
    for ((side, file), (messages, mut targets)) in groups {
        targets.sort();
        targets.dedup();
        let failure = failure(cause(side, &messages), &messages);
        found.push(Stop { file: file.filter(|_| side == Side::Test), targets, failure });
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Test,
    Production,
}

fn cause(side: Side, messages: &[&Message]) -> Cause {
    let first = messages.first().map(|message| message.message.clone()).unwrap_or_default();
    let meanings: Vec<Meaning> = messages.iter().map(|message| Meaning::of(message)).collect();
    if meanings.iter().any(|meaning| matches!(meaning, Meaning::Machine)) {
        return Cause::Infrastructure { what: first };
    }
    if side == Side::Production {
        return Cause::Raised;
    }
    let mistake = messages.iter().zip(&meanings).find(|(_, meaning)| matches!(meaning, Meaning::Mistake));
    if let Some((message, _)) = mistake {
        return Cause::Broken { what: message.message.clone() };
    }
    let missing = meanings.into_iter().find_map(|meaning| match meaning {
        Meaning::Missing(symbol) => Some(symbol),
        _ => None,
    });
    match missing {
        Some(symbol) => Cause::Unresolved { symbol },
        None => Cause::Broken { what: first },
    }
}

/// Without frames: nothing ran, so no frame can make production code answer for it. Where the errors
/// stand is told by the excerpt.
fn failure(cause: Cause, messages: &[&Message]) -> Failure {
    let code = messages.iter().map(|message| message.code()).find(|code| !code.is_empty());
    let rendered: Vec<&str> = messages.iter().filter_map(|message| message.rendered.as_deref()).collect();
    let words: Vec<&str> = messages.iter().map(|message| message.message.as_str()).collect();
    Failure {
        phase: Phase::Load,
        cause,
        exception: code.map_or_else(|| "error".to_owned(), |code| format!("error[{code}]")),
        message: words.join("\n"),
        frames: Vec::new(),
        excerpt: panics::clip(rendered.join("\n").trim(), 6000),
    }
}

/// Phrases of cargo for what a network, a registry or a toolchain did not give.
const MACHINE: [&str; 21] = [
    "failed to download",
    "no matching package",
    "failed to get `",
    "failed to load source",
    "failed to fetch",
    "failed to query replaced source",
    "Unable to update",
    "attempting to make an HTTP request",
    "--offline was specified",
    "offline",
    "Could not resolve host",
    "could not resolve host",
    "network failure",
    "spurious network error",
    "No space left on device",
    "is not installed",
    "linker `",
    "failed to open:",
    "Read-only file system",
    "Permission denied",
    "failed to start ",
];

/// What it means when cargo ended without a compiler message.
pub(super) fn cause_of_cargo(stderr: &str) -> Cause {
    let said = error_of_cargo(stderr);
    if MACHINE.iter().any(|phrase| said.contains(phrase)) {
        return Cause::Infrastructure { what: first_line(&said).to_owned() };
    }
    if said.contains("failed to run custom build command") {
        return Cause::Raised;
    }
    Cause::Broken { what: first_line(&said).to_owned() }
}

/// Cargo's own error with what it gives as its cause, without the word `error`.
pub(super) fn error_of_cargo(stderr: &str) -> String {
    let start =
        if stderr.starts_with("error: ") { Some(0) } else { stderr.find("\nerror: ").map(|at| at + 1) };
    let said = start.map_or(stderr, |start| &stderr[start + "error: ".len()..]);
    panics::clip(said.trim(), 2000)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
