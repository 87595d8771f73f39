//! `go test`: composes the commands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::canaries;
use super::id::{self, GoTest};
use super::manifest::{Module, is_package_folder, modules};
use super::reader::Reader;
use super::toolchain::{Toolchain, is_go};
use crate::git::RepoPath;
use crate::lang::{
    Canaries, Invocation, LangError, Output, Project, Reading, Runner, RunnerSettings, Selection, Template,
};

/// The runner `go`.
pub(super) struct GoTestRunner {
    modules: Vec<Module>,
    toolchain: Toolchain,
    command: Template,
    suite: Option<Template>,
    sources: BTreeSet<RepoPath>,
}

/// One command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Step {
    /// The module in whose folder it runs.
    pub(super) module: Module,
    /// The one package that it tests, as a folder of the repository; `None` for all.
    pub(super) package: Option<String>,
    what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum What {
    /// Every test.
    All,
    /// The tests that match.
    Matching(String),
    /// The tests that these files declare, relative to the module.
    Declared(Vec<String>),
}

impl Step {
    /// The package as `go` wants it, seen from the module's folder.
    fn pattern(&self) -> String {
        let Some(folder) = &self.package else { return "./...".to_owned() };
        match self.module.relative(folder).unwrap_or(folder) {
            "" => ".".to_owned(),
            inside => format!("./{inside}"),
        }
    }

    /// True when every test of its package was selected.
    pub(super) fn is_whole(&self) -> bool {
        self.what == What::All
    }
}

const SCRIPT: &str = include_str!("go-test.sh");

impl GoTestRunner {
    /// Finds the modules and the toolchain.
    ///
    /// # Errors
    /// An unknown runner is set, the tree has no module, or Go is not installed.
    pub(super) fn find(project: &dyn Project, settings: &RunnerSettings) -> Result<Self, LangError> {
        if let Some(name) = settings.runner.as_ref().filter(|name| *name != "go") {
            return Err(LangError::UnknownRunner { name: name.clone(), language: "go", known: "go" });
        }
        let modules = modules(project);
        if modules.is_empty() {
            return Err(LangError::RunnerMissing {
                what: "the base tree has no go.mod, without which `go test` finds no packages".to_owned(),
                way_out: "commit one (`go mod init`)".to_owned(),
            });
        }
        let toolchain =
            Toolchain::probe(project.root(), settings.command.as_ref().or(settings.suite.as_ref()))?;
        let sources = project.paths().iter().filter(|path| path.extension() == Some("go"));
        Ok(Self {
            modules,
            toolchain,
            command: settings.command.clone().unwrap_or_else(|| Template::of(["go", "test"])),
            suite: settings.suite.clone(),
            sources: sources.cloned().collect(),
        })
    }

    /// The commands for a selection, in an order that depends on nothing else.
    fn plan(&self, selection: &Selection) -> Vec<Step> {
        let step = |folder: &str, what| Step {
            module: self.module_of(folder),
            package: Some(folder.to_owned()),
            what,
        };
        match selection {
            Selection::Files(files) => {
                let mut packages: BTreeMap<&str, Option<Vec<&str>>> = BTreeMap::new();
                for file in files {
                    if file.file_name().ends_with("_test.go") {
                        if let Some(files) = packages.entry(file.parent()).or_insert_with(|| Some(Vec::new()))
                        {
                            files.push(file.as_str());
                        }
                    } else if let Some(folder) = self.reader_of(file) {
                        // Which of the tests there reads the data cannot be known.
                        packages.insert(folder, None);
                    }
                }
                let steps = packages.into_iter().map(|(folder, files)| {
                    let module = self.module_of(folder);
                    let inside = files.map(|files| {
                        files.iter().filter_map(|file| module.relative(file)).map(str::to_owned).collect()
                    });
                    step(folder, inside.map_or(What::All, What::Declared))
                });
                steps.collect()
            }
            Selection::Tests(ids) => {
                let tests: Vec<GoTest> = ids.iter().filter_map(GoTest::parse).collect();
                let mut packages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
                for test in &tests {
                    packages.entry(&test.folder).or_default().push(&test.name);
                }
                let steps = packages
                    .into_iter()
                    .map(|(folder, names)| step(folder, What::Matching(id::pattern(&names))));
                steps.collect()
            }
            // The user's own words for the suite are run once, as they stand.
            Selection::Suite if self.suite.is_some() => {
                vec![Step { module: self.module_of(""), package: None, what: What::All }]
            }
            Selection::Suite => {
                let all = self.modules.iter();
                all.map(|module| Step { module: module.clone(), package: None, what: What::All }).collect()
            }
        }
    }

