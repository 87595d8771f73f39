//! Agents: who works on a case. None of them is believed.
//!
//! An [`Agent`] gets a [`Task`] and [`Hands`] upon a prepared workspace, edits files there, and
//! answers with a text that should hold claims as JSON. The engine reads the claims
//! ([`claims::Claims::parse`]) and failfirst computes the patch itself from the workspace; what an agent says
//! about its own edits counts for nothing. Adding a kind of agent is a file here, a line in [`open`] and a test.

pub mod claims;
mod command;
mod desk;
#[cfg(test)]
pub(crate) mod folder;
pub mod gateway;
pub mod presets;
pub mod replay;
mod reply;
mod script;
mod workspace;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use command::CommandAgent;
use gateway::Gateway;
pub use presets::PresetAgent;
pub use script::{Attempt, Edit, Script, ScriptedAgent};

use crate::config::{self, Config};
use crate::git::{Mode, RepoPath};
use crate::lab::{Bounds, Network};
use crate::lang::{Invocation, Output};

/// A stage of the pipeline.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Finds the cause and writes the replication test.
    Analyst,
    /// Repairs the code.
    Fixer,
    /// Reads the result.
    Reviewer,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 3] = [Self::Analyst, Self::Fixer, Self::Reviewer];

    /// Its name in files and sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Analyst => "analyst",
            Self::Fixer => "fixer",
            Self::Reviewer => "reviewer",
        }
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What an agent is asked to do.
#[derive(Clone, PartialEq, Debug)]
pub struct Task {
    /// For which stage.
    pub stage: Stage,
    /// The how manieth attempt of this stage in the case, counted from 1.
    pub attempt: u32,
    /// Whether the attempt is new or only its reply is asked for again.
    pub round: Round,
    /// The rendered prompt.
    pub prompt: String,
    /// The JSON schema of the claims.
    pub schema: String,
}

/// Whether an attempt is new or only its reply is asked for again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Round {
    /// The attempt begins.
    First,
    /// The work is done and stays; the claims were malformed.
    Repair,
}

/// What an agent answered.
#[derive(Clone, PartialEq, Debug)]
pub struct Reply {
    /// The text in which the claims are looked for.
    pub text: String,
    /// What the agent printed, for the record.
    pub transcript: String,
    /// How long it worked.
    pub took: Duration,
}

/// Under which conditions a command of an agent runs.
#[derive(Clone, Debug)]
pub struct Terms {
    /// When it is ended.
    pub timeout: Duration,
    /// Whether it may use the network.
    pub network: Network,
    /// Its way to the model, and what ends it early.
    pub bounds: Bounds,
}

/// An agent's hold on its workspace. The lab implements it over an isolated copy of the project.
pub trait Hands {
    /// Where commands find the workspace. Outside a sandbox this need not be a real folder.
    fn root(&self) -> &Path;

    /// A folder outside the workspace for prompt, schema and reply, at the same path for commands
    /// and for failfirst.
    fn desk(&self) -> &Path;

    /// Whether commands run in a sandbox.
    fn is_isolated(&self) -> bool {
        false
    }

    /// Runs a program of the agent in the workspace, isolated. A non-zero exit or a time-out is an
    /// [`Output`] as any other.
    ///
    /// # Errors
    /// A fragment that says why the program could not be started.
    fn run(&self, invocation: &Invocation, terms: &Terms) -> Result<Output, String>;

    /// The content of a file of the workspace; `None` where there is no regular file.
    ///
    /// # Errors
    /// A fragment that says what is in the way.
    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, String>;

    /// Writes a file of the workspace, with the folders above it.
    ///
    /// # Errors
    /// A fragment that says what is in the way.
    fn write(&self, path: &RepoPath, content: &[u8]) -> Result<(), String>;

    /// Writes a file of the workspace as something else than an ordinary file too.
    ///
    /// # Errors
    /// A fragment that says what is in the way.
    fn put(&self, path: &RepoPath, content: &[u8], mode: Mode) -> Result<(), String> {
        let _ = mode;
        self.write(path, content)
    }

    /// Deletes a file of the workspace.
    ///
    /// # Errors
    /// A fragment that says what is in the way.
    fn remove(&self, path: &RepoPath) -> Result<(), String>;
}

/// Whether an agent thinks or plays back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It works on the case now.
    Live,
    /// It plays a script or a recording; reports say "replayed".
    Replayed,
}

/// Someone who works on a case.
pub trait Agent {
    /// Its name, for reports.
    fn name(&self) -> &str;

    /// Whether it thinks or plays back.
    fn origin(&self) -> Origin {
        Origin::Live
    }

    /// Works on the task.
    ///
    /// # Errors
    /// The agent could not be started, failed, ran out of time or said nothing. Bad claims are no
    /// error here: the engine reads them.
    fn act(&self, task: &Task, hands: &dyn Hands) -> Result<Reply, AgentError>;
}

