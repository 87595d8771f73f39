//! What one command left behind: the events of `go test -json`, and the index of its test files.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::manifest::join;
use crate::git::RepoPath;

/// An event of `go test -json`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Event {
    /// `run`, `pass`, `output` …
    pub(super) action: String,
    /// The import path of the package under test.
    pub(super) package: String,
    /// The test, empty for events of the package.
    pub(super) test: String,
    /// What was printed.
    pub(super) output: String,
    /// `frame` for the lines of the testing package itself, `error` and `error-continue` for what
    /// `t.Error` and its kin print; only newer toolchains tell.
    pub(super) output_type: String,
    /// How long the test ran, in seconds.
    pub(super) elapsed: f64,
}

/// A line of the report.
#[derive(Debug, PartialEq)]
pub(super) enum Line {
    /// An event.
    Event(Box<Event>),
    /// Anything else; older toolchains report failed builds this way.
    Plain(String),
}

/// Reads a report line by line, however long it is.
///
/// # Errors
/// The file cannot be read.
pub(super) fn each_line(file: &Path, mut each: impl FnMut(Line)) -> std::io::Result<()> {
    let mut reader = BufReader::new(File::open(file)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        let event = text.starts_with('{').then(|| serde_json::from_str::<Event>(text).ok()).flatten();
        match event.filter(|event| !event.action.is_empty()) {
            Some(event) => each(Line::Event(Box::new(event))),
            None if text.is_empty() => {}
            None => each(Line::Plain(text.to_owned())),
        }
        line.clear();
    }
    Ok(())
}

/// Which test file declares which test, in the variant that ran.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By folder and name: the files and lines that declare it.
    declared: BTreeMap<(String, String), Vec<(RepoPath, u32)>>,
    /// Lines that only log.
    logs: HashSet<(RepoPath, u32)>,
}

impl Index {
    /// Reads what the script found; `folder` is the one in which it ran. An absent file is an empty
    /// index.
    pub(super) fn read(file: &Path, folder: &str) -> Self {
        let bytes = std::fs::read(file).unwrap_or_default();
        Self::parse(&String::from_utf8_lossy(&bytes), folder)
    }

    fn parse(text: &str, folder: &str) -> Self {
        static LINE: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^(?:\./)?(.*?_test\.go):(\d+):(.*)$").expect("a fixed pattern"));
        static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^\s*func\s+((?:Test|Example|Fuzz)[^\s(\[]*)\s*\(").expect("a fixed pattern")
        });
        let mut index = Self::default();
        for line in text.lines() {
            let Some(parts) = LINE.captures(line) else { continue };
            let Ok(path) = RepoPath::new(join(folder, &parts[1])) else { continue };
            let number: u32 = parts[2].parse().unwrap_or(0);
            if let Some(function) = FUNCTION.captures(&parts[3]) {
                if !is_test(&function[1]) {
                    continue;
                }
                let key = (path.parent().to_owned(), function[1].to_owned());
                index.declared.entry(key).or_default().push((path, number));
            } else {
                index.logs.insert((path, number));
            }
        }
        index
    }

    /// The files that declare a test function.
    pub(super) fn files(&self, folder: &str, function: &str) -> &[(RepoPath, u32)] {
        let key = (folder.to_owned(), function.to_owned());
        self.declared.get(&key).map_or(&[], Vec::as_slice)
    }

    /// The file that declares it, where that is beyond doubt.
    pub(super) fn file(&self, folder: &str, function: &str) -> Option<&(RepoPath, u32)> {
        match self.files(folder, function) {
            [one] => Some(one),
            _ => None,
        }
    }

    /// The test functions of a folder with their files.
    pub(super) fn functions<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a [(RepoPath, u32)])> {
        self.declared
            .range((folder.to_owned(), String::new())..)
            .take_while(move |((known, _), _)| known == folder)
            .map(|((_, name), files)| (name.as_str(), files.as_slice()))
    }

    /// The files of a folder that declare tests.
    pub(super) fn test_files(&self, folder: &str) -> BTreeSet<RepoPath> {
        self.functions(folder).flat_map(|(_, files)| files.iter().map(|(path, _)| path.clone())).collect()
    }

    /// True for a line that writes to the test's log without failing it.
    pub(super) fn is_log(&self, path: &RepoPath, line: u32) -> bool {
        self.logs.contains(&(path.clone(), line))
    }
}

/// True for names that the testing package takes for tests: `TestMain` is none, nor is `Testify`.
fn is_test(name: &str) -> bool {
    let rest = ["Test", "Example", "Fuzz"].iter().find_map(|prefix| name.strip_prefix(prefix));
    name != "TestMain" && rest.is_some_and(|rest| !rest.starts_with(char::is_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_told_from_log_lines() {
        let text = "./p/a_test.go:3:func TestA(t *testing.T) {\n./p/a_test.go:4:\tt.Log(1)\n\
                    ./p/b_test.go:9:func FuzzÄ(f *testing.F) {\nx_test.go:1:func TestR(t *testing.T) {}\n";
        let index = Index::parse(text, "sub");
        let path = |text: &str| RepoPath::new(text).unwrap();
        assert_eq!(index.file("sub/p", "TestA"), Some(&(path("sub/p/a_test.go"), 3)));
        assert_eq!(index.file("sub", "TestR"), Some(&(path("sub/x_test.go"), 1)));
        assert!(index.is_log(&path("sub/p/a_test.go"), 4));
        assert!(!index.is_log(&path("sub/p/a_test.go"), 3));
        assert_eq!(index.functions("sub/p").map(|(name, _)| name).collect::<Vec<_>>(), ["FuzzÄ", "TestA"]);
        assert_eq!(index.test_files("sub/p").len(), 2);
        assert_eq!(index.functions("nowhere").count(), 0);
        for (name, expected) in
            [("Test", true), ("TestA", true), ("Test_a", true), ("ExampleCart_Total", true)]
        {
            assert_eq!(is_test(name), expected, "{name}");
        }
        assert!(!is_test("TestMain") && !is_test("Testify") && !is_test("Fuzzy"));
    }

    #[test]
    fn lines_that_are_no_events_are_kept() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "{\"Action\":\"run\",\"Package\":\"p\",\"Test\":\"TestA\"}\nFAIL\tp [build failed]\n{\"x\":1}\n",
        )
        .unwrap();
        let mut lines = Vec::new();
        each_line(file.path(), |line| lines.push(line)).unwrap();
        assert!(matches!(&lines[0], Line::Event(event) if event.test == "TestA" && event.action == "run"));
        assert_eq!(lines[1], Line::Plain("FAIL\tp [build failed]".to_owned()));
        assert_eq!(lines[2], Line::Plain("{\"x\":1}".to_owned()));
    }
}
