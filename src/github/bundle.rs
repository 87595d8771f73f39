//! What crosses from one job to the next, as single files that are read as the work of an enemy.
//!
//! A [`Bundle`] goes from work to verify to publish: the result of a run as whole files. It is one JSON
//! file and is never unpacked, so it holds no links and reaches no place outside. A [`Signoff`] goes
//! from verify to publish and names the bundle by its digest. Publish writes what verify signed off and
//! nothing else.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::gate::verdict::{Verdict, Word};
use crate::git::{Change, Commit, Edit, Entry, GitError, Mode, Oid, RepoPath, Store, TreeId};
use crate::lang::protected::{self, Class};
use crate::record::{Digest, Outcome, RunRecord};

/// The name and version of a bundle's form.
pub const BUNDLE: &str = "failfirst/bundle/1";
/// The name and version of a sign-off's form.
pub const SIGNOFF: &str = "failfirst/signoff/1";

/// The largest file that is read, in bytes.
pub const MAX_BYTES: u64 = 16 << 20;
/// The largest file that a fix may bring, in bytes.
const MAX_FILE: usize = 1 << 20;
/// The most files of one commit.
const MAX_FILES: usize = 300;

/// Why a bundle or a sign-off is not used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read or written.
    #[error("{path}: {what}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What happened.
        what: String,
    },
    /// It is not what failfirst writes.
    #[error("{path} is refused: {what}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// A result cannot be put into a bundle.
    #[error("the result cannot be carried on: {0}")]
    Unfit(String),
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// The result of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Always [`BUNDLE`].
    pub schema: String,
    /// `owner/repo`.
    pub repository: String,
    /// The issue.
    pub issue: u64,
    /// The commit that everything is based on.
    pub base: Oid,
    /// The sealed test and the fix; nothing where there is no fix.
    pub parts: Vec<Part>,
    /// What the run tells. Nothing in it counts as proven.
    pub record: RunRecord,
}

/// A commit to be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// What it is.
    pub kind: PartKind,
    /// The files that differ from the part before it.
    pub files: Vec<PartFile>,
    /// The tree that results.
    pub tree: TreeId,
}

/// What a part is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartKind {
    /// The sealed test.
    Test,
    /// The fix.
    Fix,
}

/// A file of a part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartFile {
    /// Where.
    pub path: RepoPath,
    /// What it is. There are no links.
    pub mode: FileMode,
    /// Its text; `null` where it is taken away.
    pub text: Option<String>,
}

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum FileMode {
    /// An ordinary file.
    #[serde(rename = "100644")]
    Plain,
    /// A program.
    #[serde(rename = "100755")]
    Executable,
}

impl PartFile {
    /// The bytes in base64, as the API wants them.
    pub fn base64(&self) -> Option<String> {
        self.text.as_ref().map(|text| STANDARD.encode(text))
    }
}

/// What verify found about a result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signoff {
    /// Always [`SIGNOFF`].
    pub schema: String,
    /// `owner/repo`.
    pub repository: String,
    /// The issue or the pull request.
    pub number: u64,
    /// SHA-256 of the bundle's file; absent for a pull request, which brings none.
    pub bundle: Option<Digest>,
    /// The verdict; absent where a run ended without a fix.
    pub verdict: Option<Verdict>,
    /// The tree that was proven.
    pub tree: Option<TreeId>,
    /// The change as a unified diff: what comments may be anchored to.
    pub diff: String,
    /// The command that gives the same verdict again.
    pub reproduce: String,
}

/// Reads a file that an enemy may have written: no link, not too large, and exactly what failfirst
/// itself writes. Gives the digest of its bytes, too.
///
/// # Errors
/// [`BundleError::Io`], [`BundleError::Refused`].
pub fn read<T: DeserializeOwned + Serialize>(path: &Path) -> Result<(T, Digest), BundleError> {
    let refused = |what: String| BundleError::Refused { path: path.to_owned(), what };
    let io = |what: String| BundleError::Io { path: path.to_owned(), what };
    let flags = nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path).map_err(|error| {
        if error.raw_os_error() == Some(libc::ELOOP) {
            refused("it is a symbolic link".to_owned())
        } else {
            io(error.to_string())
        }
    })?;
    let about = file.metadata().map_err(|error| io(error.to_string()))?;
    if !about.is_file() {
        return Err(refused("it is no ordinary file".to_owned()));
    }
    if about.len() > MAX_BYTES {
        return Err(refused(format!(
            "it has {} bytes, more than the {MAX_BYTES} that are read",
            about.len()
        )));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| io(error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(refused(format!("it has more than {MAX_BYTES} bytes")));
    }
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| refused(format!("it is no JSON ({error})")))?;
    let parsed: T = serde_json::from_value(value.clone())
        .map_err(|error| refused(format!("it has not the form that failfirst writes ({error})")))?;
    // Also below the types that ignore what they do not know, nothing may be smuggled along.
    let canonical = serde_json::to_value(&parsed).map_err(|error| refused(error.to_string()))?;
    if canonical != value {
        return Err(refused("it holds something that failfirst did not write there".to_owned()));
    }
    Ok((parsed, Digest::of(&bytes)))
}