    /// The folder of the package whose tests can be thought to read a data file: the nearest one
    /// above it that has tests.
    fn reader_of<'a>(&self, file: &'a RepoPath) -> Option<&'a str> {
        let has_tests = |folder: &str| {
            self.sources
                .iter()
                .any(|source| source.parent() == folder && source.file_name().ends_with("_test.go"))
        };
        let mut folder = file.parent();
        loop {
            let is_package = folder.split('/').all(|part| part.is_empty() || is_package_folder(part));
            if is_package && has_tests(folder) {
                return Some(folder);
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }

    /// The innermost module that holds a folder.
    fn module_of(&self, folder: &str) -> Module {
        self.modules.iter().rev().find(|module| module.holds(folder)).cloned().unwrap_or_default()
    }

    fn invocation(&self, number: usize, step: &Step, out: &Path) -> Invocation {
        let folder = step.pattern();
        let template = match (&step.package, &self.suite) {
            (None, Some(suite)) => suite,
            _ => &self.command,
        };
        let mut flags = vec!["-json".to_owned(), "-count=1".to_owned()];
        let is_timeout = |word: &String| {
            let flag = word.trim_start_matches('-').trim_start_matches("test.");
            word.starts_with('-') && (flag == "timeout" || flag.starts_with("timeout="))
        };
        if !template.words().iter().any(is_timeout) {
            flags.push("-timeout=@dump@".to_owned());
        }
        let mut files: &[String] = &[];
        match &step.what {
            What::All => {}
            What::Matching(pattern) => flags.push(format!("-run={pattern}")),
            What::Declared(declared) => {
                flags.push("-run=@declared@".to_owned());
                files = declared;
            }
        }
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        let mut argv = vec!["sh".to_owned(), text(out.join("go-test.sh")), text(out.join(stem(number)))];
        argv.push(folder.clone());
        argv.extend_from_slice(files);
        argv.push("--".to_owned());
        argv.extend(compose(template, &flags, &folder, step.package.is_none()));
        Invocation::new(argv).file("go-test.sh", SCRIPT).cwd(step.module.folder.clone())
    }
}

impl Runner for GoTestRunner {
    fn name(&self) -> &'static str {
        "go"
    }

    fn label(&self) -> String {
        match self.toolchain.version.strip_prefix("go") {
            Some(version) => format!("go test (Go {version})"),
            None => "go test".to_owned(),
        }
    }

    /// Fills the build cache: compiles, vets and links, but runs no code of the project. The command
    /// is the same whichever tests of a package are selected. The suite is run only once on a variant.
    fn build(&self, selection: &Selection) -> Vec<Invocation> {
        if *selection == Selection::Suite {
            return Vec::new();
        }
        let flags = ["-exec=true", "-count=1"].map(str::to_owned);
        let steps = self.plan(selection).into_iter();
        steps
            .map(|step| {
                Invocation::new(compose(&self.command, &flags, &step.pattern(), false))
                    .cwd(step.module.folder)
            })
            .collect()
    }

    fn run(&self, selection: &Selection, out: &Path) -> Vec<Invocation> {
        let steps = self.plan(selection);
        steps.iter().enumerate().map(|(number, step)| self.invocation(number, step, out)).collect()
    }

    fn read(&self, selection: &Selection, outputs: &[Output], out: &Path, root: &Path) -> Reading {
        let reader = Reader {
            selection,
            modules: &self.modules,
            toolchain: &self.toolchain,
            sources: &self.sources,
            root,
        };
        let steps: Vec<_> = self
            .plan(selection)
            .into_iter()
            .enumerate()
            .map(|(number, step)| (step, out.join(stem(number))))
            .collect();
        reader.read(&steps, outputs)
    }

    fn canaries(&self, beside: &RepoPath, source: &str, nonce: &str) -> Option<Canaries> {
        canaries::of(beside, source, nonce)
    }

    fn writable_caches(&self) -> Vec<PathBuf> {
        self.toolchain.cache().into_iter().collect()
    }

    fn environment(&self) -> Vec<(String, String)> {
        self.toolchain.environment()
    }
}

