//! What tells the four runners apart: names, options, flags and report sources.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use super::jest::Jest;
use super::mocha::Mocha;
use super::node_test::NodeTest;
use super::vitest::Vitest;

/// All runners; the order decides where a project has several and says nothing.
pub(super) static DIALECTS: &[&dyn Dialect] = &[&NodeTest, &Vitest, &Jest, &Mocha];

/// For error texts.
pub(super) const KNOWN: &str = "node:test, jest, vitest, mocha";

/// One run of one runner in one folder.
#[derive(Debug)]
pub(super) struct Job<'a> {
    /// The folder for reports.
    pub(super) out: &'a Path,
    /// The stem of this run's own files in it.
    pub(super) stem: &'a str,
    /// The files to run, relative to the working folder; empty for all.
    pub(super) files: &'a [String],
    /// The tests to run, each as the parts of its id; empty for all of the files.
    pub(super) names: &'a [Vec<String>],
    /// A configuration file that the project's own command names.
    pub(super) config: Option<&'a str>,
}

impl Job<'_> {
    /// A file of this run in the folder for reports.
    pub(super) fn file(&self, ending: &str) -> String {
        self.out.join(format!("{}{ending}", self.stem)).display().to_string()
    }

    /// A pattern for the full names of the wanted tests, joined by blanks as most runners do.
    pub(super) fn pattern(&self) -> Option<String> {
        let names: Vec<String> = self
            .names
            .iter()
            .map(|parts| {
                // A title may hold ` > ` itself, and the number of a duplicate is no part of it.
                let name: Vec<String> = parts.iter().map(|part| escape(part)).collect();
                numbered(&name.join("(?: > | )"))
            })
            .collect();
        // The first versions of vitest put a blank before the name.
        (!names.is_empty()).then(|| format!("^ ?(?:{})$", names.join("|")))
    }
}

/// `pattern` with an ending ` #2` made optional.
pub(super) fn numbered(pattern: &str) -> String {
    match pattern.rsplit_once(" #") {
        Some((name, digits)) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{name}(?: #{digits})?")
        }
        _ => pattern.to_owned(),
    }
}

/// A text as a part of a JavaScript regular expression.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match letter {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\\' | '^' | '$' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// A test runner of the JavaScript world.
pub(super) trait Dialect: Send + Sync {
    /// Its name in `failfirst.toml`.
    fn name(&self) -> &'static str;

    /// The npm package that brings it; `None` for what Node brings itself.
    fn package(&self) -> Option<&'static str>;

    /// The names of its program.
    fn binaries(&self) -> &'static [&'static str];

    /// First words that are no file (`run` of `vitest run`).
    fn subcommands(&self) -> &'static [&'static str] {
        &[]
    }

    /// Options that take the next word as their value.
    fn valued(&self) -> &'static [&'static str];

    /// Options of the project's own command that would hide, repeat or select tests, or disturb the
    /// report; without `no-`, and without what follows a dot.
    fn dropped(&self) -> &'static [&'static str];

    /// False where an option that is given twice is an error.
    fn repeats_options(&self) -> bool {
        true
    }

    /// Variables that a run needs.
    fn environment(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Words between program and options (`run`).
    fn command(&self) -> &'static [&'static str] {
        &[]
    }

    /// The reporter, a CommonJS module.
    fn reporter(&self) -> &'static str;

    /// The options that a run needs besides the project's own.
    fn flags(&self, job: &Job<'_>) -> Vec<String>;

    /// Files that the flags speak of, by name in the folder for reports.
    fn files(&self, job: &Job<'_>) -> BTreeMap<String, String> {
        BTreeMap::from([(format!("{}.cjs", job.stem), format!("{COMMON}{}", self.reporter()))])
    }
}

const COMMON: &str = include_str!("reporters/common.cjs");

/// A module with the shared part of all reporters before it.
pub(super) fn with_common(source: &str) -> String {
    format!("{COMMON}{source}")
}

impl fmt::Debug for dyn Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_the_names_and_nothing_else() {
        let names = [vec!["a.b".to_owned(), "c (d) #2".to_owned()], vec!["x\ny".to_owned()]];
        let job = Job { out: Path::new("/o"), stem: "r0", files: &[], names: &names, config: None };
        let pattern = job.pattern().unwrap();
        assert_eq!(pattern, r"^ ?(?:a\.b(?: > | )c \(d\)(?: #2)?|x\ny)$");
        let regex = regex::Regex::new(&pattern).unwrap();
        assert!(regex.is_match("a.b c (d)") && regex.is_match("x\ny"));
        assert!(!regex.is_match("a.b c (d) e") && !regex.is_match("axb c (d)"));
    }
}