/// Writes a bundle or a sign-off and gives the digest of its bytes.
///
/// # Errors
/// [`BundleError::Io`].
pub fn write<T: Serialize>(value: &T, path: &Path) -> Result<Digest, BundleError> {
    let io = |what: String| BundleError::Io { path: path.to_owned(), what };
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|error| io(error.to_string()))?;
    bytes.push(b'\n');
    if bytes.len() as u64 > MAX_BYTES {
        return Err(BundleError::Unfit(format!(
            "it would have {} bytes, more than the {MAX_BYTES} that the next job reads",
            bytes.len()
        )));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| io(error.to_string()))?;
    }
    std::fs::write(path, &bytes).map_err(|error| io(error.to_string()))?;
    Ok(Digest::of(&bytes))
}

impl Bundle {
    /// The result of a run on an issue. `store` holds the base.
    ///
    /// # Errors
    /// [`BundleError::Unfit`] for a fix that cannot be published as text files.
    pub fn of_record(
        store: &Store,
        base: Commit,
        repository: &str,
        issue: u64,
        record: RunRecord,
    ) -> Result<Self, BundleError> {
        let mut parts = Vec::new();
        let fixed = record.ending.as_ref().is_some_and(|ending| ending.outcome == Outcome::Fixed);
        if let (true, Some(sealed), Some(fix)) = (fixed, &record.sealed, &record.fix) {
            let test = store.apply(base.tree, &sealed.patch)?;
            let end = store.apply(test, fix)?;
            parts.push(part(store, PartKind::Test, base.tree, test)?);
            parts.push(part(store, PartKind::Fix, test, end)?);
        }
        let bundle = Self {
            schema: BUNDLE.to_owned(),
            repository: repository.to_owned(),
            issue,
            base: base.id,
            parts,
            record,
        };
        bundle.objection().map_or(Ok(bundle), |what| Err(BundleError::Unfit(what)))
    }

    /// Reads a bundle and refuses what no bundle of ours holds.
    ///
    /// # Errors
    /// As [`read`].
    pub fn read(path: &Path) -> Result<(Self, Digest), BundleError> {
        let (bundle, digest): (Self, _) = read(path)?;
        match bundle.objection() {
            None => Ok((bundle, digest)),
            Some(what) => Err(BundleError::Refused { path: path.to_owned(), what }),
        }
    }

    /// What speaks against publishing the bundle, whatever a verdict says.
    pub fn objection(&self) -> Option<String> {
        if self.schema != BUNDLE {
            return Some(format!(
                "its form is `{}`, not `{BUNDLE}`",
                self.schema.chars().take(60).collect::<String>()
            ));
        }
        if !is_repository(&self.repository) || self.issue == 0 {
            return Some("it names no repository and issue".to_owned());
        }
        let kinds: Vec<_> = self.parts.iter().map(|part| part.kind).collect();
        if !kinds.is_empty() && kinds != [PartKind::Test, PartKind::Fix] {
            return Some("its parts are not a test and a fix".to_owned());
        }
        for part in &self.parts {
            if part.files.len() > MAX_FILES {
                return Some(format!(
                    "it changes {} files; more than {MAX_FILES} are for a person",
                    part.files.len()
                ));
            }
            if let Some(what) = part.files.iter().find_map(PartFile::objection) {
                return Some(what);
            }
            let mut names: Vec<_> = part.files.iter().map(|file| file.path.as_str().to_lowercase()).collect();
            names.sort_unstable();
            if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Some(format!("{} stands in it twice", twice[0]));
            }
        }
        None
    }

    /// The commits of the sealed test and of the fix, composed from the base. Their trees must be those
    /// that the bundle names.
    ///
    /// # Errors
    /// [`BundleError::Unfit`], [`BundleError::Git`].
    pub fn compose(&self, store: &Store) -> Result<Option<(Commit, Commit)>, BundleError> {
        let base = store.resolve(&self.base.to_string())?;
        let mut last = base;
        let mut commits = Vec::new();
        for part in &self.parts {
            let mut edits = Vec::new();
            for file in &part.files {
                let old = store.entry(last.tree, &file.path)?;
                if let Some(what) = file.mode_objection(old) {
                    return Err(BundleError::Unfit(what));
                }
                edits.push(match &file.text {
                    Some(text) => {
                        let oid = store.write_blob(text.as_bytes())?;
                        Edit::Put(file.path.clone(), Entry { mode: file.mode.git(), oid })
                    }
                    None => Edit::Remove(file.path.clone()),
                });
            }
            let tree = store.compose(last.tree, &edits)?;
            if tree != part.tree {
                return Err(BundleError::Unfit("its files do not make the tree that it names".to_owned()));
            }
            let id = store.commit(tree, last.id, "a result under judgement")?;
            last = Commit { id, tree };
            commits.push(last);
        }
        Ok(match commits[..] {
            [test, fix] => Some((test, fix)),
            _ => None,
        })
    }
}

