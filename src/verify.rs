//! `failfirst verify`: from two revisions to a verdict, without any model.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{self, Config, ConfigError};
use crate::gate::judge::{Extent, Question};
use crate::gate::overlay::{Item, Overlay, OverlayError};
use crate::gate::roles::Roles;
use crate::gate::split::{Split, split};
use crate::gate::trial::{Authorship, Trial};
use crate::gate::verdict::Verdict;
use crate::git::{Commit, GitError, RepoPath, Store};
use crate::lab::{Keep, Lab, LabError, Level, Options, Progress, Scratch};
use crate::lang::Role;
use crate::lang::protected::Class;

/// What is to be judged.
pub struct Inputs {
    /// Where the repository is.
    pub repository: PathBuf,
    /// The revision with the bug.
    pub base: String,
    /// The revision with the fix.
    pub head: String,
    /// Which test counts.
    pub sealing: Sealing,
    /// A configuration file to use instead of the base commit's `failfirst.toml`.
    pub config: Option<PathBuf>,
    /// Whether to go on after a refusal.
    pub extent: Extent,
    /// How many runs go side by side.
    pub jobs: usize,
    /// Whether temporary folders stay.
    pub keep: Keep,
    /// The failfirst binary.
    pub helper: PathBuf,
    /// Who is told about runs.
    pub progress: Arc<dyn Progress>,
}

/// Which test counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealing {
    /// The test files that head adds or changes.
    Found,
    /// The tests of this revision, sealed before the fix: whatever head changes in them is refused.
    Revision(String),
    /// These files of head.
    Paths(Vec<String>),
}

/// Why nothing could be judged.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The settings cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A revision or the repository is wrong.
    #[error(transparent)]
    Git(#[from] GitError),
    /// Base and head are the same.
    #[error("base and head have the same files ({base}): there is no change to judge")]
    EmptyDiff {
        /// The base commit.
        base: String,
    },
    /// `--test` names a file that head does not have.
    #[error("`--test {path}` names no file of head ({head})")]
    NoSuchTest {
        /// As given.
        path: String,
        /// The head commit.
        head: String,
    },
    /// The globs of `[paths]` cannot be used.
    #[error("{0}")]
    Paths(String),
    /// T cannot be laid over a variant.
    #[error("{0}")]
    Overlay(OverlayError),
    /// The lab failed.
    #[error(transparent)]
    Lab(#[from] LabError),
}

impl From<OverlayError> for VerifyError {
    fn from(error: OverlayError) -> Self {
        match error {
            OverlayError::Git(error) => Self::Git(error),
            other @ OverlayError::NoPlace(_) => Self::Overlay(other),
        }
    }
}

/// A project that is ready to be judged.
pub struct Bench {
    /// Runs variants.
    pub lab: Lab,
    /// Tells files apart.
    pub roles: Roles,
    /// The settings.
    pub config: Config,
    /// The commit with the bug.
    pub base: Commit,
}

/// How a bench is set up.
pub struct Setup {
    /// Where the repository is.
    pub repository: PathBuf,
    /// A configuration file to use instead of the base commit's.
    pub config: Option<PathBuf>,
    /// How many runs go side by side.
    pub jobs: usize,
    /// The failfirst binary.
    pub helper: PathBuf,
    /// Files and folders that runs see empty, besides the known places of keys.
    pub hidden: Vec<PathBuf>,
    /// Who is told about runs.
    pub progress: Arc<dyn Progress>,
}

impl Bench {
    /// The settings that hold for a commit.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn settings(store: &Store, base: Commit, file: Option<&Path>) -> Result<Config, VerifyError> {
        read_config(store, base, file)
    }

    /// Reads the settings of the base commit and opens the lab.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn open(
        store: Arc<Store>,
        scratch: Scratch,
        base: Commit,
        setup: Setup,
    ) -> Result<Self, VerifyError> {
        let config = read_config(&store, base, setup.config.as_deref())?;
        let globs = config.paths.globs().map_err(VerifyError::Paths)?;
        let lab = Lab::open(Options {
            store,
            base,
            repository: setup.repository,
            language: config.project.language.clone(),
            runner: config.runner_settings(),
            setup: config.project.setup.clone(),
            env: config.test.env.clone(),
            timeout: config.test.timeout.get(),
            level: match config.sandbox.level {
                config::Level::Required => Level::Required,
                config::Level::Auto => Level::Auto,
                config::Level::Off => Level::Off,
            },
            jobs: setup.jobs,
            helper: setup.helper,
            hidden: setup.hidden,
            scratch,
            progress: setup.progress,
        })?;
        let roles = Roles::new(lab.language(), globs);
        Ok(Self { lab, roles, config, base })
    }

    /// The trial of a change whose test arrives with it.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn trial_together(&self, head: Commit, paths: Option<&[RepoPath]>) -> Result<Trial<'_>, VerifyError> {
        let is_test = |path: &RepoPath, role: Role| match paths {
            Some(paths) => paths.contains(path),
            None => belongs_to_tests(path, role),
        };
        let mut change = split(self.lab.store(), &self.roles, self.base.tree, head.tree, &is_test)?;
        let mut test = std::mem::take(&mut change.tests);
        for path in paths.unwrap_or_default() {
            // A test that the change leaves alone can be named too.
            if test.at(path).is_none()
                && let Some(entry) = self.lab.store().entry(head.tree, path)?
            {
                test.items.push(Item::File(path.clone(), entry));
            }
        }
        self.trial(Authorship::Together, head, test, change)
    }

    /// The trial of a change whose test was sealed before, by a revision of its own.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn trial_sealed(&self, sealed: Commit, head: Commit) -> Result<Trial<'_>, VerifyError> {
        let store = self.lab.store();
        let mut first = split(store, &self.roles, self.base.tree, sealed.tree, &belongs_to_tests)?;
        let test = std::mem::take(&mut first.tests);
        let strays = first.production.iter().map(|change| change.path.clone());
        let others =
            first.other.iter().filter(|(_, role)| *role != Role::Docs).map(|(change, _)| change.path.clone());
        let strays = strays.chain(others).collect();
        let mut trial = self.trial_with(test, head)?;
        trial.strays = strays;
        Ok(trial)
    }

    /// The trial of a change against a test that is frozen already.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn trial_with(&self, test: Overlay, head: Commit) -> Result<Trial<'_>, VerifyError> {
        let start = test.over(self.base.tree, self.lab.store(), self.lab.language())?;
        let sealed: Vec<_> = test.items.iter().map(|item| item.path().clone()).collect();
        let mut change = split(self.lab.store(), &self.roles, start, head.tree, &|_, _| false)?;
        // Edits of sealed files are reported by K0 and have no effect on any variant.
        change.other.retain(|(change, _)| !sealed.contains(&change.path));
        change.tests = Overlay::default();
        self.trial(Authorship::Sealed, head, test, change)
    }

    fn trial(
        &self,
        authorship: Authorship,
        head: Commit,
        test: Overlay,
        change: Split,
    ) -> Result<Trial<'_>, VerifyError> {
        let repeats = self.config.test.repeats.get();
        let settings = &self.config.gates;
        let base = self.base.tree;
        Ok(Trial::compose(
            &self.lab,
            &self.roles,
            settings,
            repeats,
            authorship,
            base,
            head.tree,
            test,
            change,
        )?)
    }
}

