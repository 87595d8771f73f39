//! The prepared checkout: where the project's dependencies are, and how its files differ from the
//! base tree.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::LabError;
use crate::git::{Entry, Mode, Oid, RepoPath, Store, TreeId};

/// A checkout on disk that variants are laid over.
#[derive(Debug)]
pub(crate) struct Checkout {
    /// Its absolute path.
    pub(crate) root: PathBuf,
    /// Paths whose state on disk is not that of the base tree: what the tree has there, if anything.
    pub(crate) differs: BTreeMap<RepoPath, Option<Entry>>,
    /// Every file of the base tree, sorted, as far as its path is UTF-8.
    pub(crate) paths: Vec<RepoPath>,
}

impl Checkout {
    /// Compares the checkout at `root` with the base tree. Reads file contents, since git's index
    /// can be told to look away (`skip-worktree`).
    ///
    /// # Errors
    /// An object is missing, or a file that differs has a path that is not UTF-8.
    pub(crate) fn scan(store: &Store, base: TreeId, root: &Path) -> Result<Self, LabError> {
        let files = store.list(base)?;
        let half = files.len().div_ceil(2).max(1);
        let mut outcomes = Vec::new();
        std::thread::scope(|scope| {
            let workers: Vec<_> = files
                .chunks(half)
                .map(|chunk| {
                    scope.spawn(move || {
                        chunk.iter().filter(|(path, entry)| !same(root, path, entry)).collect::<Vec<_>>()
                    })
                })
                .collect();
            for worker in workers {
                outcomes.push(worker.join());
            }
        });
        let mut differs = BTreeMap::new();
        for outcome in outcomes {
            let outcome =
                outcome.map_err(|_| LabError::Internal("the scan of the checkout panicked".to_owned()))?;
            for (path, entry) in outcome {
                differs.insert(RepoPath::from_bytes(path).map_err(crate::git::GitError::from)?, Some(*entry));
            }
        }
        let mut paths: Vec<_> =
            files.iter().filter_map(|(path, _)| RepoPath::from_bytes(path).ok()).collect();
        paths.sort();
        for path in not_ignored(root)? {
            if paths.binary_search(&path).is_err() {
                differs.entry(path).or_insert(None);
            }
        }
        Ok(Self { root: root.to_owned(), differs, paths })
    }
}

/// True when the file on disk is what the tree has.
fn same(root: &Path, path: &[u8], entry: &Entry) -> bool {
    let place = root.join(OsStr::from_bytes(path));
    let Ok(meta) = std::fs::symlink_metadata(&place) else {
        // Submodules that are not checked out are absent or empty folders.
        return entry.mode == Mode::Submodule;
    };
    match entry.mode {
        Mode::Submodule => true,
        Mode::Symlink => {
            meta.is_symlink()
                && std::fs::read_link(&place)
                    .is_ok_and(|link| Oid::of_blob(link.as_os_str().as_bytes()) == entry.oid)
        }
        Mode::File | Mode::Executable => {
            let executable = meta.permissions().mode() & 0o100 != 0;
            meta.is_file()
                && executable == (entry.mode == Mode::Executable)
                && std::fs::read(&place)
                    .is_ok_and(|bytes| Oid::of_blob(&bytes) == entry.oid || is_large_file(&bytes, entry))
        }
    }
}

/// A file of Git LFS that was fetched: its blob is a pointer that names the content's SHA-256.
fn is_large_file(bytes: &[u8], entry: &Entry) -> bool {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {}\n", bytes.len());
    Oid::of_blob(pointer.as_bytes()) == entry.oid
}

/// Files of the checkout that git does not ignore: tracked by whatever is checked out, or strays.
/// Those that the base tree does not have belong to no variant by themselves.
fn not_ignored(root: &Path) -> Result<Vec<RepoPath>, LabError> {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*"])
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(root)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_NO_REPLACE_OBJECTS", "1");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"] {
        command.env_remove(name);
    }
    let output = command.output().map_err(|source| LabError::Io {
        doing: "run git (is it installed?) in",
        path: root.to_owned(),
        source,
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(LabError::Checkout { path: root.to_owned(), what: said });
    }
    // A stray file with an odd name cannot be hidden by path, but it is none that a runner looks for.
    let paths = output.stdout.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    Ok(paths.filter_map(|path| RepoPath::from_bytes(path.strip_suffix(b"/").unwrap_or(path)).ok()).collect())
}