impl FileMode {
    fn git(self) -> Mode {
        match self {
            Self::Plain => Mode::File,
            Self::Executable => Mode::Executable,
        }
    }
}

impl PartFile {
    fn objection(&self) -> Option<String> {
        let path = &self.path;
        if let Some(what) = denied(path) {
            return Some(format!("{path} is {what}, which a published fix may not touch"));
        }
        let text = self.text.as_ref()?;
        if text.len() > MAX_FILE {
            return Some(format!(
                "{path} has {} bytes, more than the {MAX_FILE} of a source file",
                text.len()
            ));
        }
        text.contains('\0').then(|| format!("{path} is a binary file"))
    }

    fn mode_objection(&self, old: Option<Entry>) -> Option<String> {
        let path = &self.path;
        match old.map(|old| old.mode) {
            None if self.text.is_none() => Some(format!("{path} is to be taken away and is not there")),
            None if self.mode == FileMode::Executable => Some(format!("{path} would be a new program")),
            None => None,
            Some(mode) if mode == self.mode.git() => None,
            Some(_) => Some(format!("{path} would change its mode, or is a link or a submodule")),
        }
    }
}

/// Why a published fix may not touch a path. K0 refuses more, by settings; this holds without them.
fn denied(path: &RepoPath) -> Option<&'static str> {
    let parts: Vec<String> = path.as_str().split('/').map(str::to_ascii_lowercase).collect();
    if parts[0] == ".github" {
        return Some("a file that steers GitHub");
    }
    // Some file systems take `.git ` or `.git.` for `.git`.
    if parts.iter().any(|part| part.starts_with(".git") || part.starts_with("git~")) {
        return Some("a file that steers git");
    }
    match protected::classify(path) {
        Some(class @ (Class::Ci | Class::Git | Class::AgentInstructions | Class::Configured)) => {
            Some(class.describe())
        }
        _ => None,
    }
}

/// True for `owner/repo`.
pub fn is_repository(text: &str) -> bool {
    crate::report::Repository::new("https://x", text).is_some()
        && text.split('/').all(|part| !matches!(part, "." | ".."))
}

fn part(store: &Store, kind: PartKind, old: TreeId, new: TreeId) -> Result<Part, BundleError> {
    let mut files = Vec::new();
    for Change { path, old, new } in store.diff(old, new)? {
        let entry =
            new.or(old).ok_or_else(|| BundleError::Unfit(format!("{path} is neither old nor new")))?;
        let mode = match entry.mode {
            Mode::File => FileMode::Plain,
            Mode::Executable => FileMode::Executable,
            _ => return Err(BundleError::Unfit(format!("{path} is a link or a submodule"))),
        };
        let text = match new {
            None => None,
            Some(entry) => Some(
                String::from_utf8(store.blob(entry.oid)?)
                    .map_err(|_| BundleError::Unfit(format!("{path} is no UTF-8 text")))?,
            ),
        };
        let file = PartFile { path, mode, text };
        if let Some(what) = file.mode_objection(old) {
            return Err(BundleError::Unfit(what));
        }
        files.push(file);
    }
    Ok(Part { kind, files, tree: new })
}

/// The final word: what verify found, lowered where the run itself lowered it.
pub fn final_verdict(found: &Verdict, record: &RunRecord) -> Verdict {
    let mut verdict = found.clone();
    if let (Word::Verified, Some(reason), Some(claimed)) = (found.verdict, &record.lowered, &record.verdict)
        && claimed.verdict != Word::Verified
    {
        verdict.verdict = claimed.verdict;
        verdict.summary.clone_from(reason);
    }
    verdict
}

#[cfg(test)]
mod tests;
