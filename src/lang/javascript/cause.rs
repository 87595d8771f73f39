//! What went wrong, judged by the words of Node and of the runners.

use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::super::{Cause, Failure, Frame, Phase, Place};
use super::roles;
use super::stack::{Ground, frames, headline, plain_text};
use crate::git::RepoPath;

/// What was thrown, as the reporters write it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Thrown {
    pub(super) name: String,
    pub(super) message: String,
    pub(super) code: Option<String>,
    pub(super) stack: Option<String>,
    pub(super) assertion: bool,
    /// The runner's own word for the kind of failure (`testTimeoutFailure`).
    pub(super) kind: Option<String>,
    /// The runner's own message around it (`failed running before hook`).
    pub(super) wrapper: Option<String>,
    frames: Vec<Place0>,
    pub(super) cause: Option<Box<Thrown>>,
}

/// A frame that a runner has parsed and mapped to the source itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Place0 {
    file: Option<String>,
    line: u32,
    function: Option<String>,
}

const EXCERPT: usize = 4_000;

/// A failure in the form of all runners.
pub(super) fn failure(thrown: &Thrown, phase: Phase, ground: &Ground) -> Failure {
    let stack = plain_text(thrown.stack.as_deref().unwrap_or_default());
    let message = plain_text(&thrown.message).trim().to_owned();
    let mut frames = if thrown.frames.is_empty() {
        // The message may quote a stack of its own; only what stands behind it counts.
        let trace = stack.find(&message).map_or(stack.as_str(), |at| &stack[at + message.len()..]);
        frames(trace, ground)
    } else {
        mapped(&thrown.frames, ground)
    };
    if !frames.iter().any(|frame| matches!(frame.place, Place::Tree(_))) {
        frames.extend(headline(&stack, ground).or_else(|| headline(&message, ground)));
    }
    let cause = classify(thrown, &message, &frames, phase, ground);
    let exception = if thrown.name.is_empty() { "Error".to_owned() } else { thrown.name.clone() };
    let mut excerpt = if stack.contains(&message) && !stack.is_empty() {
        stack
    } else {
        format!("{exception}: {message}\n{stack}").trim_end().to_owned()
    };
    if let Some(inner) = &thrown.cause {
        excerpt.push_str(&format!("\ncaused by {}: {}", inner.name, plain_text(&inner.message)));
    }
    Failure {
        phase,
        cause,
        exception,
        message: ground.relative(&message),
        frames,
        excerpt: shorten(&excerpt, EXCERPT),
    }
}

/// A failure told only by what a process printed before it died: the last error of the text.
pub(super) fn printed(text: &str, ground: &Ground) -> Option<Failure> {
    static ERROR: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?m)^(?:.*Exception during run: |.*Uncaught |\s*)?\[?((?:[A-Za-z_$][\w$]*\.)*[A-Z][\w$]*(?:Error|Exception)|Error)(?: \[(\w+)\])?: (.*)$",
        )
        .expect("a valid pattern")
    });
    let text = plain_text(text);
    let found = ERROR.captures(&text)?;
    let rest = &text[found.get(0).map_or(0, |all| all.end())..];
    let stop = rest.find("\n    at ").unwrap_or(rest.len());
    let message = format!("{}{}", &found[3], rest[..stop].trim_end());
    let message = message.split("\n\nNode.js v").next().unwrap_or(&message).to_owned();
    let code = found.get(2).map(|code| code.as_str().to_owned()).or_else(|| {
        static CODE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"(?m)^\s+code: '(\w+)'").expect("a valid pattern"));
        CODE.captures(rest).map(|code| code[1].to_owned())
    });
    let thrown = Thrown {
        name: found[1].to_owned(),
        assertion: code.as_deref() == Some("ERR_ASSERTION") || found[1].ends_with("AssertionError"),
        message,
        code,
        stack: Some(text.clone()),
        ..Thrown::default()
    };
    Some(failure(&thrown, Phase::Load, ground))
}

