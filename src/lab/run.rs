//! Runs: a variant, a selection of tests and a repetition.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::checkout::Checkout;
use super::sandbox::{FileStep, Job, Level, Namespaces, Network, Plain, Sandbox, SandboxReport};
use super::scratch::{self, Scratch};
use super::{LabError, Progress, RunEnd, nonce, process};
use crate::git::{Entry, Mode, Oid, RepoPath, Store, TreeId};
use crate::lang::{self, Invocation, Language, Output, Project, Reading, Runner, RunnerSettings, Selection};

/// What a lab is opened for.
pub struct Options {
    /// The objects.
    pub store: Arc<Store>,
    /// The commit with the bug: dependencies are prepared for it.
    pub base: crate::git::Commit,
    /// Where the user's repository was found.
    pub repository: PathBuf,
    /// `project.language`.
    pub language: Option<String>,
    /// Runner, test and suite commands.
    pub runner: RunnerSettings,
    /// `project.setup`: shell commands that install the dependencies, once, on the base tree.
    pub setup: Vec<String>,
    /// `test.env`.
    pub env: BTreeMap<String, String>,
    /// `test.timeout`: the limit of one run.
    pub timeout: Duration,
    /// `sandbox.level`.
    pub level: Level,
    /// How many runs go side by side.
    pub jobs: usize,
    /// The failfirst binary, which is also the sandbox's helper.
    pub helper: PathBuf,
    /// Where everything temporary lives.
    pub scratch: Scratch,
    /// Files and folders that runs see empty, besides the known places of keys: a key file.
    pub hidden: Vec<PathBuf>,
    /// Who is told about runs.
    pub progress: Arc<dyn Progress>,
}

/// A run to be made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The variant.
    pub tree: TreeId,
    /// Its name for people (`base + test`).
    pub label: String,
    /// Which tests.
    pub selection: Selection,
    /// Which repetition; runs that differ only in it are made anew.
    pub repetition: u32,
    /// Paths whose bytes must be the variant's before and after the run.
    pub sealed: Vec<RepoPath>,
    /// Variables of this run alone, on top of all others. They are not there when the variant is built,
    /// so runs that differ only in them share one build.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// A limit of this run alone, where it is shorter than `test.timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Duration>,
}

impl Request {
    fn key(&self) -> String {
        let what = (self.tree, &self.selection, self.repetition, &self.env, self.limit);
        serde_json::to_string(&what).unwrap_or_default()
    }
}

/// What a run showed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TestRun {
    /// What was asked for.
    pub request: Request,
    /// The commands, for people.
    pub commands: Vec<String>,
    /// How they ended.
    pub outputs: Vec<Output>,
    /// What the runner reported.
    pub reading: Reading,
    /// Sealed files that were not as they must be.
    pub broken_seals: Vec<String>,
    /// Paths of the tree that the run wrote.
    pub touched: Vec<String>,
    /// Wall-clock time of the run with its preparation.
    pub took: Duration,
}

