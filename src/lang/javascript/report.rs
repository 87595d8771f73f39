//! The reporters' lines, turned into a reading.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::super::{Case, Cause, Failure, LoadFailure, Output, Phase, Reading, Status, TestId};
use super::cause::{Thrown, blamed, failure, printed, shorten};
use super::dialect::Dialect;
use super::stack::{Ground, plain_text};
use crate::git::RepoPath;

/// What one command left behind.
pub(super) struct Run<'a> {
    pub(super) dialect: &'static dyn Dialect,
    /// The report; empty when the reporter never started.
    pub(super) lines: &'a str,
    pub(super) output: &'a Output,
    pub(super) ground: &'a Ground,
    /// The files that were asked for; empty for all.
    pub(super) files: &'a [RepoPath],
}

/// Reads it.
pub(super) fn read(run: &Run<'_>) -> Reading {
    let mut table = Table::default();
    let mut torn = 0;
    for line in run.lines.lines() {
        match serde_json::from_str::<Line>(line) {
            Ok(line) => table.add(line, run),
            Err(_) => torn += 1,
        }
    }
    if !table.begun {
        return never_started(run);
    }
    // Older versions of vitest leave at once when no file matches.
    let silent = !table.ended && table.rows.is_empty() && table.loads.is_empty() && run.output.code.is_some();
    if silent && !run.output.timed_out && told(run.output, "No test files found, exiting with code") {
        return Reading { complete: true, ..Reading::default() };
    }
    table.finish(run, torn)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    t: String,
    key: Option<u64>,
    file: Option<String>,
    path: Vec<String>,
    status: String,
    ms: Option<f64>,
    tries: Option<u32>,
    phase: Option<String>,
    project: Option<String>,
    unrun: bool,
    errors: Vec<Thrown>,
    error: Option<Thrown>,
    text: Option<String>,
    test: Option<String>,
    bad: bool,
    interrupted: bool,
}

struct Row {
    case: Case,
    path: Vec<String>,
    file: Option<String>,
    key: Option<u64>,
    /// The runner's word for its failure.
    kind: Option<String>,
    unrun: bool,
}

#[derive(Default)]
struct Table {
    begun: bool,
    ended: bool,
    interrupted: bool,
    rows: Vec<Row>,
    numbers: BTreeMap<String, u32>,
    started: Vec<(Option<String>, Vec<String>)>,
    suites: Vec<Line>,
    loads: Vec<LoadFailure>,
    strays: Vec<Line>,
    exits: BTreeSet<String>,
    unfinished: BTreeSet<String>,
    files: Vec<Line>,
    /// True when a file held no test: the runner counts that as a failure, failfirst as no test.
    barren: bool,
    disagreements: Vec<String>,
}

impl Table {
    fn add(&mut self, line: Line, run: &Run<'_>) {
        match line.t.as_str() {
            "begin" => self.begun = true,
            "start" => self.started.push((line.file, line.path)),
            "test" => self.add_test(line, run),
            "suite" => self.suites.push(line),
            "load" => self.add_load(&line, run),
            "stray" => self.strays.push(line),
            "exit" => self.exits.extend(line.file),
            "unfinished" => self.unfinished.extend(line.file),
            "file-end" => self.files.push(line),
            "end" => {
                self.ended = true;
                self.interrupted |= line.interrupted;
            }
            _ => {}
        }
    }

