//! `failfirst init`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::output::write_stdout;
use crate::exit_code::ExitCode;
use crate::git::{RepoPath, Store};
use crate::lab::{Keep, Scratch};
use crate::lang::{self, Project};

/// Arguments of `failfirst init`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Print the files instead of writing them.
    #[arg(long)]
    dry_run: bool,
}

const WORKFLOW: &str = include_str!("../../examples/workflows/failfirst.yml");

/// The files of the commit that is checked out.
struct Checkout<'a> {
    store: &'a Store,
    tree: crate::git::TreeId,
    paths: Vec<RepoPath>,
    root: &'a Path,
}

impl Project for Checkout<'_> {
    fn paths(&self) -> &[RepoPath] {
        &self.paths
    }

    fn text(&self, path: &str) -> Option<String> {
        let path = RepoPath::new(path).ok()?;
        String::from_utf8(self.store.file(self.tree, &path).ok()??).ok()
    }

    fn root(&self) -> &Path {
        self.root
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let scratch = Scratch::new(Keep::No)?;
    let store = Store::open(&arguments.repo, scratch.path())?;
    let root = store.workdir().map_or_else(|| arguments.repo.clone(), Path::to_owned);
    let head = store.resolve("HEAD")?;
    let mut paths: Vec<RepoPath> =
        store.list(head.tree)?.into_iter().filter_map(|(path, _)| RepoPath::from_bytes(&path).ok()).collect();
    paths.sort();
    let project = Checkout { store: &store, tree: head.tree, paths, root: &root };
    let language = lang::detect(&project, None).ok().map(lang::Language::name);
    let files = [
        (crate::config::FILE_NAME.to_owned(), settings(language)),
        (".github/workflows/failfirst.yml".to_owned(), WORKFLOW.to_owned()),
    ];
    for (name, text) in files {
        let place = root.join(&name);
        if arguments.dry_run {
            write_stdout(&format!("# {name}\n{text}\n"))?;
        } else if std::fs::symlink_metadata(&place).is_ok() {
            write_stdout(&format!("{name} is there already and is left as it is.\n"))?;
        } else {
            let failed = || format!("failed to write {}", place.display());
            if let Some(folder) = place.parent() {
                std::fs::create_dir_all(folder).with_context(failed)?;
            }
            std::fs::write(&place, text).with_context(failed)?;
            write_stdout(&format!("{name} is written.\n"))?;
        }
    }
    Ok(ExitCode::Verified)
}

/// A failfirst.toml in which everything is a comment: the defaults hold until something is taken out of it.
fn settings(language: Option<&str>) -> String {
    let (found, setup) = match language {
        Some("python") => ("python", r#"["python3 -m venv .venv", ".venv/bin/pip install -e .[test]"]"#),
        Some("javascript") => ("javascript", r#"["npm ci"]"#),
        Some("rust") => ("rust", r#"["cargo fetch --locked"]"#),
        Some("go") => ("go", r#"["go mod download"]"#),
        _ => ("python", r#"["…"]"#),
    };
    let about = match language {
        Some(name) => format!("# This looks like a project in {name}; that is recognised without settings."),
        None => "# The language was not recognised; say it here.".to_owned(),
    };
    format!(
        "# Settings of failfirst, read from the base commit only. Every key is optional;\n\
         # `failfirst schema config` lists all of them.\n\
         {about}\n\n\
         # [project]\n# language = \"{found}\"\n# setup = {setup}   # once, on the base\n\n\
         # [test]\n# timeout = \"10m\"   # of one run\n# repeats = 3\n\n\
         # [sandbox]\n# level = \"required\"   # run nothing without full isolation\n\n\
         # [github]\n# label = \"failfirst\"   # starts a case\n# permission = \"write\"  # who may start one\n\n\
         # [agents.mine]\n# command = \"my-agent --prompt-file {{prompt}} --reply {{reply}}\"\n\n\
         # [run]\n# agent = \"mine\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_settings_are_valid_as_they_are_and_with_every_comment_taken_away() {
        for language in [None, Some("python"), Some("javascript"), Some("rust"), Some("go")] {
            let text = settings(language);
            assert_eq!(Config::parse(&text, "t").unwrap(), Config::default());
            let open: String = text
                .lines()
                .filter_map(|line| line.strip_prefix("# "))
                .filter(|line| line.starts_with('[') || line.contains(" = "))
                .map(|line| format!("{line}\n"))
                .collect();
            let config = Config::parse(&open, "t").unwrap_or_else(|error| panic!("{error}\n{open}"));
            assert!(config.agents.contains_key("mine"));
        }
    }
}
