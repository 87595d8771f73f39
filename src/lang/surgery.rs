//! Changing what a function does while its text stays.
//!
//! The evidence gates ask what a test notices: they let changed functions raise, return a default or
//! leave a mark that they were reached, and they take the fix out while its text stays in the file. All
//! of that is done by small insertions into source; what each looks like is a matter of the language.

use std::ops::Range;

use super::mutation::Mutation;
use crate::git::RepoPath;

/// A function of a source file. Only outermost ones are listed (methods among them): a function
/// inside another belongs to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Function {
    /// Its name with those of the types and modules around it (`Cart.total`).
    pub name: String,
    /// From its first decorator or attribute to its end, in bytes.
    pub span: Range<usize>,
    /// Its first and last line, counted from 1.
    pub lines: (u32, u32),
    /// Where statements can be put first.
    pub entry: Entry,
    /// The type that it returns, as written; `None` where it returns nothing or no type is written.
    pub returns: Option<String>,
    /// True where it can be run by the compiler, so that it may neither write files nor format.
    pub constant: bool,
    /// True where it yields values instead of returning one.
    pub yields: bool,
    /// True where it hands nothing back: all that it does is an effect.
    pub void: bool,
    /// Every statement in it at which another can be put in front, in bytes.
    pub statements: Vec<Range<usize>>,
}

/// A name that a file binds to a value, outside functions and types.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// The name.
    pub name: String,
    /// First and last line, counted from 1.
    pub lines: (u32, u32),
    /// The expression, in bytes.
    pub expression: Range<usize>,
    /// An expression for nothing at all.
    pub nothing: &'static str,
}

/// Where statements can be put first in a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entry {
    /// At this byte of its block.
    Block(usize),
    /// Its body is an expression, which has to become a block.
    Expression(Range<usize>),
}

/// What is put in front of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prologue {
    /// Raise an error with this message.
    Raise(String),
    /// Return at once: nothing or zero, or something else that nobody expects and that is the same each time.
    Return(Default),
    /// Create this file: the code was reached.
    Mark(String),
}

/// Which value a function returns instead of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// The type's own: nothing, zero, empty.
    Usual,
    /// Another than the usual one.
    Unusual,
}

/// A text to be put into a source file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Insertion {
    /// At this byte.
    pub at: usize,
    /// What.
    pub text: String,
}

impl Insertion {
    /// `text` at byte `at`.
    pub fn new(at: usize, text: impl Into<String>) -> Self {
        Self { at, text: text.into() }
    }
}

/// How a language lets behaviour be changed.
pub trait Surgery: Sync {
    /// The functions of a source file; `None` where it is not source of the language or does not parse.
    fn functions(&self, path: &RepoPath, source: &str) -> Option<Vec<Function>>;

    /// Names that a file binds to values which could as well be nothing; empty in languages in which
    /// a value has a type.
    fn values(&self, _path: &RepoPath, _source: &str) -> Vec<Value> {
        Vec::new()
    }

    /// What has to be inserted so that `function` begins with `prologue`; `None` where that cannot be
    /// said in this language (a default of an unknown type).
    fn at_entry(
        &self,
        path: &RepoPath,
        source: &str,
        function: &Function,
        prologue: &Prologue,
    ) -> Option<Vec<Insertion>>;

    /// What has to be inserted so that the file `mark` is created before `statement` runs.
    fn at_statement(
        &self,
        path: &RepoPath,
        source: &str,
        statement: &Range<usize>,
        mark: &str,
    ) -> Vec<Insertion>;

    /// `source` followed by `text` in a form that has no effect; `None` where the language has none.
    fn with_idle_text(&self, path: &RepoPath, source: &str, text: &str) -> Option<String>;

    /// Small changes of what stands on `lines` (counted from 1), in the order of the source.
    fn mutations(&self, path: &RepoPath, source: &str, lines: &[u32]) -> Vec<Mutation>;

    /// What has to be inserted so that each body takes the place of its function's own in a run in which
    /// the variable `switch` holds the body's value: one build serves all of them. What is defined for
    /// that bears the name `name`. `None` in languages that are not built, where a variant of its own for
    /// each costs nothing.
    fn behind_switch(
        &self,
        _source: &str,
        _name: &str,
        _switch: &str,
        _bodies: &[OtherBody<'_>],
    ) -> Option<Vec<Insertion>> {
        None
    }
}

/// A body that a function can have instead of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtherBody<'a> {
    /// Which function.
    pub function: &'a Function,
    /// The value of the switch by which it is chosen.
    pub value: String,
    /// The statements, without the braces around them.
    pub body: String,
}

impl Function {
    /// The inside of its body, in bytes; `None` where the body is no block or may not look at a switch.
    pub fn inside(&self) -> Option<Range<usize>> {
        match self.entry {
            Entry::Block(start) if !self.constant && start < self.span.end => Some(start..self.span.end - 1),
            _ => None,
        }
    }
}

/// The source with other texts in the place of pieces of it, which do not overlap.
pub fn replace(source: &str, mut pieces: Vec<(Range<usize>, String)>) -> String {
    pieces.sort_by_key(|(place, _)| place.start);
    let mut out = String::with_capacity(source.len() + 200 * pieces.len());
    let mut from = 0;
    for (place, text) in pieces {
        out.push_str(&source[from..place.start]);
        out.push_str(&text);
        from = place.end;
    }
    out.push_str(&source[from..]);
    out
}

/// The source with all insertions made; equal ones at one place are made once.
pub fn insert(source: &str, mut insertions: Vec<Insertion>) -> String {
    insertions.sort_by_key(|insertion| insertion.at);
    let mut done: Vec<Insertion> = Vec::new();
    for insertion in insertions {
        if !done.contains(&insertion) {
            done.push(insertion);
        }
    }
    replace(source, done.into_iter().map(|Insertion { at, text }| (at..at, text)).collect())
}

/// `source` followed by `text` as line comments.
pub fn as_comments(source: &str, text: &str, mark: &str) -> String {
    let mut out = source.to_owned();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    for line in text.lines() {
        out.push_str(mark);
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// First and last line of a span, counted from 1.
pub(super) fn lines_of(node: tree_sitter::Node<'_>) -> (u32, u32) {
    let line = |row: usize| u32::try_from(row + 1).unwrap_or(u32::MAX);
    (line(node.start_position().row), line(node.end_position().row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_are_made_in_order_and_once() {
        let insertions = vec![
            Insertion::new(3, "C"),
            Insertion::new(0, "A"),
            Insertion::new(3, "C"),
            Insertion::new(3, "D"),
        ];
        assert_eq!(insert("abc", insertions), "AabcCD");
    }
}