    fn add_test(&mut self, line: Line, run: &Run<'_>) {
        let file = line.file.as_deref().and_then(|file| run.ground.path(file));
        let first = line.errors.first();
        let kind = first.and_then(|error| error.kind.clone());
        let (status, unrun) = match line.status.as_str() {
            "pass" => (Status::Passed, false),
            "fail" => (Status::Failed, line.unrun),
            "xfail" => (Status::ExpectedFailure, false),
            "xpass" => (Status::UnexpectedPass, false),
            "unrun" => (Status::Failed, true),
            _ => (Status::Skipped, false),
        };
        let phase = phase_of(&line, first);
        let failed = matches!(status, Status::Failed | Status::UnexpectedPass);
        let failure = first.filter(|_| failed).map(|error| failure(error, phase, run.ground));
        if let Some(row) = line.key.and_then(|key| self.rows.iter_mut().find(|row| row.key == Some(key))) {
            // Mocha reports a test again when something of it fails after it has passed.
            if row.case.status != Status::Failed {
                row.case.status = status;
                row.case.failure = failure;
            }
            return;
        }
        let id = self.id(&line, file.as_ref());
        let tries = line.tries.unwrap_or(1);
        if tries > 1 {
            self.disagreements
                .push(format!("`{id}` was run {tries} times, because the test asks for retries"));
        }
        let seconds = line.ms.unwrap_or(0.0) / 1000.0;
        let case = Case { id: TestId(id), file, status, failure, seconds };
        self.rows.push(Row { case, path: line.path, file: line.file, key: line.key, kind, unrun });
    }

    fn id(&mut self, line: &Line, file: Option<&RepoPath>) -> String {
        let file =
            file.map(ToString::to_string).or_else(|| line.file.clone()).unwrap_or_else(|| "?".to_owned());
        let name = [vec![file], line.path.clone()].concat().join(" > ");
        // Two projects of one configuration may run the same file; the order then depends on chance,
        // so those are numbered apart by name.
        let name = match &line.project {
            Some(project) if self.numbers.contains_key(&name) => format!("{name} [{project}]"),
            _ => name,
        };
        let number = self.numbers.entry(name.clone()).or_default();
        *number += 1;
        if *number == 1 { name } else { format!("{name} #{number}") }
    }

    fn add_load(&mut self, line: &Line, run: &Run<'_>) {
        let Some(error) = &line.error else { return };
        if holds_no_test(&error.message) {
            self.barren = true;
            return;
        }
        let phase = if line.phase.as_deref() == Some("teardown") { Phase::Teardown } else { Phase::Load };
        let mut failure = failure(error, phase, run.ground);
        if let Some(text) = &line.text {
            failure.excerpt = shorten(plain_text(text).trim(), 4_000);
        }
        let file = line.file.as_deref().and_then(|file| run.ground.path(file));
        self.loads.push(LoadFailure { file, failure });
    }

    fn finish(mut self, run: &Run<'_>, torn: usize) -> Reading {
        let output = run.output;
        self.place_suites(run);
        self.explain_parents();
        let cut = self.read_files(run);
        let unrun = self.rows.iter().any(|row| row.unrun && row.case.failure.is_none());
        self.rows.retain(|row| !(row.unrun && row.case.failure.is_none()));
        if output.timed_out {
            self.add_hanging(run);
        }
        let complete = self.ended
            && !self.interrupted
            && !cut
            && !unrun
            && !output.timed_out
            && output.code.is_some()
            && torn == 0;
        if self.ended && torn > 0 {
            self.disagreements.push("the report holds lines that no reporter wrote".to_owned());
        }
        self.compare(run);
        Reading {
            cases: self.rows.into_iter().map(|row| row.case).collect(),
            load_failures: self.loads,
            complete,
            disagreements: self.disagreements,
            loaded_outside: Vec::new(),
        }
    }

    /// A failed hook of a suite belongs to the tests that it kept from running, or to no test.
    fn place_suites(&mut self, run: &Run<'_>) {
        for suite in std::mem::take(&mut self.suites) {
            let Some(error) = suite.errors.first() else { continue };
            if error.kind.as_deref() == Some("subtestsFailed") || suite.status == "skip" {
                continue;
            }
            let phase = phase_of(&suite, Some(error));
            let failure = failure(error, phase, run.ground);
            let mut placed = false;
            for row in &mut self.rows {
                let stopped = row.unrun || row.kind.as_deref() == Some("cancelledByParent");
                if stopped && row.file == suite.file && row.path.starts_with(&suite.path) {
                    row.case.status = Status::Failed;
                    row.case.failure = Some(Failure { phase: Phase::Setup, ..failure.clone() });
                    placed = true;
                }
            }
            if !placed {
                let file = suite.file.as_deref().and_then(|file| run.ground.path(file));
                self.loads.push(LoadFailure { file, failure });
            }
        }
    }

