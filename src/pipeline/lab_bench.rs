//! The bench of a real project: workspaces from the lab, answers from the gates.

use super::bench::{Bench, Left};
use super::prompt::{ProjectFacts, SealedText, SealedView};
use crate::agent::claims::Analyst;
use crate::config::Network;
use crate::gate::green::{self, VerifiedFix};
use crate::gate::judge::{Extent, Question};
use crate::gate::overlay::{Item, Overlay};
use crate::gate::red::{self, ProvenFailingTest};
use crate::gate::split::{Split, split};
use crate::gate::trial::{Authorship, Trial};
use crate::gate::verdict::{Check, Evidence, GateReport, Outcome, Verdict};
use crate::git::{Commit, Entry, Mode, Oid, TreeId};
use crate::lab::{LabError, Workspace};
use crate::lang::Role;
use crate::verify::{self, VerifyError, belongs_to_tests};

/// A project, a bug report, and the gates between the stages.
pub struct LabBench<'a> {
    project: &'a verify::Bench,
    issue: String,
}

/// What an agent changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// What it was given.
    start: TreeId,
    /// What it left behind.
    end: TreeId,
}

impl<'a> LabBench<'a> {
    /// For a project; `issue` is the report's text, which says whether the bug is a hang.
    pub fn new(project: &'a verify::Bench, issue: String) -> Self {
        Self { project, issue }
    }

    fn with_test(&self, test: &Overlay) -> Result<TreeId, LabError> {
        let lab = &self.project.lab;
        test.over(self.project.base.tree, lab.store(), lab.language()).map_err(lab_error)
    }
}

fn lab_error(error: impl Into<VerifyError>) -> LabError {
    match error.into() {
        VerifyError::Lab(error) => error,
        VerifyError::Git(error) => LabError::Git(error),
        other => LabError::Internal(other.to_string()),
    }
}

impl<'a> Bench for LabBench<'a> {
    type Workspace = Workspace<'a>;
    type Change = Change;
    type Proven = ProvenFailingTest;
    type Verified = VerifiedFix;

    fn base(&self) -> Oid {
        self.project.base.id
    }

    fn facts(&self) -> ProjectFacts {
        let (lab, config) = (&self.project.lab, &self.project.config);
        let words = |line: &crate::config::CommandLine| shell_words::join(line.template().words());
        ProjectFacts {
            base: self.project.base.id.short(),
            language: lab.language().name().to_owned(),
            runner: lab.runner().label(),
            test_command: config
                .test
                .command
                .as_ref()
                .map_or_else(|| usual_command(lab.runner().name()).to_owned(), words),
            suite_command: config.test.suite.as_ref().map(words),
            repeats: config.test.repeats.get(),
            network: config.agents.values().any(|agent| agent.network == Network::Host),
            protected: [
                "test configuration and shared fixtures",
                "lockfiles",
                "CI files",
                "git's own files",
                "instructions for agents",
            ]
            .map(str::to_owned)
            .to_vec(),
        }
    }

    fn contains_commit(&self, name: &str) -> Result<bool, LabError> {
        let store = self.project.lab.store();
        let Ok(commit) = store.resolve(name) else { return Ok(false) };
        Ok(store.merge_base(commit.id, self.project.base.id).is_some_and(|base| base.id == commit.id))
    }