/// Why an agent gave no reply.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// No agent has this name.
    #[error(
        "agent `{name}` is unknown ({known}); use one of {}, or define it as [agents.{name}] with a command in failfirst.toml, or name a script as `script:FILE`",
        presets::names()
    )]
    Unknown {
        /// As given.
        name: String,
        /// What is defined, in words.
        known: String,
    },
    /// A stage has no agent.
    #[error(
        "no agent is named for the stage `{stage}`; use --agent NAME, or set `agent` or `{stage}` under [run] in failfirst.toml"
    )]
    Nobody {
        /// The stage.
        stage: Stage,
    },
    /// A setting of the agent that cannot be used.
    #[error("agent `{agent}`: {what}")]
    Setting {
        /// Which agent.
        agent: String,
        /// What is wrong, and the way out.
        what: String,
    },
    /// The agent could not be started.
    #[error("agent `{agent}` could not be started: {what}")]
    Start {
        /// Which agent.
        agent: String,
        /// Why.
        what: String,
    },
    /// The program ended with an error and without a reply.
    #[error("agent `{agent}` ended with {status} and no reply; it last printed: {tail}")]
    Failed {
        /// Which agent.
        agent: String,
        /// `exit code 1` or `a signal`.
        status: String,
        /// The end of its output.
        tail: String,
    },
    /// The time limit of the attempt ended it.
    #[error("agent `{agent}` was ended after {}s, the `timeout` of [agents.{agent}]", .after.as_secs())]
    TimedOut {
        /// Which agent.
        agent: String,
        /// How long it ran.
        after: Duration,
    },
    /// The program ended well and said nothing that holds JSON.
    #[error(
        "agent `{agent}` left no reply: neither the file that `{{reply}}` names nor standard output holds a JSON object"
    )]
    NoReply {
        /// Which agent.
        agent: String,
    },
    /// It was ended early.
    #[error("agent `{agent}` was ended: {what}")]
    Ended {
        /// Which agent.
        agent: String,
        /// Why.
        what: String,
    },
    /// A budget is used up.
    #[error("{what}")]
    OverBudget {
        /// Which, and by how much.
        what: String,
    },
    /// No call of a model got an answer, so the agent could do nothing.
    #[error("agent `{agent}` could do nothing, since no call of its model got an answer: {what}")]
    NoModel {
        /// Which agent.
        agent: String,
        /// What the last call got.
        what: String,
    },
    /// As the record of a run tells.
    #[error("{reason}")]
    Recorded {
        /// Why there was no reply.
        reason: String,
        /// Whether the run went on.
        again: bool,
    },
    /// The record of a run does not fit.
    #[error("replay of agent `{agent}`: {what}")]
    Replay {
        /// Which agent.
        agent: String,
        /// What does not fit.
        what: String,
    },
    /// The script has no step for what is asked, or a step cannot be carried out.
    #[error("script {file}: {what}")]
    Script {
        /// Which script.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl AgentError {
    /// True when another attempt may go better: the agent's own doing, not the set-up's.
    pub fn is_an_attempt(&self) -> bool {
        matches!(
            self,
            Self::Failed { .. }
                | Self::TimedOut { .. }
                | Self::NoReply { .. }
                | Self::Ended { .. }
                | Self::Recorded { again: true, .. }
        )
    }
}

/// Opens the agent that `name` stands for: `script:FILE`, one of `[agents]` in the settings, or a preset.
/// `gateway` is the way to models; only what needs none can be opened without.
///
/// # Errors
/// [`AgentError::Unknown`], [`AgentError::Setting`], [`AgentError::Script`].
pub fn open(
    name: &str,
    config: &Config,
    gateway: Option<&Arc<Gateway>>,
) -> Result<Box<dyn Agent>, AgentError> {
    if let Some(file) = name.strip_prefix("script:") {
        return Ok(Box::new(ScriptedAgent::open(Path::new(file))?));
    }
    let settings = match (config.agents.get(name), presets::named(name)) {
        (Some(settings), _) => settings.clone(),
        (None, Some(preset)) => {
            config::Agent { preset: Some(preset.name().to_owned()), ..config::Agent::default() }
        }
        (None, None) => {
            let known: Vec<_> = config.agents.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none is defined".to_owned() } else { known.join(", ") };
            return Err(AgentError::Unknown { name: name.to_owned(), known });
        }
    };
    let no_way = || AgentError::Setting { agent: name.to_owned(), what: "there is no gateway".to_owned() };
    match settings.preset.as_deref().map(presets::named) {
        Some(Some(preset)) => {
            let gateway = gateway.ok_or_else(no_way)?.clone();
            Ok(Box::new(PresetAgent::new(name, preset, &settings, gateway)?))
        }
        Some(None) => {
            let what = format!("`preset` under [agents.{name}] is none of {}", presets::names());
            Err(AgentError::Setting { agent: name.to_owned(), what })
        }
        None => Ok(Box::new(CommandAgent::new(name, &settings, gateway.cloned())?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_agent_is_an_error_that_shows_how_to_define_it() {
        let none = open("helper", &Config::default(), None).err().unwrap().to_string();
        assert!(none.contains("(none is defined); use one of claude, codex"), "{none}");
        let config = Config::parse("[agents.a]\ncommand = \"x\"\n[agents.b]\ncommand = \"y\"", "t").unwrap();
        assert!(open("c", &config, None).err().unwrap().to_string().contains("(a, b)"));
        assert_eq!(open("a", &config, None).unwrap().name(), "a");
    }
}