fn stem(number: usize) -> String {
    format!("go-{number}")
}

/// The user's command with our flags and the package. Where it has a `{tests}`, they go there.
/// Otherwise the flags follow the word `test`, and the package takes the place of those that the
/// command names; for the suite those stay.
fn compose(template: &Template, flags: &[String], package: &str, is_suite: bool) -> Vec<String> {
    let package = [package.to_owned()];
    let words = template.words();
    let verb = words.windows(2).position(|pair| is_go(&pair[0]) && pair[1] == "test");
    let Some(verb) = verb.filter(|_| !words.iter().any(|word| word == "{tests}")) else {
        return template.fill(flags, &package);
    };
    let (head, rest) = words.split_at(verb + 2);
    let end = rest.iter().position(|word| word == "-args" || word == "--args").unwrap_or(rest.len());
    let (own, arguments) = rest.split_at(end);
    let is_package = |at: usize| {
        !own[at].starts_with('-')
            && (own[at].starts_with("./") || own[at].ends_with("...") || own[at] == ".")
            && !(at > 0 && takes_value(&own[at - 1]))
    };
    let keeps = is_suite && (0..own.len()).any(is_package);
    let mut argv = head.to_vec();
    argv.extend_from_slice(flags);
    argv.extend((0..own.len()).filter(|&at| keeps || !is_package(at)).map(|at| own[at].clone()));
    if !keeps {
        argv.extend(package);
    }
    argv.extend_from_slice(arguments);
    argv
}

