//! Composes the command of a session: the user's command with the session script in it.

use std::path::Path;

use serde::Serialize;

use super::interpreter::Interpreter;
use super::modules::Modules;
use crate::git::RepoPath;
use crate::lang::{Invocation, Selection, Template, TestId};

/// What runs the tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tool {
    /// pytest.
    Pytest,
    /// unittest of the standard library.
    Unittest,
}

impl Tool {
    /// Its name in `failfirst.toml`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pytest => "pytest",
            Self::Unittest => "unittest",
        }
    }

    fn script(self) -> &'static str {
        match self {
            Self::Pytest => concat!(include_str!("recorder.py"), include_str!("pytest_session.py")),
            Self::Unittest => concat!(include_str!("recorder.py"), include_str!("unittest_session.py")),
        }
    }
}

/// The words that stand for the interpreter that was found, and for the session script.
const PYTHON: &str = "\0python";
const SCRIPT: &str = "\0script";

/// Longer command lines are handed over in the request file.
const LONGEST: usize = 100_000;

/// A command line that starts pytest or unittest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Command {
    words: Vec<String>,
    /// What it starts.
    pub(super) tool: Tool,
    /// The interpreter that it names; `None` where another program chooses one. A bare `pytest`
    /// means the one that failfirst finds.
    pub(super) python: Option<String>,
}

impl Command {
    /// `PROGRAM -m TOOL {tests}`.
    pub(super) fn of(program: &Path, tool: Tool) -> Self {
        let program = program.display().to_string();
        Self { words: vec![program.clone(), SCRIPT.to_owned()], tool, python: Some(program) }
    }

    /// Finds the runner in the user's words.
    ///
    /// # Errors
    /// A fragment that says what is understood.
    pub(super) fn parse(template: &Template) -> Result<Self, String> {
        let words = template.words();
        for (at, pair) in words.windows(2).enumerate() {
            if pair[0] != "-m" {
                continue;
            }
            let tool = match pair[1].as_str() {
                "pytest" | "py.test" => Tool::Pytest,
                "unittest" => Tool::Unittest,
                _ => continue,
            };
            let mut replaced = words.to_vec();
            replaced.splice(at..at + 2, [SCRIPT.to_owned()]);
            let python = (is_python(&words[0]) && !words[..at].iter().any(|word| word == "-m"))
                .then(|| words[0].clone());
            return Ok(Self { words: replaced, tool, python });
        }
        let at = words.iter().position(|word| matches!(file_name(word), "pytest" | "py.test"));
        let Some(at) = at else {
            return Err(format!(
                "`{}` starts neither pytest nor unittest in a way that failfirst can report on; write \"path/to/python -m \
                 pytest {{tests}}\", \"uv run pytest {{tests}}\" or \"python3 -m unittest {{tests}}\"",
                words.join(" ")
            ));
        };
        let python = match words[at].rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/python"),
            None if at == 0 => PYTHON.to_owned(),
            None => "python".to_owned(),
        };
        let mut replaced = words.to_vec();
        replaced.splice(at..=at, [python.clone(), SCRIPT.to_owned()]);
        // `uv run pytest`: the program before decides which Python that is.
        let python = (at == 0 && python != PYTHON).then_some(python);
        Ok(Self { words: replaced, tool: Tool::Pytest, python })
    }

    /// True where `pytest` alone was written, which means the interpreter that failfirst finds.
    pub(super) fn leaves_python_open(&self) -> bool {
        self.words.iter().any(|word| word == PYTHON)
    }
}

fn file_name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_python(word: &str) -> bool {
    let name = file_name(word);
    name.starts_with("python") || name.starts_with("pypy")
}

/// What the session script reads.
#[derive(Serialize)]
struct Request<'a> {
    mode: &'static str,
    ids: Vec<&'a str>,
    /// The files of the selection, from the root of the tree.
    files: Vec<String>,
    /// The same, from the folder in which the runner starts.
    selection: Vec<String>,
    modules: &'a Modules,
    /// The folder in which the runner starts, from the root of the tree.
    home: &'a str,
    /// True when the tree leads the import path even for the runner itself.
    lead: bool,
}

/// All that a session of one project needs to be composed.
pub(super) struct Setup {
    pub(super) interpreter: Interpreter,
    pub(super) command: Command,
    pub(super) suite: Command,
    pub(super) modules: Modules,
    /// The folder in which the runner starts; `""` for the root of the tree.
    pub(super) home: String,
}

