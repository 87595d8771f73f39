//! Which Python runs the tests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::lang::LangError;

/// A Python that was asked who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Interpreter {
    /// What is started; in a virtual environment, the environment's own link.
    pub(super) program: PathBuf,
    /// `3.11.7`.
    pub(super) version: String,
    /// pytest's version, where it can be imported.
    pub(super) pytest: Option<String>,
    /// The names under which plugins register with pytest.
    pub(super) plugins: Vec<String>,
    /// The virtual environment, where the program belongs to one.
    pub(super) environment: Option<PathBuf>,
    /// Where packages of the user are installed, where that folder exists and is in use.
    pub(super) user_base: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Answer {
    executable: PathBuf,
    version: String,
    prefix: PathBuf,
    base_prefix: PathBuf,
    user_base: Option<PathBuf>,
    pytest: Option<String>,
    plugins: Vec<String>,
}

/// The first statement takes the working folder off the path: nothing of the project may answer.
const PROBE: &str = r#"
import sys
sys.path = [entry for entry in sys.path if entry]
import json, os, site
answer = {
    "executable": sys.executable, "version": "%d.%d.%d" % sys.version_info[:3],
    "prefix": sys.prefix, "base_prefix": sys.base_prefix,
    "user_base": None, "pytest": None, "plugins": [],
}
if site.ENABLE_USER_SITE and os.path.isdir(site.getusersitepackages()):
    answer["user_base"] = site.getuserbase()
try:
    import importlib.util
    if importlib.util.find_spec("pytest") is not None:
        answer["pytest"] = "of unknown version"
        try:
            from importlib import metadata
            answer["pytest"] = metadata.version("pytest")
            for distribution in metadata.distributions():
                for entry in distribution.entry_points:
                    if entry.group == "pytest11":
                        answer["plugins"].append(entry.name)
        except Exception:
            pass
except Exception:
    pass
print("\n" + json.dumps(answer))
"#;

impl Interpreter {
    /// Finds the project's Python and asks it. `home` is the folder of the tests' own project below
    /// `root`, `given` the program of `test.command`.
    pub(super) fn find(root: &Path, home: &str, given: Option<&str>) -> Result<Self, LangError> {
        let missing = |what: String| LangError::RunnerMissing {
            what,
            way_out: "make a virtual environment at `.venv` in the project, activate one, or set `command` \
                      under [test] in failfirst.toml"
                .to_owned(),
        };
        let program = match given {
            // A name without a folder is looked up on the PATH by the system.
            Some(given) if given.contains('/') => root.join(given),
            Some(given) => PathBuf::from(given),
            None => default_program(root, home),
        };
        let answer = ask(&program, root)
            .map_err(|why| missing(format!("cannot run Python (`{}`): {why}", program.display())))?;
        let in_environment = answer.prefix != answer.base_prefix;
        Ok(Self {
            // On some machines `python3` is a shim that needs the user's HOME; what it starts does not.
            program: if program.is_absolute() && in_environment { program } else { answer.executable },
            version: answer.version,
            pytest: answer.pytest,
            plugins: answer.plugins,
            environment: in_environment.then_some(answer.prefix),
            user_base: answer.user_base,
        })
    }

    /// `Python 3.11.7`.
    pub(super) fn label(&self) -> String {
        format!("Python {}", self.version)
    }

    /// What runs need besides the usual variables.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        if let Some(environment) = &self.environment {
            variables.push(("VIRTUAL_ENV".to_owned(), environment.display().to_string()));
        }
        if let Some(base) = &self.user_base {
            variables.push(("PYTHONUSERBASE".to_owned(), base.display().to_string()));
        }
        // Tests start the project's console scripts and `python` by name.
        if let Some(bin) = self.program.parent() {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path));
            if let Ok(joined) = std::env::join_paths(folders) {
                variables.push(("PATH".to_owned(), joined.to_string_lossy().into_owned()));
            }
        }
        variables
    }
}

fn default_program(root: &Path, home: &str) -> PathBuf {
    let active = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from).filter(|place| place.is_absolute());
    let in_project = [".venv", "venv"].map(|name| root.join(home).join(name));
    let at_root = [".venv", "venv"].map(|name| root.join(name));
    in_project
        .into_iter()
        .chain(at_root)
        .chain(active)
        .map(|environment| environment.join("bin/python"))
        .find(|program| program.is_file())
        .unwrap_or_else(|| PathBuf::from("python3"))
}

fn ask(program: &Path, root: &Path) -> Result<Answer, String> {
    let output = Command::new(program)
        .args(["-c", PROBE])
        .current_dir(root)
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .env_remove("PYTHONSTARTUP")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next_back().unwrap_or_default();
    serde_json::from_str(line).map_err(|_| {
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no answer");
        last.trim().to_owned()
    })
}
