//! Reads what the commands of a run left behind.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::build::{Diagnostic, diagnostics};
use super::events::{Index, Line, each_line};
use super::failure::clip;
use super::go_test::Step;
use super::id::{GoTest, function};
use super::manifest::{Module, join, module_path};
use super::outcome::{self, Ended, Outcome};
use super::package::PackageRun;
use super::places::Places;
use super::toolchain::Toolchain;
use crate::git::RepoPath;
use crate::lang::{Case, Cause, Failure, LoadFailure, Output, Phase, Reading, Selection, Status};

/// What the reader needs to know of the project.
pub(super) struct Reader<'a> {
    /// What was to run.
    pub(super) selection: &'a Selection,
    /// The modules of the base tree.
    pub(super) modules: &'a [Module],
    /// The toolchain.
    pub(super) toolchain: &'a Toolchain,
    /// The Go files of the base tree.
    pub(super) sources: &'a BTreeSet<RepoPath>,
    /// The path at which the variant ran.
    pub(super) root: &'a Path,
}

/// The script ends a command that prints more than this.
const LONGEST: u64 = 256 << 20;

impl Reader<'_> {
    /// Reads all commands; each comes with the stem of its report files.
    pub(super) fn read(&self, steps: &[(Step, PathBuf)], outputs: &[Output]) -> Reading {
        let mut reading = Reading { complete: !steps.is_empty(), ..Reading::default() };
        for ((step, stem), output) in steps.iter().zip(outputs) {
            self.read_step(step, stem, output, &mut reading);
        }
        reading.complete &= outputs.len() >= steps.len();
        if let Selection::Tests(ids) = self.selection {
            for id in ids.iter().filter(|id| GoTest::parse(id).is_none()) {
                let what = format!("`{id}` is no Go test; write it as `./folder:TestName/subtest`");
                reading.load_failures.push(LoadFailure {
                    file: None,
                    failure: load(Cause::Broken { what: what.clone() }, what),
                });
            }
        }
        reading
    }

    fn read_step(&self, step: &Step, stem: &Path, output: &Output, reading: &mut Reading) {
        let file = |ending: &str| stem.with_extension(ending);
        let index = Index::read(&file("index"), &step.module.folder);
        // A variant may name its module otherwise than the base.
        let mut modules = self.modules.to_vec();
        let mut module = step.module.clone();
        if let Ok(text) = std::fs::read_to_string(file("mod")) {
            module.path = module_path(&text);
            for known in modules.iter_mut().filter(|known| known.folder == module.folder) {
                known.path.clone_from(&module.path);
            }
        }
        let roots = [self.root.to_owned(), self.root.canonicalize().unwrap_or_else(|_| self.root.to_owned())];
        let places = Places {
            roots,
            module: &module,
            modules: &modules,
            toolchain: self.toolchain,
            sources: self.sources,
            index: &index,
        };
        let mut packages: Vec<PackageRun> = Vec::new();
        let mut told: Vec<String> = Vec::new();
        let read = each_line(&file("json"), |line| match line {
            Line::Event(event) if event.action == "build-output" => told.push(event.output.clone()),
            Line::Event(event) if event.package.is_empty() => {}
            Line::Event(event) => package(&mut packages, &event.package).feed(&event),
            Line::Plain(text) => {
                if let Some(import) = unbuilt(&text) {
                    package(&mut packages, import).did_not_build();
                }
                told.push(text);
            }
        });
        let length = std::fs::metadata(file("json")).map_or(0, |metadata| metadata.len());
        let whole = read.is_ok() && length < LONGEST;
        if length >= LONGEST {
            reading
                .disagreements
                .push(format!("the tests printed more than {} MB, so their report was cut", LONGEST >> 20));
        }
        let lines = output.stderr.lines().chain(told.iter().flat_map(|text| text.lines()));
        let found = if output.code == Some(0) { Vec::new() } else { diagnostics(lines, &places) };
        let run = StepRun { reader: self, step, places: &places, output };
        run.conclude(&packages, &found, whole, reading);
    }
}

/// One command, read.
struct StepRun<'a> {
    reader: &'a Reader<'a>,
    step: &'a Step,
    places: &'a Places<'a>,
    output: &'a Output,
}

