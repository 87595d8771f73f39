//! Folds the events of a session into cases.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::events::{ErrorData, Event, FrameData, Log, PhaseData};
use super::hang;
use crate::git::RepoPath;
use crate::lang::python::cause;
use crate::lang::python::modules::Modules;
use crate::lang::{Case, Cause, Failure, Frame, LoadFailure, Output, Phase, Place, Reading, Status, TestId};

/// What is known of the run while events are folded.
struct Fold<'a> {
    root: &'a Path,
    real_root: PathBuf,
    modules: &'a Modules,
    cases: Vec<Case>,
    index: HashMap<String, usize>,
    running: BTreeMap<String, Option<String>>,
}

/// The reading as far as the report alone tells it.
pub(super) fn fold(log: &Log, output: &Output, out: &Path, root: &Path, modules: &Modules) -> Reading {
    let mut fold = Fold {
        root,
        real_root: root.canonicalize().unwrap_or_else(|_| root.to_owned()),
        modules,
        cases: Vec::new(),
        index: HashMap::new(),
        running: BTreeMap::new(),
    };
    let mut reading = Reading::default();
    let (mut main, mut started, mut finished, mut exited) = (None, false, false, false);
    let (mut cut_short, mut collected) = (false, None);
    for event in &log.events {
        match event {
            Event::Start { main: id } => (main, started) = (*id, true),
            Event::Load { id, file, error, excerpt } => {
                let named = file.as_deref().or(Some(id.as_str())).filter(|text| !text.is_empty());
                let file = named.and_then(|text| fold.path(text));
                let failure = fold.failure(Phase::Load, error.as_ref(), excerpt);
                reading.load_failures.push(LoadFailure { file, failure });
            }
            Event::LoadSkip {} => {}
            Event::Collected { ids } => collected = Some(ids.clone()),
            Event::Begin { id, file } => {
                fold.running.insert(id.clone(), file.clone());
            }
            Event::Phase(phase) => fold.phase(phase, &mut reading),
            Event::End { id } => {
                fold.running.remove(id);
            }
            Event::Interrupted { message } => {
                cut_short = true;
                reading
                    .disagreements
                    .push(format!("the session was ended before all tests had run: {}", first_line(message)));
            }
            Event::Internal { message } => {
                cut_short = true;
                let what = format!("the runner itself failed: {}", last_line(message));
                let failure = plain(Cause::Broken { what }, message);
                reading.load_failures.push(LoadFailure { file: None, failure });
            }
            Event::Loaded { outside } => reading.loaded_outside.extend(outside.iter().cloned()),
            Event::Finish { .. } => finished = true,
            Event::Exit { .. } => exited = true,
        }
    }
    let killed = output.code.is_none();
    fold.unended(output, out, main, started, &mut reading);
    let words = tail(&output.stderr, &output.stdout);
    // That a file is not there is no failure of loading: its tests are absent.
    let absent = words.contains("file or directory not found");
    if !started && !killed || !finished && exited && !absent && reading.load_failures.is_empty() {
        let what = format!("the session did not start: {}", last_line(&words));
        let failure = plain(Cause::Infrastructure { what }, &words);
        reading.load_failures.push(LoadFailure { file: None, failure });
    }
    let all_ended = collected.is_none_or(|ids: Vec<String>| {
        ids.iter().all(|id| fold.index.contains_key(id) && !fold.running.contains_key(id))
    });
    reading.complete = exited && !killed && !cut_short && all_ended;
    if exited && !cut_short && !all_ended {
        reading.disagreements.push("not every test that was collected has run".to_owned());
    }
    reading.cases = fold.cases;
    reading
}