impl Setup {
    /// The command that runs `selection`, with its report in `out`.
    pub(super) fn compose(&self, selection: &Selection, flags: &[String], out: &Path) -> Invocation {
        let command = if *selection == Selection::Suite { &self.suite } else { &self.command };
        let (mode, ids, paths): (_, &[TestId], Vec<String>) = match selection {
            Selection::Files(files) => ("files", &[], sources(files)),
            Selection::Tests(ids) => ("tests", ids, files_of(ids)),
            Selection::Suite => ("suite", &[], Vec::new()),
        };
        let shown: Vec<String> = paths.iter().map(|path| from_home(&self.home, path)).collect();
        let request = Request {
            mode,
            ids: ids.iter().map(TestId::as_str).collect(),
            files: paths,
            selection: shown.clone(),
            modules: &self.modules,
            home: &self.home,
            lead: self.modules.at_root(&[
                "pytest",
                "_pytest",
                "pluggy",
                "iniconfig",
                "packaging",
                "pygments",
            ]),
        };
        let long = shown.iter().map(|path| path.len() + 1).sum::<usize>() > LONGEST;
        let shown = if long { vec!["@selection".to_owned()] } else { shown };
        let script = out.join("session.py").display().to_string();
        let words = Template::of(&command.words).fill(flags, &shown);
        let argv = words.into_iter().map(|word| match word.as_str() {
            PYTHON => self.interpreter.program.display().to_string(),
            SCRIPT => script.clone(),
            _ => word,
        });
        Invocation::new(argv)
            .cwd(self.home.clone())
            .file("session.py", command.tool.script())
            .file("request.json", serde_json::to_string(&request).unwrap_or_default())
    }
}

/// A path of the tree, as seen from a folder of the tree.
fn from_home(home: &str, path: &str) -> String {
    if home.is_empty() {
        return path.to_owned();
    }
    match path.strip_prefix(home).and_then(|rest| rest.strip_prefix('/')) {
        Some(inner) => inner.to_owned(),
        None => format!("{}{path}", "../".repeat(home.split('/').count())),
    }
}

/// A command whose interpreter does not depend on the working folder or on the user's HOME, as
/// relative paths and the shims of version managers do.
pub(super) fn anchored(mut command: Command, interpreter: &Interpreter, root: &Path) -> Command {
    let named = command.python.is_some();
    if let Some(first) = command.words.first_mut() {
        if named && !first.contains('/') {
            *first = interpreter.program.display().to_string();
        } else if first.contains('/') && Path::new(first.as_str()).is_relative() {
            *first = root.join(&*first).display().to_string();
        }
    }
    command
}

/// The files that the runners can load. A path that they cannot load ends pytest at once.
fn sources(files: &[RepoPath]) -> Vec<String> {
    let text = |file: &RepoPath| file.as_str().to_owned();
    let python = |file: &&RepoPath| file.extension() == Some("py");
    if files.iter().any(|file| python(&file)) {
        files.iter().filter(python).map(text).collect()
    } else {
        files.iter().map(text).collect()
    }
}

/// The files of test ids, each once, in order.
fn files_of(ids: &[TestId]) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for id in ids {
        let file = id.as_str().split("::").next().unwrap_or_default();
        if !file.is_empty() && !files.iter().any(|known| known == file) {
            files.push(file.to_owned());
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Command, String> {
        Command::parse(&Template::parse(text).unwrap())
    }

    #[test]
    fn the_session_script_takes_the_place_of_the_runner() {
        let command = parsed(".venv/bin/python -X dev -m pytest {tests} -q").unwrap();
        assert_eq!(command.words, [".venv/bin/python", "-X", "dev", SCRIPT, "{tests}", "-q"]);
        assert_eq!(command.python.as_deref(), Some(".venv/bin/python"));

        let command = parsed("uv run pytest {tests}").unwrap();
        assert_eq!(command.words, ["uv", "run", "python", SCRIPT, "{tests}"]);
        assert_eq!(command.python, None);

        let command = parsed(".venv/bin/pytest").unwrap();
        assert_eq!(command.words, [".venv/bin/python", SCRIPT]);
        assert_eq!(command.python.as_deref(), Some(".venv/bin/python"));

        let command = parsed("pytest -x").unwrap();
        assert_eq!(command.words, [PYTHON, SCRIPT, "-x"]);

        let command = parsed("python3 -m unittest discover -s tests").unwrap();
        assert_eq!((command.tool, command.words.len()), (Tool::Unittest, 5));

        let command = parsed("python3 -m coverage run -m pytest").unwrap();
        assert_eq!(command.words, ["python3", "-m", "coverage", "run", SCRIPT]);
    }

    #[test]
    fn a_command_without_a_known_runner_is_refused_with_the_way_out() {
        let why = parsed("make test").unwrap_err();
        assert!(why.contains("`make test`") && why.contains("-m pytest {tests}"), "{why}");
    }

    #[test]
    fn paths_are_seen_from_the_folder_of_the_runner() {
        assert_eq!(from_home("", "tests/a.py"), "tests/a.py");
        assert_eq!(from_home("py/api", "py/api/tests/a.py"), "tests/a.py");
        assert_eq!(from_home("py/api", "py/apis/a.py"), "../../py/apis/a.py");
    }

    #[test]
    fn ids_with_separators_in_their_parameters_name_one_file() {
        let ids = ["tests/a.py::test_x[b::c]", "tests/a.py::K::test_y", "tests/ä b.py::test_z"];
        assert_eq!(files_of(&ids.map(TestId::from)), ["tests/a.py", "tests/ä b.py"]);
    }
}
