//! No isolation: one judge checkout whose files are switched between variants.
//!
//! For machines without namespaces. The judge checkout is a copy of the prepared one, at another
//! path, so whatever points back at the original path (an editable install) is noticed by the
//! check on loaded files and leaves the run inconclusive. Only files that differ are touched.
//! Build folders and installed dependencies live on between variants, as on a developer's machine.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::SandboxReport;
use super::{FileStep, Job, Sandbox, Stay};
use crate::lab::{LabError, process};
use crate::lang::Output;

/// Folders that are not part of a variant's state: what is installed or built.
const LASTING: [&str; 8] =
    [".git", "node_modules", ".venv", "venv", "target", ".tox", "__pycache__", ".cache"];

/// A judge checkout.
pub(crate) struct Plain {
    judge: PathBuf,
    why: String,
    state: Mutex<Option<State>>,
}

/// What the judge checkout holds.
struct State {
    /// The steps that turned the prepared checkout into what is there.
    steps: BTreeMap<String, FileStep>,
    /// Every file after the steps were made, before the command ran.
    files: BTreeMap<String, Stamp>,
}

/// Enough to notice a write: the change time cannot be set by a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Plain {
    /// A judge checkout below `scratch`; `why` says why there are no namespaces.
    pub(crate) fn new(scratch: &Path, why: String) -> Self {
        Self { judge: scratch.join("judge"), why, state: Mutex::new(None) }
    }

    /// Brings the judge checkout into the state that the job asks for.
    fn switch(&self, state: &mut Option<State>, job: &Job) -> std::io::Result<()> {
        let Some((origin, layers)) = job.lower.split_last() else { return Ok(()) };
        let mut wanted = BTreeMap::new();
        for layer in layers.iter().rev() {
            let text = std::fs::read(layer.join("../steps.json"))?;
            let steps: Vec<FileStep> = serde_json::from_slice(&text)?;
            wanted.extend(steps.into_iter().map(|step| (step_path(&step).to_owned(), step)));
        }
        wanted.extend(job.steps.iter().map(|step| (step_path(step).to_owned(), step.clone())));
        std::fs::write(job.layer.join("steps.json"), serde_json::to_vec(&job.steps)?)?;
        let mut redo = Vec::new();
        match state {
            None => {
                std::fs::create_dir_all(&self.judge)?;
                let status = Command::new("cp").arg("-pR").arg(origin.join(".")).arg(&self.judge).status()?;
                if !status.success() {
                    return Err(std::io::Error::other(format!(
                        "`cp -pR` of the checkout ended with {status}"
                    )));
                }
                redo.extend(wanted.keys().cloned());
            }
            Some(state) => {
                let now = stamps(&self.judge);
                let differs = |path: &&String| now.get(*path) != state.files.get(*path);
                redo.extend(now.keys().chain(state.files.keys()).filter(differs).cloned());
                let differs = |path: &&String| wanted.get(*path) != state.steps.get(*path);
                redo.extend(wanted.keys().chain(state.steps.keys()).filter(differs).cloned());
            }
        }
        redo.sort();
        redo.dedup();
        let steps: Vec<_> = redo
            .iter()
            .map(|path| wanted.get(path).cloned().unwrap_or_else(|| restore(origin, path)))
            .collect();
        super::apply(&self.judge, &steps)?;
        self.remove_empty_folders(origin);
        *state = Some(State { steps: wanted, files: stamps(&self.judge) });
        Ok(())
    }

    /// Takes away folders that a run or another variant made and that hold nothing any more.
    fn remove_empty_folders(&self, origin: &Path) {
        for folder in folders(&self.judge).into_iter().rev() {
            let known = folder.strip_prefix(&self.judge).is_ok_and(|inner| origin.join(inner).is_dir());
            if !known {
                // Fails where the folder is not empty, which is what is wanted.
                let _ = std::fs::remove_dir(&folder);
            }
        }
    }
}

/// The folders below `root` whose state matters, parents first.
fn folders(root: &Path) -> Vec<PathBuf> {
    let mut found = vec![root.to_owned()];
    let mut next = 0;
    while let Some(folder) = found.get(next).cloned() {
        next += 1;
        let Ok(items) = std::fs::read_dir(&folder) else { continue };
        let inner = items.flatten().filter(|item| {
            item.file_type().is_ok_and(|kind| kind.is_dir())
                && !LASTING.iter().any(|name| item.file_name() == *name)
        });
        found.extend(inner.map(|item| item.path()));
    }
    found.split_off(1)
}

