//! Where a variant runs: the strongest isolation that the machine offers.

pub(crate) mod init;
mod namespaces;
mod plain;
mod relay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use schemars::JsonSchema;

use super::{LabError, Relay, Stop};
use crate::lang::Output;

pub(crate) use namespaces::Namespaces;
pub(crate) use plain::Plain;

/// How the runs were isolated.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SandboxReport {
    /// `namespaces` or `none`.
    pub kind: String,
    /// The layers that were in force (`mount`, `pid`, `network`, …).
    pub layers: Vec<String>,
    /// What is missing, and how to get it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

/// How much isolation is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Level {
    /// Refuse to run without namespaces.
    Required,
    /// Namespaces where possible, else none, and say so.
    #[default]
    Auto,
    /// None: code under test runs with the user's own rights.
    Off,
}

/// What a run may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Network {
    /// Only itself: a loopback interface of its own.
    Loopback,
    /// What the machine reaches; for set-up commands and agents.
    Host,
}

/// A change to the files of the checkout, made before the command starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum FileStep {
    /// Copy `from` (a file outside the tree) to `path` in the tree.
    Write { path: String, from: PathBuf, executable: bool },
    /// Make `path` a symbolic link.
    Link { path: String, target: PathBuf },
    /// Take away `path`, a file or a whole folder.
    Remove { path: String },
}

/// One stay in the sandbox: files are put in place, then perhaps one command runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The project's own path: there the variant appears.
    pub(crate) root: PathBuf,
    /// What lies below, topmost first; the last is the prepared checkout.
    pub(crate) lower: Vec<PathBuf>,
    /// The folder that keeps what is written: `upper`, `work` and caches are made in it.
    pub(crate) layer: PathBuf,
    /// Steps that turn what lies below into the variant.
    pub(crate) steps: Vec<FileStep>,
    /// The command, as program and arguments; none when only the layer is wanted.
    pub(crate) argv: Vec<String>,
    /// Its whole environment.
    pub(crate) env: BTreeMap<String, String>,
    /// Its working folder below `root`.
    pub(crate) cwd: String,
    /// A folder of the machine that appears as `/tmp`.
    pub(crate) tmp: PathBuf,
    /// Folders of the machine that appear copy-on-write at their own path, with a short name for
    /// their place in the layer.
    pub(crate) caches: Vec<(String, PathBuf)>,
    /// Folders of the machine that appear as they are, writable, at their own path.
    pub(crate) shared: Vec<PathBuf>,
    /// Folders of the machine that appear as they are, read-only, at their own path.
    pub(crate) visible: Vec<PathBuf>,
    /// Folders of the machine that appear empty.
    pub(crate) hidden: Vec<PathBuf>,
    /// Sealed files and the hash of their bytes; checked before and after the command.
    pub(crate) sealed: Vec<(String, String)>,
    /// Those of the sealed files that nobody has reason to write, not even the same bytes: what was
    /// compiled or imported meanwhile could have been something else.
    pub(crate) untouchable: Vec<String>,
    /// What it may reach.
    pub(crate) network: Network,
    /// When it is ended.
    pub(crate) timeout: Duration,
    /// The one way out of a namespace without network.
    pub(crate) relay: Option<Relay>,
    /// A way to end it early.
    #[serde(skip)]
    pub(crate) stop: Stop,
}

/// How a stay ended.
#[derive(Clone, Debug)]
pub(crate) struct Stay {
    /// The command's output; `None` when there was no command.
    pub(crate) output: Option<Output>,
    /// Sealed files whose bytes were not as they must be, and when that was seen.
    pub(crate) broken_seals: Vec<String>,
    /// Paths below the root that the command wrote, made or removed; at most a few hundred.
    pub(crate) touched: Vec<String>,
}

/// A way to run jobs.
pub(crate) trait Sandbox: Send + Sync {
    /// What is in force.
    fn report(&self) -> SandboxReport;

    /// The path at which variants of the project at `root` run.
    fn root<'a>(&'a self, root: &'a Path) -> &'a Path;

    /// How paths in `/tmp` are seen from within a job that has `tmp` there.
    fn inner_tmp(&self, tmp: &Path) -> PathBuf;

