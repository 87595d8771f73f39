//! The Go toolchain of this machine.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::lang::command::find_program;
use crate::lang::{LangError, Template};

/// What `go env` says.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(super) struct Toolchain {
    /// The version (`go1.22.1`).
    #[serde(rename = "GOVERSION")]
    pub(super) version: String,
    #[serde(rename = "GOCACHE")]
    cache: String,
    #[serde(rename = "GOMODCACHE")]
    modules: String,
    #[serde(rename = "GOPATH")]
    path: String,
    #[serde(rename = "GOROOT")]
    root: String,
}

impl Toolchain {
    /// Asks the `go` that the command names, or the one on the PATH, in the folder of the project:
    /// its `go.mod` may name the toolchain.
    ///
    /// # Errors
    /// [`LangError::RunnerMissing`].
    pub(super) fn probe(project: &Path, command: Option<&Template>) -> Result<Self, LangError> {
        let named = command.and_then(|template| template.words().iter().find(|word| is_go(word)));
        let program = named.map_or("go", String::as_str);
        let missing = |what: String| LangError::RunnerMissing {
            what,
            way_out: "install Go, or name its program in `command` under [test] in failfirst.toml".to_owned(),
        };
        let file = if program.contains('/') {
            Some(project.join(program)).filter(|file| file.is_file())
        } else {
            find_program(program)
        };
        let file = file.ok_or_else(|| missing(format!("the program `{program}` was not found")))?;
        // A toolchain that go.mod asks for and that is not here cannot be fetched by a run either.
        ask(&file, project, None)
            .or_else(|_| ask(&file, project, Some("local")))
            .map_err(|why| missing(format!("`{} env` failed: {why}", file.display())))
    }

    /// Where compiled packages are kept; runs write to it.
    pub(super) fn cache(&self) -> Option<PathBuf> {
        (!self.cache.is_empty() && self.cache != "off").then(|| PathBuf::from(&self.cache))
    }

    /// True for files of the toolchain and of downloaded modules.
    pub(super) fn owns(&self, file: &Path) -> bool {
        [&self.root, &self.modules].iter().any(|folder| !folder.is_empty() && file.starts_with(folder))
    }

    /// Variables for runs: the real caches (a run's HOME is empty), no network, and neither the
    /// user's own settings nor those of the environment that failfirst was started in.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let mut env = Vec::new();
        for (name, value) in [("GOPATH", &self.path), ("GOMODCACHE", &self.modules), ("GOCACHE", &self.cache)]
        {
            if !value.is_empty() {
                env.push((name.to_owned(), value.clone()));
            }
        }
        for (name, value) in [("GOFLAGS", ""), ("GOENV", "off"), ("GOPROXY", "off"), ("GOSUMDB", "off")] {
            env.push((name.to_owned(), value.to_owned()));
        }
        // The base's toolchain, whatever the go.mod of a variant asks for.
        env.push(("GOTOOLCHAIN".to_owned(), self.selector()));
        env
    }

    fn selector(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
        let numbered = self.version.strip_prefix("go").is_some_and(|rest| rest.starts_with(char::is_numeric));
        if numbered && self.version.chars().all(plain) { self.version.clone() } else { "local".to_owned() }
    }
}

/// True for a word that names a Go program (`go`, `/opt/go/bin/go`, `go1.22.1`).
pub(super) fn is_go(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.strip_prefix("go").is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '.'))
}

fn ask(file: &Path, project: &Path, toolchain: Option<&str>) -> Result<Toolchain, String> {
    let mut command = Command::new(file);
    command.args(["env", "-json", "GOVERSION", "GOCACHE", "GOMODCACHE", "GOPATH", "GOROOT"]);
    command.current_dir(project).stdin(Stdio::null()).env("GOPROXY", "off").env("GOFLAGS", "");
    if let Some(toolchain) = toolchain {
        command.env("GOTOOLCHAIN", toolchain);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_programs_are_told_from_their_kin() {
        for word in ["go", "/usr/lib/go-1.19/bin/go", "go1.22.1"] {
            assert!(is_go(word), "{word}");
        }
        for word in ["gotestsum", "got", "go-wrapper", "test", "gopher/x"] {
            assert!(!is_go(word), "{word}");
        }
    }

    #[test]
    fn runs_keep_the_toolchain_of_the_base() {
        let of = |version: &str| {
            Toolchain { version: version.to_owned(), ..Toolchain::default() }
                .environment()
                .into_iter()
                .find(|(name, _)| name == "GOTOOLCHAIN")
                .unwrap()
                .1
        };
        assert_eq!(of("go1.22.1"), "go1.22.1");
        assert_eq!(of("devel go1.23-abc"), "local");
        assert_eq!(of("go1.22.1 X:loopvar"), "local");
    }

    #[test]
    fn a_program_that_is_absent_is_named() {
        let template = Template::parse("/nowhere/go test {tests}").unwrap();
        let error = Toolchain::probe(Path::new("/"), Some(&template)).unwrap_err();
        assert!(error.to_string().starts_with("the program `/nowhere/go` was not found; install Go"));
    }
}
