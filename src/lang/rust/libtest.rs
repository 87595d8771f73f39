//! `cargo test`: the runner that every Rust project has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use super::super::{
    Canaries, Case, Cause, Failure, Invocation, LangError, Output, Phase, Project, Reading, Runner,
    RunnerSettings, Selection, Status,
};
use super::build::{self, Built, Program};
use super::cargo::{Cargo, Selected};
use super::manifest::Kind;
use super::report::{self, Report};
use super::targets::{Filter, Places, Unit, Workspace};
use super::{canary, machine, panics};
use crate::git::RepoPath;

/// `cargo test` with its usual test programs.
pub(super) struct Libtest {
    pub(super) workspace: Workspace,
    pub(super) command: Cargo,
    pub(super) suite: Cargo,
    /// A build folder that the machine's configuration puts outside the tree is brought back.
    target_dir: Option<&'static str>,
    label: String,
}

impl Libtest {
    /// # Errors
    /// Cargo is not there, or a command of the settings is not cargo's.
    pub(super) fn new(project: &dyn Project, settings: &RunnerSettings) -> Result<Self, LangError> {
        let command = Cargo::of(settings.command.as_ref(), "command")?;
        let suite = Cargo::of(settings.suite.as_ref().or(settings.command.as_ref()), "suite")?;
        Ok(Self {
            workspace: Workspace::read(project),
            command,
            suite,
            target_dir: machine::target_dir_outside(project).then_some("target"),
            label: format!("cargo test ({})", machine::version(project.root(), &["--version"])?),
        })
    }

