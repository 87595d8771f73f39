//! What of production code a change touches: functions, statements, and what lies outside both.

use std::ops::Range;

use super::trial::Trial;
use crate::git::{Entry, GitError, Mode, RepoPath};
use crate::lang::Language;
use crate::lang::surgery::{self, Function, Value};

/// A changed production file on both sides.
#[derive(Clone, Debug)]
pub struct TouchedFile {
    /// Where.
    pub path: RepoPath,
    /// The text on the base; `None` where it does not exist there.
    pub base: Option<String>,
    /// The text on the fixed side; `None` where it does not exist there.
    pub fixed: Option<String>,
    /// How the file is kept (its mode), on the side that has it.
    pub entry: Entry,
    /// The functions of the fixed text that the change touches.
    pub functions: Vec<Touched>,
    /// Values outside functions that the change brings into being.
    pub values: Vec<Value>,
    /// Changed lines of the fixed text that lie in no function and do more than import or declare; in a
    /// file that is no source code, all of them.
    pub loose: Vec<u32>,
}

/// A function that the change touches.
#[derive(Clone, Debug)]
pub struct Touched {
    /// In the fixed text.
    pub function: Function,
    /// As it is on the base; `None` where the change brings it into being.
    pub before: Option<Before>,
    /// Statements of the fixed text that hold changed lines.
    pub statements: Vec<Range<usize>>,
}

/// A function on the base.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Before {
    /// Its whole text.
    pub text: String,
    /// How many bytes of it come before its first statement.
    pub head: usize,
}

impl Touched {
    /// Names that the head of the function has on the fixed side only, such as a new parameter's.
    pub fn new_names(&self, fixed: &str) -> Vec<String> {
        let (Some(before), Some(head)) = (&self.before, self.head(fixed)) else { return Vec::new() };
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            words
                .filter(|word| word.starts_with(|c: char| c.is_alphabetic() || c == '_'))
                .map(str::to_owned)
                .collect()
        };
        // A docstring is no head.
        let end = |text: &str| text.find(['"', '\'']).unwrap_or(text.len());
        let old = &before.text[..before.head];
        let old = words(&old[..end(old)]);
        let mut new = words(&head[..end(head)]);
        new.retain(|word| !old.contains(word));
        new
    }

    /// The fixed side's head with the base's body.
    pub fn old_body_under_new_head(&self, fixed: &str) -> Option<String> {
        let before = self.before.as_ref()?;
        Some(format!("{}{}", self.head(fixed)?, &before.text[before.head..]))
    }

    fn head<'a>(&self, fixed: &'a str) -> Option<&'a str> {
        match self.function.entry {
            surgery::Entry::Block(at) => fixed.get(self.function.span.start..at),
            surgery::Entry::Expression(_) => None,
        }
    }
}

impl TouchedFile {
    /// Every changed production file whose text can be read.
    ///
    /// # Errors
    /// Git failed.
    pub fn all(trial: &Trial<'_>) -> Result<Vec<Self>, GitError> {
        let store = trial.store();
        let language = trial.lab.language();
        let mut files = Vec::new();
        for change in &trial.change.production {
            let text = |tree| -> Result<Option<Option<String>>, GitError> {
                match store.entry(tree, &change.path)? {
                    None => Ok(Some(None)),
                    Some(Entry { mode: Mode::File | Mode::Executable, oid }) => {
                        Ok(String::from_utf8(store.blob(oid)?).ok().map(Some))
                    }
                    // Links and submodules have no text.
                    Some(_) => Ok(None),
                }
            };
            // Where tests stand in the file, both sides hold the sealed ones.
            let (Some(base), Some(fixed)) = (text(trial.base_test)?, text(trial.fixed)?) else { continue };
            let Some(entry) = change.new.or(change.old) else { continue };
            files.push(Self::new(language, change.path.clone(), base, fixed, entry));
        }
        Ok(files)
    }

    fn new(
        language: &dyn Language,
        path: RepoPath,
        base: Option<String>,
        fixed: Option<String>,
        entry: Entry,
    ) -> Self {
        let (old, new) = (base.as_deref().unwrap_or_default(), fixed.as_deref().unwrap_or_default());
        let changed = changed_lines(old, new);
        let surgery = language.surgery();
        let mut functions = Vec::new();
        let mut spans = Vec::new();
        let after = surgery.functions(&path, new);
        let is_source = after.is_some();
        if let Some(after) = after {
            let before = surgery.functions(&path, old).unwrap_or_default();
            for (at, function) in after.iter().enumerate() {
                spans.push(function.lines);
                let nth = after[..at].iter().filter(|other| other.name == function.name).count();
                let was = before.iter().filter(|other| other.name == function.name).nth(nth);
                let text = was.map(|was| Before {
                    text: old[was.span.clone()].to_owned(),
                    head: match &was.entry {
                        surgery::Entry::Block(at) => at - was.span.start,
                        surgery::Entry::Expression(range) => range.start - was.span.start,
                    },
                });
                if text
                    .as_ref()
                    .zip(was)
                    .is_some_and(|(text, was)| same(language, &path, old, new, was, function, &text.text))
                {
                    continue;
                }
                let statements = statements_with(new, function, &changed);
                functions.push(Touched { function: function.clone(), before: text, statements });
            }
        }
        let known = surgery.values(&path, old);
        let mut values = surgery.values(&path, new);
        values.retain(|value| !known.iter().any(|other| other.name == value.name));
        spans.extend(values.iter().map(|value| value.lines));
        let within = |line: u32| spans.iter().any(|(first, last)| (*first..=*last).contains(&line));
        let mut loose = changed;
        if is_source {
            let text = |line: u32| new.lines().nth(line as usize - 1).unwrap_or_default();
            loose.retain(|line| !within(*line) && !is_declaration(text(*line)));
        }
        Self { path, base, fixed, entry, functions, values, loose }
    }
}

