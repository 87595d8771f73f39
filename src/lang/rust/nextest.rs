//! `cargo nextest`: one process for each test.
//!
//! nextest takes exit code 0 of a test's process for a pass, also when the code under test called
//! `exit(0)`. Its JUnit report therefore also stores what passing tests print: each process is a
//! libtest program, whose own result and closing line must say the same.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use regex::Regex;
use serde::Deserialize;

use super::super::{
    Canaries, Case, Cause, Invocation, LangError, Output, Project, Reading, Runner, RunnerSettings,
    Selection, Status, TestId,
};
use super::build::Program;
use super::cargo::{Cargo, Selected};
use super::libtest::Libtest;
use super::manifest::{self, Kind};
use super::targets::{self, Filter, Unit};
use super::{machine, report};
use crate::git::RepoPath;

/// `cargo nextest run`.
pub(super) struct Nextest {
    cargo: Libtest,
    command: Cargo,
    suite: Cargo,
    /// `.config/nextest.toml` of each home that has one.
    project_config: BTreeMap<String, String>,
    label: String,
}

const CONFIG: &str = "nextest.toml";
const PROFILE: &str = "failfirst";

impl Nextest {
    /// # Errors
    /// Cargo or nextest is not there, or a command of the settings is not cargo's.
    pub(super) fn new(project: &dyn Project, settings: &RunnerSettings) -> Result<Self, LangError> {
        let cargo = Libtest::new(project, settings)?;
        let version = machine::version(project.root(), &["nextest", "--version"]).map_err(|error| match error {
            LangError::RunnerMissing { what, .. } => LangError::RunnerMissing {
                what,
                way_out: "install it with `cargo install cargo-nextest --locked`, or set `runner = \"cargo\"` under \
                          [project] in failfirst.toml"
                    .to_owned(),
            },
            other => other,
        })?;
        let homes = cargo.workspace.homes.iter();
        let project_config = homes
            .filter_map(|home| {
                Some((home.clone(), project.text(&manifest::join(home, ".config/nextest.toml"))?))
            })
            .collect();
        let (command, suite) = (cargo.command.clone(), cargo.suite.clone());
        Ok(Self { command, suite, cargo, project_config, label: version })
    }

    /// For each nextest process: where it starts, the words that choose, the filter.
    fn jobs(&self, selection: &Selection) -> Vec<Job> {
        if *selection == Selection::Suite {
            let homes = self.cargo.workspace.homes.iter();
            return homes.map(|home| Job { home: home.clone(), package: None, units: Vec::new() }).collect();
        }
        let units = self.cargo.workspace.units(selection);
        self.cargo
            .by_package(&units)
            .into_iter()
            .map(|(package, units)| Job {
                home: self.cargo.workspace.packages[package].home.clone(),
                package: Some(package),
                units: units.into_iter().cloned().collect(),
            })
            .collect()
    }

    fn command(&self, job: &Job, extra: &[String]) -> Vec<String> {
        match job.package {
            None => self.suite.nextest(None, extra),
            Some(package) => {
                let selected = Selected::new(&self.cargo.workspace, package);
                let units: Vec<&Unit> = job.units.iter().collect();
                self.command.nextest(Some((&selected, &units)), extra)
            }
        }
    }

    fn filter(&self, job: &Job) -> Vec<String> {
        let mut parts = Vec::new();
        for unit in &job.units {
            let package = &self.cargo.workspace.packages[unit.package].name;
            let binary = targets::binary_id(package, unit.kind, &unit.target);
            let names: Vec<String> = match &unit.filter {
                Filter::Names(names) => names.iter().map(|name| format!("test(={})", escape(name))).collect(),
                Filter::Files(entries) if entries.iter().any(|(_, module)| module.is_empty()) => Vec::new(),
                Filter::Files(entries) => {
                    entries.iter().map(|(_, module)| format!("test(/^{module}::/)")).collect()
                }
            };
            let binary = format!("binary_id(={})", escape(&binary));
            parts.push(if names.is_empty() {
                binary
            } else {
                format!("({binary} & ({}))", names.join(" | "))
            });
        }
        if parts.is_empty() {
            return Vec::new();
        }
        vec!["--ignore-default-filter".to_owned(), "-E".to_owned(), parts.join(" | ")]
    }

