//! Python: pytest and unittest.
//!
//! The session scripts (`recorder.py` and one of `*_session.py`) are written outside the tree and
//! take the place of `-m pytest` and `-m unittest`. They report every step as a line of JSON, which
//! [`report`] reads. Nothing is put on the project's import path.

mod canaries;
mod cause;
mod essence;
mod fixtures;
mod interpreter;
mod modules;
mod mutation;
mod neutral;
mod pytest;
mod report;
mod roles;
mod session;
mod settings;
mod surgery;
mod twin;
mod unittest;

use std::path::Path;

use super::{LangError, Language, Project, Role, Runner, RunnerSettings, SettingChange, Template};
use crate::git::RepoPath;
use crate::lang::grammar::Grammar;
use crate::lang::surgery::Surgery;
use interpreter::Interpreter;
use session::{Command, Setup, Tool};

/// Python.
pub(super) struct Python;

impl Language for Python {
    fn name(&self) -> &'static str {
        "python"
    }

    fn detect(&self, project: &dyn Project) -> u8 {
        roles::detect(project)
    }

    fn role(&self, path: &RepoPath) -> Option<Role> {
        roles::role(path)
    }

    fn runner(&self, project: &dyn Project, settings: &RunnerSettings) -> Result<Box<dyn Runner>, LangError> {
        let command = parse("test.command", settings.command.as_ref())?;
        let suite = parse("test.suite", settings.suite.as_ref())?;
        let forced = match settings.runner.as_deref() {
            None => None,
            Some("pytest") => Some(Tool::Pytest),
            Some("unittest") => Some(Tool::Unittest),
            Some(name) => {
                return Err(LangError::UnknownRunner {
                    name: name.to_owned(),
                    language: "python",
                    known: "pytest, unittest",
                });
            }
        };
        let named = command.as_ref().or(suite.as_ref());
        for (setting, given) in [("test.command", &command), ("test.suite", &suite)] {
            if let (Some(given), Some(tool)) = (given, forced.or(named.map(|named| named.tool)))
                && given.tool != tool
            {
                return Err(LangError::BadSetting {
                    setting,
                    what: format!(
                        "it runs {}, while `{}` says {}; use one runner for all",
                        given.tool.name(),
                        if forced.is_some() { "project.runner" } else { "test.command" },
                        tool.name()
                    ),
                });
            }
        }
        let home = roles::home(project);
        let given = named.and_then(|named| named.python.as_deref());
        let interpreter = Interpreter::find(project.root(), &home, given)?;
        let tool = match forced.or(named.map(|named| named.tool)) {
            Some(tool) => tool,
            None => choose(project, &interpreter)?,
        };
        // A command that starts the runner by a program of its own (`uv run pytest`) may use an
        // environment that this probe does not see.
        let own_environment =
            named.is_some_and(|named| named.python.is_none() && !named.leaves_python_open());
        if tool == Tool::Pytest && interpreter.pytest.is_none() && !own_environment {
            return Err(no_pytest(&interpreter));
        }
        let anchored = |command| session::anchored(command, &interpreter, project.root());
        let command = anchored(command.unwrap_or_else(|| Command::of(&interpreter.program, tool)));
        let suite = suite.map_or_else(|| command.clone(), anchored);
        let modules = modules::Modules::of(project.paths());
        let setup = Setup { interpreter, command, suite, modules, home };
        Ok(match tool {
            Tool::Pytest => Box::new(pytest::Pytest(setup)),
            Tool::Unittest => Box::new(unittest::Unittest(setup)),
        })
    }

    fn neutral(&self, path: &RepoPath, source: &str, root: &Path, from: &[RepoPath]) -> Option<String> {
        (path.extension() == Some("py")).then(|| neutral::neutral(source, root, from)).flatten()
    }

    fn surgery(&self) -> &'static dyn Surgery {
        &surgery::PythonSurgery
    }

    fn twins(&self, path: &RepoPath, source: &str, line: u32, nonce: &str) -> Option<crate::lang::Twins> {
        let grammar = Grammar::of(path)?;
        crate::lang::twin::twins(grammar, &twin::PythonAssertions, source, line, nonce)
    }

    fn essence(&self, path: &RepoPath, source: &str) -> Option<String> {
        matches!(path.extension(), Some("py" | "pyi" | "pyw")).then(|| essence::essence(source)).flatten()
    }

    fn only_adds_fixtures(&self, path: &RepoPath, old: Option<&str>, new: Option<&str>) -> bool {
        path.file_name() == "conftest.py" && fixtures::only_adds_fixtures(old, new)
    }

    fn runner_settings_changed(
        &self,
        path: &RepoPath,
        old: Option<&str>,
        new: Option<&str>,
    ) -> Option<SettingChange> {
        settings::runner_tables_changed(path, old, new)
    }
}

fn parse(setting: &'static str, template: Option<&Template>) -> Result<Option<Command>, LangError> {
    template
        .map(|template| Command::parse(template).map_err(|what| LangError::BadSetting { setting, what }))
        .transpose()
}

/// pytest where it is installed; else unittest, unless the tests cannot do without pytest.
fn choose(project: &dyn Project, interpreter: &Interpreter) -> Result<Tool, LangError> {
    if interpreter.pytest.is_some() {
        return Ok(Tool::Pytest);
    }
    if roles::needs_pytest(project) { Err(no_pytest(interpreter)) } else { Ok(Tool::Unittest) }
}

fn no_pytest(interpreter: &Interpreter) -> LangError {
    LangError::RunnerMissing {
        what: format!("the tests need pytest, which {} cannot import", interpreter.program.display()),
        way_out: "install the project's test dependencies into `.venv` (python3 -m venv .venv; \
                  .venv/bin/python -m pip install pytest …), or set `command` under [test] in failfirst.toml, \
                  for example \"path/to/python -m pytest {tests}\""
            .to_owned(),
    }
}
