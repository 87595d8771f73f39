//! The folder in which everything temporary lives, and its removal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::LabError;

/// A temporary folder of this process, removed at its end unless kept.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    keep: Keep,
}

/// Whether temporary folders stay for inspection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// They stay.
    Yes,
    /// They are removed.
    No,
}

impl Scratch {
    /// A new folder under `FAILFIRST_SCRATCH`, else `XDG_CACHE_HOME/failfirst`, else
    /// `~/.cache/failfirst`, else the system's temporary folder. Left-overs of dead processes are removed.
    ///
    /// # Errors
    /// None of the places can be written.
    pub fn new(keep: Keep) -> Result<Self, LabError> {
        let mut places = Vec::new();
        let variable =
            |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        places.extend(variable("FAILFIRST_SCRATCH"));
        places.extend(variable("XDG_CACHE_HOME").map(|cache| cache.join("failfirst")));
        places.extend(variable("HOME").map(|home| home.join(".cache/failfirst")));
        places.push(std::env::temp_dir().join("failfirst"));
        let mut last = None;
        for place in places {
            match fs::create_dir_all(&place).and_then(|()| make(&place)) {
                Ok(path) => {
                    sweep(&place);
                    return Ok(Self { path, keep });
                }
                Err(source) => {
                    last = Some(LabError::Io { doing: "make a scratch folder", path: place, source })
                }
            }
        }
        Err(last.unwrap_or_else(|| LabError::Internal("no place for scratch folders".to_owned())))
    }

    /// Whether it stays.
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if self.keep == Keep::No {
            clear(&self.path);
        }
    }
}

fn make(place: &Path) -> std::io::Result<PathBuf> {
    let path = place.canonicalize()?.join(format!("{}-{}", std::process::id(), super::nonce(6)));
    fs::create_dir(&path)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700))?;
    Ok(path)
}

/// Removes what processes that were killed left behind.
fn sweep(place: &Path) {
    let Ok(items) = fs::read_dir(place) else { return };
    for item in items.flatten() {
        let name = item.file_name();
        let owner =
            name.to_str().and_then(|name| name.split_once('-')).and_then(|(pid, _)| pid.parse::<i32>().ok());
        let old = item
            .metadata()
            .and_then(|meta| meta.modified())
            .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > std::time::Duration::from_secs(60)));
        if let Some(pid) = owner
            && old
            && nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) == Err(nix::Error::ESRCH)
        {
            clear(&item.path());
        }
    }
}

/// Removes a folder with all that is in it, also where the content took away its own permissions
/// (overlay work folders, hostile tests).
pub(crate) fn clear(path: &Path) {
    if fs::remove_dir_all(path).is_ok() || !path.exists() {
        return;
    }
    let mut waiting = vec![path.to_owned()];
    while let Some(folder) = waiting.pop() {
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        let Ok(items) = fs::read_dir(&folder) else { continue };
        waiting.extend(
            items
                .flatten()
                .filter(|item| item.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|item| item.path()),
        );
    }
    if let Err(error) = fs::remove_dir_all(path) {
        tracing::warn!(path = %path.display(), %error, "a temporary folder could not be removed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_permissions_is_removed_too() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("f"), "x").unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o000)).unwrap();
        clear(dir.path());
        assert!(!dir.path().exists());
    }
}
