//! `cargo test`: the runner that every Rust project has.

mod read;
mod suite;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::{
    Canaries, Case, Cause, Failure, Invocation, LangError, Output, Phase, Project, Reading, Runner,
    RunnerSettings, Selection, Status,
};
use super::build::{self, Built, Program};
use super::cargo::{Cargo, Selected};
use super::manifest::Kind;
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
                && !mine.last().is_some_and(|run| read::announces(&run.stdout))
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

fn build_name(index: usize) -> String {
    format!("build-{index}")
}