impl TestRun {
    /// The last lines of what the run printed, for people.
    pub fn tail(&self, lines: usize) -> String {
        let text = self
            .outputs
            .iter()
            .map(|output| format!("{}\n{}", output.stdout.trim_end(), output.stderr.trim_end()));
        let text = text.collect::<Vec<_>>().join("\n");
        let all: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// For the progress report; the gates judge by more than this.
    fn end(&self) -> RunEnd {
        let failed = |case: &lang::Case| case.status == lang::Status::Failed;
        if self.reading.cases.iter().any(failed) || !self.reading.load_failures.is_empty() {
            RunEnd::Red
        } else if self.reading.complete && !self.reading.cases.is_empty() {
            RunEnd::Green
        } else {
            RunEnd::Unclear
        }
    }

    /// True when a command of the run was ended by the time limit.
    pub fn timed_out(&self) -> bool {
        self.outputs.iter().any(|output| output.timed_out)
    }
}

type Slot<T> = Arc<Mutex<Option<T>>>;

/// A layer that was made once for many runs.
#[derive(Clone)]
struct Layer {
    place: PathBuf,
    /// Sealed files that were not as they must be while it was made.
    broken_seals: Vec<String>,
}

/// What of a variant is sealed; see [`Job`].
#[derive(Clone, Default, Serialize)]
struct Seals {
    sealed: Vec<(String, String)>,
    untouchable: Vec<String>,
}

/// A project, ready to have variants run.
pub struct Lab {
    store: Arc<Store>,
    base: TreeId,
    checkout: Checkout,
    sandbox: Box<dyn Sandbox>,
    language: &'static dyn Language,
    runner: Box<dyn Runner>,
    env: BTreeMap<String, String>,
    user_env: BTreeMap<String, String>,
    timeout: Duration,
    jobs: usize,
    caches: Vec<(String, PathBuf)>,
    hidden: Vec<PathBuf>,
    layers: Mutex<HashMap<String, Slot<Layer>>>,
    made: Mutex<HashMap<String, Arc<TestRun>>>,
    progress: Arc<dyn Progress>,
    scratch: Scratch,
}

/// The base tree as adapters see it.
struct BaseView<'a> {
    store: &'a Store,
    tree: TreeId,
    checkout: &'a Checkout,
}

impl Project for BaseView<'_> {
    fn paths(&self) -> &[RepoPath] {
        &self.checkout.paths
    }

    fn text(&self, path: &str) -> Option<String> {
        let path = RepoPath::new(path).ok()?;
        String::from_utf8(self.store.file(self.tree, &path).ok()??).ok()
    }

    fn root(&self) -> &Path {
        &self.checkout.root
    }
}

impl Lab {
    /// Prepares the project: compares the checkout with the base tree, runs the set-up commands,
    /// finds the language and its runner, and tries the sandbox.
    ///
    /// # Errors
    /// The project cannot be prepared; see [`LabError`].
    pub fn open(options: Options) -> Result<Self, LabError> {
        let Options { store, base, scratch, .. } = options;
        let sandbox: Box<dyn Sandbox> = match options.level {
            Level::Off => {
                Box::new(Plain::new(scratch.path(), "`level = \"off\"` under [sandbox]".to_owned()))
            }
            level => match Namespaces::probe(&options.helper, scratch.path()) {
                Ok(sandbox) => Box::new(sandbox),
                Err(what) if level == Level::Required => return Err(LabError::NoSandbox { what }),
                Err(what) => Box::new(Plain::new(scratch.path(), what)),
            },
        };
        let workdir = store.workdir().and_then(|dir| dir.canonicalize().ok());
        let env = base_environment(sandbox.inner_tmp(Path::new("/tmp")).as_path());
        let root = match workdir {
            Some(workdir) if options.setup.is_empty() => workdir,
            _ => prepare(&options.repository, base.id, &options.setup, &options.env, scratch.path())?,
        };
        let checkout = Checkout::scan(&store, base.tree, &root)?;
        let view = BaseView { store: &store, tree: base.tree, checkout: &checkout };
        let language = lang::detect(&view, options.language.as_deref())?;
        let runner = language.runner(&view, &options.runner)?;
        let mut caches = Vec::new();
        for (index, folder) in runner.writable_caches().into_iter().enumerate() {
            if let Ok(folder) = folder.canonicalize() {
                caches.push((index.to_string(), folder));
            }
        }
        let mut hidden = private_places();
        hidden.extend(options.hidden);
        hidden.push(scratch.path().to_owned());
        // The prepared checkout may lie in the scratch folder itself; it is mounted after hiding.
        Ok(Self {
            env: env.into_iter().chain(runner.environment()).collect(),
            user_env: options.env,
            base: base.tree,
            checkout,
            sandbox,
            language,
            runner,
            timeout: options.timeout,
            jobs: options.jobs.max(1),
            caches,
            hidden,
            layers: Mutex::default(),
            made: Mutex::default(),
            progress: options.progress,
            store,
            scratch,
        })
    }

