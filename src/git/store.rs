//! The scratch object database: everything failfirst writes goes here, never into the user's repository.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use git2::{DiffOptions, FileMode, ObjectType, Repository};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InvalidPath, RepoPath};

/// Why git could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No repository at the place that was named.
    #[error("no git repository at {path}: {source}; name one with --repo")]
    NoRepository {
        /// Where it was looked for.
        path: PathBuf,
        /// libgit2's answer.
        source: git2::Error,
    },
    /// A repository of a kind that libgit2 cannot read.
    #[error(
        "the repository at {path} cannot be read ({what}); use a SHA-1 repository with the `files` ref format"
    )]
    Unsupported {
        /// The repository.
        path: PathBuf,
        /// libgit2's words.
        what: String,
    },
    /// A revision that names nothing.
    #[error("revision `{rev}` is unknown in {path}{hint}")]
    UnknownRevision {
        /// As it was given.
        rev: String,
        /// The repository.
        path: PathBuf,
        /// What may help, starting with `; `, or empty.
        hint: &'static str,
    },
    /// An object that a commit names is absent (partial or shallow clone).
    #[error(
        "object {oid} is missing from the clone; fetch it with `git fetch --refetch --no-filter`, or use a full clone"
    )]
    MissingObject {
        /// The object.
        oid: Oid,
    },
    /// A path that cannot be judged.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// Anything else from libgit2.
    #[error("git failed to {doing}: {source}")]
    Git {
        /// What was being done.
        doing: &'static str,
        /// libgit2's answer.
        source: git2::Error,
    },
    /// The scratch database could not be made.
    #[error("failed to prepare the object database in {path}: {source}")]
    Io {
        /// The scratch folder.
        path: PathBuf,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// The name of a git object, 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Oid(git2::Oid);

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Oid {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        git2::Oid::from_str(&text).map(Self).map_err(|_| format!("{text:?} is no object name"))
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.to_string()
    }
}

impl Oid {
    /// The first ten digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..10].to_owned()
    }

    /// The name that git gives to a blob of these bytes.
    pub fn of_blob(bytes: &[u8]) -> Self {
        Self(git2::Oid::hash_object(ObjectType::Blob, bytes).expect("hashing in memory cannot fail"))
    }
}

/// The name of a tree object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema, Debug)]
#[serde(transparent)]
pub struct TreeId(pub Oid);

impl fmt::Display for TreeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A commit and its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The commit.
    pub id: Oid,
    /// Its tree.
    pub tree: TreeId,
}

/// What a tree entry is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A regular file.
    File,
    /// A regular file with the executable bit.
    Executable,
    /// A symbolic link (120000).
    Symlink,
    /// A submodule (160000).
    Submodule,
}

impl Mode {
    fn from_git(mode: FileMode) -> Option<Self> {
        match mode {
            FileMode::Blob | FileMode::BlobGroupWritable => Some(Self::File),
            FileMode::BlobExecutable => Some(Self::Executable),
            FileMode::Link => Some(Self::Symlink),
            FileMode::Commit => Some(Self::Submodule),
            FileMode::Tree | FileMode::Unreadable => None,
        }
    }

    fn to_git(self) -> FileMode {
        match self {
            Self::File => FileMode::Blob,
            Self::Executable => FileMode::BlobExecutable,
            Self::Symlink => FileMode::Link,
            Self::Submodule => FileMode::Commit,
        }
    }
}

/// A file of a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What it is.
    pub mode: Mode,
    /// Its content.
    pub oid: Oid,
}

/// How a path differs between two trees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    /// Only the new tree has it.
    Added,
    /// Both have it, with other content or mode.
    Modified,
    /// Only the old tree has it.
    Deleted,
}

/// A path that differs between two trees; a rename is a deletion and an addition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where.
    pub path: RepoPath,
    /// In the old tree.
    pub old: Option<Entry>,
    /// In the new tree.
    pub new: Option<Entry>,
}

impl Change {
    /// Added, modified or deleted.
    pub fn kind(&self) -> ChangeKind {
        match (&self.old, &self.new) {
            (None, _) => ChangeKind::Added,
            (Some(_), Some(_)) => ChangeKind::Modified,
            (Some(_), None) => ChangeKind::Deleted,
        }
    }
}