    /// A test whose subtests failed fails for their reason.
    fn explain_parents(&mut self) {
        for index in 0..self.rows.len() {
            if self.rows[index].kind.as_deref() != Some("subtestsFailed") {
                continue;
            }
            let prefix = format!("{} > ", self.rows[index].case.id);
            let reason = self
                .rows
                .iter()
                .find(|row| row.case.id.as_str().starts_with(&prefix) && row.case.status == Status::Failed)
                .and_then(|row| row.case.failure.clone());
            if reason.is_some() {
                self.rows[index].case.failure = reason;
            }
        }
    }

    /// How the processes of single test files ended (node:test). True when one was cut off.
    fn read_files(&mut self, run: &Run<'_>) -> bool {
        let mut cut = false;
        for line in std::mem::take(&mut self.files) {
            let Some(name) = line.file.as_deref() else { continue };
            let file = run.ground.path(name);
            let left_early = self.exits.contains(name);
            let has_tests = self.rows.iter().any(|row| row.file.as_deref() == Some(name));
            if run.dialect.package().is_some() {
                continue;
            }
            if !line.bad {
                cut |= left_early && (!has_tests || self.unfinished.contains(name));
                continue;
            }
            let failing = self.rows.iter().any(|row| {
                row.file.as_deref() == Some(name)
                    && matches!(row.case.status, Status::Failed | Status::UnexpectedPass)
            });
            if has_tests && !failing {
                if self.strays.is_empty() {
                    let shown = file.as_ref().map_or(name, RepoPath::as_str);
                    self.disagreements
                        .push(format!("the process of {shown} failed although all its tests passed"));
                }
            } else if !has_tests {
                let text = line.text.as_deref().unwrap_or_default();
                let told = printed(text, run.ground);
                cut |= told.is_none();
                let failure =
                    told.or_else(|| line.error.as_ref().map(|error| failure(error, Phase::Load, run.ground)));
                self.loads.extend(failure.map(|failure| LoadFailure { file, failure }));
            }
        }
        let left: Vec<&String> = self.unfinished.iter().filter(|file| !self.exits.contains(*file)).collect();
        // Announced tests may also be missing because a name pattern leaves them out; only a process
        // that left early was cut off.
        cut || self.unfinished.len() > left.len()
    }

    /// The tests that were running when the time was over.
    fn add_hanging(&mut self, run: &Run<'_>) {
        let ended: Vec<_> = self.rows.iter().map(|row| (row.file.clone(), row.path.clone())).collect();
        let mut open: Vec<(Option<String>, Vec<String>)> = Vec::new();
        let mut left = ended;
        for started in std::mem::take(&mut self.started) {
            match left.iter().position(|ended| *ended == started) {
                Some(at) => drop(left.swap_remove(at)),
                None => open.push(started),
            }
        }
        let leaves: Vec<_> = open
            .iter()
            .filter(|(file, path)| {
                !open.iter().any(|(other, longer)| {
                    other == file && longer.len() > path.len() && longer.starts_with(path)
                })
            })
            .cloned()
            .collect();
        for (name, path) in leaves {
            let line = Line { file: name.clone(), path: path.clone(), ..Line::default() };
            let file = name.as_deref().and_then(|file| run.ground.path(file));
            let id = self.id(&line, file.as_ref());
            let failure = Failure {
                phase: Phase::Call,
                cause: Cause::TimedOut,
                exception: "Timeout".to_owned(),
                message: "the test was still running when the time limit ended the run".to_owned(),
                frames: Vec::new(),
                excerpt: String::new(),
            };
            let seconds = run.output.took.as_secs_f64();
            let case = Case { id: TestId(id), file, status: Status::Failed, failure: Some(failure), seconds };
            self.rows.push(Row { case, path, file: name, key: None, kind: None, unrun: false });
        }
    }