    /// The objects.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The project's language.
    pub fn language(&self) -> &'static dyn Language {
        self.language
    }

    /// The project's test runner.
    pub fn runner(&self) -> &dyn Runner {
        self.runner.as_ref()
    }

    /// The isolation in force.
    pub fn sandbox(&self) -> SandboxReport {
        self.sandbox.report()
    }

    /// The path at which variants run.
    pub fn root(&self) -> &Path {
        self.sandbox.root(&self.checkout.root)
    }

    /// Every path of the base tree.
    pub fn base_paths(&self) -> &[RepoPath] {
        &self.checkout.paths
    }

    /// Makes all runs that were not made before, in random order and side by side, so that code
    /// under test cannot tell from the order which variant it is in. Returns how many were new and
    /// how long they took.
    ///
    /// # Errors
    /// The lab failed. Failing tests are no error.
    pub fn run_all(&self, requests: &[Request]) -> Result<(u32, Duration), LabError> {
        let mut todo: Vec<Request> = Vec::new();
        {
            let made = lock(&self.made);
            for request in requests {
                let known = made.contains_key(&request.key())
                    || todo.iter().any(|other| other.key() == request.key());
                if !known {
                    todo.push(request.clone());
                }
            }
        }
        super::shuffle(&mut todo);
        let count = u32::try_from(todo.len()).unwrap_or(u32::MAX);
        let started = Instant::now();
        let workers = if self.sandbox.parallel() { self.jobs.min(todo.len()) } else { 1 };
        let queue = Mutex::new(todo);
        let failed = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while lock(&failed).is_none() {
                        let Some(request) = lock(&queue).pop() else { break };
                        match self.make(&request) {
                            Ok(run) => {
                                lock(&self.made).insert(request.key(), Arc::new(run));
                            }
                            Err(error) => *lock(&failed) = Some(error),
                        }
                    }
                });
            }
        });
        match lock(&failed).take() {
            Some(error) => Err(error),
            None => Ok((count, started.elapsed())),
        }
    }

    /// The run of a request, made now if it was not made before.
    ///
    /// # Errors
    /// The lab failed. Failing tests are no error.
    pub fn run(&self, request: &Request) -> Result<Arc<TestRun>, LabError> {
        self.run_all(std::slice::from_ref(request))?;
        lock(&self.made)
            .get(&request.key())
            .cloned()
            .ok_or_else(|| LabError::Internal("a run that was made is not there".to_owned()))
    }

    /// Lays out a variant without running anything in it.
    ///
    /// # Errors
    /// The lab failed.
    pub fn prepare(&self, tree: TreeId) -> Result<(), LabError> {
        self.files_layer(tree).map(drop)
    }

    /// A workspace on a tree, for an agent.
    ///
    /// # Errors
    /// The lab failed.
    pub fn workspace(&self, tree: TreeId) -> Result<super::Workspace<'_>, LabError> {
        let files = self.files_layer(tree)?;
        let lower = vec![files.join("upper"), self.checkout.root.clone()];
        let place = self.scratch.path().join(format!("workspace-{}", nonce(6)));
        super::Workspace::new(self, tree, lower, place)
    }

    pub(super) fn stay(&self, job: &Job) -> Result<super::sandbox::Stay, LabError> {
        make_dirs(&[&job.layer])?;
        self.sandbox.stay(job)
    }

    pub(super) fn inner_tmp(&self, tmp: &Path) -> PathBuf {
        self.sandbox.inner_tmp(tmp)
    }

    /// True when variants are layers over the checkout, false when one checkout is switched.
    pub(super) fn is_layered(&self) -> bool {
        self.sandbox.parallel()
    }

    pub(super) fn keeps(&self) -> bool {
        self.scratch.keep() == scratch::Keep::Yes
    }

    fn make(&self, request: &Request) -> Result<TestRun, LabError> {
        self.progress.run_started(&request.label);
        let started = Instant::now();
        let place = self.scratch.path().join(format!("run-{}", nonce(6)));
        let tmp = place.join("tmp");
        let out_name = nonce(6);
        let out = tmp.join(&out_name);
        make_dirs(&[&tmp.join("home"), &out])?;
        let inner_tmp = self.sandbox.inner_tmp(&tmp);
        let inner_out = inner_tmp.join(&out_name);

        let seals = self.seals(request)?;
        let (lower, broken_seals) = self.layers_of(request, &seals)?;
        let invocations = self.runner.run(&request.selection, &inner_out);
        let mut run = TestRun {
            request: request.clone(),
            commands: invocations.iter().map(|invocation| shell_words::join(&invocation.argv)).collect(),
            outputs: Vec::new(),
            reading: Reading::default(),
            broken_seals,
            touched: Vec::new(),
            took: Duration::ZERO,
        };
        for mut invocation in invocations {
            for (name, content) in &invocation.files {
                write(&out.join(name), content.as_bytes())?;
            }
            invocation.env.extend(request.env.clone());
            let timeout = request.limit.map_or(self.timeout, |limit| limit.min(self.timeout));
            if request.limit.is_some() {
                invocation.env.insert(DUMP_AFTER.to_owned(), dump_after(timeout));
            }
            let job = Job {
                timeout,
                lower: lower.clone(),
                layer: place.join("layer"),
                sealed: seals.sealed.clone(),
                untouchable: seals.untouchable.clone(),
                ..self.job(&invocation, &inner_tmp, &tmp)
            };
            make_dirs(&[&job.layer])?;
            let stay = self.sandbox.stay(&job)?;
            run.outputs.extend(stay.output);
            run.broken_seals.extend(stay.broken_seals);
            run.touched = stay.touched;
        }
        run.reading = self.runner.read(&request.selection, &run.outputs, &out, self.root());
        run.took = started.elapsed();
        scratch::clear(&place);
        self.progress.run_finished(&request.label, run.end(), run.took);
        Ok(run)
    }

    /// A job without layers, steps and seals.
    pub(super) fn job(&self, invocation: &Invocation, inner_tmp: &Path, tmp: &Path) -> Job {
        let mut env = self.env.clone();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        env.insert("HOME".to_owned(), text(&inner_tmp.join("home")));
        env.insert("TMPDIR".to_owned(), text(inner_tmp));
        env.insert(DUMP_AFTER.to_owned(), dump_after(self.timeout));
        env.extend(self.user_env.clone());
        for (name, value) in &invocation.env {
            let value = expand(value, &env);
            env.insert(name.clone(), value);
        }
        Job {
            root: self.checkout.root.clone(),
            lower: Vec::new(),
            layer: PathBuf::new(),
            steps: Vec::new(),
            argv: invocation.argv.clone(),
            env,
            cwd: invocation.cwd.clone(),
            tmp: tmp.to_owned(),
            caches: self.caches.clone(),
            shared: Vec::new(),
            visible: program_folder(&invocation.argv, &self.checkout.root).into_iter().collect(),
            hidden: self.hidden.clone(),
            sealed: Vec::new(),
            untouchable: Vec::new(),
            network: Network::Loopback,
            timeout: self.timeout,
            relay: None,
            stop: super::Stop::default(),
        }
    }

    fn seals(&self, request: &Request) -> Result<Seals, LabError> {
        let mut seals = Seals::default();
        for path in &request.sealed {
            if let Some(entry) = self.store.entry(request.tree, path)? {
                seals.sealed.push((path.as_str().to_owned(), entry.oid.to_string()));
                // Tests may open their data files for writing, but not their source.
                if self.language.essence(path, "").is_some() {
                    seals.untouchable.push(path.as_str().to_owned());
                }
            }
        }
        Ok(seals)
    }

    /// The layers below a run, topmost first: what was built, the variant's files, the checkout; and
    /// what the build did to sealed files.
    fn layers_of(&self, request: &Request, seals: &Seals) -> Result<(Vec<PathBuf>, Vec<String>), LabError> {
        let files = self.files_layer(request.tree)?;
        let mut lower = vec![files.join("upper"), self.checkout.root.clone()];
        let build = self.runner.build(&request.selection);
        if build.is_empty() {
            return Ok((lower, Vec::new()));
        }
        let key = serde_json::to_string(&(request.tree, &build, seals)).unwrap_or_default();
        let below = lower.clone();
        let built = self.layer(&key, || self.lay(below, Vec::new(), &build, seals))?;
        lower.insert(0, built.place.join("upper"));
        Ok((lower, built.broken_seals))
    }

    fn files_layer(&self, tree: TreeId) -> Result<PathBuf, LabError> {
        let layer = self.layer(&tree.to_string(), || {
            let steps = self.steps(tree)?;
            self.lay(vec![self.checkout.root.clone()], steps, &[], &Seals::default())
        })?;
        Ok(layer.place)
    }

    /// The layer of `key`, made by `make` at the first call; others wait for it.
    fn layer(&self, key: &str, make: impl FnOnce() -> Result<Layer, LabError>) -> Result<Layer, LabError> {
        let slot = lock(&self.layers).entry(key.to_owned()).or_default().clone();
        let mut place = lock(&slot);
        if let Some(place) = &*place {
            return Ok(place.clone());
        }
        let made = make()?;
        *place = Some(made.clone());
        Ok(made)
    }

    /// Makes a layer upon `lower` by file steps and commands.
    fn lay(
        &self,
        lower: Vec<PathBuf>,
        steps: Vec<FileStep>,
        commands: &[Invocation],
        seals: &Seals,
    ) -> Result<Layer, LabError> {
        let place = self.scratch.path().join(format!("layer-{}", nonce(6)));
        let tmp = place.join("tmp");
        make_dirs(&[&tmp.join("home")])?;
        let inner_tmp = self.sandbox.inner_tmp(&tmp);
        let nothing = [Invocation::default()];
        let mut broken_seals = Vec::new();
        for command in if commands.is_empty() { &nothing } else { commands } {
            for (name, content) in &command.files {
                write(&tmp.join(name), content.as_bytes())?;
            }
            let job = Job {
                lower: lower.clone(),
                layer: place.clone(),
                steps: steps.clone(),
                sealed: seals.sealed.clone(),
                untouchable: seals.untouchable.clone(),
                ..self.job(command, &inner_tmp, &tmp)
            };
            let stay = self.sandbox.stay(&job)?;
            broken_seals.extend(stay.broken_seals.into_iter().map(|what| format!("{what}, at build time")));
        }
        Ok(Layer { place, broken_seals })
    }

    /// The steps from the checkout on disk to a tree.
    fn steps(&self, tree: TreeId) -> Result<Vec<FileStep>, LabError> {
        let mut wanted: BTreeMap<RepoPath, Option<Entry>> = self.checkout.differs.clone();
        for change in self.store.diff(self.base, tree)? {
            wanted.insert(change.path, change.new);
        }
        let blobs = self.scratch.path().join("blobs");
        make_dirs(&[&blobs])?;
        let mut steps = Vec::new();
        if let Ok(text) = std::fs::read_to_string(self.checkout.root.join(".git/config")) {
            let from = blobs.join("git-config");
            write(&from, without_secrets(&text).as_bytes())?;
            steps.push(FileStep::Write { path: ".git/config".to_owned(), from, executable: false });
        }
        // Removals first: a file may take the place of a folder and the other way round.
        for (path, entry) in &wanted {
            if entry.is_none() {
                steps.push(FileStep::Remove { path: path.as_str().to_owned() });
            }
        }
        for (path, entry) in wanted {
            let Some(Entry { mode, oid }) = entry else { continue };
            let path = path.as_str().to_owned();
            match mode {
                Mode::Submodule => {}
                Mode::Symlink => {
                    let bytes = self.store.blob(oid)?;
                    let target = PathBuf::from(String::from_utf8_lossy(&bytes).into_owned());
                    steps.push(FileStep::Link { path, target });
                }
                Mode::File | Mode::Executable => {
                    let from = self.blob_file(&blobs, oid)?;
                    steps.push(FileStep::Write { path, from, executable: mode == Mode::Executable });
                }
            }
        }
        Ok(steps)
    }

    fn blob_file(&self, blobs: &Path, oid: Oid) -> Result<PathBuf, LabError> {
        let file = blobs.join(oid.to_string());
        if !file.exists() {
            let part = blobs.join(format!("{oid}.{}", nonce(4)));
            write(&part, &self.store.blob(oid)?)?;
            std::fs::rename(&part, &file).map_err(|source| LabError::Io {
                doing: "name",
                path: part,
                source,
            })?;
        }
        Ok(file)
    }
}