    /// The words that bring in our profile, and the content of the file that holds it.
    ///
    /// A profile of a tool's configuration cannot inherit from one of the project's; where the user's
    /// words name one, the project's own configuration is handed over with ours at its end.
    fn config(&self, selection: &Selection, job: &Job, out: &Path, junit: &str) -> (Vec<String>, String) {
        let user = if *selection == Selection::Suite { &self.suite } else { &self.command };
        let file = out.join(CONFIG).to_string_lossy().into_owned();
        let path = out.join(junit).to_string_lossy().into_owned();
        let own = |inherits: &str| {
            format!(
                "[profile.{PROFILE}]\n{inherits}fail-fast = false\nretries = 0\n\n[profile.{PROFILE}.junit]\npath = \
                 {}\nstore-success-output = true\nstore-failure-output = true\n",
                quoted(&path)
            )
        };
        let profile = ["--profile", PROFILE].map(str::to_owned);
        match user.nextest_profile().zip(self.project_config.get(&job.home)) {
            Some((name, config)) => {
                let inherits = format!("inherits = {}\n", quoted(name));
                let words = ["--config-file".to_owned(), file];
                (profile.into_iter().chain(words).collect(), format!("{config}\n{}", own(&inherits)))
            }
            None => {
                let words = ["--tool-config-file".to_owned(), format!("failfirst:{file}")];
                (profile.into_iter().chain(words).collect(), own(""))
            }
        }
    }

    fn read_job(&self, job: &Job, files: &JobFiles<'_>, root: &Path, reading: &mut Reading) {
        let JobFiles { list, run, junit } = files;
        let listed = list.and_then(|list| read_list(&list.stdout));
        let meant = |id: &TestId| -> bool {
            let Some((package, kind, target, name)) = self.cargo.workspace.parse(id) else { return false };
            job.package.is_none()
                || job.units.iter().any(|unit| {
                    unit.package == package
                        && unit.kind == kind
                        && (unit.target == target || kind == Kind::Lib)
                        && self.cargo.workspace.is_meant(unit, &name)
                })
        };
        let before = reading.cases.len();
        let Some(found) = junit.as_deref().and_then(read_junit) else {
            if run.code == Some(4) {
                // "no tests to run": complete, and empty.
            } else {
                reading.complete = false;
                self.read_lines(run, listed.as_ref(), &meant, root, reading);
            }
            self.add_ignored(listed.as_ref(), &meant, before, reading);
            return;
        };
        let mut failed = 0;
        for test in &found.tests {
            let id = TestId(format!("{} {}", test.binary, test.name));
            failed += u32::from(test.failure.is_some());
            if meant(&id) {
                self.read_test(test, id, run.timed_out, root, reading);
            }
        }
        if found.count != found.tests.len() || found.failures != failed as usize {
            reading.disagreements.push(format!(
                "the report counts {} tests and {} failures and holds {} and {failed}",
                found.count,
                found.failures,
                found.tests.len()
            ));
        }
        match run.code {
            Some(0) if failed > 0 => {
                reading.disagreements.push(format!("exit code 0 with {failed} failed tests"));
            }
            Some(100) if failed == 0 => {
                reading.disagreements.push("exit code 100 without a failed test".to_owned());
            }
            Some(0 | 4 | 100) => {}
            _ => reading.complete = false,
        }
        if let Some(listed) = &listed {
            let missing = listed
                .iter()
                .filter(|(id, ignored)| !**ignored && !found.has(id))
                .map(|(id, _)| format!("`{id}` was to run and is not in the report"));
            reading.disagreements.extend(missing);
        }
        reading.complete &= !run.timed_out;
        self.add_ignored(listed.as_ref(), &meant, before, reading);
    }

