//! A workspace: a variant in which an agent may write, and from which only changed files are taken.
//!
//! The agent works at the project's own path, on a layer of its own. It sees a fresh repository with
//! one commit instead of the project's history, so that no later revision can be copied from. What
//! it did is computed here, from the layer against the start tree, never through its `.git`.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::flood::Flood;
use super::run::{Lab, make_dirs, write};
use super::sandbox::{FileStep, Job, Network};
use super::{Bounds, LabError, nonce, scratch};
use crate::git::{Edit, Entry, GitError, Mode, RepoPath, Store, TreeId};
use crate::lang::{Invocation, Output};

/// A place where an agent works.
pub struct Workspace<'a> {
    lab: &'a Lab,
    start: TreeId,
    place: PathBuf,
    desk: PathBuf,
    lower: Vec<PathBuf>,
    alone: Mutex<()>,
}

/// What may be taken from a workspace at the most.
const LARGEST_FILE: u64 = 4 << 20;
const MOST_FILES: usize = 2_000;

impl<'a> Workspace<'a> {
    pub(super) fn new(
        lab: &'a Lab,
        start: TreeId,
        lower: Vec<PathBuf>,
        place: PathBuf,
    ) -> Result<Self, LabError> {
        let desk = place.join("desk");
        let workspace = Self { lab, start, place, desk, lower, alone: Mutex::new(()) };
        make_dirs(&[&workspace.layer(), &workspace.tmp().join("home"), &workspace.desk])?;
        workspace.fresh_history()?;
        Ok(workspace)
    }

    /// The tree that the agent started from.
    pub fn start(&self) -> TreeId {
        self.start
    }

    /// The path at which the agent sees the project.
    pub fn root(&self) -> &Path {
        self.lab.root()
    }

    /// A folder outside the project through which prompt and reply go, at the same path for the
    /// agent and for failfirst.
    pub fn desk(&self) -> &Path {
        &self.desk
    }

    /// True when programs run in a sandbox.
    pub fn is_isolated(&self) -> bool {
        self.lab.is_layered()
    }

    /// Runs a program in the workspace.
    ///
    /// # Errors
    /// The sandbox failed; a failing program is no error.
    pub fn run(
        &self,
        invocation: &Invocation,
        timeout: Duration,
        network: Network,
        bounds: &Bounds,
    ) -> Result<Output, LabError> {
        let mut job = self.job(invocation, Vec::new(), timeout, network);
        if let Some(relay) = &bounds.relay {
            job.visible.extend(relay.socket.parent().map(Path::to_owned));
            job.relay = Some(relay.clone());
        }
        job.stop = bounds.stop.clone();
        let flood = Flood::watch(&self.place, &bounds.stop);
        let stay = self.lab.stay(&job);
        drop(flood);
        let stay = stay?;
        stay.output.ok_or_else(|| LabError::Internal("a program ended without output".to_owned()))
    }

    /// The content of a file as the agent left it.
    ///
    /// # Errors
    /// The objects cannot be read.
    pub fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, LabError> {
        let tree = self.collect()?;
        Ok(self.lab.store().file(tree, path)?)
    }

    /// Writes a file, as an agent would.
    ///
    /// # Errors
    /// The sandbox failed.
    pub fn write(&self, path: &RepoPath, bytes: &[u8]) -> Result<(), LabError> {
        let executable =
            matches!(self.lab.store().entry(self.start, path)?, Some(Entry { mode: Mode::Executable, .. }));
        let from = self.place.join(format!("write-{}", nonce(4)));
        write(&from, bytes)?;
        self.step(FileStep::Write { path: path.as_str().to_owned(), from, executable })
    }

    /// Puts a file of any mode, as an agent would.
    ///
    /// # Errors
    /// The sandbox failed.
    pub fn put(&self, path: &RepoPath, bytes: &[u8], mode: Mode) -> Result<(), LabError> {
        let path = path.as_str().to_owned();
        if mode == Mode::Symlink {
            let target = PathBuf::from(String::from_utf8_lossy(bytes).into_owned());
            return self.step(FileStep::Link { path, target });
        }
        let from = self.place.join(format!("write-{}", nonce(4)));
        write(&from, bytes)?;
        self.step(FileStep::Write { path, from, executable: mode == Mode::Executable })
    }

    /// Removes a file, as an agent would.
    ///
    /// # Errors
    /// The sandbox failed.
    pub fn remove(&self, path: &RepoPath) -> Result<(), LabError> {
        self.step(FileStep::Remove { path: path.as_str().to_owned() })
    }

