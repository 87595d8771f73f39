//! One package of a run, as its events tell it.

use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use regex::Regex;

use super::crash::may_crash;
use super::events::Event;
use super::failure::{Kind, Printed};
use super::id::is_subtest;
use crate::lang::Status;

/// What is known of a package.
#[derive(Debug, Default)]
pub(super) struct PackageRun {
    /// Its import path.
    pub(super) import: String,
    /// Its tests in the order in which they started.
    pub(super) tests: Vec<TestRun>,
    /// How it ended.
    pub(super) end: Option<Status>,
    /// True when it could not be built.
    pub(super) unbuilt: bool,
    /// True once the testing package printed its closing `PASS` or `FAIL`.
    pub(super) closed: bool,
    /// True when the toolchain says what each printed line is.
    pub(super) typed: bool,
    /// What its events say against each other.
    pub(super) contradictions: Vec<String>,
    /// The last lines, from the last headline of a crash on, with the test they were printed for.
    pub(super) tail: Tail,
    by_name: HashMap<String, usize>,
    ended: usize,
}

/// What is known of a test.
#[derive(Debug)]
pub(super) struct TestRun {
    /// Its name.
    pub(super) name: String,
    /// How it ended.
    pub(super) status: Option<Status>,
    /// When it ended: the number of tests that ended before.
    pub(super) order: usize,
    /// How long it took.
    pub(super) seconds: f64,
    /// What it printed; emptied when it passes.
    pub(super) printed: Vec<Printed>,
    /// True while it waits for other parallel tests.
    pub(super) paused: bool,
    /// What the testing package printed about its end, for the last of its runs.
    said: Option<Status>,
    size: usize,
}

/// The last lines of a package.
#[derive(Debug, Default)]
pub(super) struct Tail {
    lines: VecDeque<(Option<usize>, String)>,
    started: bool,
}

impl PackageRun {
    /// An empty one.
    pub(super) fn new(import: &str) -> Self {
        Self { import: import.to_owned(), ..Self::default() }
    }

    /// Takes an event in.
    pub(super) fn feed(&mut self, event: &Event) {
        let test = (!event.test.is_empty()).then(|| self.test(&event.test));
        match (event.action.as_str(), test) {
            ("run", Some(at)) => {
                self.tail.clear();
                self.closed = false;
                self.tests[at].paused = false;
                self.tests[at].said = None;
            }
            ("pause", Some(at)) => self.tests[at].paused = true,
            ("cont", Some(at)) => self.tests[at].paused = false,
            ("output", test) => self.output(event, test),
            ("pass" | "fail" | "skip", Some(at)) => self.end_of_test(event, at),
            ("pass", None) => self.end = Some(Status::Passed),
            ("fail", None) => self.end = Some(Status::Failed),
            ("skip", None) => self.end = Some(Status::Skipped),
            _ => {}
        }
    }

    /// Takes in that the package could not be built.
    pub(super) fn did_not_build(&mut self) {
        self.unbuilt = true;
        self.end = Some(Status::Failed);
    }

    /// The tests that started and did not end, without those that only wait for their subtests or
    /// for other parallel tests.
    pub(super) fn running(&self) -> Vec<usize> {
        let open = |at: &usize| self.tests[*at].status.is_none();
        let open: Vec<usize> = (0..self.tests.len()).filter(open).collect();
        let waits = |at: usize| {
            let name = &self.tests[at].name;
            self.tests[at].paused || open.iter().any(|&other| is_subtest(&self.tests[other].name, name))
        };
        open.iter().copied().filter(|&at| !waits(at)).collect()
    }

    fn test(&mut self, name: &str) -> usize {
        if let Some(&at) = self.by_name.get(name) {
            return at;
        }
        let at = self.tests.len();
        self.tests.push(TestRun {
            name: name.to_owned(),
            status: None,
            order: usize::MAX,
            seconds: 0.0,
            printed: Vec::new(),
            paused: false,
            said: None,
            size: 0,
        });
        self.by_name.insert(name.to_owned(), at);
        at
    }