    /// Where report, exit code and stream contradict each other.
    fn compare(&mut self, run: &Run<'_>) {
        let failed = |row: &&Row| matches!(row.case.status, Status::Failed | Status::UnexpectedPass);
        let failing = self.rows.iter().any(|row| failed(&row)) || !self.loads.is_empty();
        let mut told = !self.disagreements.is_empty();
        for stray in &self.strays {
            let beside_failure =
                self.rows.iter().filter(failed).any(|row| stray.file.is_none() || row.file == stray.file);
            let Some(error) = stray.error.as_ref().filter(|_| !beside_failure) else { continue };
            let message = shorten(&run.ground.relative(&plain_text(&error.message)).replace('\n', " "), 300);
            let during = stray.test.as_ref().map(|test| format!(" during `{test}`")).unwrap_or_default();
            self.disagreements.push(format!("an error{during} reached no test: {}: {message}", error.name));
            told = true;
        }
        if !self.ended || told {
            return;
        }
        let name = run.dialect.name();
        match run.output.code {
            Some(0) if failing => {
                self.disagreements.push(format!("{name} exited with 0 although its report has failures"));
            }
            Some(code) if code != 0 && !failing && !self.barren => {
                self.disagreements
                    .push(format!("{name} exited with {code} although its report has no failure"));
            }
            _ => {}
        }
    }
}

fn told(output: &Output, words: &str) -> bool {
    output.stdout.contains(words) || output.stderr.contains(words)
}

fn holds_no_test(message: &str) -> bool {
    message.starts_with("Your test suite must contain at least one test")
        || message.starts_with("No test suite found in file")
}

fn phase_of(line: &Line, error: Option<&Thrown>) -> Phase {
    match line.phase.as_deref() {
        Some("setup") => return Phase::Setup,
        Some("teardown") => return Phase::Teardown,
        _ => {}
    }
    let hook = error.filter(|error| error.kind.as_deref() == Some("hookFailed"));
    match hook.and_then(|error| error.wrapper.as_deref()) {
        Some(text) if text.contains("before") => Phase::Setup,
        Some(text) if text.contains("after") => Phase::Teardown,
        _ if line.t == "suite" => Phase::Load,
        _ => Phase::Call,
    }
}

/// The runner ended, or was ended, before it read a single test.
fn never_started(run: &Run<'_>) -> Reading {
    let output = run.output;
    let text = plain_text(&format!("{}\n{}", output.stderr, output.stdout));
    if output.timed_out || output.code == Some(0) || output.code.is_none() {
        return Reading::default();
    }
    if text.contains("Error: No test files found") {
        return Reading { complete: true, ..Reading::default() };
    }
    // Mocha loads all files before the reporter starts; when one fails it says so in these words, or
    // shows where in itself it stood.
    let closing = text.contains("Exception during run: ") || text.contains("at Mocha.loadFiles");
    let failure = printed(&text, run.ground).unwrap_or_else(|| {
        let last_of = |text: &str| {
            text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| plain_text(line.trim()))
        };
        let last = last_of(&output.stderr).or_else(|| last_of(&output.stdout));
        let last = last.unwrap_or_else(|| "it printed nothing".to_owned());
        let what = format!("{} did not start: {}", run.dialect.name(), shorten(&last, 200));
        Failure {
            phase: Phase::Load,
            cause: Cause::Infrastructure { what },
            exception: "Error".to_owned(),
            message: shorten(&last, 400),
            frames: Vec::new(),
            excerpt: shorten(text.trim(), 4_000),
        }
    });
    let file = blamed(&failure, &text, run.files);
    Reading { load_failures: vec![LoadFailure { file, failure }], complete: closing, ..Reading::default() }
}
