//! A trial: one test, one change, and the variants that the gates run.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::altered::Altered;
use super::class::{self, Context};
use super::overlay::{Overlay, OverlayError};
use super::roles::Roles;
use super::split::{Split, edits};
use super::verdict::{Evidence, FailureClass};
use crate::config::{Gates, Regressions};
use crate::git::{RepoPath, Store, TreeId};
use crate::lab::{Lab, LabError, Request, TestRun};
use crate::lang::{Case, Cause, Failure, Phase, Selection, Status, TestId};

/// Who wrote the test and the fix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Authorship {
    /// Test and fix arrive together, as in a pull request.
    Together,
    /// The test was sealed before the fix was written.
    Sealed,
}

/// A variant, by what it is made of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Variant {
    /// The buggy code as it is.
    Base,
    /// The buggy code with the test.
    BaseTest,
    /// The buggy code with the test and everything of the change but its production hunks.
    Inert,
    /// The fixed code with the test.
    Fixed,
}

impl Variant {
    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::BaseTest => "base + test",
            Self::Inert => "base + test + everything but the production change",
            Self::Fixed => "fix + test",
        }
    }
}

/// Where the tests of T are looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// In the test files that T holds.
    Files,
    /// In the whole suite: T holds only data or helpers that tests elsewhere read.
    Everywhere,
}

/// How the repetitions choose the replication tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// By name, so that exactly they run.
    Alone,
    /// Together with the rest of their files: the runner cannot name them one by one.
    Together,
}

/// What the gates judge.
pub struct Trial<'a> {
    /// Runs variants.
    pub lab: &'a Lab,
    /// Tells files apart.
    pub roles: &'a Roles,
    /// Settings of the gates.
    pub settings: &'a Gates,
    /// How often each result must be seen.
    pub repeats: u32,
    /// Who wrote what.
    pub authorship: Authorship,
    /// The report, where there is one.
    pub issue: Option<&'a str>,
    /// T.
    pub test: Overlay,
    /// P and H (and test-side changes that are not T).
    pub change: Split,
    /// The tree with the bug.
    pub base: TreeId,
    /// Base + T.
    pub base_test: TreeId,
    /// Base + H + T.
    pub inert: TreeId,
    /// Where the change under judgement starts: the base, or base + T where the test was sealed first.
    pub start: TreeId,
    /// What the author of a sealed test changed besides tests.
    pub strays: Vec<RepoPath>,
    /// The tree that the change leads to, before T's bytes are laid over it.
    pub head: TreeId,
    /// Base + P + H + T.
    pub fixed: TreeId,
    /// The lines that P adds.
    pub added: String,
    /// The files that hold tests of T.
    pub files: Vec<RepoPath>,
    /// Where the tests of T are looked for.
    pub look: Look,
    /// How the repetitions choose the replication tests.
    pub choice: Choice,
    /// The replication tests, once they are known.
    pub tests: Vec<TestId>,
    /// Where the test needs an API that the base does not have: the variant in which that API is there
    /// and does nothing. It takes the place of base + T.
    pub stub: Option<TreeId>,
    /// Variants of the fixed code that behave otherwise; made when they are first asked for.
    altered: OnceLock<Altered>,
}

impl<'a> Trial<'a> {
    /// Composes the variants. `head` is the tree that the change leads to.
    ///
    /// # Errors
    /// Git failed, or T's items cannot be placed.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the question and has a type of its own")]
    pub fn compose(
        lab: &'a Lab,
        roles: &'a Roles,
        settings: &'a Gates,
        repeats: u32,
        authorship: Authorship,
        base: TreeId,
        head: TreeId,
        test: Overlay,
        change: Split,
    ) -> Result<Self, OverlayError> {
        let store = lab.store();
        let language = lab.language();
        let base_test = test.over(base, store, language)?;
        let other = change.other.iter().map(|(change, _)| change);
        let inert = test.over(store.compose(base, &edits(other))?, store, language)?;
        let fixed = test.over(head, store, language)?;
        let paths: Vec<_> = change.production.iter().map(|change| change.path.clone()).collect();
        let patch = if paths.is_empty() { String::new() } else { store.patch_text(base, head, &paths)? };
        let added = patch.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++"));
        let added = added.map(|line| &line[1..]).collect::<Vec<_>>().join("\n");
        let files: Vec<_> = test
            .items
            .iter()
            .filter(|item| match item {
                super::overlay::Item::File(path, _) => roles.of(path) == crate::lang::Role::Test,
                super::overlay::Item::Inline { .. } => true,
                super::overlay::Item::Gone(_) => false,
            })
            .map(|item| item.path().clone())
            .collect();
        Ok(Self {
            lab,
            roles,
            settings,
            repeats,
            authorship,
            issue: None,
            test,
            change,
            base,
            base_test,
            inert,
            start: if authorship == Authorship::Sealed { base_test } else { base },
            strays: Vec::new(),
            head,
            fixed,
            added,
            look: if files.is_empty() { Look::Everywhere } else { Look::Files },
            choice: Choice::Alone,
            files,
            tests: Vec::new(),
            stub: None,
            altered: OnceLock::new(),
        })
    }

