//! Git repositories, made without any configuration of the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// What a commit does to a path.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// A regular file with these bytes.
    Put(String, Vec<u8>),
    /// A symbolic link.
    Link(String, String),
    /// The path is taken away.
    Gone(String),
}

impl Edit {
    /// Where.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Put(path, _) | Self::Link(path, _) | Self::Gone(path) => path,
        }
    }
}

impl From<(&str, &str)> for Edit {
    fn from((path, text): (&str, &str)) -> Self {
        Self::Put(path.to_owned(), text.as_bytes().to_vec())
    }
}

/// A regular file.
pub(crate) fn put(path: &str, text: impl AsRef<[u8]>) -> Edit {
    Edit::Put(path.to_owned(), text.as_ref().to_vec())
}

/// A path that is taken away.
pub(crate) fn gone(path: &str) -> Edit {
    Edit::Gone(path.to_owned())
}

/// A symbolic link.
pub(crate) fn link(path: &str, target: &str) -> Edit {
    Edit::Link(path.to_owned(), target.to_owned())
}

/// A repository in a temporary folder, with a private HOME beside it.
pub(crate) struct Repository {
    dir: TempDir,
    root: PathBuf,
}

impl Repository {
    /// An empty repository on the branch `main`.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().canonicalize().unwrap();
        let root = folder.join("project");
        for place in [&root, &folder.join("home"), &folder.join("scratch")] {
            std::fs::create_dir(place).unwrap();
        }
        let repository = Self { dir, root };
        repository.git(&["init", "-q", "-b", "main", "."]);
        repository
    }

    /// The checkout.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder that holds the checkout, the private HOME and what a test puts beside them.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    /// Runs git in the checkout and gives what it printed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.root, arguments)
    }

    /// Runs git in a folder.
    pub(crate) fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = hermetic("git", &self.beside("home"))
            .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"])
            // A collection in the background would change the repository while a test looks at it.
            .args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "git {arguments:?}: {out}{err}");
        out.trim().to_owned()
    }

    /// Writes into the checkout without committing.
    pub(crate) fn edit(&self, edits: &[Edit]) {
        for edit in edits {
            let place = self.root.join(edit.path());
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            if std::fs::symlink_metadata(&place).is_ok() {
                std::fs::remove_file(&place).unwrap();
            }
            match edit {
                Edit::Put(_, bytes) => std::fs::write(&place, bytes).unwrap(),
                Edit::Link(_, target) => std::os::unix::fs::symlink(target, &place).unwrap(),
                Edit::Gone(_) => {}
            }
        }
    }

    /// Commits these edits and everything else that is in the checkout; gives the commit.
    pub(crate) fn commit(&self, edits: &[Edit]) -> String {
        self.edit(edits);
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "-q", "--allow-empty", "--no-verify", "-m", "a commit"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// A command with nothing of this machine's configuration in its environment.
pub(crate) fn hermetic(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("LANG", "C.UTF-8").env("GIT_CONFIG_NOSYSTEM", "1");
    for name in ["PATH", "RUSTUP_HOME", "CARGO_HOME", "PYENV_ROOT"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "Ann").env(format!("GIT_{who}_EMAIL"), "ann@example.org");
        command.env(format!("GIT_{who}_DATE"), "2026-01-02T03:04:05Z");
    }
    command
}
