//! Reading what one test program printed.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use super::super::build::Program;
use super::super::manifest::Kind;
use super::super::panics;
use super::super::report::{self, Report};
use super::super::targets::{Filter, Unit};
use super::Libtest;
use crate::lang::{Case, Cause, Output, Reading, Status};

impl Libtest {
    pub(super) fn read_unit(
        &self,
        unit: &Unit,
        list: Option<&Output>,
        output: &Output,
        root: &Path,
        reading: &mut Reading,
    ) {
        let program = Program { package: unit.package, kind: unit.kind, target: unit.target.clone() };
        if unit.kind == Kind::Doc {
            let reports: Vec<Report> = report::blocks(&output.stdout).into_iter().map(report::read).collect();
            reading.complete &= !reports.is_empty() && reports.iter().all(|report| report.complete);
            let failed = reports.iter().map(|report| report.failed).sum();
            exit_agrees(output, failed, reading);
            self.read_doc(unit.package, &unit.target, reports, root, reading);
            reading.cases.retain(|case| {
                self.workspace.parse(&case.id).is_none_or(|(package, kind, _, name)| {
                    (package, kind) != (unit.package, Kind::Doc) || self.workspace.is_meant(unit, &name)
                })
            });
            return;
        }
        // A test program of its own kind (`harness = false` on the base) reports no tests: nothing in
        // it is judged.
        let custom = self.workspace.is_custom(unit.package, unit.kind, &unit.target);
        if custom && !announces(&output.stdout) && output.code == Some(0) {
            return;
        }
        let report = report::read(&output.stdout);
        let expected: Option<Vec<String>> = match (&unit.filter, list) {
            (Filter::Names(names), _) => Some(names.clone()),
            (Filter::Files(_), Some(list)) if list.code == Some(0) => Some(listed(&list.stdout)),
            _ => None,
        };
        for (name, status) in &report.results {
            if self.workspace.is_meant(unit, name) {
                let printed = report.printed.get(name).map(String::as_str).unwrap_or_default();
                reading.cases.push(self.case(&program, name, *status, printed, root));
            }
        }
        let known: BTreeSet<&str> = report.results.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(expected) = &expected {
            for name in known.iter().filter(|name| !expected.iter().any(|other| other == *name)) {
                reading.disagreements.push(format!("`{name}` is reported but was not among the tests"));
            }
            if report.complete && matches!(unit.filter, Filter::Files(_)) && known.len() < expected.len() {
                reading.disagreements.push(format!(
                    "{} tests were listed and {} reported",
                    expected.len(),
                    known.len()
                ));
            }
        }
        exit_agrees(output, report.failed, reading);
        reading.disagreements.extend(report.disagreements.iter().cloned());
        reading.complete &= report.complete && !output.timed_out;
        if report.complete && !output.timed_out {
            return;
        }
        let how = how_it_ended(output);
        if output.code == Some(0) {
            reading
                .disagreements
                .push("the test program ended with exit code 0 and without its closing line".to_owned());
        }
        let log = format!("{}\n{}", output.stdout.trim_end(), output.stderr.trim_end());
        for name in self.suspects(&report, expected.as_deref(), output) {
            if self.workspace.is_meant(unit, &name) {
                let cause = if output.timed_out { Cause::TimedOut } else { Cause::Raised };
                reading.cases.push(self.cut_off(&program, &name, cause, &how, &log));
            }
        }
    }