    /// The objects.
    pub fn store(&self) -> &Store {
        self.lab.store()
    }

    /// Variants of the fixed code that behave otherwise.
    ///
    /// # Errors
    /// One cannot be composed.
    pub fn altered(&self) -> Result<&Altered, LabError> {
        if self.altered.get().is_none() {
            let made = Altered::compose(self)?;
            return Ok(self.altered.get_or_init(|| made));
        }
        self.altered
            .get()
            .ok_or_else(|| LabError::Internal("variants that were made are not there".to_owned()))
    }

    /// The tree of a variant.
    pub fn tree(&self, variant: Variant) -> TreeId {
        match variant {
            Variant::Base => self.base,
            Variant::BaseTest => self.stub.unwrap_or(self.base_test),
            Variant::Inert => self.inert,
            Variant::Fixed => self.fixed,
        }
    }

    /// A run of a variant.
    pub fn request(&self, variant: Variant, selection: Selection, repetition: u32) -> Request {
        let label = match variant {
            Variant::BaseTest if self.stub.is_some() => super::unfix::STUBBED,
            _ => variant.label(),
        };
        self.request_on(self.tree(variant), label, selection, repetition)
    }

    /// A run of any tree.
    pub fn request_on(&self, tree: TreeId, label: &str, selection: Selection, repetition: u32) -> Request {
        let sealed = if tree == self.base { Vec::new() } else { self.test.paths() };
        let label = label.to_owned();
        Request { tree, label, selection, repetition, sealed, env: BTreeMap::new(), limit: None }
    }

    /// A run of the replication tests on an altered variant. What makes them hang is ended after ten times
    /// the time that they need on the fixed code, at least half a minute.
    ///
    /// # Errors
    /// The lab failed.
    pub fn altered_request(&self, tree: TreeId, label: &str) -> Result<Request, LabError> {
        const PATIENCE: u32 = 10;
        const LEAST: Duration = Duration::from_secs(30);
        let fixed = self.lab.run(&self.request(Variant::Fixed, self.chosen(), 1))?;
        let needed: Duration = fixed.outputs.iter().map(|output| output.took).sum();
        let request = self.request_on(tree, label, self.chosen(), 1);
        Ok(Request { limit: Some((needed * PATIENCE).max(LEAST)), ..request })
    }

    /// The run in which all tests that T may have changed are looked at.
    pub fn files_request(&self, variant: Variant) -> Request {
        self.request(variant, self.look_selection(), 0)
    }

    fn look_selection(&self) -> Selection {
        match self.look {
            Look::Files => Selection::Files(self.files.clone()),
            Look::Everywhere => Selection::Suite,
        }
    }

    /// The replication tests, as far as the runner can be told to run them and nothing else.
    pub fn chosen(&self) -> Selection {
        match self.choice {
            Choice::Alone => Selection::Tests(self.tests.clone()),
            Choice::Together => self.look_selection(),
        }
    }

    /// Finds out whether the runner can run the replication tests by name: names that a runner takes
    /// for patterns, or that change from run to run, are missed or skipped.
    ///
    /// # Errors
    /// The lab failed.
    pub fn settle_choice(&mut self) -> Result<(), LabError> {
        if self.tests.is_empty() {
            return Ok(());
        }
        let seen = self.lab.run(&self.files_request(Variant::BaseTest))?;
        let run = self.lab.run(&self.request(Variant::BaseTest, self.chosen(), 1))?;
        let ran = |run: &TestRun, id: &TestId| {
            run.reading.case(id).is_some_and(|case| case.status != Status::Skipped)
        };
        if run.reading.complete && self.tests.iter().any(|id| ran(&seen, id) && !ran(&run, id)) {
            self.choice = Choice::Together;
        }
        Ok(())
    }

    /// True when T holds data or helpers, or files without tests of their own, that tests elsewhere
    /// may read.
    pub fn may_be_read_elsewhere(&self) -> bool {
        let support = |path: &RepoPath| self.roles.of(path) == crate::lang::Role::TestSupport;
        let quiet = || {
            let run = self.lab.run(&self.files_request(Variant::Fixed));
            run.is_ok_and(|run| run.reading.cases.is_empty() && run.reading.load_failures.is_empty())
        };
        self.look == Look::Files && (self.test.items.iter().any(|item| support(item.path())) || quiet())
    }

