//! The command line on a small project, and what must be the same before and after.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::repository::{Edit, Repository, hermetic, put};

/// The base of the toy project.
pub(crate) fn base() -> Vec<Edit> {
    vec![
        put("failfirst.toml", "[project]\nrunner = \"unittest\"\n"),
        put("shop.py", "def total(prices):\n    return sum(prices[1:])\n"),
        put("tests/__init__.py", ""),
        put(
            "tests/test_old.py",
            "import unittest\nfrom shop import total\n\n\nclass Old(unittest.TestCase):\n    def test_nothing(self):\n        \
             self.assertEqual(total([]), 0)\n",
        ),
    ]
}

/// A unittest file with this body of its one test.
pub(crate) fn test_with(body: &str) -> Edit {
    let body = body.replace('\n', "\n        ");
    put(
        "tests/test_shop.py",
        format!(
            "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        {body}\n"
        ),
    )
}

/// The test of the bug.
pub(crate) fn test() -> Edit {
    test_with("self.assertEqual(total([1, 2, 3]), 6)")
}

/// The fix.
pub(crate) fn fix() -> Edit {
    put("shop.py", "def total(prices):\n    return sum(prices)\n")
}

/// Settings instead of those of [`base`].
pub(crate) fn settings(text: &str) -> Edit {
    put("failfirst.toml", format!("[project]\nrunner = \"unittest\"\n{text}"))
}

/// The toy project on the branch `main`, with its fix on `fix`; what `more` holds is in the base.
pub(crate) fn project(more: &[Edit]) -> Repository {
    let repository = Repository::new();
    let mut edits = base();
    edits.extend(more.iter().cloned());
    repository.commit(&edits);
    repository.git(&["checkout", "-q", "-b", "fix"]);
    repository.commit(&[test(), fix()]);
    repository.git(&["checkout", "-q", "main"]);
    repository
}

/// How a call ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) text: String,
}

impl Ended {
    /// Ended with this code and said these words.
    #[track_caller]
    pub(crate) fn says(self, code: i32, words: &str) -> Self {
        assert_eq!(self.code, code, "{}", self.text);
        // Reports are wrapped, and their sentences begin with a capital letter.
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        assert!(plain(&self.text).contains(&plain(words)), "{words:?} is not said: {}", self.text);
        self
    }
}

/// Runs `failfirst verify --base main --head fix` with more arguments in the repository's folder.
/// Whatever happens, nothing may be left behind and nothing of the repository may change.
#[track_caller]
pub(crate) fn verify(repository: &Repository, arguments: &[&str]) -> Ended {
    verify_in(repository, repository.root(), &[&["--base", "main", "--head", "fix"], arguments].concat())
}

/// As [`verify`], in another folder and without the revisions.
#[track_caller]
pub(crate) fn verify_in(repository: &Repository, folder: &Path, arguments: &[&str]) -> Ended {
    let before = snapshot(&repository.beside("."));
    let scratch = repository.beside("scratch");
    let mut command =
        Command::from_std(hermetic(env!("CARGO_BIN_EXE_failfirst"), &repository.beside("home")));
    let output = command
        .arg("verify")
        .args(arguments)
        .env("FAILFIRST_SCRATCH", &scratch)
        .env("TMPDIR", repository.beside("scratch"))
        .current_dir(folder)
        .timeout(std::time::Duration::from_secs(300))
        .output()
        .unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(changes(&before, &snapshot(&repository.beside("."))), Vec::<String>::new(), "{text}");
    nothing_is_left(&scratch);
    Ended { code: output.status.code().unwrap_or(-1), text }
}

/// No folder, no mount and no process is left.
#[track_caller]
fn nothing_is_left(scratch: &Path) {
    let left: Vec<_> = std::fs::read_dir(scratch).unwrap().map(|item| item.unwrap().path()).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    let place = scratch.to_str().unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(place), "{mounts}");
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        // A process that is gone meanwhile is not left.
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let folder = std::fs::read_link(process.path().join("cwd")).unwrap_or_default();
        assert!(!command.contains(place) && !folder.starts_with(place), "a process is left: {command}");
    }
}

/// Everything of a folder: kind, permissions, time of the last write, and bytes.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(folder) = waiting.pop() {
        for item in std::fs::read_dir(&folder).unwrap().flatten() {
            let (path, meta) = (item.path(), item.metadata().unwrap());
            let content = if meta.is_dir() {
                waiting.push(path.clone());
                String::new()
            } else if meta.is_symlink() {
                std::fs::read_link(&path).unwrap().display().to_string()
            } else {
                failfirst::git::Oid::of_blob(&std::fs::read(&path).unwrap()).to_string()
            };
            let time = meta.modified().unwrap();
            // Git objects never change; libgit2 and git renew the times of those that are in use.
            let timeless = meta.is_dir() || path.components().any(|part| part.as_os_str() == "objects");
            let time = if timeless { None } else { Some(time) };
            found.insert(path, format!("{:o} {time:?} {content}", meta.permissions().mode()));
        }
    }
    found
}

fn changes(before: &BTreeMap<PathBuf, String>, after: &BTreeMap<PathBuf, String>) -> Vec<String> {
    let keys = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    keys.into_iter()
        .filter(|path| before.get(*path) != after.get(*path))
        .map(|path| format!("{}: {:?} -> {:?}", path.display(), before.get(path), after.get(path)))
        .collect()
}