/// The step that brings a path back to what the prepared checkout has.
fn restore(origin: &Path, path: &str) -> FileStep {
    use std::os::unix::fs::PermissionsExt;
    let from = origin.join(path);
    match std::fs::symlink_metadata(&from) {
        Ok(meta) if meta.is_symlink() => {
            FileStep::Link { path: path.to_owned(), target: std::fs::read_link(&from).unwrap_or_default() }
        }
        Ok(meta) if meta.is_file() => FileStep::Write {
            path: path.to_owned(),
            from,
            executable: meta.permissions().mode() & 0o100 != 0,
        },
        _ => FileStep::Remove { path: path.to_owned() },
    }
}

fn step_path(step: &FileStep) -> &str {
    match step {
        FileStep::Write { path, .. } | FileStep::Link { path, .. } | FileStep::Remove { path } => path,
    }
}

fn stamps(root: &Path) -> BTreeMap<String, Stamp> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        let Ok(items) = std::fs::read_dir(&folder) else { continue };
        for item in items.flatten() {
            let Ok(meta) = item.metadata() else { continue };
            let path = item.path();
            if meta.is_dir() {
                if !LASTING.iter().any(|name| item.file_name() == *name) {
                    waiting.push(path);
                }
            } else if let Some(text) = path.strip_prefix(root).ok().and_then(Path::to_str) {
                let changed = (meta.ctime(), meta.ctime_nsec());
                found.insert(text.to_owned(), Stamp { inode: meta.ino(), size: meta.size(), changed });
            }
        }
    }
    found
}

impl Sandbox for Plain {
    fn report(&self) -> SandboxReport {
        SandboxReport { kind: "none".to_owned(), layers: Vec::new(), missing: Some(self.why.clone()) }
    }

    fn root<'a>(&'a self, _root: &'a Path) -> &'a Path {
        &self.judge
    }

    fn inner_tmp(&self, tmp: &Path) -> PathBuf {
        tmp.to_owned()
    }

    fn parallel(&self) -> bool {
        false
    }

    fn stay(&self, job: &Job) -> Result<Stay, LabError> {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::fs::create_dir_all(job.layer.join("upper"))
            .and_then(|()| self.switch(&mut state, job))
            .map_err(|source| LabError::Io {
                doing: "switch the judge checkout",
                path: self.judge.clone(),
                source,
            })?;
        let mut broken_seals = super::check_seals(&self.judge, &job.sealed, "before the run");
        let mut output = None;
        if let Some((program, arguments)) = job.argv.split_first() {
            output = Some(self.run(job, program, arguments));
            broken_seals.extend(super::check_seals(&self.judge, &job.sealed, "after the run"));
        }
        let now = stamps(&self.judge);
        let before = state.as_ref().map(|state| &state.files);
        let mut touched: Vec<_> = before
            .into_iter()
            .flat_map(|before| {
                let differs = |path: &&String| now.get(*path) != before.get(*path);
                now.keys().chain(before.keys()).filter(differs).cloned().collect::<Vec<_>>()
            })
            .collect();
        touched.sort();
        touched.dedup();
        for path in job.untouchable.iter().filter(|path| touched.contains(path)) {
            if !broken_seals.iter().any(|text| text.starts_with(&format!("{path} "))) {
                broken_seals.push(format!("{path} was written during the run, and restored"));
            }
        }
        touched.truncate(200);
        Ok(Stay { output, broken_seals, touched })
    }
}

impl Plain {
    fn run(&self, job: &Job, program: &str, arguments: &[String]) -> Output {
        let folder = self.judge.join(&job.cwd);
        let mut place = PathBuf::from(program);
        if program.contains('/') && !program.starts_with('/') {
            place = folder.join(program);
            if !place.exists() {
                place = self.judge.join(program);
            }
        } else if let Some(path) = job.env.get("PATH") {
            let found = std::env::split_paths(path).map(|dir| dir.join(program)).find(|file| file.is_file());
            place = found.unwrap_or(place);
        }
        let mut command = Command::new(&place);
        command.args(arguments).env_clear().envs(&job.env).current_dir(folder);
        process::run_until(command, job.timeout, &job.stop).unwrap_or_else(|error| Output {
            code: Some(127),
            timed_out: false,
            stdout: String::new(),
            stderr: format!("failed to start {program}: {error}"),
            took: std::time::Duration::ZERO,
            cut: 0,
        })
    }
}
