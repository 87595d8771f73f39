//! Why a test failed, from what it printed.

use std::sync::LazyLock;

use regex::Regex;

use super::crash::race_frames;
use super::places::Places;
use crate::lang::{Cause, Failure, Frame, Phase, Place};

/// A line that a test printed.
#[derive(Clone, Debug)]
pub(super) struct Printed {
    /// Without its end of line.
    pub(super) text: String,
    /// What it is, where the toolchain tells.
    pub(super) kind: Kind,
}

/// What a printed line is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Anything.
    Plain,
    /// The first line of what `t.Error` or its kin printed.
    Error,
    /// A further line of it.
    Continued,
}

/// What the testing package wrote about one call of `t.Error`, `t.Fatal` or `t.Log`.
struct Entry {
    file: String,
    line: u32,
    text: Vec<String>,
    kind: Kind,
}

/// The failure that a test's own output shows; `None` where it shows none (`t.FailNow`, a failed
/// subtest). `typed` says that the toolchain tells errors from logs.
pub(super) fn own(
    printed: &[Printed],
    typed: bool,
    folder: &str,
    declared: Option<&(crate::git::RepoPath, u32)>,
    places: &Places<'_>,
) -> Option<Failure> {
    let lines: Vec<&str> = printed.iter().map(|line| line.text.as_str()).collect();
    let excerpt = clip(&lines.join("\n"));
    let failure = |cause, exception: &str, message: String, frames| {
        Some(Failure {
            phase: Phase::Call,
            cause,
            exception: exception.to_owned(),
            message,
            frames,
            excerpt: excerpt.clone(),
        })
    };
    let entries = entries(printed);
    let is_error = |entry: &&Entry| {
        if typed {
            return entry.kind == Kind::Error;
        }
        !matches!(places.of_name(&entry.file, folder), Place::Tree(path) if places.index.is_log(&path, entry.line))
    };
    let errors: Vec<&Entry> = entries.iter().filter(is_error).collect();
    let races = |entry: &&&Entry| entry.text[0] == "race detected during execution of test";
    if let Some(race) = errors.iter().find(races).filter(|_| errors.iter().all(|entry| races(&entry))) {
        return failure(Cause::Raised, "data race", race.text[0].clone(), race_frames(&lines, places));
    }
    if let Some(first) = errors.first() {
        let message = errors.iter().map(|entry| message(entry)).collect::<Vec<_>>().join("\n");
        return failure(Cause::Assertion, "assertion", message, frames(first, folder, places));
    }
    // An example prints what it got and what it wanted, without a place.
    let got = lines.iter().position(|line| *line == "got:")?;
    let want = lines[got..].iter().any(|line| line.starts_with("want:"));
    if !want {
        return None;
    }
    let frames = declared.map(|(path, line)| frame(Place::Tree(path.clone()), *line)).into_iter().collect();
    failure(Cause::Assertion, "assertion", lines[got..].join("\n"), frames)
}

/// The failure of a test of which only the fact is known.
pub(super) fn silent(printed: &[Printed]) -> Failure {
    let lines: Vec<&str> = printed.iter().map(|line| line.text.as_str()).collect();
    Failure {
        phase: Phase::Call,
        cause: Cause::Assertion,
        exception: "assertion".to_owned(),
        message: "failed without a message".to_owned(),
        frames: Vec::new(),
        excerpt: clip(&lines.join("\n")),
    }
}

/// The failure of a test during which the process ended.
pub(super) fn exited(printed: &[Printed]) -> Failure {
    let last =
        printed.iter().rev().find(|line| !line.text.trim().is_empty() && !line.text.starts_with("=== "));
    let said = last.map(|line| format!(": {}", line.text.trim())).unwrap_or_default();
    Failure {
        cause: Cause::Raised,
        exception: "exit".to_owned(),
        message: format!("the process exited while the test ran{said}"),
        ..silent(printed)
    }
}

/// The failure of a test that ran when the lab's time was over.
pub(super) fn timed_out(printed: &[Printed]) -> Failure {
    Failure {
        cause: Cause::TimedOut,
        exception: "timeout".to_owned(),
        message: "the test ran until the time limit of the run".to_owned(),
        ..silent(printed)
    }
}

/// Shortens a text for people, keeping both ends.
pub(super) fn clip(text: &str) -> String {
    const HEAD: usize = 4_000;
    const TAIL: usize = 2_000;
    if text.len() <= HEAD + TAIL {
        return text.to_owned();
    }
    let head = (0..=HEAD).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let tail = (text.len() - TAIL..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
    format!("{}\n…\n{}", &text[..head], &text[tail..])
}

/// The entries of a test's log. On older toolchains what the test itself printed without an end of
/// line can stand before one.
fn entries(printed: &[Printed]) -> Vec<Entry> {
    static START: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(.*?)    ([^\s:]+\.go):(\d+): ?(.*)$").expect("a fixed pattern"));
    let mut entries: Vec<Entry> = Vec::new();
    let mut open = false;
    for line in printed {
        if let Some(rest) = line.text.strip_prefix("        ").filter(|_| open) {
            if let Some(entry) = entries.last_mut() {
                entry.text.push(rest.to_owned());
            }
            continue;
        }
        open = false;
        let Some(parts) = START.captures(&line.text) else { continue };
        open = true;
        entries.push(Entry {
            file: parts[2].to_owned(),
            line: parts[3].parse().unwrap_or(0),
            text: vec![parts[4].to_owned()],
            kind: line.kind,
        });
    }
    entries
}

/// The text of an entry; of testify's block only the error itself.
fn message(entry: &Entry) -> String {
    let label = |line: &str| {
        ["Error Trace:", "Error:", "Test:", "Messages:"]
            .into_iter()
            .find(|label| line.trim().starts_with(label))
    };
    if !entry.text.iter().any(|line| label(line) == Some("Error Trace:")) {
        return entry.text.join("\n").trim().to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut keeps = false;
    for line in &entry.text {
        let text = line.trim();
        match label(text) {
            Some(label) => {
                keeps = matches!(label, "Error:" | "Messages:");
                if keeps {
                    kept.push(text[label.len()..].trim());
                }
            }
            None if keeps => kept.push(text),
            None => {}
        }
    }
    kept.join("\n").trim().to_owned()
}

/// Where an entry was written; testify tells the callers as well, innermost first.
fn frames(entry: &Entry, folder: &str, places: &Places<'_>) -> Vec<Frame> {
    static TRACE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^(?:Error Trace:)?\s*(\S+\.go):(\d+)$").expect("a fixed pattern"));
    let mut trace: Vec<Frame> = entry
        .text
        .iter()
        .map_while(|line| match line.trim() {
            "" => Some(None),
            line => Some(Some(TRACE.captures(line)?)),
        })
        .flatten()
        .map(|parts| frame(places.of(&parts[1]), parts[2].parse().unwrap_or(0)))
        .collect();
    trace.reverse();
    if trace.is_empty() {
        trace.push(frame(places.of_name(&entry.file, folder), entry.line));
    }
    trace
}

fn frame(place: Place, line: u32) -> Frame {
    Frame { place, line, function: None }
}