/// After how many seconds a runner that can do so shows where it stands.
const DUMP_AFTER: &str = "FAILFIRST_DUMP_AFTER";

/// The clock of the dump starts only with the session, and the dump must be there before the end.
fn dump_after(limit: Duration) -> String {
    let limit = limit.as_secs_f64();
    format!("{:.1}", (limit * 0.9).min(limit - 2.0).max(limit * 0.4))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn make_dirs(folders: &[&Path]) -> Result<(), LabError> {
    for folder in folders {
        std::fs::create_dir_all(folder).map_err(|source| LabError::Io {
            doing: "make the folder",
            path: (*folder).to_owned(),
            source,
        })?;
    }
    Ok(())
}

pub(super) fn write(file: &Path, bytes: &[u8]) -> Result<(), LabError> {
    std::fs::write(file, bytes).map_err(|source| LabError::Io {
        doing: "write",
        path: file.to_owned(),
        source,
    })
}

/// Replaces `{env:NAME}` by the variable's value, or by nothing where it has none.
fn expand(value: &str, env: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("{env:") {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return text + "{env:" + after;
        };
        text.push_str(env.get(name).map(String::as_str).unwrap_or_default());
        rest = after;
    }
    text + rest
}

/// The folder of a program that lies below `/tmp`, which is private in a run: an environment that
/// was installed there must stay in sight.
fn program_folder(argv: &[String], root: &Path) -> Option<PathBuf> {
    let program = Path::new(argv.first()?);
    let folder = program.parent()?.parent()?;
    let private = program.starts_with("/tmp") || program.starts_with("/var/tmp");
    (private && folder.components().count() > 3 && !program.starts_with(root) && program.exists())
        .then(|| folder.to_owned())
}

