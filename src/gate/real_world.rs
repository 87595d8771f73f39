//! Real fixes, for tests that read them: those of `real-world/manifest.toml` whose checkouts stand below the
//! folder that `FAILFIRST_REAL_WORLD` names, as `scripts/real-world` makes them.

use std::path::{Path, PathBuf};

use crate::git::{Store, TreeId};
use crate::lang::{LANGUAGES, Language};

/// A real fix.
pub(super) struct RealFix {
    pub(super) name: String,
    pub(super) language: &'static dyn Language,
    pub(super) store: Store,
    pub(super) base: TreeId,
    pub(super) head: TreeId,
    /// Holds the store's own objects.
    _scratch: tempfile::TempDir,
}

/// Every real fix that has a checkout, one after the other.
pub(super) fn real_fixes() -> impl Iterator<Item = RealFix> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("real-world/manifest.toml");
    let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
    let cases = manifest["case"].as_array().unwrap().clone();
    cases.into_iter().filter_map(|case| {
        let field = |name: &str| case[name].as_str().unwrap();
        let place = checkout(field("name"))?;
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::open(&place, scratch.path()).unwrap();
        let tree = |revision: &str| store.resolve(revision).unwrap().tree;
        let (base, head) = (tree(field("base")), tree(field("head")));
        let language = LANGUAGES.iter().copied().find(|one| one.name() == field("language")).unwrap();
        Some(RealFix { name: field("name").to_owned(), language, store, base, head, _scratch: scratch })
    })
}

fn checkout(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FAILFIRST_REAL_WORLD")?;
    let folders = std::fs::read_dir(Path::new(&root)).ok()?.flatten().map(|entry| entry.path());
    std::iter::once(PathBuf::from(&root))
        .chain(folders)
        .map(|folder| folder.join(name))
        .find(|place| place.is_dir())
}