    /// True when jobs can run side by side.
    fn parallel(&self) -> bool;

    /// Runs a job.
    ///
    /// # Errors
    /// The sandbox itself failed; a failing command is no error.
    fn stay(&self, job: &Job) -> Result<Stay, LabError>;
}

/// Hash of sealed bytes, in hexadecimal digits.
pub(crate) fn seal_hash(bytes: &[u8]) -> String {
    crate::git::Oid::of_blob(bytes).to_string()
}

/// What of the sealed files below `root` is not as it must be.
pub(crate) fn check_seals(root: &Path, sealed: &[(String, String)], when: &str) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, hash) in sealed {
        let file = root.join(path);
        let is_file = std::fs::symlink_metadata(&file).is_ok_and(|meta| meta.is_file());
        match std::fs::read(&file) {
            Ok(bytes) if is_file && seal_hash(&bytes) == *hash => {}
            Ok(_) => broken.push(format!("{path} had other bytes {when}")),
            Err(_) => broken.push(format!("{path} was gone {when}")),
        }
    }
    broken
}

/// Carries out file steps below `root`.
pub(crate) fn apply(root: &Path, steps: &[FileStep]) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for step in steps {
        match step {
            FileStep::Remove { path } => remove(&root.join(path))?,
            FileStep::Link { path, target } => {
                let place = clear_way(root, path)?;
                std::os::unix::fs::symlink(target, place)?;
            }
            FileStep::Write { path, from, executable } => {
                let place = clear_way(root, path)?;
                std::fs::copy(from, &place)?;
                let mode = if *executable { 0o755 } else { 0o644 };
                std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode))?;
                // `copy` may be a reflink with the old times; build tools decide by mtime.
                std::fs::File::options()
                    .write(true)
                    .open(&place)?
                    .set_modified(std::time::SystemTime::now())?;
            }
        }
    }
    Ok(())
}

/// Makes the folders above `path`, replacing files and links that stand in the way, and takes away
/// what is at `path` itself.
fn clear_way(root: &Path, path: &str) -> std::io::Result<PathBuf> {
    let mut place = root.to_owned();
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        place.push(part);
        let meta = std::fs::symlink_metadata(&place).ok();
        if parts.peek().is_some() {
            // A link must not lead a write out of the tree.
            if meta.as_ref().is_some_and(|meta| !meta.is_dir()) {
                std::fs::remove_file(&place)?;
            }
            if meta.is_none_or(|meta| !meta.is_dir()) {
                std::fs::create_dir(&place)?;
            }
        } else if meta.is_some() {
            remove(&place)?;
        }
    }
    Ok(place)
}

fn remove(place: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(place) {
        Err(_) => Ok(()),
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(place),
        Ok(_) => std::fs::remove_file(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_never_write_through_a_link() {
        let outside = tempfile::tempdir().unwrap();
        let root = tempfile::tempdir().unwrap();
        let from = outside.path().join("blob");
        std::fs::write(&from, "new").unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("tests")).unwrap();
        let step = FileStep::Write { path: "tests/a.py".into(), from, executable: false };
        apply(root.path(), &[step]).unwrap();
        assert_eq!(std::fs::read_to_string(root.path().join("tests/a.py")).unwrap(), "new");
        assert!(!outside.path().join("a.py").exists());
    }

    #[test]
    fn a_sealed_file_that_became_a_link_is_noticed() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("copy"), "text").unwrap();
        std::os::unix::fs::symlink("copy", root.path().join("t.py")).unwrap();
        let sealed = vec![("t.py".to_owned(), seal_hash(b"text")), ("gone.py".to_owned(), seal_hash(b""))];
        let broken = check_seals(root.path(), &sealed, "after the run");
        assert_eq!(broken, ["t.py had other bytes after the run", "gone.py was gone after the run"]);
        std::fs::remove_file(root.path().join("t.py")).unwrap();
        std::fs::write(root.path().join("t.py"), "text").unwrap();
        assert_eq!(check_seals(root.path(), &sealed[..1], "x"), Vec::<String>::new());
    }
}
