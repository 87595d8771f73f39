//! A case to publish: a real repository, a sealed test, a fix, a verdict with as much to say as wanted.

use std::path::PathBuf;

use failfirst::agent::claims::Reviewer;
use failfirst::git::Store;
use failfirst::github::authorise::Subject;
use failfirst::github::bundle::{Bundle, SIGNOFF, Signoff, write};
use failfirst::github::diff::Diff;
use failfirst::github::plan::Publication;
use failfirst::record::{Ending, Outcome, RunRecord, SealedRecord};
use failfirst::report::Report;
use serde_json::{Value, json};

use crate::fake::{GitHub, REPOSITORY};
use crate::harness::repository::Repository;

/// A repository with a bug, the fake that hosts it, and the bundle of a fix.
pub(crate) struct Case {
    pub(crate) repository: Repository,
    pub(crate) github: GitHub,
    pub(crate) bundle: Bundle,
    pub(crate) signoff: Signoff,
    pub(crate) folder: tempfile::TempDir,
}

/// A file of forty lines, each with this word.
fn lines(word: &str) -> String {
    (1..=40).map(|line| format!("{word}_{line} = {line}\n")).collect()
}

/// A verdict, as data: `paths` pieces of evidence in a gate that leaves the matter to a person.
pub(crate) fn verdict(base: &str, head: &str, word: &str, paths: usize) -> Value {
    let evidence: Vec<Value> = (0..paths)
        .map(|number| json!({ "kind": "path", "path": format!("tests/test_{number}.py"), "what": "was weakened" }))
        .collect();
    let mut gates =
        vec![json!({ "id": "K0", "name": "scope", "outcome": if paths == 0 { "pass" } else { "human" },
            "reason": "a person must look at this", "evidence": evidence, "runs": 0, "seconds": 0.0 })];
    for (id, name) in [
        ("K1", "red"),
        ("K2", "green"),
        ("K3", "inert"),
        ("K4", "canaries"),
        ("K12", "regressions"),
        ("K15", "stability"),
    ] {
        gates.push(json!({ "id": id, "name": name, "outcome": "pass", "reason": "as it should be", "evidence": [], "runs": 3, "seconds": 0.5 }));
    }
    json!({
        "schema": "failfirst/verdict/1", "verdict": word, "summary": "the fix holds", "base": base, "head": head,
        "sealed": [{ "path": "tests/test_shop.py", "oid": base }], "sealed_digest": "c0ffee", "tests": ["tests/test_shop.py::test_total"],
        "gates": gates, "sandbox": { "kind": "namespaces", "layers": ["mount"] }, "languages": ["python"], "took": 4.0,
    })
}

impl Case {
    /// With remarks on changed lines, and evidence for as many annotations more.
    pub(crate) fn new(remarks: usize, paths: usize) -> Self {
        Self::with("The total is wrong", remarks, paths, |_| {})
    }

    /// With a title, and with what else is to be done to the record.
    pub(crate) fn with(
        title: &str,
        remarks: usize,
        paths: usize,
        change: impl FnOnce(&mut RunRecord),
    ) -> Self {
        let repository = Repository::new();
        let base =
            repository.commit(&[("src/shop.py", &*lines("bug")).into(), ("tests/__init__.py", "").into()]);
        let test =
            repository.commit(&[("tests/test_shop.py", "def test_total():\n    assert False\n").into()]);
        let head = repository.commit(&[("src/shop.py", &*lines("fix")).into()]);
        repository.git(&["checkout", "-q", "-B", "main", &base]);
        let github = GitHub::start(repository.root());
        let scratch = tempfile::tempdir().unwrap();
        let store = Store::open(repository.root(), scratch.path()).unwrap();
        let commit = |rev: &str| store.resolve(rev).unwrap();
        let diff = |from: &str, to: &str| store.patch_text(commit(from).tree, commit(to).tree, &[]).unwrap();
        let word = if paths == 0 { "verified" } else { "needs-human" };
        let verdict = verdict(&base, &head, word, paths);
        let list: Vec<Value> = (1..=remarks)
            .map(|line| json!({ "path": "src/shop.py", "line": line, "body": format!("look at line {line}, @octocat") }))
            .collect();
        let opinion: Reviewer =
            serde_json::from_value(json!({ "stance": "agree", "summary": "it is small", "remarks": list }))
                .unwrap();
        let issue = json!({
            "reference": { "kind": "git-hub", "owner": "acme", "repo": "hotel", "number": 7 }, "title": title,
            "body": "b", "labels": [], "comments": [], "frozen_at": "2026-01-02T03:04:05Z", "removed": [],
        });
        let mut record = RunRecord {
            issue: Some(serde_json::from_value(issue).unwrap()),
            base: Some(commit(&base).id),
            sealed: Some(SealedRecord { tests: vec![], digest: "c0ffee".into(), patch: diff(&base, &test) }),
            fix: Some(diff(&test, &head)),
            verdict: Some(serde_json::from_value(verdict.clone()).unwrap()),
            opinion: Some(opinion),
            ending: Some(Ending { outcome: Outcome::Fixed, explanation: "the fix holds".into() }),
            ..RunRecord::default()
        };
        change(&mut record);
        let bundle = Bundle::of_record(&store, commit(&base), REPOSITORY, 7, record).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let digest = write(&bundle, &folder.path().join("bundle.json")).unwrap();
        let signoff = Signoff {
            schema: SIGNOFF.into(),
            repository: REPOSITORY.into(),
            number: 7,
            bundle: Some(digest),
            verdict: Some(serde_json::from_value(verdict).unwrap()),
            tree: bundle.parts.last().map(|part| part.tree),
            diff: diff(&base, &head),
            reproduce: format!("failfirst verify --base {base} --head failfirst/issue-7"),
        };
        Self { repository, github, bundle, signoff, folder }
    }

    /// The signed-off bundle on disk: its file, the sign-off's file, and the sign-off's digest.
    pub(crate) fn files(&self) -> (PathBuf, PathBuf, String) {
        let signoff = self.folder.path().join("signoff.json");
        let digest = write(&self.signoff, &signoff).unwrap();
        (self.folder.path().join("bundle.json"), signoff, digest.as_str().to_owned())
    }

    /// What is to be published.
    pub(crate) fn publication(&self) -> Publication {
        let mut report = Report::from(&self.bundle.record);
        report.verdict.clone_from(&self.signoff.verdict);
        report.reproduce.clone_from(&self.signoff.reproduce);
        Publication {
            repository: REPOSITORY.into(),
            subject: Subject::Issue(7),
            base: self.bundle.base,
            parts: self.bundle.parts.clone(),
            head: None,
            report,
            diff: Diff::parse(&self.signoff.diff),
            trigger: Some("failfirst".into()),
            run: Some("https://github.com/acme/hotel/actions/runs/1".into()),
            web: "https://github.com".into(),
        }
    }
}