impl Fold<'_> {
    fn case(&mut self, id: &str) -> &mut Case {
        let at = *self.index.entry(id.to_owned()).or_insert_with(|| {
            self.cases.push(Case {
                id: TestId(id.to_owned()),
                file: None,
                status: Status::Passed,
                failure: None,
                seconds: 0.0,
            });
            self.cases.len() - 1
        });
        &mut self.cases[at]
    }

    /// Takes one phase into its case: the worst phase decides, the first failure is kept.
    fn phase(&mut self, data: &PhaseData, reading: &mut Reading) {
        let when = match data.when.as_str() {
            "setup" => Phase::Setup,
            "teardown" => Phase::Teardown,
            _ => Phase::Call,
        };
        let marked = data.xfail.as_deref();
        let status = match (data.outcome.as_str(), marked) {
            ("passed", None) => Status::Passed,
            ("passed", Some(_)) => Status::UnexpectedPass,
            ("skipped", Some(reason)) if !reason.contains("[NOTRUN]") => Status::ExpectedFailure,
            ("skipped", _) => Status::Skipped,
            ("failed", _) if data.error.is_none() && is_strict_xpass(&data.excerpt) => Status::UnexpectedPass,
            ("failed", _) if is_unexpected_success(data) => Status::UnexpectedPass,
            // A worker of pytest-xdist ran it again. It has failed all the same.
            ("failed" | "rerun", _) => Status::Failed,
            (other, _) => {
                reading
                    .disagreements
                    .push(format!("`{}` was reported as `{other}`, not once for all", data.id));
                return;
            }
        };
        let file = data.id.split("::").next().and_then(|text| self.path(text));
        let failure =
            (status == Status::Failed).then(|| self.failure(when, data.error.as_ref(), &data.excerpt));
        let case = self.case(&data.id);
        case.file = file;
        case.seconds += data.seconds;
        if rank(status) > rank(case.status) {
            case.status = status;
        }
        if case.failure.is_none() {
            case.failure = failure;
        }
    }

    /// What was under way when the process ended.
    fn unended(
        &mut self,
        output: &Output,
        out: &Path,
        main: Option<u64>,
        started: bool,
        reading: &mut Reading,
    ) {
        let running = std::mem::take(&mut self.running);
        if output.timed_out {
            let (frames, text) = hang::read(&out.join("hang.txt"), main);
            let failure = |phase| Failure {
                phase,
                cause: Cause::TimedOut,
                exception: "timeout".to_owned(),
                message: "still running when its time was over".to_owned(),
                frames: self.frames(&frames),
                excerpt: text.clone(),
            };
            let (call, load) = (failure(Phase::Call), failure(Phase::Load));
            if running.is_empty() && started && !self.all_done(reading) {
                reading.load_failures.push(LoadFailure { file: None, failure: load });
            }
            for id in running.keys() {
                self.ended_by(id, call.clone());
            }
        } else if output.code.is_none() {
            // A crash of the interpreter: faulthandler wrote the stack to standard error.
            let frames = hang::frames(&output.stderr, None);
            let failure = Failure {
                phase: Phase::Call,
                cause: Cause::Raised,
                exception: "signal".to_owned(),
                message: "the process was killed by a signal".to_owned(),
                frames: self.frames(&frames),
                excerpt: tail(&output.stderr, &output.stdout),
            };
            for id in running.keys() {
                self.ended_by(id, failure.clone());
            }
        } else {
            for id in running.keys() {
                let code = output.code.unwrap_or_default();
                reading.disagreements.push(format!("the process ended with exit code {code} inside `{id}`"));
            }
        }
        self.running = running;
    }

    /// True when the session had something to show before it hung.
    fn all_done(&self, reading: &Reading) -> bool {
        !self.cases.is_empty() || !reading.load_failures.is_empty()
    }

    fn ended_by(&mut self, id: &str, failure: Failure) {
        let file = id.split("::").next().and_then(|text| self.path(text));
        let case = self.case(id);
        (case.file, case.status) = (file, Status::Failed);
        case.failure = Some(failure);
    }

    fn failure(&self, phase: Phase, error: Option<&ErrorData>, excerpt: &str) -> Failure {
        let Some(error) = error else {
            let mut failure = plain(Cause::Raised, excerpt);
            failure.phase = phase;
            return failure;
        };
        let mut frames = self.frames(&error.frames);
        if let Some(place) = &error.syntax {
            frames.push(Frame { place: self.place(&place.file), line: place.line, function: None });
        }
        let own = |module: &str| self.modules.owns(module.split('.').next().unwrap_or_default(), self.root);
        Failure {
            phase,
            cause: cause::cause(error, &frames, phase, &own),
            exception: error.kind.clone(),
            message: error.message.clone(),
            frames,
            excerpt: excerpt.to_owned(),
        }
    }

    /// The frames from the first one that is not the runner's.
    fn frames(&self, data: &[FrameData]) -> Vec<Frame> {
        let frame = |frame: &FrameData| Frame {
            place: self.place(&frame.file),
            line: frame.line,
            function: frame.function.clone(),
        };
        let mut frames: Vec<Frame> = data.iter().map(frame).collect();
        let is_ours = |frame: &Frame| match &frame.place {
            Place::Tree(_) => true,
            Place::Outside(file) => !is_runner(file),
        };
        let first = frames.iter().position(is_ours).unwrap_or(0);
        frames.drain(..first);
        frames
    }

    fn place(&self, file: &str) -> Place {
        match self.path(file) {
            Some(path) if !file.starts_with('<') && !is_installed(&path) => Place::Tree(path),
            _ => Place::Outside(file.to_owned()),
        }
    }

    fn path(&self, file: &str) -> Option<RepoPath> {
        let file = Path::new(file);
        RepoPath::below(self.root, file).or_else(|| RepoPath::below(&self.real_root, file))
    }
}

/// Packages of a virtual environment inside the project's folder are not the project's.
fn is_installed(path: &RepoPath) -> bool {
    path.folders().any(|folder| {
        matches!(folder, "site-packages" | "dist-packages" | ".venv" | "venv" | ".tox" | ".nox" | ".eggs")
    })
}

fn is_runner(file: &str) -> bool {
    let marks = ["/_pytest/", "/pluggy/", "/unittest/", "/session.py", "/pytest/", "<frozen "];
    marks.iter().any(|mark| file.contains(mark))
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Passed => 0,
        Status::Skipped => 1,
        Status::ExpectedFailure => 2,
        Status::UnexpectedPass => 3,
        Status::Failed => 4,
    }
}

fn is_strict_xpass(excerpt: &str) -> bool {
    excerpt.starts_with("[XPASS(strict)]") || excerpt.starts_with("Unexpected success")
}

/// A `unittest.expectedFailure` that passed, as newer versions of pytest report it.
fn is_unexpected_success(data: &PhaseData) -> bool {
    data.error
        .as_ref()
        .is_some_and(|error| error.kind == "Failed" && error.message.starts_with("Unexpected success"))
}

fn plain(cause: Cause, words: &str) -> Failure {
    Failure {
        phase: Phase::Load,
        cause,
        exception: String::new(),
        message: first_line(words).to_owned(),
        frames: Vec::new(),
        excerpt: words.to_owned(),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim()
}

fn last_line(text: &str) -> &str {
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim()
}

/// The end of what the process said, preferring standard error.
fn tail(stderr: &str, stdout: &str) -> String {
    let text = if stderr.trim().is_empty() { stdout } else { stderr };
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