impl StepRun<'_> {
    fn conclude(&self, packages: &[PackageRun], found: &[Diagnostic], whole: bool, reading: &mut Reading) {
        let before = reading.load_failures.len();
        let mut complete = whole && self.output.code.is_some();
        let mut failed = None;
        for package in packages {
            let folder = self.folder(&package.import);
            let mut outcome = outcome::of(package, &folder, self.places, self.output.code.is_none());
            complete &= self.is_complete(package, &folder, &outcome);
            failed = failed.or_else(|| outcome.failed().map(|name| GoTest::id(&folder, name)));
            reading.disagreements.append(&mut outcome.disagreements);
            if package.unbuilt {
                self.not_built(&folder, &package.import, found, reading);
            } else if let Some(failure) = outcome.load.take() {
                self.all_files(&folder, &failure, reading);
            }
            if !package.unbuilt && (package.closed || package.end == Some(Status::Skipped)) {
                self.left_out(&folder, &outcome, reading);
            }
            self.add_cases(&folder, outcome, reading);
        }
        if packages.is_empty() {
            complete &= self.nothing_ran(found, reading);
        }
        let explained = failed.is_some() || reading.load_failures.len() > before;
        match (self.output.code, failed) {
            (Some(0), Some(id)) => {
                reading.disagreements.push(format!("`go test` ended with exit code 0 although {id} failed"));
            }
            (Some(code), None) if code != 0 && !explained && reading.disagreements.is_empty() => {
                reading
                    .disagreements
                    .push(format!("`go test` ended with exit code {code} although no test failed"));
            }
            _ => {}
        }
        reading.complete &= complete;
    }

    /// The folder of a package, relative to the root of the repository.
    fn folder(&self, import: &str) -> String {
        if let Some(relative) = import.strip_prefix("./") {
            return join(&self.step.module.folder, relative);
        }
        let known = self.places.modules.iter().rev().find_map(|module| module.folder_of(import));
        known.or_else(|| self.step.package.clone()).unwrap_or_else(|| import.to_owned())
    }

    /// True when nothing that was to run in a package is open.
    fn is_complete(&self, package: &PackageRun, folder: &str, outcome: &Outcome) -> bool {
        match package.end {
            None => return false,
            Some(Status::Skipped) => return true,
            _ if package.unbuilt => return true,
            Some(_) if package.closed => return !outcome.is_open(),
            // The binary exited before the testing package came to its end.
            Some(Status::Passed) => return false,
            Some(_) => {}
        }
        // It died; what was wanted may have ended before.
        match self.reader.selection {
            Selection::Tests(ids) => ids
                .iter()
                .filter_map(GoTest::parse)
                .filter(|test| test.folder == folder)
                .all(|test| outcome.knows(&test.name) || outcome.ended_whole(function(&test.name))),
            Selection::Files(_) | Selection::Suite => {
                let mut wanted = self
                    .places
                    .index
                    .functions(folder)
                    .filter(|(_, files)| files.iter().any(|(path, _)| self.is_wanted(path)))
                    .peekable();
                wanted.peek().is_some() && wanted.all(|(name, _)| outcome.knows(name))
            }
        }
    }

    /// True for a file of the selection.
    fn is_wanted(&self, path: &RepoPath) -> bool {
        match self.reader.selection {
            Selection::Files(files) => self.step.is_whole() || files.contains(path),
            Selection::Tests(_) | Selection::Suite => true,
        }
    }

    fn add_cases(&self, folder: &str, outcome: Outcome, reading: &mut Reading) {
        for Ended { name, status, failure, seconds } in outcome.ended {
            let id = GoTest::id(folder, &name);
            let declared = self.places.index.files(folder, function(&name));
            let selected = match self.reader.selection {
                Selection::Tests(ids) => ids.contains(&id),
                Selection::Files(_) => {
                    declared.is_empty() || declared.iter().any(|(path, _)| self.is_wanted(path))
                }
                Selection::Suite => true,
            };
            if !selected || reading.case(&id).is_some() {
                continue;
            }
            let mut files = declared.iter().map(|(path, _)| path).filter(|path| self.is_wanted(path));
            let file = match (files.next(), files.next()) {
                (Some(path), None) => Some(path.clone()),
                _ => None,
            };
            reading.cases.push(Case { id, file, status, failure, seconds });
        }
    }

    /// The test files of a package that a failure to load it concerns.
    fn files(&self, folder: &str) -> Vec<RepoPath> {
        match self.reader.selection {
            Selection::Files(files) if !self.step.is_whole() => {
                files.iter().filter(|file| file.parent() == folder).cloned().collect()
            }
            Selection::Files(_) | Selection::Tests(_) | Selection::Suite => {
                self.places.index.test_files(folder).into_iter().collect()
            }
        }
    }

    /// A failure that keeps every test of a package from running.
    fn all_files(&self, folder: &str, failure: &Failure, reading: &mut Reading) {
        let files = self.files(folder);
        let mut add = |file| reading.load_failures.push(LoadFailure { file, failure: failure.clone() });
        if files.is_empty() {
            add(None);
        } else {
            files.into_iter().for_each(|file| add(Some(file)));
        }
    }

    /// What kept a package from being built: each message at its own test file, and the first one at
    /// the package's other test files, which it stops as well.
    fn not_built(&self, folder: &str, import: &str, found: &[Diagnostic], reading: &mut Reading) {
        let own: Vec<&Diagnostic> = found.iter().filter(|one| one.package == import).collect();
        // A package can fail for the sake of one that it imports.
        let own = if own.is_empty() { found.iter().collect() } else { own };
        let Some(first) = own.first() else {
            let what = format!("`go test` could not build {import} and did not say why");
            self.all_files(folder, &load(Cause::Infrastructure { what: what.clone() }, what), reading);
            return;
        };
        let is_test = |path: &RepoPath| path.file_name().ends_with("_test.go") && path.parent() == folder;
        let mut told = BTreeSet::new();
        for one in &own {
            if let Some(path) = one.path.as_ref().filter(|path| is_test(path)) {
                told.insert(path.clone());
                reading
                    .load_failures
                    .push(LoadFailure { file: Some(path.clone()), failure: one.failure.clone() });
            }
        }
        let others: Vec<RepoPath> =
            self.files(folder).into_iter().filter(|path| !told.contains(path)).collect();
        if told.is_empty() && others.is_empty() {
            let failure = first.failure.clone();
            reading.load_failures.push(LoadFailure { file: first.path.clone(), failure });
        }
        for file in others {
            reading.load_failures.push(LoadFailure { file: Some(file), failure: first.failure.clone() });
        }
    }

    /// Selected files whose tests the package does not have, although it ran to its end.
    fn left_out(&self, folder: &str, outcome: &Outcome, reading: &mut Reading) {
        let Selection::Files(files) = self.reader.selection else { return };
        for file in files.iter().filter(|file| file.parent() == folder) {
            // An example that states no output is never run.
            let mut own = self
                .places
                .index
                .functions(folder)
                .filter(|(name, files)| {
                    !name.starts_with("Example") && files.iter().any(|(path, _)| path == file)
                })
                .peekable();
            if own.peek().is_some() && own.all(|(name, _)| !outcome.knows(name)) {
                let what = format!(
                    "no test of {file} ran; if build constraints exclude it, \
                     name its `-tags` in `command` under [test] in failfirst.toml"
                );
                let failure = load(Cause::Broken { what: what.clone() }, what);
                reading.load_failures.push(LoadFailure { file: Some(file.clone()), failure });
            }
        }
    }

    /// The command told of no package. True when that says all there is to know: a nested module
    /// that cannot be loaded has no tests that could run.
    fn nothing_ran(&self, found: &[Diagnostic], reading: &mut Reading) -> bool {
        let is_nested = self.step.package.is_none()
            && self.reader.modules.first().is_some_and(|module| module.folder != self.step.module.folder);
        let folder = self.step.package.as_deref();
        match found.first() {
            Some(one) => match folder {
                Some(folder) => self.all_files(folder, &one.failure, reading),
                None => reading
                    .load_failures
                    .push(LoadFailure { file: one.path.clone(), failure: one.failure.clone() }),
            },
            None if self.output.code == Some(0) && is_nested => return true,
            None => {
                let what = "the command printed no events of `go test -json`; \
                            `command` under [test] in failfirst.toml must run `go test` and hand on its flags";
                let mut failure = load(Cause::Infrastructure { what: what.to_owned() }, what.to_owned());
                failure.excerpt = clip(&format!("{}\n{}", self.output.stdout, self.output.stderr));
                reading.load_failures.push(LoadFailure { file: None, failure });
            }
        }
        is_nested
    }
}

fn load(cause: Cause, message: String) -> Failure {
    Failure {
        phase: Phase::Load,
        cause,
        exception: "build error".to_owned(),
        excerpt: message.clone(),
        message,
        frames: Vec::new(),
    }
}

/// The run of a package, which may be its first mention.
fn package<'a>(packages: &'a mut Vec<PackageRun>, import: &str) -> &'a mut PackageRun {
    let at = packages.iter().position(|package| package.import == import).unwrap_or_else(|| {
        packages.push(PackageRun::new(import));
        packages.len() - 1
    });
    &mut packages[at]
}

/// The package of a plain line that says that it could not be built.
fn unbuilt(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("FAIL\t")?;
    let (import, why) = rest.split_once(' ')?;
    matches!(why, "[build failed]" | "[setup failed]").then_some(import)
}