    /// The repetitions in which exactly the replication tests run.
    pub fn named_requests(&self, variant: Variant) -> Vec<Request> {
        // The run of the whole files was the first look.
        (1..self.repeats).map(|repetition| self.request(variant, self.chosen(), repetition)).collect()
    }

    /// Everything that was run of a variant for the replication tests: the look at the files, then
    /// the repetitions.
    ///
    /// # Errors
    /// The lab failed.
    pub fn observations(&self, variant: Variant) -> Result<Vec<Arc<TestRun>>, LabError> {
        let mut runs = vec![self.lab.run(&self.files_request(variant))?];
        for request in self.named_requests(variant) {
            runs.push(self.lab.run(&request)?);
        }
        Ok(runs)
    }

    /// What classes need to know, for a variant.
    pub fn context(&self, tree: TreeId) -> Context<'_> {
        Context { roles: self.roles, added: &self.added, declared: &[], variant: Some((self.store(), tree)) }
    }

    /// The case of a test in a run; a test whose file could not be loaded has failed with it.
    pub fn case_of(&self, run: &TestRun, id: &TestId, file: Option<&RepoPath>) -> Option<Case> {
        if let Some(case) = run.reading.case(id) {
            return Some(case.clone());
        }
        let load = run.reading.load_failures.iter();
        let own = load.clone().find(|failure| failure.file.is_some() && failure.file.as_ref() == file);
        // A build failure stops every test, whichever file it stands in.
        let failure = own.or_else(|| load.clone().find(|failure| failure.file.is_none()));
        let failure = failure.or_else(|| run.reading.load_failures.first().filter(|_| file.is_none()))?;
        Some(Case {
            id: id.clone(),
            file: file.cloned(),
            status: Status::Failed,
            failure: Some(failure.failure.clone()),
            seconds: 0.0,
        })
    }

    /// Evidence of how the first replication tests ended in a run.
    pub fn shown(&self, run: &TestRun) -> impl Iterator<Item = Evidence> {
        self.tests.iter().take(3).map(|id| self.evidence(run, id, run.reading.case(id)))
    }

    /// Evidence of how a test ended in a run.
    pub fn evidence(&self, run: &TestRun, id: &TestId, case: Option<&Case>) -> Evidence {
        let class = case
            .filter(|case| case.status == Status::Failed)
            .map(|case| class::of_case(case, &self.context(run.request.tree)));
        evidence(&run.request.label, id, case, class)
    }
}

/// Evidence of how a test ended.
pub fn evidence(tree: &str, id: &TestId, case: Option<&Case>, class: Option<FailureClass>) -> Evidence {
    let failure = case.and_then(|case| case.failure.as_ref());
    Evidence::Test {
        id: id.clone(),
        tree: tree.to_owned(),
        status: match case.map(|case| case.status) {
            None => "absent".to_owned(),
            Some(status) => describe(status).to_owned(),
        },
        class,
        message: failure.map(headline),
        excerpt: failure.map(|failure| clip(&failure.excerpt, 2_000)).filter(|text| !text.trim().is_empty()),
    }
}

/// For sentences.
pub fn describe(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Skipped => "skipped",
        Status::ExpectedFailure => "failed as the test expects",
        Status::UnexpectedPass => "passed although marked as expected to fail",
    }
}

/// The exception and its message in one line.
pub fn headline(failure: &Failure) -> String {
    let what = match &failure.cause {
        Cause::Broken { what } | Cause::Infrastructure { what } => what.clone(),
        Cause::TimedOut => "ran until its time was over".to_owned(),
        _ => failure.message.trim().to_owned(),
    };
    let first = what.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let head = match (failure.exception.as_str(), first) {
        ("", first) => first.to_owned(),
        (name, "") => name.to_owned(),
        (name, first) if first.starts_with(name) => first.to_owned(),
        (name, first) => format!("{name}: {first}"),
    };
    let place = match failure.phase {
        Phase::Load => " (while loading the test file)",
        Phase::Setup => " (in set-up)",
        Phase::Teardown => " (in tear-down)",
        Phase::Call => "",
    };
    format!("{}{place}", clip(&head, 300))
}

/// At most `most` characters, with a mark where something was cut.
pub fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} […]", &text[..at]),
    }
}

/// True when the suite is to be run.
pub fn runs_suite(settings: &Gates) -> bool {
    settings.regressions == Regressions::Suite
}