    fn analyst_workspace(&self) -> Result<Workspace<'a>, LabError> {
        self.project.lab.workspace(self.project.base.tree)
    }

    fn fixer_workspace(&self, proven: &ProvenFailingTest) -> Result<Workspace<'a>, LabError> {
        self.project.lab.workspace(self.with_test(proven.test())?)
    }

    fn reviewer_workspace(
        &self,
        _proven: &ProvenFailingTest,
        change: &Change,
    ) -> Result<Workspace<'a>, LabError> {
        self.project.lab.workspace(change.end)
    }

    fn collect(&self, workspace: &Workspace<'a>) -> Result<Result<Change, GateReport>, LabError> {
        match workspace.collect() {
            Ok(end) => Ok(Ok(Change { start: workspace.start(), end })),
            Err(LabError::Checkout { what, .. }) => {
                Ok(Err(GateReport::new(Check::K0, Outcome::Fail, format!("out of scope: {what}"))))
            }
            Err(LabError::Git(crate::git::GitError::Path(bad))) => {
                Ok(Err(GateReport::new(Check::K0, Outcome::Fail, format!("out of scope: {bad}"))))
            }
            Err(error) => Err(error),
        }
    }

    fn patch(&self, change: &Change) -> Result<String, LabError> {
        if change.start == change.end {
            return Ok(String::new());
        }
        Ok(self.project.lab.store().patch_text(change.start, change.end, &[])?)
    }

    fn files(&self, change: &Change) -> Result<Vec<Left>, LabError> {
        let store = self.project.lab.store();
        let mut left = Vec::new();
        for change in store.diff(change.start, change.end)? {
            let new = match change.new {
                Some(Entry { mode: Mode::Submodule, .. }) => continue,
                Some(Entry { mode, oid }) => Some((mode, store.blob(oid)?)),
                None => None,
            };
            left.push((change.path, new));
        }
        Ok(left)
    }

    fn prove(
        &self,
        change: &Change,
        _claims: &Analyst,
    ) -> Result<Result<ProvenFailingTest, GateReport>, LabError> {
        let (lab, roles) = (&self.project.lab, &self.project.roles);
        let mut parts = split(lab.store(), roles, change.start, change.end, &belongs_to_tests)?;
        let test = std::mem::take(&mut parts.tests);
        let strays = parts.production.iter().map(|change| &change.path);
        let strays = strays.chain(
            parts.other.iter().filter(|(_, role)| *role != Role::Docs).map(|(change, _)| &change.path),
        );
        let strays: Vec<_> =
            strays.map(|path| Evidence::Path { path: path.clone(), what: "is no test".to_owned() }).collect();
        if let Some(Evidence::Path { path, .. }) = strays.first() {
            let reason = format!("out of scope: the analyst may write nothing but tests, and changed {path}");
            return Ok(Err(GateReport::new(Check::K0, Outcome::Fail, reason).evidence(strays)));
        }
        if let Some(refusal) = test_side_oddities(self.project, &test)? {
            return Ok(Err(refusal));
        }
        let mut trial = Trial::compose(
            lab,
            roles,
            &self.project.config.gates,
            self.project.config.test.repeats.get(),
            Authorship::Sealed,
            self.project.base.tree,
            change.end,
            test,
            Split::default(),
        )
        .map_err(lab_error)?;
        trial.issue = Some(&self.issue);
        red::prove(&mut trial)
    }

    fn sealed(&self, proven: &ProvenFailingTest) -> Result<SealedView, LabError> {
        let store = self.project.lab.store();
        let mut files = Vec::new();
        for item in &proven.test().items {
            let (text, inline) = match item {
                Item::File(_, entry) => {
                    (String::from_utf8_lossy(&store.blob(entry.oid)?).into_owned(), false)
                }
                Item::Inline { items, .. } => (items.clone(), true),
                Item::Gone(_) => continue,
            };
            files.push(SealedText { path: item.path().clone(), text, inline });
        }
        Ok(SealedView {
            tests: proven.tests().to_vec(),
            files,
            failure: proven.report().clone(),
            digest: proven.digest().to_owned(),
        })
    }

    fn verify(
        &self,
        proven: &ProvenFailingTest,
        change: &Change,
    ) -> Result<Result<VerifiedFix, Verdict>, LabError> {
        let base = self.project.base.id;
        let head = self.project.lab.store().commit(change.end, base, "a fix under judgement")?;
        let head = Commit { id: head, tree: change.end };
        let mut trial = self.project.trial_with(proven.test().clone(), head).map_err(lab_error)?;
        trial.issue = Some(&self.issue);
        green::verify(proven, Question { trial, base, head: head.id, extent: Extent::UntilRefused })
    }

    fn verdict(verified: &VerifiedFix) -> &Verdict {
        verified.verdict()
    }
}

/// Links and configuration have no place in a test that is about to be sealed.
fn test_side_oddities(project: &verify::Bench, test: &Overlay) -> Result<Option<GateReport>, LabError> {
    for item in &test.items {
        let Item::File(path, entry) = item else { continue };
        let what = match entry.mode {
            crate::git::Mode::Symlink => "is a symbolic link",
            crate::git::Mode::Submodule => "is a submodule",
            _ => {
                if !matches!(project.roles.of(path), Role::Protected(_)) {
                    continue;
                }
                let store = project.lab.store();
                let text = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                let old = text(store.file(project.base.tree, path)?);
                let new = text(Some(store.blob(entry.oid)?));
                if project.roles.language().only_adds_fixtures(path, old.as_deref(), new.as_deref()) {
                    continue;
                }
                "configures the test run; a test may only add fixtures there"
            }
        };
        let reason = format!("out of scope: {path} {what}");
        return Ok(Some(GateReport::new(Check::K0, Outcome::Fail, reason)));
    }
    Ok(None)
}

/// How people call a runner.
fn usual_command(runner: &str) -> &'static str {
    match runner {
        "pytest" => "python -m pytest TESTS",
        "unittest" => "python -m unittest TESTS",
        "jest" => "npx jest TESTS",
        "vitest" => "npx vitest run TESTS",
        "mocha" => "npx mocha TESTS",
        "node:test" => "node --test TESTS",
        "cargo" => "cargo test TESTS",
        "nextest" => "cargo nextest run TESTS",
        "go" => "go test -run TESTS ./...",
        _ => "the project's own test command",
    }
}