/// One step of composing a tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// Put this entry at the path.
    Put(RepoPath, Entry),
    /// Take the path away (nothing happens where it is absent).
    Remove(RepoPath),
}

/// The scratch object database with the user's objects borrowed.
pub struct Store {
    /// Only for looking up revisions and object folders; never written.
    user: Mutex<Repository>,
    scratch: Mutex<Repository>,
    place: PathBuf,
    workdir: Option<PathBuf>,
    _dir: tempfile::TempDir,
}

fn git(doing: &'static str) -> impl FnOnce(git2::Error) -> GitError {
    move |source| GitError::Git { doing, source }
}

impl Store {
    /// Opens the repository that contains `place` and makes a scratch database below `scratch`.
    ///
    /// # Errors
    /// [`GitError::NoRepository`], [`GitError::Unsupported`] (SHA-256, reftable), or the scratch
    /// folder cannot be written.
    pub fn open(place: &Path, scratch: &Path) -> Result<Self, GitError> {
        // Containers often check out as another user. Nothing of the repository's configuration is
        // executed here, so the ownership check protects nothing and would only refuse them.
        #[expect(
            unsafe_code,
            reason = "libgit2's options are process-wide; this one is set once, to one value"
        )]
        unsafe {
            git2::opts::set_verify_owner_validation(false).map_err(git("set an option"))?;
        }
        let user = Repository::discover(place).map_err(|source| {
            if source.code() == git2::ErrorCode::NotFound {
                GitError::NoRepository { path: place.to_owned(), source }
            } else {
                GitError::Unsupported { path: place.to_owned(), what: source.message().to_owned() }
            }
        })?;
        let io = |source| GitError::Io { path: scratch.to_owned(), source };
        let dir = tempfile::Builder::new().prefix("objects-").tempdir_in(scratch).map_err(io)?;
        let bare = Repository::init_bare(dir.path()).map_err(git("make the scratch database"))?;
        let objects = user.commondir().join("objects");
        let objects = objects.canonicalize().unwrap_or(objects);
        let odb = bare.odb().map_err(git("open the scratch database"))?;
        let objects_text =
            objects.to_str().ok_or_else(|| InvalidPath::NotUtf8(objects.display().to_string()))?;
        odb.add_disk_alternate(objects_text).map_err(git("borrow the repository's objects"))?;
        drop(odb);
        let workdir = user.workdir().map(Path::to_owned);
        Ok(Self {
            user: Mutex::new(user),
            scratch: Mutex::new(bare),
            place: place.to_owned(),
            workdir,
            _dir: dir,
        })
    }

    /// The user's checkout, `None` for a bare repository.
    pub fn workdir(&self) -> Option<&Path> {
        self.workdir.as_deref()
    }

    fn scratch(&self) -> std::sync::MutexGuard<'_, Repository> {
        self.scratch.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn user(&self) -> std::sync::MutexGuard<'_, Repository> {
        self.user.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The commit that `rev` names in the user's repository.
    ///
    /// # Errors
    /// [`GitError::UnknownRevision`], [`GitError::MissingObject`].
    pub fn resolve(&self, rev: &str) -> Result<Commit, GitError> {
        let user = self.user();
        let unknown = |_| GitError::UnknownRevision {
            rev: rev.to_owned(),
            path: self.place.clone(),
            hint: if user.is_shallow() {
                "; the clone is shallow: `git fetch --unshallow`, or fetch that commit"
            } else {
                "; is it fetched?"
            },
        };
        if rev.is_empty() || rev.starts_with('-') {
            return Err(unknown(git2::Error::from_str("not a revision")));
        }
        let commit = user.revparse_single(rev).and_then(|object| object.peel_to_commit()).map_err(unknown)?;
        let tree = commit.tree_id();
        if !user.odb().is_ok_and(|odb| odb.exists(tree)) {
            return Err(GitError::MissingObject { oid: Oid(tree) });
        }
        Ok(Commit { id: Oid(commit.id()), tree: TreeId(Oid(tree)) })
    }

    /// The best common ancestor of two commits, if they have one in this clone.
    pub fn merge_base(&self, one: Oid, two: Oid) -> Option<Commit> {
        let base = self.user().merge_base(one.0, two.0).ok()?;
        self.resolve(&base.to_string()).ok()
    }

    /// All paths that differ between two trees, sorted by path.
    ///
    /// # Errors
    /// A changed path is not UTF-8 or would leave the repository, or an object is missing.
    pub fn diff(&self, old: TreeId, new: TreeId) -> Result<Vec<Change>, GitError> {
        let repo = self.scratch();
        let old = repo.find_tree(old.0.0).map_err(|e| missing(e, old.0))?;
        let new = repo.find_tree(new.0.0).map_err(|e| missing(e, new.0))?;
        let mut options = DiffOptions::new();
        // A type change must stay one delta: a file that becomes a link is what K0 looks for.
        options.include_typechange(true).skip_binary_check(true).context_lines(0);
        let diff = repo
            .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))
            .map_err(git("compare two trees"))?;
        let mut changes = BTreeMap::<RepoPath, Change>::new();
        for delta in diff.deltas() {
            for (file, is_new) in [(delta.old_file(), false), (delta.new_file(), true)] {
                let Some(mode) = Mode::from_git(file.mode()) else { continue };
                if file.id().is_zero() {
                    continue;
                }
                let path = RepoPath::from_bytes(file.path_bytes().unwrap_or_default())?;
                let entry = Some(Entry { mode, oid: Oid(file.id()) });
                let change = changes.entry(path.clone()).or_insert(Change { path, old: None, new: None });
                if is_new {
                    change.new = entry;
                } else {
                    change.old = entry;
                }
            }
        }
        changes.retain(|_, change| change.old != change.new);
        Ok(changes.into_values().collect())
    }

    /// Every file of a tree, in git's order, as raw path bytes.
    ///
    /// # Errors
    /// An object is missing.
    pub fn list(&self, tree: TreeId) -> Result<Vec<(Vec<u8>, Entry)>, GitError> {
        let repo = self.scratch();
        let mut files = Vec::new();
        let mut waiting = vec![(Vec::new(), tree.0.0)];
        while let Some((prefix, id)) = waiting.pop() {
            let tree = repo.find_tree(id).map_err(|e| missing(e, Oid(id)))?;
            for item in &tree {
                let mut path = prefix.clone();
                path.extend_from_slice(item.name_bytes());
                match item.kind() {
                    Some(ObjectType::Tree) => {
                        path.push(b'/');
                        waiting.push((path, item.id()));
                    }
                    _ => {
                        let mode = match item.filemode() {
                            0o100755 => Mode::Executable,
                            0o120000 => Mode::Symlink,
                            0o160000 => Mode::Submodule,
                            _ => Mode::File,
                        };
                        files.push((path, Entry { mode, oid: Oid(item.id()) }));
                    }
                }
            }
        }
        files.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(files)
    }

    /// The entry at `path`, if the tree has a file there.
    ///
    /// # Errors
    /// An object is missing.
    pub fn entry(&self, tree: TreeId, path: &RepoPath) -> Result<Option<Entry>, GitError> {
        let repo = self.scratch();
        let root = repo.find_tree(tree.0.0).map_err(|e| missing(e, tree.0))?;
        match root.get_path(Path::new(path.as_str())) {
            Ok(item) if item.kind() == Some(ObjectType::Tree) => Ok(None),
            Ok(item) => {
                let mode = match item.filemode() {
                    0o100755 => Mode::Executable,
                    0o120000 => Mode::Symlink,
                    0o160000 => Mode::Submodule,
                    _ => Mode::File,
                };
                Ok(Some(Entry { mode, oid: Oid(item.id()) }))
            }
            Err(e) if e.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(e) => Err(git("read a tree")(e)),
        }
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// The object is missing or no blob.
    pub fn blob(&self, oid: Oid) -> Result<Vec<u8>, GitError> {
        let repo = self.scratch();
        let blob = repo.find_blob(oid.0).map_err(|e| missing(e, oid))?;
        Ok(blob.content().to_vec())
    }

    /// The bytes of the file at `path`, if the tree has one.
    ///
    /// # Errors
    /// An object is missing.
    pub fn file(&self, tree: TreeId, path: &RepoPath) -> Result<Option<Vec<u8>>, GitError> {
        match self.entry(tree, path)? {
            Some(Entry { mode: Mode::File | Mode::Executable, oid }) => self.blob(oid).map(Some),
            _ => Ok(None),
        }
    }

    /// Writes a blob into the scratch database.
    ///
    /// # Errors
    /// The scratch folder cannot be written.
    pub fn write_blob(&self, bytes: &[u8]) -> Result<Oid, GitError> {
        self.scratch().blob(bytes).map(Oid).map_err(git("write a blob"))
    }

    /// The tree that results from `edits` upon `base`.
    ///
    /// # Errors
    /// An object is missing, or the scratch folder cannot be written.
    pub fn compose(&self, base: TreeId, edits: &[Edit]) -> Result<TreeId, GitError> {
        if edits.is_empty() {
            return Ok(base);
        }
        let repo = self.scratch();
        let find = |id: TreeId| repo.find_tree(id.0.0).map_err(|e| missing(e, id.0));
        let make = |tree: &git2::Tree<'_>, mut update: git2::build::TreeUpdateBuilder| {
            update.create_updated(&repo, tree).map(|oid| TreeId(Oid(oid))).map_err(git("compose a tree"))
        };
        let is_tree = |item: &git2::TreeEntry<'_>| item.kind() == Some(ObjectType::Tree);
        // What is taken away goes first, and so does what stands in the way: a file may take the
        // place of a folder and the other way round. libgit2 fails on removing what is not there.
        let tree = find(base)?;
        let mut gone = std::collections::BTreeSet::new();
        for edit in edits {
            match edit {
                Edit::Remove(path) if tree.get_path(Path::new(path.as_str())).is_ok() => {
                    gone.insert(path.as_str());
                }
                Edit::Remove(_) => {}
                Edit::Put(path, _) => {
                    let text = path.as_str();
                    let item = |text: &str| tree.get_path(Path::new(text)).ok();
                    let above = text.match_indices('/').map(|(at, _)| &text[..at]);
                    gone.extend(above.filter(|above| item(above).is_some_and(|item| !is_tree(&item))));
                    if item(text).is_some_and(|item| is_tree(&item)) {
                        gone.insert(text);
                    }
                }
            }
        }
        let mut cleared = base;
        if !gone.is_empty() {
            let mut update = git2::build::TreeUpdateBuilder::new();
            for path in &gone {
                let above = path.match_indices('/').map(|(at, _)| &path[..at]);
                // Within a folder that goes as a whole there is nothing left to remove.
                if !above.into_iter().any(|above| gone.contains(above)) {
                    update.remove(*path);
                }
            }
            cleared = make(&tree, update)?;
        }
        let mut update = git2::build::TreeUpdateBuilder::new();
        for edit in edits {
            if let Edit::Put(path, entry) = edit {
                update.upsert(path.as_str(), entry.oid.0, entry.mode.to_git());
            }
        }
        make(&find(cleared)?, update)
    }

    /// A commit of a tree upon a parent, with the parent's time, so that the same content has the
    /// same name each time.
    ///
    /// # Errors
    /// The parent is missing, or the scratch folder cannot be written.
    pub fn commit(&self, tree: TreeId, parent: Oid, message: &str) -> Result<Oid, GitError> {
        let repo = self.scratch();
        let parent = repo.find_commit(parent.0).map_err(|e| missing(e, parent))?;
        let tree = repo.find_tree(tree.0.0).map_err(|e| missing(e, tree.0))?;
        let author = git2::Signature::new("failfirst", "failfirst@localhost", &parent.time())
            .map_err(git("write a commit"))?;
        repo.commit(None, &author, &author, message, &tree, &[&parent])
            .map(Oid)
            .map_err(git("write a commit"))
    }

    /// The tree that a unified diff makes of another, wholly or not at all. Nothing is run and no working
    /// copy is touched.
    ///
    /// # Errors
    /// The diff is none, or does not fit the tree.
    pub fn apply(&self, tree: TreeId, patch: &str) -> Result<TreeId, GitError> {
        let repo = self.scratch();
        let diff = git2::Diff::from_buffer(patch.as_bytes()).map_err(git("read a patch"))?;
        let tree = repo.find_tree(tree.0.0).map_err(|e| missing(e, tree.0))?;
        let mut index = repo.apply_to_tree(&tree, &diff, None).map_err(git("apply a patch"))?;
        index.write_tree_to(&repo).map(|oid| TreeId(Oid(oid))).map_err(git("write a tree"))
    }

    /// A unified diff between two trees, limited to `paths` (all where empty), for people to read.
    ///
    /// # Errors
    /// An object is missing.
    pub fn patch_text(&self, old: TreeId, new: TreeId, paths: &[RepoPath]) -> Result<String, GitError> {
        let repo = self.scratch();
        let old = repo.find_tree(old.0.0).map_err(|e| missing(e, old.0))?;
        let new = repo.find_tree(new.0.0).map_err(|e| missing(e, new.0))?;
        let mut options = DiffOptions::new();
        options.disable_pathspec_match(true);
        for path in paths {
            options.pathspec(path.as_str());
        }
        let diff = repo
            .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))
            .map_err(git("compare two trees"))?;
        let mut text = Vec::new();
        diff.print(git2::DiffFormat::Patch, |_, _, line| {
            if matches!(line.origin(), '+' | '-' | ' ') {
                text.push(line.origin() as u8);
            }
            text.extend_from_slice(line.content());
            true
        })
        .map_err(git("print a patch"))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}

