//! Isolation by Linux namespaces: an overlay over the project's own path, a read-only machine,
//! private `/tmp`, `HOME`, processes and network.
//!
//! The lab starts its own binary twice over: the first process ([`init::enter`]) makes the
//! namespaces, the second ([`init::init`]) is process 1 in them, arranges the mounts and runs the
//! command. When either dies the kernel ends everything inside.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::SandboxReport;
use super::{Job, Sandbox, Stay, init};
use crate::lab::{LabError, process};

/// Namespaces, proven to work by a trial at start.
pub(crate) struct Namespaces {
    helper: PathBuf,
}

impl Namespaces {
    /// Tries the whole arrangement once.
    ///
    /// # Errors
    /// A sentence that says what the machine does not allow and what to do about it.
    pub(crate) fn probe(helper: &Path, scratch: &Path) -> Result<Self, String> {
        let sandbox = Self { helper: helper.to_owned() };
        let trial =
            tempfile::Builder::new().prefix("probe-").tempdir_in(scratch).map_err(|e| e.to_string())?;
        let at = |name: &str| {
            let folder = trial.path().join(name);
            std::fs::create_dir(&folder).map(|()| folder)
        };
        let make = || -> std::io::Result<Job> {
            Ok(Job {
                root: at("root")?,
                lower: vec![trial.path().join("root")],
                layer: at("layer")?,
                steps: Vec::new(),
                argv: vec!["/bin/sh".into(), "-c".into(), ": > written && test -d /proc/1".into()],
                env: [("PATH".to_owned(), "/usr/bin:/bin".to_owned())].into(),
                cwd: String::new(),
                tmp: at("tmp")?,
                caches: Vec::new(),
                shared: Vec::new(),
                visible: Vec::new(),
                hidden: Vec::new(),
                sealed: Vec::new(),
                untouchable: Vec::new(),
                network: super::Network::Loopback,
                timeout: Duration::from_secs(10),
                relay: None,
                stop: super::Stop::default(),
            })
        };
        let job = make().map_err(|e| e.to_string())?;
        let answer = sandbox.stay(&job);
        let written = job.layer.join("upper/written").exists();
        super::super::scratch::clear(trial.path());
        match answer {
            Ok(Stay { output: Some(output), .. }) if output.code == Some(0) && written => Ok(sandbox),
            Ok(stay) => Err(stay.output.map(|output| output.stderr).unwrap_or_default().trim().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Sandbox for Namespaces {
    fn report(&self) -> SandboxReport {
        let layers = ["mount", "overlay", "read-only host", "pid", "ipc", "network", "no capabilities"];
        SandboxReport {
            kind: "namespaces".to_owned(),
            layers: layers.map(str::to_owned).to_vec(),
            missing: None,
        }
    }

    fn root<'a>(&'a self, root: &'a Path) -> &'a Path {
        root
    }

    fn inner_tmp(&self, _tmp: &Path) -> PathBuf {
        PathBuf::from("/tmp")
    }

    fn parallel(&self) -> bool {
        true
    }

    fn stay(&self, job: &Job) -> Result<Stay, LabError> {
        let io = |doing: &'static str, place: &Path| {
            let place = place.to_owned();
            move |source| LabError::Io { doing, path: place, source }
        };
        for folder in ["upper", "work", "mount"] {
            let folder = job.layer.join(folder);
            std::fs::create_dir_all(&folder).map_err(io("make a layer folder", &folder))?;
        }
        for (name, _) in &job.caches {
            for part in ["upper", "work"] {
                let folder = job.layer.join(format!("cache-{name}-{part}"));
                std::fs::create_dir_all(&folder).map_err(io("make a layer folder", &folder))?;
            }
        }
        let result = job.layer.join("result.json");
        let _ = std::fs::remove_file(&result);
        let spec = job.layer.join("job.json");
        let text = serde_json::to_vec(job).map_err(|e| LabError::Internal(e.to_string()))?;
        std::fs::write(&spec, text).map_err(io("write the job", &spec))?;
        let mut command = Command::new(&self.helper);
        command.arg(init::ENTER).arg(&spec).env_clear();
        let output = process::run_until(command, job.timeout, &job.stop)
            .map_err(io("start the sandbox helper", &self.helper))?;
        let answer =
            std::fs::read(&result).ok().and_then(|bytes| serde_json::from_slice::<init::Answer>(&bytes).ok());
        let touched = touched(&job.layer.join("upper"), &job.steps);
        match answer {
            Some(answer) => Ok(Stay {
                output: (!job.argv.is_empty()).then(|| {
                    let mut output = output;
                    output.code = answer.code;
                    output
                }),
                broken_seals: broken_seals(job, answer.broken_seals),
                touched,
            }),
            None if output.timed_out => Ok(Stay { output: Some(output), broken_seals: Vec::new(), touched }),
            None => Err(LabError::Sandbox { what: last_line(&output.stderr) }),
        }
    }
}

/// With the sealed files that were written although their bytes are right again: the overlay has a
/// copy of whatever was opened for writing.
fn broken_seals(job: &Job, mut broken: Vec<String>) -> Vec<String> {
    for path in &job.untouchable {
        let own = job
            .steps
            .iter()
            .any(|step| matches!(step, super::FileStep::Write { path: own, .. } if own == path));
        let known = broken.iter().any(|text| text.starts_with(&format!("{path} ")));
        if !own && !known && job.layer.join("upper").join(path).symlink_metadata().is_ok() {
            broken.push(format!("{path} was written during the run, and restored"));
        }
    }
    broken
}

fn last_line(text: &str) -> String {
    text.trim().lines().last().unwrap_or("the helper ended without an answer").to_owned()
}

/// What stands in the upper folder of an overlay besides what the steps put there.
fn touched(upper: &Path, steps: &[super::FileStep]) -> Vec<String> {
    const MOST: usize = 200;
    let own = |path: &str| {
        steps.iter().any(|step| match step {
            super::FileStep::Write { path: own, .. }
            | super::FileStep::Link { path: own, .. }
            | super::FileStep::Remove { path: own } => own == path,
        })
    };
    let mut found = Vec::new();
    let mut waiting = vec![upper.to_owned()];
    while let Some(folder) = waiting.pop() {
        let Ok(items) = std::fs::read_dir(&folder) else { continue };
        for item in items.flatten() {
            let path = item.path();
            if item.file_type().is_ok_and(|kind| kind.is_dir()) {
                waiting.push(path);
                continue;
            }
            let Some(text) = path.strip_prefix(upper).ok().and_then(Path::to_str) else { continue };
            if !own(text) {
                found.push(text.to_owned());
            }
            if found.len() >= MOST {
                return found;
            }
        }
    }
    found.sort();
    found
}