    fn output(&mut self, event: &Event, test: Option<usize>) {
        let text = event.output.trim_end_matches(['\n', '\r']);
        self.typed |= !event.output_type.is_empty();
        let framed = !self.typed || event.output_type == "frame";
        if framed && let Some((name, status)) = end_line(text) {
            if let Some(&at) = self.by_name.get(name) {
                self.tests[at].said = Some(status);
                self.ended(at, status);
            }
            return;
        }
        // Older toolchains do not part the closing word from what was printed before it.
        let closes = matches!(text, "PASS" | "FAIL")
            || (test.is_none() && !text.contains('\t') && (text.ends_with("PASS") || text.ends_with("FAIL")));
        if framed && closes {
            self.closed = true;
            self.tail.clear();
            return;
        }
        if text.starts_with("FAIL\t")
            && (text.ends_with("[build failed]") || text.ends_with("[setup failed]"))
        {
            self.did_not_build();
        }
        if ["=== ", "FAIL\t", "ok  \t", "exit status "].iter().any(|start| text.starts_with(start)) {
            return;
        }
        self.tail.push(test, text);
        if let Some(at) = test {
            let kind = match event.output_type.as_str() {
                "error" => Kind::Error,
                "error-continue" => Kind::Continued,
                _ => Kind::Plain,
            };
            self.tests[at].print(text, kind);
        }
    }

    /// The event that ends a test follows the line that says so. A binary that exits in the middle
    /// with code 0 makes `go test` send a mere event: it then means the package.
    fn end_of_test(&mut self, event: &Event, at: usize) {
        let status = match event.action.as_str() {
            "pass" => Status::Passed,
            "fail" => Status::Failed,
            _ => Status::Skipped,
        };
        match self.tests[at].said {
            None if status == Status::Passed => self.end = Some(Status::Passed),
            None => self.ended(at, status),
            Some(said) if said != status => {
                let name = &self.tests[at].name;
                self.contradictions.push(format!("{name} is reported both as passed and as failed"));
                self.tests[at].status = Some(Status::Failed);
            }
            Some(_) => {}
        }
        self.tests[at].seconds = event.elapsed;
    }

    fn ended(&mut self, at: usize, status: Status) {
        let test = &mut self.tests[at];
        if test.order == usize::MAX {
            test.order = self.ended;
            self.ended += 1;
        }
        match test.status {
            // `-cpu 1,2` and `-count 2` run a test again: one failure decides.
            Some(Status::Failed) => {}
            _ => test.status = Some(status),
        }
        if test.status != Some(Status::Failed) {
            test.printed = Vec::new();
            test.size = 0;
        }
    }
}

impl TestRun {
    /// Keeps the first lines and the last ones of what a test prints.
    fn print(&mut self, text: &str, kind: Kind) {
        const HEAD: usize = 64 << 10;
        const LONGEST: usize = 16 << 10;
        let end = (0..=text.len().min(LONGEST)).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        self.printed.push(Printed { text: text[..end].to_owned(), kind });
        self.size += end + 1;
        if self.size > 2 * HEAD {
            // Errors are what matters; the lines in the middle that are none go.
            let count = self.printed.len();
            let mut at = 0;
            self.printed.retain(|line| {
                at += 1;
                line.kind != Kind::Plain || at <= count / 4 || at > count - count / 4
            });
            self.size = self.printed.iter().map(|line| line.text.len() + 1).sum();
        }
    }
}

impl Tail {
    /// The lines.
    pub(super) fn lines(&self) -> Vec<&str> {
        self.lines.iter().map(|(_, text)| text.as_str()).collect()
    }

    /// The test for which the crash was printed, as far as `go test` could tell.
    pub(super) fn owner(&self) -> Option<usize> {
        self.lines.iter().find(|(_, text)| may_crash(text)).and_then(|(test, _)| *test)
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.started = false;
    }

    fn push(&mut self, test: Option<usize>, text: &str) {
        const BEFORE: usize = 200;
        const AFTER: usize = 20_000;
        // `panic: x [recovered]` is followed by a second line for the same panic.
        let repeated = text.starts_with("\tpanic: ");
        if may_crash(text) && !repeated {
            self.clear();
            self.started = true;
        }
        if self.started && self.lines.len() >= AFTER {
            return;
        }
        if !self.started && self.lines.len() >= BEFORE {
            self.lines.pop_front();
        }
        self.lines.push_back((test, text.to_owned()));
    }
}

/// The name and result of a line such as `    --- PASS: TestX/sub (0.00s)`.
fn end_line(text: &str) -> Option<(&str, Status)> {
    static END: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"--- (PASS|FAIL|SKIP): (\S+) \(\d+\.\d+s\)$").expect("a fixed pattern"));
    let parts = END.captures(text)?;
    let status = match &parts[1] {
        "PASS" => Status::Passed,
        "FAIL" => Status::Failed,
        _ => Status::Skipped,
    };
    Some((parts.get(2)?.as_str(), status))
}
