//! A small crate in a temporary folder, and the shortest way to run tests in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use failfirst::git::RepoPath;
use failfirst::lang::{
    Case, Cause, Invocation, Output, Place, Project, Reading, Runner, RunnerSettings, Selection, Status,
    Template, TestId,
};

/// A project on disk.
pub(crate) struct Fixture {
    dir: tempfile::TempDir,
    root: PathBuf,
    paths: Vec<RepoPath>,
    timeout: Duration,
}

impl Project for Fixture {
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

/// A manifest without dependencies.
pub(crate) fn manifest(name: &str) -> String {
    format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[profile.dev]\ndebug = 1\n"
    )
}

impl Fixture {
    /// A project of these files, with a manifest for the package `demo` unless they hold one.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let mut fixture = Self { dir, root, paths: Vec::new(), timeout: Duration::from_secs(300) };
        if !files.iter().any(|(path, _)| *path == "Cargo.toml") {
            fixture.write("Cargo.toml", &manifest("demo"));
            fixture.paths.push(RepoPath::new("Cargo.toml").unwrap());
        }
        for (path, text) in files {
            fixture.write(path, text);
            fixture.paths.push(RepoPath::new(*path).unwrap());
        }
        fixture.paths.sort();
        fixture
    }

    /// Ends commands after `timeout` from now on.
    pub(crate) fn end_after(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Builds what a file's tests need.
    pub(crate) fn build(&self, runner: &dyn Runner, path: &str) {
        let out = tempfile::tempdir().unwrap();
        for invocation in runner.build(&Selection::Files(vec![RepoPath::new(path).unwrap()])) {
            let output = self.start(runner, &invocation, out.path());
            assert_eq!(output.code, Some(0), "{}", output.stderr);
        }
    }

    /// The same project without a file.
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.paths.retain(|known| known.as_str() != path);
        std::fs::remove_file(self.root.join(path)).unwrap();
        self
    }

    /// Writes a file of a variant: the adapter has not seen it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.root.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// `cargo test`.
    pub(crate) fn cargo(&self) -> Box<dyn Runner> {
        self.runner(&settings("cargo"))
    }

    /// nextest, which must be installed.
    pub(crate) fn nextest(&self) -> Box<dyn Runner> {
        let there = Command::new("cargo").args(["nextest", "--version"]).output().unwrap().status.success();
        assert!(there, "cargo-nextest is absent; install it with scripts/test-tools/rust");
        self.runner(&settings("nextest"))
    }

    /// The runner that the settings ask for.
    pub(crate) fn runner(&self, settings: &RunnerSettings) -> Box<dyn Runner> {
        let language = failfirst::lang::detect(self, None).unwrap();
        assert_eq!(language.name(), "rust");
        language.runner(self, settings).unwrap()
    }

    /// Runs a selection and reads it.
    pub(crate) fn run(&self, runner: &dyn Runner, selection: &Selection) -> Run {
        let out = tempfile::tempdir().unwrap();
        let mut outputs = Vec::new();
        for invocation in runner.run(selection, out.path()) {
            outputs.push(self.start(runner, &invocation, out.path()));
        }
        let reading = runner.read(selection, &outputs, out.path(), &self.root);
        let log = outputs
            .iter()
            .map(|output| format!("{:?}\n{}\n{}", output.code, output.stdout, output.stderr))
            .collect();
        Run { reading, log }
    }

    /// Runs all tests of some files.
    pub(crate) fn files(&self, runner: &dyn Runner, paths: &[&str]) -> Run {
        self.run(runner, &Selection::Files(paths.iter().map(|path| RepoPath::new(*path).unwrap()).collect()))
    }

    /// Runs named tests.
    pub(crate) fn named(&self, runner: &dyn Runner, ids: &[&str]) -> Run {
        self.run(runner, &Selection::Tests(ids.iter().map(|id| TestId::from(*id)).collect()))
    }

    fn start(&self, runner: &dyn Runner, invocation: &Invocation, out: &Path) -> Output {
        for (name, text) in &invocation.files {
            std::fs::write(out.join(name), text).unwrap();
        }
        let home = tempfile::tempdir().unwrap();
        let (stdout, stderr) = (home.path().join("stdout"), home.path().join("stderr"));
        let mut command = Command::new(&invocation.argv[0]);
        command
            .args(&invocation.argv[1..])
            .current_dir(self.root.join(&invocation.cwd))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home.path())
            .env("TMPDIR", self.dir.path().parent().unwrap())
            .envs(runner.environment())
            .envs(&invocation.env)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&stdout).unwrap())
            .stderr(std::fs::File::create(&stderr).unwrap());
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if started.elapsed() > self.timeout {
                let group = format!("-{}", child.id());
                Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
                child.wait().unwrap();
                break None;
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let read = |file: &Path| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        Output {
            code: status.and_then(|status| status.code()),
            timed_out: status.is_none(),
            stdout: read(&stdout),
            stderr: read(&stderr),
            took: started.elapsed(),
            cut: 0,
        }
    }
}

/// Settings that name a runner.
pub(crate) fn settings(runner: &str) -> RunnerSettings {
    RunnerSettings { runner: Some(runner.to_owned()), ..RunnerSettings::default() }
}

/// Settings that give the command for chosen tests.
pub(crate) fn command(text: &str) -> RunnerSettings {
    RunnerSettings { command: Some(Template::parse(text).unwrap()), ..RunnerSettings::default() }
}

/// What a run showed.
pub(crate) struct Run {
    pub(crate) reading: Reading,
    pub(crate) log: String,
}

impl Run {
    /// The ids and how they ended, sorted.
    pub(crate) fn statuses(&self) -> Vec<(&str, Status)> {
        let mut found: Vec<_> =
            self.reading.cases.iter().map(|case| (case.id.as_str(), case.status)).collect();
        found.sort_by_key(|(id, _)| *id);
        found
    }

    /// Every test passed, and the report is whole.
    pub(crate) fn assert_whole(&self) -> &Self {
        assert!(
            self.reading.complete
                && self.reading.disagreements.is_empty()
                && self.reading.load_failures.is_empty(),
            "{:#?}\n{}",
            self.reading,
            self.log
        );
        self
    }

    pub(crate) fn case(&self, id: &str) -> &Case {
        self.reading
            .case(&TestId::from(id))
            .unwrap_or_else(|| panic!("no case {id} in {:#?}\n{}", self.reading, self.log))
    }

    /// The cause, message and last frame of a failed case.
    pub(crate) fn failure(&self, id: &str) -> (&Cause, &str, String) {
        let case = self.case(id);
        assert_eq!(case.status, Status::Failed, "{id}");
        let failure = case.failure.as_ref().unwrap();
        let last = failure.frames.last().map_or(String::new(), |frame| match &frame.place {
            Place::Tree(path) => format!("{path}:{}", frame.line),
            Place::Outside(file) => format!("outside {file}"),
        });
        (&failure.cause, &failure.message, last)
    }

    /// The only load failure: its file, cause and message.
    pub(crate) fn load_failure(&self) -> (Option<&str>, &Cause, &str) {
        let [load] = self.reading.load_failures.as_slice() else {
            panic!("not one load failure: {:#?}\n{}", self.reading, self.log);
        };
        (load.file.as_ref().map(RepoPath::as_str), &load.failure.cause, &load.failure.message)
    }
}
