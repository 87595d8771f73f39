//! A case that agents work on: a small project with a bug, an issue, and a model that knows the answers.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::endpoint::{Endpoint, Fault, Move};
use super::harness::repository::Repository;
use super::harness::story;

pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

const ISSUE: &str = "# The first price is forgotten\n\n`total([1, 2, 3])` returns 5. It should return 6: the first price is left out.\n";

/// A repository with the bug, beside the issue.
pub(crate) struct Case {
    pub(crate) repository: Repository,
    pub(crate) folder: tempfile::TempDir,
}

/// The moves of a model that knows what to do.
pub(crate) fn knows() -> Vec<Move> {
    let test = "import unittest\nfrom shop import total\n\n\nclass Shop(unittest.TestCase):\n    def test_total(self):\n        self.assertEqual(total([1, 2, 3]), 6)\n";
    vec![
        Move {
            prompt_holds: "You are the analyst.",
            command: format!("cat >tests/test_shop.py <<'EOF'\n{test}EOF"),
            says: json!({
                "outcome": "reproduced", "cause": "the slice begins at 1", "expected_failure": "AssertionError: 5 != 6",
                "suspects": [{"path": "shop.py", "line": 2, "symbol": "total"}], "tests": ["tests.test_shop.Shop.test_total"],
                "assertions": [{"assertion": "total([1, 2, 3]) == 6", "quote": "It should return 6"}],
            })
            .to_string(),
        },
        Move {
            prompt_holds: "You are the fixer.",
            command: "printf 'def total(prices):\\n    return sum(prices)\\n' >shop.py".to_owned(),
            says: json!({"outcome": "fixed", "strategy": "sums all prices", "why_minimal": "one expression"}).to_string(),
        },
        Move {
            prompt_holds: "You are the reviewer.",
            command: "cat shop.py".to_owned(),
            says: json!({"stance": "agree", "summary": "The slice is gone and nothing else."}).to_string(),
        },
    ]
}

impl Case {
    pub(crate) fn new(settings: &str) -> Self {
        let written = story::python().settings(settings).write();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("issue.md"), ISSUE).expect("the issue");
        Self { repository: written.repository, folder }
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.folder.path().join("record")
    }

    /// `failfirst` with an environment of its own.
    pub(crate) fn failfirst(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_failfirst"));
        let path = format!(
            "{}:{}:{}",
            tools("agents/node_modules/.bin").display(),
            tools("agents-python/bin").display(),
            std::env::var("PATH").expect("a PATH")
        );
        command.args(arguments).env_clear().env("PATH", path).env("LANG", "C.UTF-8");
        command.env("HOME", self.folder.path()).env("FAILFIRST_SCRATCH", scratch());
        command.args(["--format", "json"]);
        command
    }

    /// `failfirst run` on the case, with the endpoint in the place of every provider.
    pub(crate) fn run(&self, endpoint: &Endpoint, arguments: &[&str]) -> Output {
        let issue = self.folder.path().join("issue.md");
        let mut command = self.failfirst(&["run"]);
        command
            .arg("--issue")
            .arg(issue)
            .arg("--repo")
            .arg(self.repository.root())
            .arg("--record")
            .arg(self.record());
        for name in ["ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"] {
            command.env(name, KEY);
        }
        command
            .env("ANTHROPIC_BASE_URL", endpoint.url(""))
            .env("OPENAI_BASE_URL", endpoint.url("/v1"))
            .env("GOOGLE_GEMINI_BASE_URL", endpoint.url(""));
        command.args(arguments).output().expect("failfirst runs")
    }
}

pub(crate) fn endpoint(fault: Fault) -> Endpoint {
    Endpoint::start(knows(), fault)
}

fn tools(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools").join(name)
}

/// Not below `/tmp`, which is private in a sandbox and where Codex keeps no home.
fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("agents")
}

pub(crate) fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Every file below a folder, as one text for each.
pub(crate) fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let walk = ignore::WalkBuilder::new(folder).standard_filters(false).build();
    let files = walk.flatten().map(ignore::DirEntry::into_path).filter(|path| path.is_file());
    files.map(|path| (path.clone(), std::fs::read(&path).expect("a file"))).collect()
}