fn missing(error: git2::Error, oid: Oid) -> GitError {
    if error.code() == git2::ErrorCode::NotFound {
        GitError::MissingObject { oid }
    } else {
        git("read an object")(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store upon an empty repository, and the tree of these files.
    fn store(files: &[&str]) -> (tempfile::TempDir, Store, TreeId) {
        let dir = tempfile::tempdir().unwrap();
        let repository = Repository::init(dir.path().join("r")).unwrap();
        let empty = repository.treebuilder(None).unwrap().write().unwrap();
        let store = Store::open(&dir.path().join("r"), dir.path()).unwrap();
        let edits: Vec<_> = files.iter().map(|path| put(&store, path)).collect();
        let tree = store.compose(TreeId(Oid(empty)), &edits).unwrap();
        (dir, store, tree)
    }

    fn put(store: &Store, path: &str) -> Edit {
        let oid = store.write_blob(path.as_bytes()).unwrap();
        Edit::Put(RepoPath::new(path).unwrap(), Entry { mode: Mode::File, oid })
    }

    fn gone(path: &str) -> Edit {
        Edit::Remove(RepoPath::new(path).unwrap())
    }

    fn names(store: &Store, tree: TreeId) -> Vec<String> {
        let files = store.list(tree).unwrap().into_iter();
        files.map(|(path, _)| String::from_utf8(path).unwrap()).collect()
    }

    #[test]
    fn a_file_may_take_the_place_of_a_folder_and_the_other_way_round() {
        let (_dir, store, tree) = store(&["a/b/c", "a/d", "e", "f/g"]);
        let compose = |edits: &[Edit]| names(&store, store.compose(tree, edits).unwrap());
        assert_eq!(compose(&[put(&store, "a")]), ["a", "e", "f/g"]);
        assert_eq!(compose(&[gone("a/b/c"), gone("a/d"), put(&store, "a")]), ["a", "e", "f/g"]);
        assert_eq!(compose(&[gone("e"), put(&store, "e/x/y")]), ["a/b/c", "a/d", "e/x/y", "f/g"]);
        assert_eq!(compose(&[put(&store, "e/x")]), ["a/b/c", "a/d", "e/x", "f/g"]);
    }

    #[test]
    fn a_folder_goes_with_its_last_file() {
        let (_dir, store, tree) = store(&["a/b/c", "e"]);
        let left = store.compose(tree, &[gone("a/b/c"), gone("never/there")]).unwrap();
        assert_eq!(names(&store, left), ["e"]);
        let same = store.compose(TreeId(left.0), &[put(&store, "a/b/c")]).unwrap();
        assert_eq!(same, tree);
    }
}