    /// The tests that were running when a program ended too early, as far as one can tell.
    pub(super) fn suspects(
        &self,
        report: &Report,
        expected: Option<&[String]>,
        output: &Output,
    ) -> Vec<String> {
        static OVERFLOW: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?m)^thread '([^'\n]+)' (?:\(\d+\) )?has overflowed its stack")
                .expect("a valid pattern")
        });
        let ended = |name: &str| report.results.iter().any(|(known, _)| known == name);
        if let Some(name) = &report.unfinished {
            return vec![name.clone()];
        }
        let overflowed = OVERFLOW.captures(&output.stderr).map(|found| found[1].to_owned());
        if let Some(name) = overflowed.filter(|name| !ended(name) && name.contains("::")) {
            return vec![name];
        }
        let slow: Vec<String> = report.slow.iter().filter(|name| !ended(name)).cloned().collect();
        if output.timed_out && !slow.is_empty() {
            return slow;
        }
        let missing: Vec<String> =
            expected.unwrap_or_default().iter().filter(|name| !ended(name)).cloned().collect();
        // With a hanging test the others go on to their end; with a dead program they do not.
        let most = if output.timed_out { 4 } else { 1 };
        if missing.len() <= most { missing } else { Vec::new() }
    }

    /// Documentation tests, numbered within the item that they document.
    pub(super) fn read_doc(
        &self,
        package: usize,
        target: &str,
        reports: Vec<Report>,
        root: &Path,
        reading: &mut Reading,
    ) {
        static NAME: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^(.+) \(line (\d+)\)$").expect("a valid pattern"));
        let mut found: Vec<(String, u32, Status, String)> = Vec::new();
        for report in reports {
            reading.disagreements.extend(report.disagreements.iter().cloned());
            for (name, status) in &report.results {
                let printed = report.printed.get(name).cloned().unwrap_or_default();
                let (item, line) = match NAME.captures(name) {
                    Some(parts) => (parts[1].to_owned(), parts[2].parse().unwrap_or(0)),
                    None => (name.clone(), 0),
                };
                found.push((item, line, *status, printed));
            }
        }
        found.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        let places = self.places(root, package);
        let mut number = 0;
        for (index, (item, _, status, printed)) in found.iter().enumerate() {
            let first = index == 0 || found[index - 1].0 != *item;
            number = if first { 1 } else { number + 1 };
            let name = format!("{item} #{number}");
            let file = item.split(" - ").next().and_then(|file| places.in_tree(file));
            let failure =
                (*status == Status::Failed).then(|| panics::failure(&name, printed, file.as_ref(), &places));
            reading.cases.push(Case {
                id: self.workspace.id(package, Kind::Doc, target, &name),
                file,
                status: *status,
                failure,
                seconds: 0.0,
            });
        }
    }
}

/// True when a test program began to run its tests.
pub(super) fn announces(stdout: &str) -> bool {
    stdout
        .lines()
        .any(|line| line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test")))
}

/// The names of `--list --format=terse`.
fn listed(stdout: &str) -> Vec<String> {
    stdout
        .lines()
        .filter_map(|line| line.strip_suffix(": test").or_else(|| line.strip_suffix(": benchmark")))
        .map(str::to_owned)
        .collect()
}

/// Cargo ends with 0 when all passed and with 101 when one failed.
fn exit_agrees(output: &Output, failed: u32, reading: &mut Reading) {
    match output.code {
        Some(0) if failed > 0 => {
            reading.disagreements.push(format!("exit code 0 with {failed} failed tests"));
        }
        Some(101) if failed == 0 && reading.complete && has_closing_line(output) => {
            reading.disagreements.push("exit code 101 without a failed test".to_owned());
        }
        Some(code) if code != 0 && code != 101 => {
            reading.disagreements.push(format!("exit code {code}, which cargo gives for no test result"));
        }
        _ => {}
    }
}

fn has_closing_line(output: &Output) -> bool {
    output.stdout.lines().any(|line| line.starts_with("test result: "))
}

/// How a program ended that did not come to its closing line, for people.
pub(super) fn how_it_ended(output: &Output) -> String {
    static ENDED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"process didn't exit successfully: .* \(((?:signal|exit status|exit code): [^)]*)\)")
            .expect("a valid pattern")
    });
    if output.timed_out {
        return "did not end within the time limit".to_owned();
    }
    let text = format!("{}\n{}", output.stderr, output.stdout);
    let overflow = text.lines().find(|line| line.contains("has overflowed its stack"));
    let how = match ENDED.captures(&text) {
        Some(found) => format!("the test program was ended by {}", &found[1]),
        None => match output.code {
            Some(code) => format!("the test program ended with exit code {code} before the test did"),
            None => "the test program was killed".to_owned(),
        },
    };
    match overflow {
        Some(line) => format!("{line}; {how}"),
        None => how,
    }
}