/// T where test and fix arrive together: test files, their helpers and data, and the fixtures that
/// pytest shares between them.
pub(crate) fn belongs_to_tests(path: &RepoPath, role: Role) -> bool {
    matches!(role, Role::Test | Role::TestSupport)
        || (role == Role::Protected(Class::Runner) && path.file_name() == "conftest.py")
}

fn read_config(store: &Store, base: Commit, file: Option<&Path>) -> Result<Config, VerifyError> {
    if let Some(file) = file {
        return Ok(Config::load(file)?);
    }
    let path = RepoPath::new(config::FILE_NAME).map_err(GitError::from)?;
    let bytes = store.file(base.tree, &path)?;
    let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(Config::from_tree_text(text.as_deref())?)
}

/// Judges a change.
///
/// # Errors
/// [`VerifyError`]: nothing was learnt about the change.
pub fn verify(inputs: Inputs) -> Result<Verdict, VerifyError> {
    let scratch = Scratch::new(inputs.keep)?;
    let store = Arc::new(Store::open(&inputs.repository, scratch.path())?);
    let head = store.resolve(&inputs.head)?;
    let named = store.resolve(&inputs.base)?;
    // A branch that moved on since the change forked off is not part of the change.
    let base = store.merge_base(named.id, head.id).unwrap_or(named);
    if base.tree == head.tree {
        return Err(VerifyError::EmptyDiff { base: base.id.short() });
    }
    let sealed = match &inputs.sealing {
        Sealing::Revision(rev) => Some(store.resolve(rev)?),
        _ => None,
    };
    let setup = Setup {
        repository: inputs.repository,
        config: inputs.config,
        jobs: inputs.jobs,
        hidden: Vec::new(),
        helper: inputs.helper,
        progress: inputs.progress,
    };
    let bench = Bench::open(store, scratch, base, setup)?;
    let trial = match (&inputs.sealing, sealed) {
        (Sealing::Revision(_), Some(sealed)) => bench.trial_sealed(sealed, head)?,
        (Sealing::Paths(texts), _) => {
            let mut paths = Vec::new();
            for text in texts {
                let path = RepoPath::new(text.clone()).map_err(GitError::from)?;
                if bench.lab.store().entry(head.tree, &path)?.is_none() {
                    return Err(VerifyError::NoSuchTest { path: text.clone(), head: head.id.short() });
                }
                paths.push(path);
            }
            bench.trial_together(head, Some(&paths))?
        }
        _ => bench.trial_together(head, None)?,
    };
    let mut question = Question { trial, base: base.id, head: head.id, extent: inputs.extent };
    Ok(question.ask()?)
}
