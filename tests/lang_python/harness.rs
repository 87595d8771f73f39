//! A small project in a temporary folder, and the shortest way to run tests in it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use failfirst::git::RepoPath;
use failfirst::lang::{
    Case, Cause, Invocation, LangError, Output, Place, Project, Reading, Runner, RunnerSettings, Selection,
    Status, Template, TestId,
};

/// The interpreter with pytest and its plugins.
pub(crate) fn python_with_pytest() -> PathBuf {
    let place = std::env::var_os("FAILFIRST_TEST_PYTHON").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/python/bin/python"),
        PathBuf::from,
    );
    assert!(
        place.is_file(),
        "{} is absent; make it with scripts/test-tools/python, or let FAILFIRST_TEST_PYTHON name a Python with the \
         packages of scripts/test-tools/python-requirements.txt",
        place.display()
    );
    place
}

/// A project on disk.
pub(crate) struct Fixture {
    dir: tempfile::TempDir,
    paths: Vec<RepoPath>,
    env: Vec<(String, String)>,
    dump_after: Option<f64>,
    timeout: Duration,
}

impl Project for Fixture {
    fn paths(&self) -> &[RepoPath] {
        &self.paths
    }
    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root().join(path)).ok()
    }
    fn root(&self) -> &Path {
        self.dir.path()
    }
}

impl Fixture {
    /// A project of these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut fixture = Self {
            dir,
            paths: Vec::new(),
            env: Vec::new(),
            dump_after: None,
            timeout: Duration::from_secs(60),
        };
        for (path, text) in files {
            let path = RepoPath::new(*path).unwrap();
            let file = path.under(fixture.root());
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
            fixture.paths.push(path);
        }
        fixture.paths.sort();
        fixture
    }

    /// Ends runs after `timeout`, with the stacks dumped after half of it.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self.dump_after = Some(timeout.as_secs_f64() / 2.0);
        self
    }

    /// With a variable for runs.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The runner that `settings` and the files ask for.
    pub(crate) fn runner(&self, settings: &RunnerSettings) -> Result<Box<dyn Runner>, LangError> {
        let language = failfirst::lang::detect(self, None)?;
        assert_eq!(language.name(), "python");
        language.runner(self, settings)
    }

    /// pytest of the test tools.
    pub(crate) fn pytest(&self) -> Box<dyn Runner> {
        let command = format!("{} -m pytest {{tests}}", python_with_pytest().display());
        self.runner(&RunnerSettings { command: Some(Template::parse(&command).unwrap()), ..settings() })
            .unwrap()
    }

    /// unittest.
    pub(crate) fn unittest(&self) -> Box<dyn Runner> {
        self.runner(&RunnerSettings { runner: Some("unittest".to_owned()), ..settings() }).unwrap()
    }

    /// Runs a selection and reads it.
    pub(crate) fn run(&self, runner: &dyn Runner, selection: &Selection) -> Run {
        let out = tempfile::tempdir().unwrap();
        let mut outputs = Vec::new();
        for invocation in runner.run(selection, out.path()) {
            outputs.push(self.start(runner, &invocation, out.path()));
        }
        let reading = runner.read(selection, &outputs, out.path(), self.root());
        Run { reading, output: outputs.pop().unwrap() }
    }

    /// Runs all tests of one file.
    pub(crate) fn file(&self, runner: &dyn Runner, path: &str) -> Run {
        self.run(runner, &Selection::Files(vec![RepoPath::new(path).unwrap()]))
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
        let mut command = Command::new(&invocation.argv[0]);
        command
            .args(&invocation.argv[1..])
            .current_dir(self.root().join(&invocation.cwd))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home.path())
            .env("LANG", "C.UTF-8")
            .envs(runner.environment())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(&invocation.env)
            .stdin(Stdio::null());
        if let Some(seconds) = self.dump_after {
            command.env("FAILFIRST_DUMP_AFTER", seconds.to_string());
        }
        let (stdout, stderr) = (home.path().join("stdout"), home.path().join("stderr"));
        command
            .stdout(std::fs::File::create(&stdout).unwrap())
            .stderr(std::fs::File::create(&stderr).unwrap());
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut timed_out = false;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > self.timeout && !timed_out {
                timed_out = true;
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let text = |file: &Path| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
        Output {
            code: if timed_out { None } else { status.code() },
            timed_out,
            stdout: text(&stdout),
            stderr: text(&stderr),
            took: begun.elapsed(),
            cut: 0,
        }
    }
}

fn settings() -> RunnerSettings {
    RunnerSettings::default()
}

/// A run that was read.
pub(crate) struct Run {
    pub(crate) reading: Reading,
    pub(crate) output: Output,
}

impl Run {
    /// The case whose id ends with `end`.
    pub(crate) fn case(&self, end: &str) -> &Case {
        let found = self.reading.cases.iter().find(|case| case.id.as_str().ends_with(end));
        found.unwrap_or_else(|| panic!("no case {end}: {self}"))
    }

    pub(crate) fn status(&self, end: &str) -> Status {
        self.case(end).status
    }

    pub(crate) fn cause(&self, end: &str) -> &Cause {
        let case = self.case(end);
        &case.failure.as_ref().unwrap_or_else(|| panic!("{end} did not fail: {self}")).cause
    }

    /// The innermost frame in the tree of a failed case: file and function.
    pub(crate) fn innermost(&self, end: &str) -> (String, u32) {
        let failure = self.case(end).failure.as_ref().unwrap();
        let found = failure.frames.iter().rev().find_map(|frame| match &frame.place {
            Place::Tree(path) => Some((path.to_string(), frame.line)),
            Place::Outside(_) => None,
        });
        found.unwrap_or_else(|| panic!("no frame in the tree: {self}"))
    }

    /// Checks that the report is whole and that all witnesses agree.
    pub(crate) fn sound(self) -> Self {
        assert!(self.reading.complete, "incomplete: {self}");
        assert_eq!(self.reading.disagreements, Vec::<String>::new(), "{self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:#?}\nexit code {:?}\n{}\n{}",
            self.reading, self.output.code, self.output.stdout, self.output.stderr
        )
    }
}
