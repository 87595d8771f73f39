//! Failure classes: for which reason did a test fail?

use std::sync::LazyLock;

use regex::Regex;

use super::roles::Roles;
use super::verdict::FailureClass;
use crate::git::{RepoPath, Store, TreeId};
use crate::lang::{Case, Cause, Failure, Frame, Phase, Place, Role, Status};

/// What the classes need to know besides the failure.
pub struct Context<'a> {
    /// Which files are production.
    pub roles: &'a Roles,
    /// The lines that the production patch adds, as one text; empty where there is no patch yet.
    pub added: &'a str,
    /// Symbols that the analyst declared as new.
    pub declared: &'a [String],
    /// The variant that ran: frames in the test items of a production file are not production.
    pub variant: Option<(&'a Store, TreeId)>,
}

/// The class of a case that is not green.
pub fn of_case(case: &Case, context: &Context<'_>) -> FailureClass {
    match (&case.status, &case.failure) {
        (Status::Failed, Some(failure)) => of_failure(failure, context),
        // A runner that says "failed" and nothing else has shown no reason.
        (Status::Failed, None) => FailureClass::F,
        _ => FailureClass::E,
    }
}

/// The class of a failure.
pub fn of_failure(failure: &Failure, context: &Context<'_>) -> FailureClass {
    let in_production = innermost(failure).is_some_and(|frame| is_production(frame, context));
    match &failure.cause {
        Cause::Assertion if in_production => FailureClass::A2,
        Cause::Assertion => FailureClass::A1,
        Cause::Raised if in_production => FailureClass::A2,
        // The test's own expression failed on what production gave it. A test that is broken in
        // itself fails on the fixed code too, which the green gate sees.
        Cause::Raised if failure.phase != Phase::Load => FailureClass::A1,
        Cause::Raised => FailureClass::C,
        Cause::Unresolved { symbol } if is_new(symbol, context) => FailureClass::B,
        Cause::Unresolved { .. } if in_production => FailureClass::A2,
        Cause::Unresolved { .. } | Cause::Broken { .. } => FailureClass::C,
        Cause::Infrastructure { .. } | Cause::TimedOut => FailureClass::D,
    }
}

/// True when the test hung and its stack was in production code.
pub fn hangs_in_production(failure: &Failure, context: &Context<'_>) -> Option<String> {
    if failure.cause != Cause::TimedOut {
        return None;
    }
    let frame = failure.frames.iter().rev().find(|frame| is_production(frame, context))?;
    let Place::Tree(path) = &frame.place else { return None };
    Some(match &frame.function {
        Some(function) => format!("`{function}` ({path}:{})", frame.line),
        None => format!("{path}:{}", frame.line),
    })
}

/// The innermost frame inside the repository.
pub fn innermost(failure: &Failure) -> Option<&Frame> {
    failure.frames.iter().rev().find(|frame| matches!(frame.place, Place::Tree(_)))
}

fn is_production(frame: &Frame, context: &Context<'_>) -> bool {
    let Place::Tree(path) = &frame.place else { return false };
    context.roles.of(path) == Role::Production && !in_test_item(path, frame.line, context)
}

/// True when a line of a production file belongs to one of its test items.
fn in_test_item(path: &RepoPath, line: u32, context: &Context<'_>) -> bool {
    let Some((store, tree)) = context.variant else { return false };
    let Ok(Some(bytes)) = store.file(tree, path) else { return false };
    let Ok(source) = String::from_utf8(bytes) else { return false };
    let Some(inline) = context.roles.language().inline_tests(path, &source) else { return false };
    let mut from = 0;
    inline.items.iter().any(|item| {
        let Some(at) = source[from..].find(item.as_str()).map(|at| at + from) else { return false };
        from = at + item.len();
        let first = source[..at].matches('\n').count() + 1;
        let last = first + item.trim_end().matches('\n').count();
        (first..=last).contains(&(line as usize))
    })
}

/// True when the patch (or the analyst's word) brings the symbol into being.
fn is_new(symbol: &str, context: &Context<'_>) -> bool {
    let last = symbol.rsplit(['.', ':']).next().unwrap_or(symbol);
    let bare = last.trim_matches(|c: char| !(c.is_alphanumeric() || c == '_'));
    if bare.is_empty() {
        return false;
    }
    context.declared.iter().any(|name| name == symbol || name == bare) || has_word(context.added, bare)
}

/// True when a text holds a name as a word of its own.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part)
            && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// What must be the same each time a test fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// The class.
    pub class: FailureClass,
    /// The exception's type.
    pub exception: String,
    /// The innermost production frame: file and function.
    pub frame: Option<String>,
}

/// The signature of a case that is not green.
pub fn signature(case: &Case, context: &Context<'_>) -> Signature {
    let failure = case.failure.as_ref();
    let frame = failure.and_then(|failure| {
        let frame = failure.frames.iter().rev().find(|frame| is_production(frame, context))?;
        let Place::Tree(path) = &frame.place else { return None };
        Some(format!("{path} {}", frame.function.as_deref().unwrap_or_default()))
    });
    Signature {
        class: of_case(case, context),
        exception: failure.map(|failure| failure.exception.clone()).unwrap_or_default(),
        frame,
    }
}

/// A message with addresses, temporary names and numbers taken out, shortened for people.
pub fn normalise(message: &str) -> String {
    static VOLATILE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"0x[0-9a-fA-F]+|/tmp/[^\s'\x22)]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d+\.\d+s")
            .expect("a fixed pattern")
    });
    VOLATILE.replace_all(message, "…").into_owned()
}