fn mapped(given: &[Place0], ground: &Ground) -> Vec<Frame> {
    let mut frames: Vec<Frame> = given
        .iter()
        .filter_map(|frame| {
            Some(Frame {
                place: ground.place(frame.file.as_deref()?),
                line: frame.line,
                function: frame.function.clone(),
            })
        })
        .collect();
    frames.reverse();
    frames
}

fn classify(thrown: &Thrown, message: &str, frames: &[Frame], phase: Phase, ground: &Ground) -> Cause {
    if timed_out(thrown, message) {
        return Cause::TimedOut;
    }
    if misused(message) {
        return Cause::Broken { what: first_line(message) };
    }
    if thrown.assertion || states_an_expectation(message) {
        return Cause::Assertion;
    }
    if let Some(cause) = missing_module(message, ground) {
        return cause;
    }
    let in_test = frames
        .iter()
        .rev()
        .find_map(|frame| match &frame.place {
            Place::Tree(path) => Some(path),
            Place::Outside(_) => None,
        })
        .is_none_or(roles::is_for_tests);
    if let Some(symbol) = missing_export(message) {
        return Cause::Unresolved { symbol };
    }
    if (in_test || phase == Phase::Load)
        && let Some(symbol) = missing_name(&thrown.name, message)
    {
        return Cause::Unresolved { symbol };
    }
    if phase == Phase::Load && unparsable(&thrown.name, message) {
        return Cause::Broken { what: first_line(&ground.relative(message)) };
    }
    if let Some(what) = unreachable(thrown) {
        return Cause::Infrastructure { what };
    }
    Cause::Raised
}

fn timed_out(thrown: &Thrown, message: &str) -> bool {
    thrown.kind.as_deref() == Some("testTimeoutFailure")
        || thrown.code.as_deref() == Some("ERR_MOCHA_TIMEOUT")
        || (thrown.kind.as_deref() == Some("cancelledByParent")
            && message.starts_with("Promise resolution is still pending"))
        || message.contains("Exceeded timeout of ") && message.contains(" ms for a ")
        || message.starts_with("Test timed out in ")
        || message.starts_with("Hook timed out in ")
        || message.starts_with("Timeout of ") && message.contains("ms exceeded")
}

/// The test uses its runner in a way that says nothing about the code.
fn misused(message: &str) -> bool {
    message.contains("`.only` forbidden by --forbid-only")
        || message.contains("Unexpected .only modifier")
        || message.contains("STACK_TRACE_ERROR")
}

fn states_an_expectation(message: &str) -> bool {
    message.starts_with("expect.assertions(")
        || message.starts_with("expect.hasAssertions(")
        || message.starts_with("expected number of assertions to be ")
        || message.starts_with("expected any number of assertion")
        || message.starts_with("expect(received)")
        || message.starts_with("Snapshot `") && message.contains("mismatched")
}

fn missing_module(message: &str, ground: &Ground) -> Option<Cause> {
    static MODULE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r#"(?:Cannot find module|Cannot find package|Failed to resolve import|Failed to load url|Could not locate module|Failed to resolve entry for package)\s+['"]?([^'"\s]+)['"]?(?:.*?(?:imported from|from|in)\s+['"]?([^'"\n]+?)['"]?(?:[\s.]|$))?"#,
        )
        .expect("a valid pattern")
    });
    let found = MODULE.captures(message)?;
    let name = found[1].trim_end_matches('.').to_owned();
    let importer = found.get(2).and_then(|file| ground.path(file.as_str()));
    let asker_is_production = importer.as_ref().is_some_and(|path| !roles::is_for_tests(path));
    let own = name.starts_with('.')
        || name.starts_with('/')
        || name.starts_with("file:")
        || name.starts_with("@/")
        || name.starts_with("~/");
    let in_tree =
        name.starts_with('.') || !own || ground.path(&name).is_some() || !name.starts_with(['/', 'f']);
    if !own || !in_tree {
        return Some(Cause::Infrastructure { what: format!("module `{name}` is not installed") });
    }
    if asker_is_production {
        return Some(Cause::Raised);
    }
    let symbol =
        ground.path(&name).filter(|_| !name.starts_with('.')).map_or(name, |path| path.as_str().to_owned());
    Some(Cause::Unresolved { symbol })
}