/// A git configuration without what gives access: CI checkouts keep their token in it.
fn without_secrets(text: &str) -> String {
    const SECRET: [&str; 6] = ["extraheader", "password", "token", "helper", "cookiefile", "sslkey"];
    let mut clean = String::new();
    for line in text.lines() {
        let lower = line.to_ascii_lowercase();
        if SECRET.iter().any(|word| lower.contains(word)) {
            continue;
        }
        match line.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
            Some((scheme, (user, rest))) if !user.contains('/') => {
                clean.push_str(&format!("{scheme}://{rest}"))
            }
            _ => clean.push_str(line),
        }
        clean.push('\n');
    }
    clean
}

/// The variables of failfirst's own environment that runs may see.
const ALLOWED: [&str; 8] = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "USER", "LOGNAME", "SHELL"];

fn base_environment(_tmp: &Path) -> BTreeMap<String, String> {
    let mut env: BTreeMap<_, _> =
        ALLOWED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?))).collect();
    env.entry("PATH".to_owned()).or_insert_with(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
    env.insert("TERM".to_owned(), "dumb".to_owned());
    env.insert("GIT_CONFIG_NOSYSTEM".to_owned(), "1".to_owned());
    env
}

/// Places of the user's home that hold keys and tokens.
fn private_places() -> Vec<PathBuf> {
    const NAMES: [&str; 18] = [
        ".ssh",
        ".aws",
        ".azure",
        ".gnupg",
        ".netrc",
        ".git-credentials",
        ".config/gh",
        ".config/git/credentials",
        ".docker",
        ".kube",
        ".npmrc",
        ".pypirc",
        ".cargo/credentials.toml",
        ".claude",
        ".claude.json",
        ".codex",
        ".gemini",
        ".config/gcloud",
    ];
    let Some(home) = std::env::var_os("HOME").map(PathBuf::from) else { return Vec::new() };
    NAMES.iter().map(|name| home.join(name)).filter(|place| place.exists()).collect()
}