/// True when a function does the same on both sides: only layout and comments differ.
fn same(
    language: &dyn Language,
    path: &RepoPath,
    old: &str,
    new: &str,
    was: &Function,
    is: &Function,
    text: &str,
) -> bool {
    let now = &new[is.span.clone()];
    if now == text {
        return true;
    }
    // The new text in the place of the old one makes no difference.
    let swapped = format!("{}{now}{}", &old[..was.span.start], &old[was.span.end..]);
    language.essence(path, old).is_some_and(|essence| Some(essence) == language.essence(path, &swapped))
}

/// Lines of the new text that are not in the old one, counted from 1.
pub fn changed_lines(old: &str, new: &str) -> Vec<u32> {
    let diff = similar::TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for op in diff.ops() {
        if matches!(op.tag(), similar::DiffTag::Insert | similar::DiffTag::Replace) {
            lines.extend(op.new_range().map(|line| u32::try_from(line + 1).unwrap_or(u32::MAX)));
        }
    }
    lines
}

/// The innermost statements of a function that changed lines begin in.
fn statements_with(source: &str, function: &Function, changed: &[u32]) -> Vec<Range<usize>> {
    let mut starts = vec![0];
    starts.extend(source.match_indices('\n').map(|(at, _)| at + 1));
    let mut found: Vec<Range<usize>> = Vec::new();
    for line in changed {
        let Some(&start) = starts.get(*line as usize - 1) else { continue };
        let text = source[start..].lines().next().unwrap_or_default();
        let at = start + (text.len() - text.trim_start().len());
        if text.trim().is_empty() || !function.span.contains(&at) {
            continue;
        }
        let around = function.statements.iter().filter(|statement| statement.contains(&at));
        if let Some(innermost) = around.min_by_key(|statement| statement.len())
            && !found.contains(innermost)
        {
            found.push(innermost.clone());
        }
    }
    found
}

/// True for a line that by itself does nothing that a test could notice: blank, a comment, an import,
/// the head or the end of a definition.
fn is_declaration(line: &str) -> bool {
    const STARTS: [&str; 22] = [
        "#",
        "//",
        "/*",
        "*",
        "import ",
        "from ",
        "use ",
        "pub use ",
        "mod ",
        "pub mod ",
        "class ",
        "struct ",
        "pub struct ",
        "impl",
        "@",
        "package ",
        "export {",
        "export class ",
        "__all__",
        "module.exports = {",
        "type ",
        "extern crate ",
    ];
    let line = line.trim();
    let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ',' | ' ' | '"' | '\'');
    line.is_empty()
        || STARTS.iter().any(|start| line.starts_with(start))
        || line.chars().all(|c| matches!(c, '{' | '}' | '(' | ')' | '[' | ']' | ';' | ','))
        // A name in a list of imports.
        || (line.ends_with(',') && line.chars().all(word))
        || line.contains("require(")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::Oid;

    fn touched(path: &str, base: &str, fixed: &str) -> TouchedFile {
        let path = RepoPath::new(path).unwrap();
        let language = crate::lang::LANGUAGES
            .iter()
            .copied()
            .find(|language| language.essence(&path, "").is_some())
            .unwrap();
        let entry = Entry { mode: Mode::File, oid: Oid::of_blob(b"") };
        TouchedFile::new(language, path, Some(base.to_owned()), Some(fixed.to_owned()), entry)
    }

    #[test]
    fn changed_and_new_functions_are_told_from_those_that_stay() {
        let base = "import a\n\ndef f():\n    return 1\n\ndef g():\n    return 2\n\nclass C:\n    def m(self):\n        pass\n";
        let fixed = "import a\nimport b\n\ndef f():\n    # why\n    return (1)\n\ndef g():\n    x = 3\n    return x\n\nclass C:\n    \
                     def m(self):\n        pass\n    def n(self):\n        return 1\n";
        let file = touched("a.py", base, fixed);
        let names: Vec<_> =
            file.functions.iter().map(|one| (one.function.name.as_str(), one.before.is_some())).collect();
        assert_eq!(names, [("g", true), ("C.n", false)]);
        assert_eq!(file.functions[0].statements.len(), 2);
        assert_eq!(file.loose, Vec::<u32>::new());
    }

    #[test]
    fn what_lies_outside_functions_is_loose() {
        let file = touched("a.py", "X = 1\n", "X = 2\n\nprint(X)\n");
        assert!(file.functions.is_empty());
        assert_eq!(file.loose, [1, 3]);
    }

    #[test]
    fn data_is_loose_as_a_whole() {
        let path = RepoPath::new("a.json").unwrap();
        let language = crate::lang::LANGUAGES[0];
        let entry = Entry { mode: Mode::File, oid: Oid::of_blob(b"") };
        let text = |name: &str| Some(format!("[\n\"a\",\n\"{name}\"\n]\n"));
        let file = TouchedFile::new(language, path, text("b"), text("c"), entry);
        assert_eq!(file.loose, [3]);
    }

    #[test]
    fn a_function_that_only_moved_is_not_touched() {
        let file = touched(
            "a.js",
            "function f() { return 1; }\nfunction g() { return 2; }\n",
            "function g() { return 2; }\nfunction f() { return 1; }\n",
        );
        assert!(file.functions.is_empty(), "{:?}", file.functions);
    }
}