/// True for flags whose value is the next word and can look like a package.
fn takes_value(word: &str) -> bool {
    let flag = word.trim_start_matches('-');
    word.starts_with('-')
        && matches!(
            flag,
            "coverpkg"
                | "C"
                | "o"
                | "exec"
                | "modfile"
                | "overlay"
                | "pgo"
                | "outputdir"
                | "coverprofile"
                | "toolexec"
                | "pkgdir"
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::TestId;

    fn runner(command: Option<&str>, suite: Option<&str>) -> GoTestRunner {
        let module = |folder: &str, path: &str| Module { folder: folder.to_owned(), path: path.to_owned() };
        GoTestRunner {
            modules: vec![module("", "example.com/m"), module("sub", "example.com/m/sub")],
            toolchain: serde_json::from_str(r#"{"GOVERSION": "go1.19.8"}"#).unwrap(),
            command: Template::parse(command.unwrap_or("go test")).unwrap(),
            suite: suite.map(|text| Template::parse(text).unwrap()),
            sources: ["p/b_test.go", "root_test.go"].map(|path| RepoPath::new(path).unwrap()).into(),
        }
    }

    /// The commands, from the folder on, each with its working folder.
    fn commands(runner: &GoTestRunner, selection: &Selection) -> Vec<String> {
        let invocations = runner.run(selection, Path::new("/out"));
        invocations
            .iter()
            .map(|invocation| format!("{}$ {}", invocation.cwd, invocation.argv[3..].join(" ")))
            .collect()
    }

    fn files(paths: &[&str]) -> Selection {
        Selection::Files(paths.iter().map(|path| RepoPath::new(*path).unwrap()).collect())
    }

    fn tests(ids: &[&str]) -> Selection {
        Selection::Tests(ids.iter().map(|id| TestId::from(*id)).collect())
    }

    #[test]
    fn files_run_package_by_package_in_their_module() {
        let selection = files(&["a_test.go", "p/b_test.go", "p/c_test.go", "sub/q/d_test.go"]);
        assert_eq!(
            commands(&runner(None, None), &selection),
            [
                "$ . a_test.go -- go test -json -count=1 -timeout=@dump@ -run=@declared@ .",
                "$ ./p p/b_test.go p/c_test.go -- go test -json -count=1 -timeout=@dump@ -run=@declared@ ./p",
                "sub$ ./q q/d_test.go -- go test -json -count=1 -timeout=@dump@ -run=@declared@ ./q",
            ]
        );
    }

    #[test]
    fn a_data_file_selects_the_package_that_can_read_it() {
        let all = |folder| format!("$ {folder} -- go test -json -count=1 -timeout=@dump@ {folder}");
        let of = |paths: &[&str]| commands(&runner(None, Some("go test -v ./...")), &files(paths));
        assert_eq!(of(&["p/testdata/deep/a.json", "p/b_test.go"]), [all("./p")]);
        assert_eq!(of(&["p/b_test.go", "p/testdata/a.json"]), [all("./p")]);
        assert_eq!(of(&["_test/extra.txt"]), [all(".")]);
    }

    #[test]
    fn named_tests_are_anchored() {
        assert_eq!(
            commands(&runner(None, None), &tests(&[".:TestA/x", "./sub:TestB", "./sub:TestC"])),
            [
                "$ . -- go test -json -count=1 -timeout=@dump@ -run=^(TestA)$/^(x)$ .",
                "sub$ . -- go test -json -count=1 -timeout=@dump@ -run=^(TestB|TestC)$ .",
            ]
        );
    }

    #[test]
    fn the_suite_runs_in_every_module() {
        assert_eq!(
            commands(&runner(None, None), &Selection::Suite),
            [
                "$ ./... -- go test -json -count=1 -timeout=@dump@ ./...",
                "sub$ ./... -- go test -json -count=1 -timeout=@dump@ ./...",
            ]
        );
    }

    #[test]
    fn the_users_words_are_kept() {
        let one = tests(&["./p:TestA"]);
        let with = |command| commands(&runner(Some(command), None), &one).remove(0);
        assert_eq!(
            with("go test -tags foo {tests} -race"),
            "$ ./p -- go test -tags foo -json -count=1 -timeout=@dump@ -run=^(TestA)$ ./p -race"
        );
        assert_eq!(
            with("env A=1 go test -timeout 5m -coverpkg ./... ./... -args -x ./y"),
            "$ ./p -- env A=1 go test -json -count=1 -run=^(TestA)$ -timeout 5m -coverpkg ./... ./p -args -x ./y"
        );
        let suite = runner(None, Some("go test -short ./a/... ./b"));
        assert_eq!(
            commands(&suite, &Selection::Suite),
            ["$ ./... -- go test -json -count=1 -timeout=@dump@ -short ./a/... ./b"]
        );
        let suite = runner(None, Some("go test -short"));
        assert_eq!(
            commands(&suite, &Selection::Suite),
            ["$ ./... -- go test -json -count=1 -timeout=@dump@ -short ./..."]
        );
    }

    #[test]
    fn one_build_serves_all_selections_of_a_package() {
        let runner = runner(Some("go test -tags foo {tests}"), None);
        let build = runner.build(&files(&["p/a_test.go"]));
        assert_eq!(build, runner.build(&tests(&["./p:TestA/x", "./p:TestB"])));
        assert_eq!(build[0].argv.join(" "), "go test -tags foo -exec=true -count=1 ./p");
        assert_eq!(runner.build(&Selection::Suite), []);
    }

    #[test]
    fn the_label_names_the_version() {
        assert_eq!(runner(None, None).label(), "go test (Go 1.19.8)");
    }
}