    fn read_test(&self, test: &JunitTest, id: TestId, timed_out: bool, root: &Path, reading: &mut Reading) {
        let Some((package, kind, target, name)) = self.cargo.workspace.parse(&id) else { return };
        let program = Program { package, kind, target };
        let own = report::read(&test.stdout);
        let printed = format!("{}\n{}", test.stdout.trim_end(), test.stderr.trim_end());
        let mut case = match &test.failure {
            None => {
                let agrees = own.complete
                    && own.disagreements.is_empty()
                    && own.results == [(name.clone(), Status::Passed)];
                if agrees {
                    self.cargo.case(&program, &name, Status::Passed, "", root)
                } else {
                    reading.disagreements.push(format!(
                        "nextest takes `{id}` for passed, but its process ended with exit code 0 before the test did"
                    ));
                    let how = "the process ended with exit code 0 before the test did";
                    self.cargo.cut_off(&program, &name, Cause::Raised, how, &printed)
                }
            }
            Some(kind) if kind.contains("timeout") => {
                let how = "did not end within nextest's own time limit";
                self.cargo.cut_off(&program, &name, Cause::TimedOut, how, &printed)
            }
            // What was still running when the time limit came.
            Some(kind) if timed_out && kind.contains("abort") => {
                let how = "did not end within the time limit";
                self.cargo.cut_off(&program, &name, Cause::TimedOut, how, &printed)
            }
            Some(kind) if own.complete && !kind.contains("abort") => {
                self.cargo.case(&program, &name, Status::Failed, &printed, root)
            }
            Some(kind) => self.cargo.cut_off(&program, &name, Cause::Raised, kind, &printed),
        };
        case.seconds = test.seconds;
        reading.cases.push(case);
    }

    /// What nextest printed until it was killed.
    fn read_lines(
        &self,
        run: &Output,
        listed: Option<&BTreeMap<TestId, bool>>,
        meant: &dyn Fn(&TestId) -> bool,
        root: &Path,
        reading: &mut Reading,
    ) {
        static LINE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(?m)^ +(PASS|FAIL|SIG[A-Z]+|TIMEOUT|ABORT) \[[^\]]*\] (?:\([^)]*\) )?(\S+) (.+)$")
                .expect("a valid pattern")
        });
        let mut ended: Vec<TestId> = Vec::new();
        for found in LINE.captures_iter(&run.stderr) {
            let id = TestId(format!("{} {}", &found[2], &found[3]));
            let Some((package, kind, target, name)) = self.cargo.workspace.parse(&id) else { continue };
            if !meant(&id) || ended.contains(&id) {
                continue;
            }
            ended.push(id);
            let program = Program { package, kind, target };
            reading.cases.push(match &found[1] {
                "PASS" => self.cargo.case(&program, &name, Status::Passed, "", root),
                "FAIL" => self.cargo.case(&program, &name, Status::Failed, "", root),
                how => self.cargo.cut_off(&program, &name, Cause::Raised, how, ""),
            });
        }
        let missing: Vec<&TestId> = listed
            .into_iter()
            .flatten()
            .filter(|(id, ignored)| !**ignored && meant(id) && !ended.contains(id))
            .map(|(id, _)| id)
            .collect();
        if run.timed_out && missing.len() <= 4 {
            for id in missing {
                let Some((package, kind, target, name)) = self.cargo.workspace.parse(id) else { continue };
                let program = Program { package, kind, target };
                let how = "did not end within the time limit";
                reading.cases.push(self.cargo.cut_off(&program, &name, Cause::TimedOut, how, &run.stderr));
            }
        }
    }

    /// Ignored tests stand in the list only.
    fn add_ignored(
        &self,
        listed: Option<&BTreeMap<TestId, bool>>,
        meant: &dyn Fn(&TestId) -> bool,
        from: usize,
        reading: &mut Reading,
    ) {
        for (id, ignored) in listed.into_iter().flatten() {
            if *ignored && meant(id) && !reading.cases[from..].iter().any(|case| case.id == *id) {
                let Some((package, kind, target, name)) = self.cargo.workspace.parse(id) else { continue };
                reading.cases.push(Case {
                    id: id.clone(),
                    file: self.cargo.workspace.file_of(package, kind, &target, &name),
                    status: Status::Skipped,
                    failure: None,
                    seconds: 0.0,
                });
            }
        }
    }
}

