//! What a failed test printed: panics, stack traces, errors that a test returned.

use std::sync::LazyLock;

use regex::Regex;

use super::super::{Cause, Failure, Frame, Phase, Place};
use super::targets::Places;
use crate::git::RepoPath;

static PANIC: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)^thread '(?<thread>[^'\n]*)' (?:\(\d+\) )?panicked at (?<where>[^\n]*)$")
        .expect("a valid pattern")
});
static LOCATION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(?<file>.+):(?<line>\d+):\d+:?$").expect("a valid pattern"));
/// Before Rust 1.73: `panicked at 'message', src/lib.rs:3:5`.
static OLD_PANIC: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^'(?<message>.*)', (?<file>\S+):(?<line>\d+):\d+$").expect("a valid pattern")
});
static FRAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^ *\d+: (?<function>.+)$").expect("a valid pattern"));
static FRAME_PLACE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^ +at (?<file>.+?):(?<line>\d+)(?::\d+)?$").expect("a valid pattern"));

/// Crates whose panics are failed assertions.
const ASSERTING: [&str; 22] = [
    "assert_cmd",
    "assert_fs",
    "assertables",
    "claims",
    "claim",
    "expect-test",
    "goldenfile",
    "googletest",
    "insta",
    "k9",
    "more-asserts",
    "predicates",
    "predicates-core",
    "pretty_assertions",
    "proptest",
    "quickcheck",
    "similar-asserts",
    "snapbox",
    "speculoos",
    "test-case",
    "trybuild",
    "trycmd",
];

/// Why a test failed, from what it printed.
pub(super) fn failure(name: &str, printed: &str, file: Option<&RepoPath>, places: &Places<'_>) -> Failure {
    let panics = panics(printed, places);
    let excerpt = clip(printed.trim(), 6000);
    if let Some(note) = should_panic_note(printed) {
        let frames = match LOCATION.captures(note.rsplit(" at ").next().unwrap_or_default()) {
            Some(found) if note.contains("did not panic") => {
                vec![frame(places, &found["file"], &found["line"], Some(name))]
            }
            _ => panics.last().map(|panic| panic.frames.clone()).unwrap_or_default(),
        };
        return Failure {
            phase: Phase::Call,
            cause: Cause::Assertion,
            exception: "panic".to_owned(),
            message: note,
            frames,
            excerpt,
        };
    }
    if let Some(panic) = decisive(&panics, name) {
        return Failure {
            phase: Phase::Call,
            cause: if panic.is_assertion() { Cause::Assertion } else { Cause::Raised },
            exception: "panic".to_owned(),
            message: panic.message.clone(),
            frames: panic.frames.clone(),
            excerpt,
        };
    }
    let returned = returned_error(printed);
    Failure {
        phase: Phase::Call,
        cause: Cause::Raised,
        exception: if returned.is_some() { "Error" } else { "failure" }.to_owned(),
        message: returned.unwrap_or_else(|| clip(printed.trim(), 400)),
        frames: own_frame(name, file),
        excerpt,
    }
}

/// A frame for a test that failed without a stack: its own file.
pub(super) fn own_frame(name: &str, file: Option<&RepoPath>) -> Vec<Frame> {
    file.map(|file| Frame { place: Place::Tree(file.clone()), line: 0, function: Some(name.to_owned()) })
        .into_iter()
        .collect()
}

/// The beginning and the end of a text of more than `limit` bytes.
pub(super) fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let boundary = |at: usize| (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    let (head, tail) = (boundary(limit * 2 / 3), boundary(text.len() - limit / 3));
    format!("{}\n… {} bytes left out …\n{}", &text[..head], tail - head, &text[tail..])
}

struct Panic {
    thread: String,
    message: String,
    /// Outermost first; the last one panicked.
    frames: Vec<Frame>,
}

impl Panic {
    fn is_assertion(&self) -> bool {
        let first = self.message.lines().next().unwrap_or_default();
        if first.starts_with("assertion failed")
            || (first.starts_with("assertion `") && first.contains("` failed"))
            || first.starts_with("snapshot assertion for")
        {
            return true;
        }
        matches!(self.frames.last(), Some(Frame { place: Place::Outside(file), .. })
            if from_asserting_crate(file))
    }

    /// A panic that only says that another thread panicked.
    fn is_echo(&self) -> bool {
        (self.message.starts_with("called `Result::unwrap()` on an `Err` value: Any")
            || self.message.ends_with(": Any { .. }"))
            || self.message.contains("JoinError::Panic(")
            || self.message == "a scoped thread panicked"
    }
}