fn missing_export(message: &str) -> Option<String> {
    static EXPORT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"does not provide an export named ['"]?([\w$]+)|Named export ['"]([\w$]+)['"] not found|No matching export in .* for import ['"]([\w$]+)|\[vitest\] No ["']([\w$]+)["'] export is defined"#)
            .expect("a valid pattern")
    });
    let found = EXPORT.captures(message)?;
    (1..=4).find_map(|group| found.get(group)).map(|name| name.as_str().to_owned())
}

fn missing_name(exception: &str, message: &str) -> Option<String> {
    static CALL: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:\(0\s*,\s*)?([\w$.\[\]#]+)\)?(?:\(\.\.\.\))? is not a (?:function|constructor)")
            .expect("a valid pattern")
    });
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^([\w$]+) is not defined").expect("a valid pattern"));
    let found = match exception {
        "TypeError" => CALL.captures(message)?,
        "ReferenceError" => NAME.captures(message)?,
        _ => return None,
    };
    Some(without_alias(&found[1]))
}

/// Transpilers call `total` through the module's own name: `_cart.total`, `__vi_import_0__.total`.
fn without_alias(name: &str) -> String {
    match name.split_once('.') {
        Some((first, rest)) if first.starts_with('_') => {
            rest.strip_prefix("default.").unwrap_or(rest).to_owned()
        }
        _ => name.to_owned(),
    }
}

fn unparsable(exception: &str, message: &str) -> bool {
    exception == "SyntaxError"
        || message.starts_with("Transform failed with")
        || message.starts_with("Parse failure")
        || message.contains("Failed to parse source")
        || message.contains("Jest encountered an unexpected token")
        || exception == "TSError"
        || message.contains("error TS")
}

/// A network or disk that is not there. Loopback addresses are the test's own doing.
fn unreachable(thrown: &Thrown) -> Option<String> {
    let mut link = Some(thrown);
    while let Some(error) = link {
        let what = format!("{}: {}", error.name, first_line(&plain_text(&error.message)));
        match error.code.as_deref() {
            Some("ENOTFOUND" | "EAI_AGAIN" | "ENOSPC" | "EMFILE" | "ENFILE" | "EDQUOT") => return Some(what),
            Some("ECONNREFUSED" | "ETIMEDOUT" | "ENETUNREACH" | "EHOSTUNREACH" | "ECONNRESET")
                if !is_loopback(&error.message) =>
            {
                return Some(what);
            }
            _ => {}
        }
        link = error.cause.as_deref();
    }
    None
}

fn is_loopback(message: &str) -> bool {
    // Node also names the address at this end, which says nothing about the other.
    let message = message.split(" - Local (").next().unwrap_or(message);
    ["127.0.0.", "::1", "localhost", "0.0.0.0"].iter().any(|name| message.contains(name))
        || !message.contains(|letter: char| letter.is_ascii_digit())
}

fn first_line(text: &str) -> String {
    shorten(text.lines().find(|line| !line.trim().is_empty()).unwrap_or(text).trim(), 200)
}

/// The first `limit` bytes, cut at a character.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    match text.char_indices().find(|(at, letter)| at + letter.len_utf8() > limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The path that a load failure belongs to, as far as its text or frames tell.
pub(super) fn blamed(failure: &Failure, text: &str, files: &[RepoPath]) -> Option<RepoPath> {
    let framed = failure.frames.iter().find_map(|frame| match &frame.place {
        Place::Tree(path) if files.is_empty() || files.contains(path) => Some(path.clone()),
        _ => None,
    });
    framed.or_else(|| files.iter().find(|file| text.contains(file.as_str())).cloned()).or_else(|| match files
    {
        [only] => Some(only.clone()),
        _ => None,
    })
}
