//! Commands as data: composed here, run by the lab.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A command to run in a variant.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Invocation {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Variables on top of the environment that the lab gives.
    pub env: BTreeMap<String, String>,
    /// The working folder, relative to the root of the tree; empty for the root itself.
    pub cwd: String,
    /// Files that must lie outside the tree before the command starts: plugins, reporters, runner
    /// configuration. The lab writes them into the report folder, by name.
    pub files: BTreeMap<String, String>,
}

impl Invocation {
    /// A command without further settings.
    pub fn new(argv: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// With a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }

    /// With a file in the report folder.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, content: impl Into<String>) -> Self {
        self.files.insert(name.into(), content.into());
        self
    }

    /// In a folder of the tree.
    #[must_use]
    pub fn cwd(mut self, folder: impl Into<String>) -> Self {
        self.cwd = folder.into();
        self
    }
}

/// How a command ended and what it printed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Output {
    /// The exit code; `None` when it was killed (by a signal or by the time limit).
    pub code: Option<i32>,
    /// True when the time limit ended it.
    pub timed_out: bool,
    /// Standard output, lossily decoded; the middle is cut out where it exceeds the lab's limit.
    pub stdout: String,
    /// Standard error, likewise.
    pub stderr: String,
    /// How long it ran.
    pub took: Duration,
    /// Where the output was cut, by how many bytes in all.
    pub cut: u64,
}

/// A command line from `failfirst.toml`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    words: Vec<String>,
}

const TESTS: &str = "{tests}";

impl Template {
    /// Splits a command line as a shell does, without running one.
    ///
    /// # Errors
    /// A fragment that says what is wrong: an open quote, no program.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = shell_words::split(text).map_err(|_| format!("`{text}` has an open quote"))?;
        if words.is_empty() {
            return Err("is empty; leave it out or name a command".to_owned());
        }
        if let Some(word) = words.iter().find(|word| word.as_str() != TESTS && word.contains(TESTS)) {
            return Err(format!("`{word}`: {TESTS} must stand alone, as a word of its own"));
        }
        Ok(Self { words })
    }

    /// The words of a command that an adapter composed itself.
    pub fn of(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect() }
    }

    /// The command with `flags` and `tests` in the place of `{tests}`, or at its end.
    pub fn fill(&self, flags: &[String], tests: &[String]) -> Vec<String> {
        let mut argv = Vec::new();
        let mut placed = false;
        for word in &self.words {
            if word == TESTS {
                argv.extend_from_slice(flags);
                argv.extend_from_slice(tests);
                placed = true;
            } else {
                argv.push(word.clone());
            }
        }
        if !placed {
            argv.extend_from_slice(flags);
            argv.extend_from_slice(tests);
        }
        argv
    }

    /// The words as written.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

/// Finds a program on the PATH of failfirst itself.
pub(super) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selection_goes_where_the_template_says() {
        let template = Template::parse(".venv/bin/python -m 'pytest' {tests} -q").unwrap();
        let argv = template.fill(&["--x".to_owned()], &["a b".to_owned()]);
        assert_eq!(argv, [".venv/bin/python", "-m", "pytest", "--x", "a b", "-q"]);
        assert_eq!(
            Template::parse("go test").unwrap().fill(&[], &["./...".to_owned()]),
            ["go", "test", "./..."]
        );
    }

    #[test]
    fn a_broken_template_says_what_is_wrong() {
        assert_eq!(Template::parse("a 'b").unwrap_err(), "`a 'b` has an open quote");
        assert!(Template::parse(" ").unwrap_err().contains("is empty"));
        assert!(Template::parse("run --only={tests}").unwrap_err().contains("must stand alone"));
    }
}