    /// The tree that the agent left behind: the start tree with every changed file that git does not
    /// ignore.
    ///
    /// # Errors
    /// More or larger files than a patch may have, a path that is not UTF-8, or git failed.
    pub fn collect(&self) -> Result<TreeId, LabError> {
        let _alone = self.alone.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let store = self.lab.store();
        let found = if self.lab.is_layered() {
            Upper::read(&self.layer().join("upper"))?
        } else {
            Upper::compare(self.lab.root(), store, self.start)?
        };
        let ignored = ignore_rules(store, self.start, self.lab.base_paths());
        let tracked: BTreeMap<RepoPath, Entry> = store
            .list(self.start)?
            .into_iter()
            .filter_map(|(path, entry)| Some((RepoPath::from_bytes(&path).ok()?, entry)))
            .collect();
        let mut edits = Vec::new();
        for gone in &found.gone {
            let below = format!("{gone}/");
            let paths =
                tracked.keys().filter(|path| path.as_str() == gone || path.as_str().starts_with(&below));
            edits.extend(paths.map(|path| Edit::Remove(path.clone())));
        }
        for (text, file) in &found.files {
            let Ok(path) = RepoPath::new(text.clone()) else { continue };
            if !tracked.contains_key(&path) && ignored.matched_path_or_any_parents(text, false).is_ignore() {
                continue;
            }
            edits.retain(|edit| !matches!(edit, Edit::Remove(gone) if *gone == path));
            let oid = store.write_blob(&file.bytes)?;
            edits.push(Edit::Put(path, Entry { mode: file.mode, oid }));
        }
        Ok(store.compose(self.start, &edits)?)
    }

    fn layer(&self) -> PathBuf {
        self.place.join("layer")
    }

    fn tmp(&self) -> PathBuf {
        self.place.join("tmp")
    }

    fn step(&self, step: FileStep) -> Result<(), LabError> {
        let nothing = Invocation::default();
        let timeout = Duration::from_secs(60);
        self.lab.stay(&self.job(&nothing, vec![step], timeout, Network::Loopback)).map(|_| ())
    }

    fn job(&self, invocation: &Invocation, steps: Vec<FileStep>, timeout: Duration, network: Network) -> Job {
        let tmp = self.tmp();
        Job {
            lower: self.lower.clone(),
            layer: self.layer(),
            steps,
            timeout,
            network,
            shared: vec![self.desk.clone()],
            ..self.lab.job(invocation, &self.lab.inner_tmp(&tmp), &tmp)
        }
    }

    /// Replaces the project's history by one commit. Only possible where the checkout is not touched
    /// by it.
    fn fresh_history(&self) -> Result<(), LabError> {
        if !self.lab.is_layered() {
            return Ok(());
        }
        self.step(FileStep::Remove { path: ".git".to_owned() })?;
        let script = "git init -q . && git add -A && git -c user.name=failfirst -c user.email=failfirst@localhost \
                      -c commit.gpgsign=false commit -q --no-verify -m base";
        // An agent without git history can still work; one with a foreign history could cheat.
        let _ = self.run(
            &Invocation::new(["sh", "-c", script]),
            Duration::from_secs(120),
            Network::Loopback,
            &Bounds::default(),
        )?;
        Ok(())
    }
}

impl Drop for Workspace<'_> {
    fn drop(&mut self) {
        if !self.lab.keeps() {
            scratch::clear(&self.place);
        }
    }
}

struct File {
    bytes: Vec<u8>,
    mode: Mode,
}

/// What a layer says: files that are there and paths that are gone.
#[derive(Default)]
struct Upper {
    files: BTreeMap<String, File>,
    gone: Vec<String>,
}

impl Upper {
    /// Reads the upper folder of an overlay.
    fn read(upper: &Path) -> Result<Self, LabError> {
        let mut found = Self::default();
        let mut waiting = vec![upper.to_owned()];
        while let Some(folder) = waiting.pop() {
            let Ok(items) = std::fs::read_dir(&folder) else { continue };
            for item in items.flatten() {
                let place = item.path();
                let relative = place.strip_prefix(upper).unwrap_or(&place).to_owned();
                if relative.starts_with(".git") {
                    continue;
                }
                let Ok(meta) = std::fs::symlink_metadata(&place) else { continue };
                let Some(text) = relative.to_str() else {
                    let text = relative.to_string_lossy().into_owned();
                    return Err(GitError::from(crate::git::InvalidPath::NotUtf8(text)).into());
                };
                if meta.is_dir() {
                    if is_opaque(&place) {
                        found.gone.push(text.to_owned());
                    }
                    if !SKIPPED.contains(&item.file_name().to_str().unwrap_or_default()) {
                        waiting.push(place);
                    }
                } else if meta.file_type().is_char_device() && meta.rdev() == 0 {
                    found.gone.push(text.to_owned());
                } else {
                    found.take(text, &place, &meta)?;
                }
            }
        }
        Ok(found)
    }

