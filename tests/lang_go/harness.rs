//! Small Go modules in a temporary folder, and the adapter's commands run in them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use failfirst::git::RepoPath;
use failfirst::lang::{
    Case, Failure, Invocation, Output, Place, Project, Reading, Runner, RunnerSettings, Selection, Template,
    TestId,
};

/// A Go module (or several) on disk.
pub(crate) struct Tree {
    pub(crate) folder: tempfile::TempDir,
    paths: Vec<RepoPath>,
    settings: RunnerSettings,
    env: BTreeMap<String, String>,
}

/// What a run left.
pub(crate) struct Run {
    pub(crate) reading: Reading,
    pub(crate) outputs: Vec<Output>,
}

impl Tree {
    /// A module `example.com/m` with these files.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let found = Command::new("go").arg("version").output();
        assert!(
            found.is_ok_and(|output| output.status.success()),
            "Go is not installed: run scripts/test-tools/go"
        );
        let folder = tempfile::tempdir().unwrap();
        let settings = RunnerSettings::default();
        let mut tree = Self { folder, paths: Vec::new(), settings, env: BTreeMap::new() };
        tree.write("go.mod", "module example.com/m\n\ngo 1.19\n");
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub(crate) fn with_command(mut self, command: &str) -> Self {
        self.settings.command = Some(Template::parse(command).unwrap());
        self
    }

    pub(crate) fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn write(&mut self, path: &str, text: &str) {
        let file = self.folder.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        let path = RepoPath::new(path).unwrap();
        if let Err(at) = self.paths.binary_search(&path) {
            self.paths.insert(at, path);
        }
    }

    pub(crate) fn runner(&self) -> Box<dyn Runner> {
        failfirst::lang::detect(self, None).unwrap().runner(self, &self.settings).unwrap()
    }

    pub(crate) fn run(&self, selection: &Selection) -> Run {
        self.run_with(self.runner().as_ref(), selection)
    }

    fn run_with(&self, runner: &dyn Runner, selection: &Selection) -> Run {
        let out = tempfile::tempdir().unwrap();
        let home = tempfile::tempdir().unwrap();
        let mut outputs = Vec::new();
        for invocation in runner.run(selection, out.path()) {
            for (name, content) in &invocation.files {
                std::fs::write(out.path().join(name), content).unwrap();
            }
            let started = Instant::now();
            let output = self.execute(runner, &invocation, home.path());
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            outputs.push(Output {
                code: output.status.code(),
                timed_out: false,
                stdout: text(&output.stdout),
                stderr: text(&output.stderr),
                took: started.elapsed(),
                cut: 0,
            });
        }
        let reading = runner.read(selection, &outputs, out.path(), self.folder.path());
        Run { reading, outputs }
    }

    /// Runs one command of the adapter.
    pub(crate) fn execute(
        &self,
        runner: &dyn Runner,
        invocation: &Invocation,
        home: &Path,
    ) -> std::process::Output {
        Command::new(&invocation.argv[0])
            .args(&invocation.argv[1..])
            .current_dir(self.folder.path().join(&invocation.cwd))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home)
            .envs(runner.environment())
            .envs(&self.env)
            .envs(&invocation.env)
            .output()
            .unwrap()
    }

    pub(crate) fn files(&self, paths: &[&str]) -> Run {
        self.run(&Selection::Files(paths.iter().map(|path| RepoPath::new(*path).unwrap()).collect()))
    }

    pub(crate) fn tests(&self, ids: &[&str]) -> Run {
        self.run(&Selection::Tests(ids.iter().map(|id| TestId::from(*id)).collect()))
    }
}

impl Project for Tree {
    fn paths(&self) -> &[RepoPath] {
        &self.paths
    }
    fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join(path)).ok()
    }
    fn root(&self) -> &Path {
        self.folder.path()
    }
}

impl Run {
    pub(crate) fn case(&self, id: &str) -> &Case {
        self.reading.case(&TestId::from(id)).unwrap_or_else(|| panic!("{id} is absent: {}", self.show()))
    }

    pub(crate) fn failure(&self, id: &str) -> &Failure {
        self.case(id).failure.as_ref().unwrap_or_else(|| panic!("{id} has no failure: {}", self.show()))
    }

    pub(crate) fn ids(&self) -> Vec<&str> {
        self.reading.cases.iter().map(|case| case.id.as_str()).collect()
    }

    /// Nothing is missing and nothing contradicts.
    #[track_caller]
    pub(crate) fn is_whole(&self) {
        assert!(self.reading.complete, "{}", self.show());
        assert_eq!(self.reading.disagreements, [""; 0], "{}", self.show());
    }

    pub(crate) fn show(&self) -> String {
        format!("{:#?}\n{:#?}", self.reading, self.outputs)
    }
}

/// `path:line` of the innermost frame in the tree.
pub(crate) fn innermost(failure: &Failure) -> String {
    let frame = failure.frames.iter().rev().find_map(|frame| match &frame.place {
        Place::Tree(path) => Some(format!("{path}:{}", frame.line)),
        Place::Outside(_) => None,
    });
    frame.unwrap_or_default()
}

pub(crate) const CART: &str = "package cart

// Total adds up.
func Total(prices []int) int {
	sum := 0
	for _, price := range prices {
		sum += price
	}
	return sum
}

// First is the first price.
func First(prices []int) int {
	return prices[0]
}
";

pub(crate) fn test_file(body: &str) -> String {
    format!("package cart\n\nimport \"testing\"\n\n{body}\n")
}

pub(crate) fn cart(body: &str) -> Tree {
    Tree::new(&[("cart/cart.go", CART), ("cart/cart_test.go", &test_file(body))])
}

pub(crate) const FILE: &str = "cart/cart_test.go";
