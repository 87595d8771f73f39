//! Small projects on disk, and running what the adapter composes for them.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use failfirst::git::RepoPath;
use failfirst::lang::{
    Case, Cause, Frame, Invocation, LangError, Output, Place, Project, Reading, Runner, RunnerSettings,
    Selection, Status, TestId,
};

/// A project in a folder of its own.
pub(crate) struct Tree {
    folder: tempfile::TempDir,
    root: PathBuf,
    paths: Vec<RepoPath>,
    settings: RunnerSettings,
    limit: Duration,
}

/// Where scripts/test-tools/javascript has installed the runners.
pub(crate) fn tools() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/javascript");
    let folder = std::env::var_os("FAILFIRST_TEST_JAVASCRIPT").map_or(default, PathBuf::from);
    assert!(
        folder.join("node_modules/.bin/jest").exists(),
        "the JavaScript test runners are not installed in {}; run scripts/test-tools/javascript, or set \
         FAILFIRST_TEST_JAVASCRIPT to the folder in which it installed them",
        folder.display()
    );
    folder
}

impl Tree {
    /// A project with these files and all four runners installed.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let tree = Self::bare(files);
        std::os::unix::fs::symlink(tools().join("node_modules"), tree.root.join("node_modules")).unwrap();
        tree
    }

    /// A project with these files and nothing installed.
    pub(crate) fn bare(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("project");
        let mut paths = Vec::new();
        for (path, text) in files {
            let path = RepoPath::new(*path).unwrap();
            let file = path.under(&root);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
            paths.push(path);
        }
        paths.sort();
        Self { folder, root, paths, settings: RunnerSettings::default(), limit: Duration::from_secs(90) }
    }

    /// With settings of failfirst.toml.
    pub(crate) fn settings(mut self, change: impl FnOnce(&mut RunnerSettings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// With an outer time limit.
    pub(crate) fn limit(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }

    pub(crate) fn runner(&self) -> Result<Box<dyn Runner>, LangError> {
        failfirst::lang::detect(self, None).expect("the language is recognised").runner(self, &self.settings)
    }

    /// Runs a selection and reads it.
    pub(crate) fn run(&self, selection: &Selection) -> Reading {
        let runner = self.runner().unwrap();
        let out = self
            .folder
            .path()
            .join(format!("out {}", std::fs::read_dir(self.folder.path()).unwrap().count()));
        std::fs::create_dir(&out).unwrap();
        let before = listing(&self.root);
        let outputs: Vec<Output> = runner
            .run(selection, &out)
            .iter()
            .map(|invocation| self.execute(runner.as_ref(), invocation, &out))
            .collect();
        assert_eq!(listing(&self.root), before, "the run changed the tree");
        let reading = runner.read(selection, &outputs, &out, &self.root);
        for output in &outputs {
            println!("exit {:?}\n{}\n{}", output.code, output.stdout, output.stderr);
        }
        println!("{reading:#?}");
        reading
    }

    /// Runs all tests of some files.
    pub(crate) fn files(&self, files: &[&str]) -> Reading {
        self.run(&Selection::Files(files.iter().map(|file| RepoPath::new(*file).unwrap()).collect()))
    }

    /// Runs some tests.
    pub(crate) fn tests(&self, ids: &[&str]) -> Reading {
        self.run(&Selection::Tests(ids.iter().map(|id| TestId::from(*id)).collect()))
    }

    /// Writes a file that is not in the base tree.
    pub(crate) fn write(&self, path: &RepoPath, text: &str) {
        std::fs::write(path.under(&self.root), text).unwrap();
    }

    fn execute(&self, runner: &dyn Runner, invocation: &Invocation, out: &Path) -> Output {
        for (name, content) in &invocation.files {
            std::fs::write(out.join(name), content).unwrap();
        }
        let home = self.folder.path().join("home");
        std::fs::create_dir_all(&home).unwrap();
        let started = Instant::now();
        println!("{:?} in {:?}", invocation.argv, invocation.cwd);
        let (stdout, stderr) = (out.join("stdout.txt"), out.join("stderr.txt"));
        let mut child = Command::new(&invocation.argv[0])
            .args(&invocation.argv[1..])
            .current_dir(self.root.join(&invocation.cwd))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &home)
            .envs(runner.environment())
            .envs(invocation.env.iter().map(|(name, value)| {
                let path = value.replace("{env:PATH}", &std::env::var("PATH").unwrap());
                (name, path.replace("{env:NODE_OPTIONS}", ""))
            }))
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&stdout).unwrap())
            .stderr(std::fs::File::create(&stderr).unwrap())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", invocation.argv));
        let mut timed_out = false;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > self.limit && !timed_out {
                timed_out = true;
                let group = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
                nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL).unwrap();
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let text = |file: &Path| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        Output {
            code: status.code(),
            timed_out,
            stdout: text(&stdout),
            stderr: text(&stderr),
            took: started.elapsed(),
            cut: 0,
        }
    }
}

impl Project for Tree {
    fn paths(&self) -> &[RepoPath] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root.join(path)).ok()
    }

    fn root(&self) -> &Path {
        &self.root
    }
}

fn listing(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            }
            files.push(entry.path());
        }
    }
    files.sort();
    files
}

/// The case of an id.
#[track_caller]
pub(crate) fn case<'a>(reading: &'a Reading, id: &str) -> &'a Case {
    reading.case(&TestId::from(id)).unwrap_or_else(|| {
        panic!(
            "{id} is not among {:?}",
            reading.cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>()
        )
    })
}

/// How a test ended.
#[track_caller]
pub(crate) fn status(reading: &Reading, id: &str) -> Status {
    case(reading, id).status
}

/// Why a test failed.
#[track_caller]
pub(crate) fn cause<'a>(reading: &'a Reading, id: &str) -> &'a Cause {
    let case = case(reading, id);
    assert!(matches!(case.status, Status::Failed), "{id} is {:?}", case.status);
    &case.failure.as_ref().expect("a failed test has a failure").cause
}

/// The innermost frame in the tree, as `path:line`.
#[track_caller]
pub(crate) fn innermost(reading: &Reading, id: &str) -> String {
    let failure = case(reading, id).failure.as_ref().expect("a failure");
    let in_tree = |frame: &Frame| match &frame.place {
        Place::Tree(path) => Some(format!("{path}:{}", frame.line)),
        Place::Outside(_) => None,
    };
    failure.frames.iter().rev().find_map(in_tree).unwrap_or_else(|| panic!("no frame of {id} is in the tree"))
}

/// A missing symbol.
pub(crate) fn unresolved(symbol: &str) -> Cause {
    Cause::Unresolved { symbol: symbol.to_owned() }
}

/// A whole report without contradictions.
#[track_caller]
pub(crate) fn assert_sound(reading: &Reading) {
    assert!(reading.complete, "the report is not complete");
    assert_eq!(reading.disagreements, Vec::<String>::new());
}
