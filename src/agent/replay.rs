//! An agent that does again what a record says was done: no program is started and no model asked.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Agent, AgentError, Hands, Origin, Reply, Round, Stage, Task};
use crate::git::{Mode, RepoPath};
use crate::record::{Digest, Event, Failure, Record, RecordError};

type Files = Vec<(RepoPath, Option<(Mode, Vec<u8>)>)>;

/// What every agent did in a recorded run.
#[derive(Default)]
pub struct Doings {
    names: BTreeMap<Stage, String>,
    ends: BTreeMap<(Stage, u32, u8), End>,
    files: BTreeMap<(Stage, u32), Files>,
}

#[derive(Clone)]
enum End {
    Reply(Reply),
    Failed(Failure, String),
}

fn key(stage: Stage, attempt: u32, round: Round) -> (Stage, u32, u8) {
    (stage, attempt, u8::from(round == Round::Repair))
}

impl Doings {
    /// Reads the record in a folder.
    ///
    /// # Errors
    /// It cannot be read, or a blob is absent.
    pub fn read(folder: &Path) -> Result<Self, RecordError> {
        let mut found = Self::default();
        let text = |digest: &Digest| {
            Record::load(folder, digest).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        for entry in Record::read(folder)? {
            match entry.event {
                Event::RunStarted { agents, .. } => found.names = agents,
                Event::Reply { stage, attempt, round, text: said, transcript, seconds, .. } => {
                    let took = Duration::try_from_secs_f64(seconds).unwrap_or_default();
                    let reply = Reply { text: text(&said)?, transcript: text(&transcript)?, took };
                    found.ends.insert(key(stage, attempt, round), End::Reply(reply));
                }
                Event::AgentFailed { stage, attempt, round, failure, reason } => {
                    found.ends.insert(key(stage, attempt, round), End::Failed(failure, reason));
                }
                Event::Patch { stage, attempt, files, .. } => {
                    let mut left = Files::new();
                    for file in files {
                        let content = file.content.as_ref().map(|digest| Record::load(folder, digest));
                        left.push((file.path, file.mode.zip(content.transpose()?)));
                    }
                    found.files.insert((stage, attempt), left);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// The agents of the recorded run, by stage.
    pub fn agents(self) -> BTreeMap<Stage, Box<dyn Agent>> {
        let doings = Arc::new(self);
        let agent = |(stage, name): (&Stage, &String)| -> (Stage, Box<dyn Agent>) {
            (*stage, Box::new(RecordedAgent { name: name.clone(), doings: doings.clone() }))
        };
        doings.names.iter().map(agent).collect()
    }
}

/// Does again what a record says was done.
struct RecordedAgent {
    name: String,
    doings: Arc<Doings>,
}

impl Agent for RecordedAgent {
    fn name(&self) -> &str {
        &self.name
    }

    fn origin(&self) -> Origin {
        Origin::Replayed
    }

    fn act(&self, task: &Task, hands: &dyn Hands) -> Result<Reply, AgentError> {
        let wrong = |what: String| AgentError::Replay { agent: self.name.clone(), what };
        if task.round == Round::First {
            for (path, left) in self.doings.files.get(&(task.stage, task.attempt)).into_iter().flatten() {
                let done = match left {
                    Some((mode, bytes)) => hands.put(path, bytes, *mode),
                    None => hands.remove(path),
                };
                done.map_err(|what| wrong(format!("{path}: {what}")))?;
            }
        }
        match self.doings.ends.get(&key(task.stage, task.attempt, task.round)).cloned() {
            Some(End::Reply(reply)) => Ok(reply),
            Some(End::Failed(Failure::OverBudget, what)) => Err(AgentError::OverBudget { what }),
            Some(End::Failed(Failure::Attempt, reason)) => Err(AgentError::Recorded { reason, again: true }),
            Some(End::Failed(Failure::Run, reason)) => Err(AgentError::Recorded { reason, again: false }),
            None => Err(wrong(format!(
                "the record tells nothing of attempt {} of the {}; the gates answer otherwise than they did then",
                task.attempt, task.stage
            ))),
        }
    }
}