    /// The units of each package that has some.
    pub(super) fn by_package<'a>(&self, units: &'a [Unit]) -> Vec<(usize, Vec<&'a Unit>)> {
        let mut groups: BTreeMap<usize, Vec<&Unit>> = BTreeMap::new();
        for unit in units {
            groups.entry(unit.package).or_default().push(unit);
        }
        groups.into_iter().collect()
    }

    /// With what all of cargo's commands need.
    pub(super) fn dressed(&self, invocation: Invocation, home: &str) -> Invocation {
        let invocation = invocation.cwd(home);
        match self.target_dir {
            Some(folder) => invocation.env("CARGO_TARGET_DIR", folder),
            None => invocation,
        }
    }

    /// The builds of [`Runner::build`].
    pub(super) fn plain_builds(&self, selection: &Selection) -> Vec<Invocation> {
        let mut found = Vec::new();
        for (home, argv) in self.build_commands(selection, &["--no-run"]) {
            found.push(self.dressed(Invocation::new(argv), &home));
        }
        found
    }

    /// The builds in front of a run, one for each package or, for the suite, for each home.
    pub(super) fn reporting_builds(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        self.build_commands(selection, &["--no-run", "--message-format=json"])
            .into_iter()
            .enumerate()
            .map(|(index, (home, argv))| {
                self.dressed(build::invocation(argv, &build_name(index), out), &home)
            })
            .collect()
    }

    fn build_commands(&self, selection: &Selection, extra: &[&str]) -> Vec<(String, Vec<String>)> {
        if *selection == Selection::Suite {
            return self.workspace.homes.iter().map(|home| (home.clone(), self.suite.suite(extra))).collect();
        }
        let units = self.workspace.units(selection);
        self.by_package(&units)
            .into_iter()
            .map(|(package, mut units)| {
                // Cargo builds documentation tests only when it runs them.
                units.retain(|unit| unit.kind != Kind::Doc);
                let selected = Selected::new(&self.workspace, package);
                (self.workspace.packages[package].home.clone(), self.command.test(&selected, &units, extra))
            })
            .collect()
    }

    /// Reads the builds at the front of `outputs`; returns the rest of the outputs and, for each
    /// build, what it left.
    pub(super) fn read_builds<'a>(
        &self,
        selection: &Selection,
        outputs: &'a [Output],
        out: &Path,
        root: &Path,
    ) -> (Vec<Built>, &'a [Output]) {
        let homes: Vec<(String, String)> = if *selection == Selection::Suite {
            self.workspace.homes.iter().map(|home| (home.clone(), home.clone())).collect()
        } else {
            let units = self.workspace.units(selection);
            self.by_package(&units)
                .iter()
                .map(|(package, _)| {
                    let package = &self.workspace.packages[*package];
                    (package.home.clone(), package.folder.clone())
                })
                .collect()
        };
        let built = homes
            .iter()
            .zip(outputs)
            .enumerate()
            .map(|(index, ((home, folder), output))| {
                let places = self.workspace.places(root, home, folder);
                build::read(&self.workspace, &places, output, out, &build_name(index), root)
            })
            .collect();
        (built, outputs.get(homes.len()..).unwrap_or_default())
    }

    /// Turns what stopped the builds into load failures.
    pub(super) fn take_load_failures(&self, selection: &Selection, built: &[Built], reading: &mut Reading) {
        let units = self.workspace.units(selection);
        let files = |program: &Program| -> Vec<RepoPath> {
            let mine = units.iter().filter(|unit| {
                (unit.package, unit.kind, &unit.target) == (program.package, program.kind, &program.target)
            });
            mine.flat_map(|unit| self.workspace.files_of(unit)).collect()
        };
        for build in built {
            reading.complete &= build.complete;
            reading.load_failures.extend(build::load_failures(&build.stops, &files));
        }
    }

    pub(super) fn places<'a>(&'a self, root: &'a Path, package: usize) -> Places<'a> {
        let package = &self.workspace.packages[package];
        self.workspace.places(root, &package.home, &package.folder)
    }

    /// A case of a test that ended.
    pub(super) fn case(
        &self,
        program: &Program,
        name: &str,
        status: Status,
        printed: &str,
        root: &Path,
    ) -> Case {
        let Program { package, kind, target } = program;
        let file = self.workspace.file_of(*package, *kind, target, name);
        let failure = (status == Status::Failed)
            .then(|| panics::failure(name, printed, file.as_ref(), &self.places(root, *package)));
        Case { id: self.workspace.id(*package, *kind, target, name), file, status, failure, seconds: 0.0 }
    }

    /// A case of a test that did not end.
    pub(super) fn cut_off(&self, program: &Program, name: &str, cause: Cause, how: &str, log: &str) -> Case {
        let Program { package, kind, target } = program;
        Case {
            id: self.workspace.id(*package, *kind, target, name),
            file: self.workspace.file_of(*package, *kind, target, name),
            status: Status::Failed,
            failure: Some(Failure {
                phase: Phase::Call,
                exception: if cause == Cause::TimedOut { "timeout" } else { "abort" }.to_owned(),
                cause,
                message: how.to_owned(),
                frames: Vec::new(),
                excerpt: panics::clip(log.trim(), 4000),
            }),
            seconds: 0.0,
        }
    }

    fn read_unit(
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
        if custom && !output.stdout.lines().any(is_announcement) && output.code == Some(0) {
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
    fn suspects(&self, report: &Report, expected: Option<&[String]>, output: &Output) -> Vec<String> {
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
    fn read_doc(
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

    /// The suite of one home. The streams come as one, so that cargo's announcements stand in front
    /// of what the programs print.
    fn read_suite(&self, home: &str, built: &Built, output: &Output, root: &Path, reading: &mut Reading) {
        let mut open: BTreeSet<&str> = built.programs.keys().map(String::as_str).collect();
        let mut failed = 0;
        for section in sections(&output.stdout, built) {
            match section.of {
                SectionOf::Program(file) => {
                    open.remove(file);
                    let program = &built.programs[file];
                    let report = report::read(section.text);
                    let custom = self.workspace.is_custom(program.package, program.kind, &program.target);
                    reading.complete &= report.complete || custom;
                    failed += report.failed;
                    reading.disagreements.extend(report.disagreements.iter().cloned());
                    for (name, status) in &report.results {
                        let printed = report.printed.get(name).map(String::as_str).unwrap_or_default();
                        reading.cases.push(self.case(program, name, *status, printed, root));
                    }
                    if !report.complete
                        && let [name] = self.suspects(&report, None, output).as_slice()
                    {
                        let cause = if output.timed_out { Cause::TimedOut } else { Cause::Raised };
                        let how = how_it_ended(output);
                        reading.cases.push(self.cut_off(program, name, cause, &how, section.text));
                    }
                }
                SectionOf::Doc(name) => {
                    let reports: Vec<Report> =
                        report::blocks(section.text).into_iter().map(report::read).collect();
                    reading.complete &= !reports.is_empty() && reports.iter().all(|report| report.complete);
                    failed += reports.iter().map(|report| report.failed).sum::<u32>();
                    if let Some(package) = self.workspace.package_of_crate(home, name) {
                        self.read_doc(package, &name.replace('-', "_"), reports, root, reading);
                    }
                }
            }
        }
        open.retain(|file| {
            let program = &built.programs[*file];
            !self.workspace.is_custom(program.package, program.kind, &program.target)
        });
        if !open.is_empty() {
            reading.complete = false;
        }
        reading.complete &= !output.timed_out;
        if output.code == Some(0) && failed > 0 || output.code == Some(101) && failed == 0 && reading.complete
        {
            reading.disagreements.push(format!(
                "the suite ended with exit code {} and {failed} failed tests",
                output.code.unwrap_or_default()
            ));
        }
    }
}

impl Runner for Libtest {
    fn name(&self) -> &'static str {
        "cargo"
    }

    fn label(&self) -> String {
        self.label.clone()
    }

    fn build(&self, selection: &Selection) -> Vec<Invocation> {
        self.plain_builds(selection)
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        let mut commands = self.reporting_builds(selection, out);
        if *selection == Selection::Suite {
            for home in &self.workspace.homes {
                let mut argv =
                    vec!["sh".to_owned(), "-c".to_owned(), "exec \"$@\" 2>&1".to_owned(), "sh".to_owned()];
                argv.extend(self.suite.suite(&["--no-fail-fast"]));
                argv.extend(self.suite.arguments(&[], None));
                commands.push(self.dressed(Invocation::new(argv), home));
            }
            return commands;
        }
        for unit in self.workspace.units(selection) {
            let selected = Selected::new(&self.workspace, unit.package);
            let home = &self.workspace.packages[unit.package].home;
            let command = |ours: &[String], threads| {
                let mut argv = self.command.test(&selected, &[&unit], &[]);
                argv.extend(self.command.arguments(ours, threads));
                self.dressed(Invocation::new(argv), home)
            };
            let filter = unit.arguments();
            if matches!(unit.filter, Filter::Files(_)) {
                let listing = ["--list", "--format=terse"].map(str::to_owned);
                commands.push(command(&[filter.as_slice(), &listing].concat(), None));
                commands.push(command(&filter, None));
            } else {
                // One thread: then a test that ends or hangs the program can be named.
                commands.push(command(&filter, (unit.kind != Kind::Doc).then_some(1)));
            }
        }
        commands
    }

    fn read(&self, selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        let mut reading = Reading { complete: true, ..Reading::default() };
        let (built, mut rest) = self.read_builds(selection, outputs, out, root);
        self.take_load_failures(selection, &built, &mut reading);
        if *selection == Selection::Suite {
            for ((home, build), output) in self.workspace.homes.iter().zip(&built).zip(rest) {
                if build.stops.is_empty() {
                    self.read_suite(home, build, output, root, &mut reading);
                }
            }
            reading.complete &= rest.len() >= self.workspace.homes.len();
            return reading;
        }
        let units = self.workspace.units(selection);
        let packages: Vec<usize> = self.by_package(&units).into_iter().map(|(package, _)| package).collect();
        for unit in &units {
            let listed = matches!(unit.filter, Filter::Files(_));
            let (mine, others) = rest.split_at(rest.len().min(1 + usize::from(listed)));
            rest = others;
            let at = packages.iter().position(|package| *package == unit.package);
            // A build that failed on one target may still have let another one run.
            if at.and_then(|at| built.get(at)).is_some_and(|build| !build.stops.is_empty())
                && !mine.last().is_some_and(|run| run.stdout.lines().any(is_announcement))
            {
                continue;
            }
            match mine {
                [list, run] => self.read_unit(unit, Some(list), run, root, &mut reading),
                [run] if !listed => self.read_unit(unit, None, run, root, &mut reading),
                _ => reading.complete = false,
            }
        }
        reading
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        Some(canary::beside(beside, source, nonce, self.workspace.is_bare(beside)))
    }

    fn writable_caches(&self) -> Vec<PathBuf> {
        machine::cargo_home().into_iter().collect()
    }

    fn environment(&self) -> Vec<(String, String)> {
        machine::environment()
    }
}

fn is_announcement(line: &str) -> bool {
    line.starts_with("running ") && (line.ends_with(" tests") || line.ends_with(" test"))
}

fn build_name(index: usize) -> String {
    format!("build-{index}")
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
fn how_it_ended(output: &Output) -> String {
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

struct Section<'a> {
    of: SectionOf<'a>,
    text: &'a str,
}

enum SectionOf<'a> {
    /// The file name of a test program.
    Program(&'a str),
    /// The name of a crate.
    Doc(&'a str),
}

/// Splits the output of `cargo test` at its announcements. A program's announcement counts once and
/// only when the build named the program: tests may print such lines.
fn sections<'a>(text: &'a str, built: &'a Built) -> Vec<Section<'a>> {
    static RUNNING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"     Running (?:unittests )?.+ \(([^()]+)\)$").expect("a valid pattern")
    });
    static DOC: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"   Doc-tests (\S+)$").expect("a valid pattern"));
    let mut heads: Vec<(usize, usize, SectionOf<'a>)> = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if let Some(found) = RUNNING.captures(bare) {
            let file = found[1].rsplit('/').next().unwrap_or_default();
            if let Some((file, _)) = built.programs.get_key_value(file)
                && seen.insert(file)
            {
                heads.push((at, at + line.len(), SectionOf::Program(file)));
            }
        } else if let Some(found) = DOC.captures(bare) {
            let name = found.get(1).map_or("", |name| name.as_str());
            heads.push((at, at + line.len(), SectionOf::Doc(name)));
        }
        at += line.len();
    }
    let starts: Vec<usize> = heads.iter().map(|(start, _, _)| *start).chain([text.len()]).collect();
    heads
        .into_iter()
        .enumerate()
        .map(|(index, (_, begin, of))| Section { of, text: &text[begin..starts[index + 1].max(begin)] })
        .collect()
}