struct Job {
    home: String,
    package: Option<usize>,
    units: Vec<Unit>,
}

struct JobFiles<'a> {
    list: Option<&'a Output>,
    run: &'a Output,
    junit: Option<String>,
}

impl Runner for Nextest {
    fn name(&self) -> &'static str {
        "nextest"
    }

    fn label(&self) -> String {
        self.label.clone()
    }

    fn build(&self, selection: &Selection) -> Vec<Invocation> {
        self.cargo.plain_builds(&without_docs(selection))
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        let selection = &without_docs(selection);
        let mut commands = self.cargo.reporting_builds(selection, out);
        for (index, job) in self.jobs(selection).iter().enumerate() {
            let (mut words, config) = self.config(selection, job, out, &junit_name(index));
            words.extend(self.filter(job));
            let mut list = self.command(job, &[]);
            if let Some(run) = list.iter().rposition(|word| word == "run") {
                list[run] = "list".to_owned();
            }
            list.extend(words.iter().cloned());
            list.extend(["--message-format", "json"].map(str::to_owned));
            words.extend(["--no-fail-fast", "--retries", "0"].map(str::to_owned));
            let run = self.command(job, &words);
            let dress = |argv: Vec<String>| {
                self.cargo.dressed(Invocation::new(argv).file(CONFIG, config.clone()), &job.home)
            };
            commands.push(dress(list));
            commands.push(dress(run));
        }
        commands
    }

    fn read(&self, selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        let selection = &without_docs(selection);
        let mut reading = Reading { complete: true, ..Reading::default() };
        let (built, rest) = self.cargo.read_builds(selection, outputs, out, root);
        self.cargo.take_load_failures(selection, &built, &mut reading);
        let jobs = self.jobs(selection);
        for (index, job) in jobs.iter().enumerate() {
            if built.get(index).is_some_and(|build| !build.stops.is_empty()) {
                continue;
            }
            let Some(run) = rest.get(2 * index + 1) else {
                reading.complete = false;
                continue;
            };
            let junit = std::fs::read(out.join(junit_name(index))).ok();
            let junit = junit.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            let list = rest.get(2 * index).filter(|list| list.code == Some(0));
            self.read_job(job, &JobFiles { list, run, junit }, root, &mut reading);
        }
        reading
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        self.cargo.canaries(beside, source, nonce)
    }

    fn writable_caches(&self) -> Vec<PathBuf> {
        self.cargo.writable_caches()
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.cargo.environment()
    }
}

fn junit_name(index: usize) -> String {
    format!("junit-{index}.xml")
}

/// nextest runs no documentation tests.
fn without_docs(selection: &Selection) -> Selection {
    match selection {
        Selection::Tests(ids) => Selection::Tests(
            ids.iter()
                .filter(|id| !id.as_str().split(' ').any(|word| word.contains("::doc/")))
                .cloned()
                .collect(),
        ),
        other => other.clone(),
    }
}

