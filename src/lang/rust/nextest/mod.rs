//! `cargo nextest`: one process for each test.
//!
//! nextest takes exit code 0 of a test's process for a pass, also when the code under test called
//! `exit(0)`. Its JUnit report therefore also stores what passing tests print: each process is a
//! libtest program, whose own result and closing line must say the same.

mod read;
mod reports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{
    Canaries, Invocation, LangError, Output, Project, Reading, Runner, RunnerSettings, Selection,
};
use super::cargo::{Cargo, Selected};
use super::libtest::Libtest;
use super::machine;
use super::manifest;
use super::targets::{self, Filter, Unit};
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
