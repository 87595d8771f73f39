//! How a test binary died: the panic or fatal error and its goroutines.

use std::sync::LazyLock;

use regex::Regex;

use super::failure::clip;
use super::id::function;
use super::places::Places;
use crate::lang::{Cause, Failure, Frame, Phase};

/// The end of a test binary.
#[derive(Debug)]
pub(super) struct Crash {
    /// `panic`, `fatal error`, `timeout`.
    exception: &'static str,
    message: String,
    cause: Cause,
    goroutines: Vec<Goroutine>,
    /// The tests that ran when the time was over, where the toolchain lists them.
    pub(super) running: Vec<String>,
    excerpt: String,
}

/// The stack of one goroutine, outermost first.
#[derive(Debug, Default)]
struct Goroutine {
    frames: Vec<Frame>,
}

impl Crash {
    /// Finds the crash in the last lines that a test binary printed; `None` where it died silently
    /// (`os.Exit`, a signal).
    pub(super) fn parse(lines: &[&str], places: &Places<'_>) -> Option<Self> {
        let header = header(lines)?;
        let first = (0..=header).rev().take_while(|&at| headline(lines[at]).is_some()).last()?;
        let (kind, text) = headline(lines[first])?;
        let text =
            text.trim_end_matches(" [recovered, repanicked]").trim_end_matches(" [recovered]").to_owned();
        let body = &lines[header + 1..];
        let start = body.iter().position(|line| is_goroutine(line)).unwrap_or(body.len());
        // A message of several lines goes on until the blank line before the first goroutine.
        let mut message = text;
        let mut running = Vec::new();
        for line in body[..start].iter().take_while(|line| !line.is_empty()) {
            if line.starts_with("[signal ") || line.trim() == "running tests:" {
                continue;
            }
            match line.strip_prefix("\t\t").and_then(|line| line.rsplit_once(" (")) {
                Some((name, _)) if message.starts_with("test timed out") => running.push(name.to_owned()),
                _ => {
                    message.push('\n');
                    message.push_str(line);
                }
            }
        }
        let timed_out = kind == "panic" && message.starts_with("test timed out after ");
        Some(Self {
            exception: if timed_out { "timeout" } else { kind },
            message,
            cause: if timed_out { Cause::TimedOut } else { Cause::Raised },
            goroutines: goroutines(&body[start..], places),
            running,
            excerpt: clip(&lines[first..].join("\n")),
        })
    }

    /// True when the time was over.
    pub(super) fn timed_out(&self) -> bool {
        self.cause == Cause::TimedOut
    }

    /// True when the stack that died goes through the function of `test`.
    pub(super) fn goes_through(&self, test: &str) -> bool {
        self.goroutines.first().is_some_and(|goroutine| goroutine.goes_through(test))
    }

    /// The failure of a test that was running.
    pub(super) fn failure(&self, test: &str) -> Failure {
        let in_tree = |goroutine: &&Goroutine| {
            goroutine.frames.iter().any(|frame| matches!(frame.place, crate::lang::Place::Tree(_)))
        };
        let mut all = self.goroutines.iter();
        let chosen = if self.timed_out() {
            // A test that waits for its subtest stands in `(*T).Run`; the innermost one does not.
            let waits = |goroutine: &Goroutine| {
                goroutine.frames.last().and_then(|frame| frame.function.as_deref())
                    == Some("testing.(*T).Run")
            };
            let own = all.clone().find(|one| one.goes_through(test) && !waits(one));
            own.or_else(|| all.find(in_tree))
        } else {
            let first = all.clone().next().filter(in_tree);
            first.or_else(|| all.find(in_tree)).or(self.goroutines.first())
        };
        Failure {
            phase: Phase::Call,
            cause: self.cause.clone(),
            exception: self.exception.to_owned(),
            message: self.message.clone(),
            frames: chosen.map(|goroutine| goroutine.frames.clone()).unwrap_or_default(),
            excerpt: self.excerpt.clone(),
        }
    }
}

impl Goroutine {
    fn goes_through(&self, test: &str) -> bool {
        let test = function(test);
        self.frames
            .iter()
            .filter_map(|frame| frame.function.as_deref())
            .any(|name| name.rsplit('/').next().is_some_and(|name| name.split('.').any(|part| part == test)))
    }
}

/// True for a line that may be the headline of a crash; what a test printed without an end of line
/// can stand before it.
pub(super) fn may_crash(line: &str) -> bool {
    headline(line).is_some()
}

fn headline(line: &str) -> Option<(&'static str, &str)> {
    for (mark, kind) in [("panic: ", "panic"), ("fatal error: ", "fatal error")] {
        if let Some((_, text)) = line.split_once(mark) {
            return Some((kind, text));
        }
    }
    None
}

/// The last headline that a goroutine follows soon. Text that a test prints can look like one, but
/// nothing is printed after a real crash.
fn header(lines: &[&str]) -> Option<usize> {
    const SOON: usize = 60;
    (0..lines.len()).rev().find(|&at| {
        headline(lines[at]).is_some()
            && lines[at + 1..].iter().take(SOON).any(|line| is_goroutine(line) || *line == "runtime stack:")
    })
}

fn is_goroutine(line: &str) -> bool {
    line.starts_with("goroutine ") && line.ends_with("]:")
}

fn goroutines(lines: &[&str], places: &Places<'_>) -> Vec<Goroutine> {
    let mut found = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    for line in lines {
        if is_goroutine(line) {
            found.push(goroutine(&block, places));
            block.clear();
        } else {
            block.push(line);
        }
    }
    found.push(goroutine(&block, places));
    found.retain(|goroutine| !goroutine.frames.is_empty());
    found
}

/// The pairs of a function and its place. What lies above the last `panic(` is the machinery of
/// panicking and recovering; the original panic was raised below it.
fn goroutine(lines: &[&str], places: &Places<'_>) -> Goroutine {
    static PLACE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\s+(\S.*?):(\d+)(?: \+0x[0-9a-f]+)?(?: .*)?$").expect("a fixed pattern")
    });
    let mut frames = Vec::new();
    for pair in lines.windows(2) {
        let function = pair[0];
        let Some(place) = PLACE.captures(pair[1]) else { continue };
        if function.starts_with([' ', '\t']) || function.is_empty() {
            continue;
        }
        let name = bare(function);
        if name == "panic" {
            frames.clear();
            continue;
        }
        frames.push(Frame {
            place: places.of(&place[1]),
            line: place[2].parse().unwrap_or(0),
            function: Some(name.to_owned()),
        });
    }
    frames.reverse();
    Goroutine { frames }
}

/// The function's name without its arguments (`example.com/m.(*Cart).Total`).
fn bare(line: &str) -> &str {
    let line = line.trim().trim_start_matches("created by ");
    let line = line.split(" in goroutine ").next().unwrap_or(line);
    // The arguments are the last parenthesis; those of a method's receiver come before.
    if line.ends_with(')') { line.rfind('(').map_or(line, |at| &line[..at]) } else { line }
}

/// The frames of the first stack of a race report.
pub(super) fn race_frames(lines: &[&str], places: &Places<'_>) -> Vec<Frame> {
    let Some(start) = lines.iter().position(|line| line.contains("WARNING: DATA RACE")) else {
        return Vec::new();
    };
    let stack: Vec<&str> = lines[start + 1..]
        .iter()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| line.trim_end())
        .collect();
    let stack: Vec<&str> = stack.iter().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    goroutine(&stack, places).frames
}