/// A clone of the user's repository at the base commit, with the set-up commands run in it.
fn prepare(
    repository: &Path,
    base: Oid,
    setup: &[String],
    env: &BTreeMap<String, String>,
    scratch: &Path,
) -> Result<PathBuf, LabError> {
    let root = scratch.join("project");
    let git = |arguments: &[&str]| -> Result<(), LabError> {
        let mut command = Command::new("git");
        command.args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "core.fsmonitor=false",
            "-c",
            "safe.directory=*",
        ]);
        command.args([
            "-c",
            "advice.detachedHead=false",
            "-c",
            "filter.lfs.smudge=",
            "-c",
            "filter.lfs.required=false",
        ]);
        command.args(arguments).env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_TERMINAL_PROMPT", "0");
        let output = process::run(command, Duration::from_secs(600)).map_err(|source| LabError::Io {
            doing: "run git (is it installed?) for",
            path: repository.to_owned(),
            source,
        })?;
        match output.code {
            Some(0) => Ok(()),
            _ => {
                Err(LabError::Checkout { path: repository.to_owned(), what: output.stderr.trim().to_owned() })
            }
        }
    };
    let (from, to, base) = (repository.to_string_lossy(), root.to_string_lossy(), base.to_string());
    git(&["clone", "--quiet", "--shared", "--no-checkout", &from, &to])?;
    git(&["-C", &to, "checkout", "--quiet", "--detach", &base])?;
    for line in setup {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(&root).envs(env);
        let output = process::run(command, Duration::from_secs(3600)).map_err(|source| LabError::Io {
            doing: "run a set-up command in",
            path: root.clone(),
            source,
        })?;
        if output.code != Some(0) {
            let said = format!("{}\n{}", output.stdout.trim(), output.stderr.trim());
            let lines: Vec<_> = said.lines().collect();
            let tail = lines[lines.len().saturating_sub(20)..].join("\n");
            return Err(LabError::Setup { command: line.clone(), tail });
        }
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_in_the_git_configuration_stay_outside() {
        let text = "[core]\n\tbare = false\n[http \"https://h/\"]\n\textraheader = AUTHORIZATION: basic c2VjcmV0\n\
                    [remote \"o\"]\n\turl = https://me:secret@h/o/r\n\tfetch = +refs/heads/*:refs/remotes/o/*\n";
        let clean = without_secrets(text);
        assert!(!clean.contains("c2VjcmV0") && !clean.contains("secret"), "{clean}");
        assert!(clean.contains("bare = false") && clean.contains("url = https://h/o/r"), "{clean}");
    }

    #[test]
    fn variables_are_expanded_once() {
        let env = BTreeMap::from([("A".to_owned(), "1:{env:A}".to_owned())]);
        assert_eq!(expand("x:{env:A}:{env:B}y", &env), "x:1:{env:A}:y");
        assert_eq!(expand("{env:A", &env), "{env:A");
    }
}