    /// Compares a folder with a tree.
    fn compare(root: &Path, store: &Store, start: TreeId) -> Result<Self, LabError> {
        let mut found = Self::default();
        let mut waiting = vec![root.to_owned()];
        let mut seen = std::collections::BTreeSet::new();
        let tracked: BTreeMap<Vec<u8>, Entry> = store.list(start)?.into_iter().collect();
        while let Some(folder) = waiting.pop() {
            let Ok(items) = std::fs::read_dir(&folder) else { continue };
            for item in items.flatten() {
                let place = item.path();
                let Some(text) = place.strip_prefix(root).ok().and_then(Path::to_str).map(str::to_owned)
                else {
                    continue;
                };
                let Ok(meta) = std::fs::symlink_metadata(&place) else { continue };
                if meta.is_dir() {
                    let name = item.file_name();
                    if name != ".git" && !SKIPPED.contains(&name.to_str().unwrap_or_default()) {
                        waiting.push(place);
                    }
                    continue;
                }
                seen.insert(text.clone().into_bytes());
                let same = tracked.get(text.as_bytes()).is_some_and(|entry| {
                    std::fs::read(&place).is_ok_and(|bytes| crate::git::Oid::of_blob(&bytes) == entry.oid)
                });
                if !same {
                    found.take(&text, &place, &meta)?;
                }
            }
        }
        let gone = tracked.into_keys().filter(|path| !seen.contains(path));
        found.gone.extend(gone.filter_map(|path| String::from_utf8(path).ok()));
        Ok(found)
    }

    fn take(&mut self, text: &str, place: &Path, meta: &std::fs::Metadata) -> Result<(), LabError> {
        use std::os::unix::ffi::OsStrExt;
        let too_much = |what: String| LabError::Checkout { path: place.to_owned(), what };
        if self.files.len() >= MOST_FILES {
            return Err(too_much(format!("the agent changed more than {MOST_FILES} files")));
        }
        if meta.len() > LARGEST_FILE {
            return Err(too_much(format!("the agent wrote a file of more than {} MiB", LARGEST_FILE >> 20)));
        }
        let io = |source| LabError::Io { doing: "read", path: place.to_owned(), source };
        let file = if meta.is_symlink() {
            let target = std::fs::read_link(place).map_err(io)?;
            File { bytes: target.as_os_str().as_bytes().to_vec(), mode: Mode::Symlink }
        } else if meta.is_file() {
            let executable = meta.permissions().mode() & 0o100 != 0;
            let mode = if executable { Mode::Executable } else { Mode::File };
            File { bytes: std::fs::read(place).map_err(io)?, mode }
        } else {
            // Sockets, pipes and devices are no part of a patch.
            return Ok(());
        };
        self.files.insert(text.to_owned(), file);
        Ok(())
    }
}

/// Folders that hold what is built or installed; their content is no part of a patch.
const SKIPPED: [&str; 7] =
    ["__pycache__", "node_modules", ".venv", "venv", ".pytest_cache", ".mypy_cache", ".tox"];

fn is_opaque(folder: &Path) -> bool {
    let mut value = [0_u8; 8];
    ["trusted.overlay.opaque", "user.overlay.opaque"].iter().any(|name| {
        rustix::fs::lgetxattr(folder, *name, &mut value).is_ok_and(|length| length > 0 && value[0] == b'y')
    })
}

fn ignore_rules(store: &Store, tree: TreeId, paths: &[RepoPath]) -> Gitignore {
    let mut rules = GitignoreBuilder::new("");
    for line in ["*.pyc", "/target/", "*.egg-info/"] {
        let _ = rules.add_line(None, line);
    }
    for path in paths.iter().filter(|path| path.file_name() == ".gitignore") {
        let Ok(Some(bytes)) = store.file(tree, path) else { continue };
        let folder = PathBuf::from(path.parent());
        for line in String::from_utf8_lossy(&bytes).lines() {
            // Rules of a nested file hold below its folder only.
            let line =
                if folder.as_os_str().is_empty() { line.to_owned() } else { nested(path.parent(), line) };
            let _ = rules.add_line(None, &line);
        }
    }
    rules.build().unwrap_or_else(|_| Gitignore::empty())
}

/// A rule of a nested `.gitignore`, written as one of the root.
fn nested(folder: &str, line: &str) -> String {
    let (mark, rule) = line.strip_prefix('!').map_or(("", line), |rule| ("!", rule));
    let rule = rule.trim_end();
    if rule.is_empty() || rule.starts_with('#') {
        return String::new();
    }
    if rule.trim_end_matches('/').contains('/') {
        format!("{mark}/{folder}/{}", rule.trim_start_matches('/'))
    } else {
        format!("{mark}/{folder}/**/{rule}")
    }
}
