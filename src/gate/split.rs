//! Splits a change into the test T, the production hunks P and everything else H.

use super::overlay::{Item, Overlay};
use super::roles::Roles;
use crate::git::{Change, Edit, Entry, GitError, Mode, RepoPath, Store, TreeId};
use crate::lang::{Language, Role};

/// A change, split.
#[derive(Clone, Debug, Default)]
pub struct Split {
    /// Test-side changes.
    pub tests: Overlay,
    /// Changes of production files (without their inline test items).
    pub production: Vec<Change>,
    /// Everything else, with its role.
    pub other: Vec<(Change, Role)>,
}

/// Splits the difference between two trees.
///
/// `is_test` says which paths count as T; by default [`Roles::is_test_side`] and `conftest`-like
/// support files (see [`super::scope`] for what those may contain).
///
/// # Errors
/// Git failed.
pub fn split(
    store: &Store,
    roles: &Roles,
    old: TreeId,
    new: TreeId,
    is_test: &dyn Fn(&RepoPath, Role) -> bool,
) -> Result<Split, GitError> {
    let mut split = Split::default();
    for change in store.diff(old, new)? {
        let role = roles.of(&change.path);
        if is_test(&change.path, role) {
            split.tests.items.push(match change.new {
                Some(entry) => Item::File(change.path, entry),
                None => Item::Gone(change.path),
            });
        } else if role == Role::Production {
            split_production(store, roles.language(), change, &mut split)?;
        } else {
            split.other.push((change, role));
        }
    }
    Ok(split)
}

/// A production file may hold test items: those that changed belong to T, the rest to P.
fn split_production(
    store: &Store,
    language: &dyn Language,
    change: Change,
    split: &mut Split,
) -> Result<(), GitError> {
    let text = |entry: Option<Entry>| -> Result<Option<String>, GitError> {
        match entry {
            Some(Entry { mode: Mode::File | Mode::Executable, oid }) => {
                Ok(String::from_utf8(store.blob(oid)?).ok())
            }
            _ => Ok(None),
        }
    };
    let (old, new) = (text(change.old)?, text(change.new)?);
    let parts = |source: &Option<String>| {
        source.as_ref().and_then(|source| language.inline_tests(&change.path, source))
    };
    let (old_parts, new_parts) = (parts(&old), parts(&new));
    let items = |parts: &Option<crate::lang::Inline>| {
        parts.as_ref().map(|parts| parts.items.join("\n")).unwrap_or_default()
    };
    let rest = |parts: &Option<crate::lang::Inline>, whole: &Option<String>| {
        parts.as_ref().map(|parts| parts.production.clone()).or_else(|| whole.clone())
    };
    if let Some(source) = &new
        && items(&old_parts) != items(&new_parts)
        && old.is_some()
    {
        let items = items(&new_parts);
        split.tests.items.push(Item::Inline { path: change.path.clone(), source: source.clone(), items });
    }
    let same_rest = old.is_some() && rest(&old_parts, &old) == rest(&new_parts, &new);
    let same_mode = change.old.map(|entry| entry.mode) == change.new.map(|entry| entry.mode);
    if !(same_rest && same_mode) {
        split.production.push(change);
    }
    Ok(())
}

/// The edits that make `changes` upon the tree that they start from.
pub fn edits<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Vec<Edit> {
    changes
        .into_iter()
        .map(|change| match change.new {
            Some(entry) => Edit::Put(change.path.clone(), entry),
            None => Edit::Remove(change.path.clone()),
        })
        .collect()
}