/// A name inside a filter expression.
fn escape(name: &str) -> String {
    let mut escaped = String::new();
    for character in name.chars() {
        if matches!(character, '\\' | '(' | ')' | ',' | '/') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct List {
    rust_suites: BTreeMap<String, ListSuite>,
}

#[derive(Deserialize)]
struct ListSuite {
    #[serde(default)]
    testcases: BTreeMap<String, ListTest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct ListTest {
    ignored: bool,
    filter_match: FilterMatch,
}

#[derive(Deserialize)]
struct FilterMatch {
    status: String,
    #[serde(default)]
    reason: String,
}

/// The tests that `nextest list` names, and whether each is ignored.
fn read_list(stdout: &str) -> Option<BTreeMap<TestId, bool>> {
    let start = stdout.find('{')?;
    let list: List = serde_json::from_str(stdout[start..].trim()).ok()?;
    let mut found = BTreeMap::new();
    for (binary, suite) in list.rust_suites {
        for (name, test) in suite.testcases {
            let ignored = test.ignored
                && (test.filter_match.reason == "ignored" || test.filter_match.reason.is_empty());
            if test.filter_match.status == "matches" || ignored {
                let runs = test.filter_match.status == "matches";
                found.insert(TestId(format!("{binary} {name}")), !runs);
            }
        }
    }
    Some(found)
}

#[derive(Default)]
struct Junit {
    count: usize,
    failures: usize,
    tests: Vec<JunitTest>,
}

impl Junit {
    fn has(&self, id: &TestId) -> bool {
        self.tests.iter().any(|test| {
            id.as_str().strip_prefix(&test.binary).and_then(|rest| rest.strip_prefix(' ')) == Some(&test.name)
        })
    }
}

#[derive(Default)]
struct JunitTest {
    binary: String,
    name: String,
    seconds: f64,
    /// How it failed, in nextest's words.
    failure: Option<String>,
    stdout: String,
    stderr: String,
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    Some(quick_xml::escape::unescape(&attribute.value).ok()?.into_owned())
}

/// nextest's JUnit report; `None` where it is no whole XML document.
fn read_junit(text: &str) -> Option<Junit> {
    let mut reader = Reader::from_str(text);
    let mut junit = Junit::default();
    let mut inside = Vec::new();
    let mut closed = false;
    loop {
        match reader.read_event().ok()? {
            Event::Eof => break,
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                junit.open(&name, &tag);
                inside.push(name);
            }
            Event::Empty(tag) => {
                let name = tag.name().as_ref().to_owned();
                junit.open(&name, &tag);
            }
            Event::End(_) => closed = inside.pop()? == "testsuites",
            Event::Text(text) => junit.text(inside.last(), &text),
            Event::CData(text) => junit.text(inside.last(), &text),
            Event::GeneralRef(reference) => {
                let whole = format!("&{};", &*reference);
                let text = quick_xml::escape::unescape(&whole).ok()?.into_owned();
                junit.text(inside.last(), &text);
            }
            _ => {}
        }
    }
    closed.then_some(junit)
}

impl Junit {
    fn open(&mut self, element: &str, tag: &BytesStart<'_>) {
        let number = |name: &str| attribute(tag, name).and_then(|text| text.parse().ok());
        match element {
            "testsuites" => {
                self.count = number("tests").unwrap_or(usize::MAX);
                self.failures =
                    number("failures").unwrap_or(usize::MAX).saturating_add(number("errors").unwrap_or(0));
            }
            "testcase" => self.tests.push(JunitTest {
                binary: attribute(tag, "classname").unwrap_or_default(),
                name: attribute(tag, "name").unwrap_or_default(),
                seconds: attribute(tag, "time").and_then(|text| text.parse().ok()).unwrap_or(0.0),
                ..JunitTest::default()
            }),
            "failure" | "error" => {
                if let Some(test) = self.tests.last_mut() {
                    let how = [attribute(tag, "type"), attribute(tag, "message")];
                    let how: Vec<String> = how.into_iter().flatten().collect();
                    test.failure = Some(if how.is_empty() { "failed".to_owned() } else { how.join(": ") });
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, element: Option<&String>, text: &str) {
        let Some(test) = self.tests.last_mut() else { return };
        match element.map(String::as_str) {
            Some("system-out") => test.stdout.push_str(text),
            Some("system-err") => test.stderr.push_str(text),
            _ => {}
        }
    }
}
