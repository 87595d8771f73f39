//! Paths inside a repository.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A path inside a repository: relative, `/`-separated, UTF-8, without `.`, `..` or empty parts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct RepoPath(String);

/// Why a text is no [`RepoPath`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidPath {
    /// The bytes are not UTF-8.
    #[error("path {0:?} is not UTF-8; failfirst judges only changes whose paths are UTF-8")]
    NotUtf8(String),
    /// Absolute, empty, or with `.`, `..` or `.git` as a part.
    #[error("path {0:?} does not stay inside the repository")]
    Escapes(String),
}

impl RepoPath {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`InvalidPath::Escapes`] when the path is absolute, empty, or has a part that is empty, `.`,
    /// `..` or (in any case) `.git`.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidPath> {
        let text = text.into();
        let bad =
            |part: &str| part.is_empty() || part == "." || part == ".." || part.eq_ignore_ascii_case(".git");
        if text.contains('\0') || text.split('/').any(bad) {
            return Err(InvalidPath::Escapes(text));
        }
        Ok(Self(text))
    }

    /// Checks raw bytes from a git tree.
    ///
    /// # Errors
    /// [`InvalidPath::NotUtf8`], or as [`RepoPath::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidPath> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| InvalidPath::NotUtf8(String::from_utf8_lossy(bytes).into_owned()))?;
        Self::new(text)
    }

    /// The path of an absolute or relative file name below `root`, if it lies there.
    pub fn below(root: &Path, file: &Path) -> Option<Self> {
        let relative = if file.is_absolute() {
            file.strip_prefix(root).ok()?
        } else {
            file.strip_prefix(".").unwrap_or(file)
        };
        Self::new(relative.to_str()?).ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last part.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The ending after the last dot of the file name, without the dot.
    pub fn extension(&self) -> Option<&str> {
        let (stem, extension) = self.file_name().rsplit_once('.')?;
        (!stem.is_empty()).then_some(extension)
    }

    /// The folder, `""` at the root.
    pub fn parent(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(parent, _)| parent)
    }

    /// The folders above the file, outermost first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.parent().split('/').filter(|part| !part.is_empty())
    }

    /// A path in the same folder under another name.
    ///
    /// # Errors
    /// As [`RepoPath::new`].
    pub fn sibling(&self, name: &str) -> Result<Self, InvalidPath> {
        match self.parent() {
            "" => Self::new(name),
            parent => Self::new(format!("{parent}/{name}")),
        }
    }

    /// The file below `root`.
    pub fn under(&self, root: &Path) -> PathBuf {
        root.join(&self.0)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl TryFrom<String> for RepoPath {
    type Error = InvalidPath;
    fn try_from(text: String) -> Result<Self, InvalidPath> {
        Self::new(text)
    }
}

impl From<RepoPath> for String {
    fn from(path: RepoPath) -> Self {
        path.0
    }
}

impl AsRef<str> for RepoPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_repository_are_refused() {
        for bad in ["", "/etc/passwd", "a/../b", "./a", "a//b", ".git/config", "a/.GIT/hooks", "a\0b"] {
            assert_eq!(RepoPath::new(bad), Err(InvalidPath::Escapes(bad.to_owned())), "{bad:?}");
        }
        assert!(matches!(RepoPath::from_bytes(b"caf\xe9.py"), Err(InvalidPath::NotUtf8(_))));
    }

    #[test]
    fn parts_of_a_path_are_found() {
        let path = RepoPath::new("src/pkg/mod.test.py").unwrap();
        assert_eq!(path.file_name(), "mod.test.py");
        assert_eq!(path.extension(), Some("py"));
        assert_eq!(path.folders().collect::<Vec<_>>(), ["src", "pkg"]);
        assert_eq!(path.sibling("x.py").unwrap().as_str(), "src/pkg/x.py");
        assert_eq!(RepoPath::new(".gitignore").unwrap().extension(), None);
    }

    #[test]
    fn a_file_outside_the_root_has_no_path() {
        let root = Path::new("/srv/proj");
        assert_eq!(RepoPath::below(root, Path::new("/srv/proj/a/b.py")), RepoPath::new("a/b.py").ok());
        assert_eq!(RepoPath::below(root, Path::new("./a/b.py")), RepoPath::new("a/b.py").ok());
        assert_eq!(RepoPath::below(root, Path::new("/srv/project/a.py")), None);
    }
}
