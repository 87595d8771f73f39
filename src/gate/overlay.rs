//! T: the bytes of the replication test, to be laid over any variant.

use sha2::Digest as _;

use super::verdict::SealedFile;
use crate::git::{Edit, Entry, GitError, Oid, RepoPath, Store, TreeId};
use crate::lang::Language;

/// One path of T.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A whole file.
    File(RepoPath, Entry),
    /// A file of the base that T takes away.
    Gone(RepoPath),
    /// The test items of a production file; `source` is the file that they are taken from.
    Inline {
        /// The production file.
        path: RepoPath,
        /// The version of the file that holds the items.
        source: String,
        /// The items, as one text.
        items: String,
    },
}

impl Item {
    /// Where.
    pub fn path(&self) -> &RepoPath {
        match self {
            Self::File(path, _) | Self::Gone(path) | Self::Inline { path, .. } => path,
        }
    }
}

/// T, frozen.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overlay {
    /// Its paths.
    pub items: Vec<Item>,
}

/// Why T cannot be laid over a variant.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// Git failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The test items have no place in that version of the file.
    #[error("the test items of {0} cannot be placed in the other version of the file")]
    NoPlace(RepoPath),
}

impl Overlay {
    /// The tree with T laid over it.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn over(&self, tree: TreeId, store: &Store, language: &dyn Language) -> Result<TreeId, OverlayError> {
        let mut edits = Vec::new();
        for item in &self.items {
            match item {
                Item::File(path, entry) => edits.push(Edit::Put(path.clone(), *entry)),
                Item::Gone(path) => edits.push(Edit::Remove(path.clone())),
                Item::Inline { path, source, .. } => {
                    let no_place = || OverlayError::NoPlace(path.clone());
                    let entry = store.entry(tree, path)?.ok_or_else(no_place)?;
                    let under = String::from_utf8(store.blob(entry.oid)?).map_err(|_| no_place())?;
                    let text = language.graft(path, &under, source).ok_or_else(no_place)?;
                    let oid = store.write_blob(text.as_bytes())?;
                    edits.push(Edit::Put(path.clone(), Entry { oid, ..entry }));
                }
            }
        }
        Ok(store.compose(tree, &edits)?)
    }

    /// The paths whose bytes a run may not change.
    pub fn paths(&self) -> Vec<RepoPath> {
        self.items
            .iter()
            .filter(|item| !matches!(item, Item::Gone(_)))
            .map(|item| item.path().clone())
            .collect()
    }

    /// The item at a path.
    pub fn at(&self, path: &RepoPath) -> Option<&Item> {
        self.items.iter().find(|item| item.path() == path)
    }

    /// For the verdict.
    pub fn sealed_files(&self) -> Vec<SealedFile> {
        let file = |item: &Item| match item {
            Item::File(path, entry) => Some(SealedFile { path: path.clone(), oid: entry.oid, inline: false }),
            Item::Inline { path, items, .. } => {
                Some(SealedFile { path: path.clone(), oid: Oid::of_blob(items.as_bytes()), inline: true })
            }
            Item::Gone(_) => None,
        };
        self.items.iter().filter_map(file).collect()
    }

    /// SHA-256 over paths and bytes.
    pub fn digest(&self) -> String {
        let mut hasher = sha2::Sha256::new();
        for file in self.sealed_files() {
            hasher.update(format!("{} {} {}\n", file.path, file.oid, file.inline));
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