/// True for sources like `…/registry/src/…/assert_cmd-2.0.17/src/assert.rs`.
fn from_asserting_crate(file: &str) -> bool {
    file.split('/').any(|part| {
        part.rsplit_once('-').is_some_and(|(name, version)| {
            version.starts_with(|first: char| first.is_ascii_digit()) && ASSERTING.contains(&name)
        })
    })
}

/// The panic that ended the test: the last one of its own thread. Where that one only passes on
/// another thread's panic, the other one.
fn decisive<'a>(panics: &'a [Panic], test: &str) -> Option<&'a Panic> {
    let own = panics.iter().rposition(|panic| panic.thread == test);
    let last = own.or_else(|| panics.iter().rposition(|panic| panic.thread == "main"));
    let last = last.or(panics.len().checked_sub(1))?;
    if panics[last].is_echo()
        && let Some(origin) = panics[..last].iter().rev().find(|panic| panic.thread != panics[last].thread)
    {
        return Some(origin);
    }
    Some(&panics[last])
}

fn panics(printed: &str, places: &Places<'_>) -> Vec<Panic> {
    let heads: Vec<_> = PANIC.captures_iter(printed).collect();
    let mut found = Vec::new();
    for (index, head) in heads.iter().enumerate() {
        let whole = head.get(0).expect("the whole match");
        let end =
            heads.get(index + 1).map_or(printed.len(), |next| next.get(0).expect("the whole match").start());
        let body = printed[whole.end()..end].trim_start_matches('\n');
        let at = &head["where"];
        let (first_line, file, line) = if let Some(old) = OLD_PANIC.captures(at) {
            (old["message"].to_owned(), old["file"].to_owned(), old["line"].to_owned())
        } else if let Some(new) = LOCATION.captures(at) {
            (String::new(), new["file"].to_owned(), new["line"].to_owned())
        } else {
            continue;
        };
        let stop = [
            "\nstack backtrace:",
            "\nnote: run with `RUST_BACKTRACE",
            "\nnote: Some details are omitted",
            "\nnote: panic did not contain",
            "\nnote: test did not panic",
            "\nnote: panic did not",
        ];
        let padded = format!("\n{body}");
        let until = stop.iter().filter_map(|mark| padded.find(mark)).min().unwrap_or(padded.len());
        let message = format!("{first_line}{}", &padded[..until]).trim().to_owned();
        let mut frames = trace(&padded[until..], places);
        let origin = frame(places, &file, &line, None);
        // The trace goes on into the panic's own machinery: it ends where the panic says it was.
        match frames
            .iter()
            .rposition(|frame| frame.line == origin.line && same_file(&frame.place, &origin.place))
        {
            Some(last) => frames.truncate(last + 1),
            None => {
                let last = frames.iter().rposition(|frame| matches!(frame.place, Place::Tree(_)));
                frames.truncate(last.map_or(0, |last| last + 1));
                frames.push(origin);
            }
        }
        found.push(Panic { thread: head["thread"].to_owned(), message, frames });
    }
    found
}

fn same_file(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Tree(one), Place::Tree(other)) => one == other,
        (Place::Outside(one), Place::Outside(other)) => one.ends_with(other.as_str()) || one == other,
        _ => false,
    }
}

/// The frames of a stack trace, outermost first.
fn trace(text: &str, places: &Places<'_>) -> Vec<Frame> {
    let Some(start) = text.find("stack backtrace:\n") else { return Vec::new() };
    let mut frames = Vec::new();
    let mut function: Option<String> = None;
    for line in text[start..].lines().skip(1) {
        if let Some(found) = FRAME_PLACE.captures(line) {
            frames.push(frame(places, &found["file"], &found["line"], function.as_deref()));
        } else if let Some(found) = FRAME.captures(line) {
            function = Some(without_hash(&found["function"]).to_owned());
        } else {
            break;
        }
    }
    frames.reverse();
    frames
}

fn without_hash(function: &str) -> &str {
    match function.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => name,
        _ => function,
    }
}

fn frame(places: &Places<'_>, file: &str, line: &str, function: Option<&str>) -> Frame {
    Frame { place: places.of(file), line: line.parse().unwrap_or(0), function: function.map(str::to_owned) }
}

fn should_panic_note(printed: &str) -> Option<String> {
    let start = printed
        .rfind("note: panic did not contain expected string")
        .or_else(|| printed.rfind("note: test did not panic as expected"))?;
    // The note is libtest's last word; what a test prints itself comes before.
    let note = printed[start..].trim_start_matches("note: ").trim();
    (note.lines().count() <= 4).then(|| note.to_owned())
}

fn returned_error(printed: &str) -> Option<String> {
    let start =
        if printed.starts_with("Error: ") { Some(0) } else { printed.rfind("\nError: ").map(|at| at + 1) };
    Some(clip(printed[start? + "Error: ".len()..].trim(), 2000))
}
