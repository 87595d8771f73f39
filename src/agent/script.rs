//! An agent that plays a script: the demo and the tests use it, and no model is asked.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Agent, AgentError, Hands, Origin, Reply, Round, Stage, Task, Terms};
use crate::git::RepoPath;
use crate::lab::{Bounds, Network};
use crate::lang::Invocation;

/// What each stage does in each of its attempts.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// What the script shows, for its readers.
    pub about: String,
    /// The analyst's attempts, in order.
    pub analyst: Vec<Attempt>,
    /// The fixer's attempts, in order.
    pub fixer: Vec<Attempt>,
    /// The reviewer's attempts, in order.
    pub reviewer: Vec<Attempt>,
}

/// One attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// What the agent does in the workspace, in order.
    #[serde(default)]
    pub edits: Vec<Edit>,
    /// The claims that it replies with: JSON as of the stage's schema, or a text to be malformed on purpose.
    pub claims: serde_json::Value,
    /// The claims that it replies with when the first were malformed. Default: the same again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repair: Option<serde_json::Value>,
}

/// A step in the workspace.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "an edit is one of { write, text }, { replace, find, with }, { remove } or { run }"
)]
pub enum Edit {
    /// Writes a whole file.
    Write {
        /// Which file.
        write: RepoPath,
        /// Its content.
        text: String,
    },
    /// Replaces a text that occurs exactly once.
    Replace {
        /// In which file.
        replace: RepoPath,
        /// The text.
        find: String,
        /// What stands there afterwards.
        with: String,
    },
    /// Deletes a file.
    Remove {
        /// Which file.
        remove: RepoPath,
    },
    /// Runs a command in the workspace, isolated as every command of an agent.
    Run {
        /// Program and arguments.
        run: Vec<String>,
    },
}

impl Script {
    fn attempts(&self, stage: Stage) -> &[Attempt] {
        match stage {
            Stage::Analyst => &self.analyst,
            Stage::Fixer => &self.fixer,
            Stage::Reviewer => &self.reviewer,
        }
    }

    /// Reads a script from TOML.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim().to_owned())
    }

    /// Reads a script from JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }
}

/// Plays a [`Script`].
pub struct ScriptedAgent {
    name: String,
    file: PathBuf,
    script: Script,
}

impl ScriptedAgent {
    /// Reads the script in a TOML or JSON file.
    ///
    /// # Errors
    /// [`AgentError::Script`].
    pub fn open(file: &Path) -> Result<Self, AgentError> {
        let wrong = |what: String| AgentError::Script { file: file.to_owned(), what };
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let is_json = file.extension().is_some_and(|extension| extension == "json");
        let script = if is_json { Script::from_json(&text) } else { Script::from_toml(&text) };
        Ok(Self::new(file, script.map_err(wrong)?))
    }

    /// An agent for a script that was read already; `file` names it in errors.
    pub fn new(file: impl Into<PathBuf>, script: Script) -> Self {
        let file = file.into();
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Self { name: format!("script {stem}"), script, file }
    }

    fn carry_out(&self, edit: &Edit, hands: &dyn Hands) -> Result<String, String> {
        match edit {
            Edit::Write { write, text } => {
                hands.write(write, text.as_bytes())?;
                Ok(format!("wrote {write}"))
            }
            Edit::Replace { replace, find, with } => {
                let bytes = hands.read(replace)?.ok_or_else(|| format!("{replace} is not there"))?;
                let text = String::from_utf8(bytes).map_err(|_| format!("{replace} is not UTF-8"))?;
                match text.matches(find.as_str()).count() {
                    1 => hands.write(replace, text.replacen(find, with, 1).as_bytes())?,
                    count => {
                        return Err(format!("the text to find stands {count} times in {replace}, not once"));
                    }
                }
                Ok(format!("edited {replace}"))
            }
            Edit::Remove { remove } => {
                hands.remove(remove)?;
                Ok(format!("removed {remove}"))
            }
            Edit::Run { run } => {
                let terms = Terms {
                    timeout: Duration::from_secs(60),
                    network: Network::Loopback,
                    bounds: Bounds::default(),
                };
                let invocation = Invocation::new(run.iter().cloned());
                if invocation.argv.is_empty() {
                    return Err("`run` names no program".to_owned());
                }
                // Failing is allowed: scripts show what an isolated agent cannot do.
                let output = hands.run(&invocation, &terms)?;
                let status = output.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                Ok(format!("ran {} ({status})\n{}{}", run.join(" "), output.stdout, output.stderr))
            }
        }
    }
}

impl Agent for ScriptedAgent {
    fn name(&self) -> &str {
        &self.name
    }

    fn origin(&self) -> Origin {
        Origin::Replayed
    }

    fn act(&self, task: &Task, hands: &dyn Hands) -> Result<Reply, AgentError> {
        let began = Instant::now();
        let wrong = |what: String| AgentError::Script { file: self.file.clone(), what };
        let (stage, number) = (task.stage, task.attempt);
        let attempts = self.script.attempts(stage);
        let attempt = attempts.get(number.saturating_sub(1) as usize).ok_or_else(|| {
            wrong(format!(
                "attempt {number} of the {stage} is asked for and the script has {}",
                attempts.len()
            ))
        })?;
        let mut transcript = Vec::new();
        let claims = match (task.round, &attempt.repair) {
            (Round::First, _) => {
                for (index, edit) in attempt.edits.iter().enumerate() {
                    let done = self.carry_out(edit, hands).map_err(|what| {
                        wrong(format!("edit {} of attempt {number} of the {stage}: {what}", index + 1))
                    })?;
                    transcript.push(done);
                }
                &attempt.claims
            }
            (Round::Repair, Some(repair)) => repair,
            (Round::Repair, None) => &attempt.claims,
        };
        let text = match claims {
            serde_json::Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        Ok(Reply { text, transcript: transcript.join("\n"), took: began.elapsed() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::Folder;
    use super::*;

    const SCRIPT: &str = r#"
        about = "a test"
        [[analyst]]
        edits = [
            { write = "tests/a.txt", text = "one two" },
            { replace = "tests/a.txt", find = "two", with = "three" },
            { write = "b.txt", text = "x" },
            { remove = "b.txt" },
            { run = ["/bin/sh", "-c", "echo hi; exit 3"] },
        ]
        claims = { outcome = "needs-info", cause = "", question = "which?" }
        [[fixer]]
        claims = "no json"
        repair = { outcome = "fixed" }
        [[fixer]]
        edits = [{ replace = "tests/a.txt", find = "e", with = "" }]
        claims = {}
    "#;

    fn task(stage: Stage, attempt: u32, round: Round) -> Task {
        Task { stage, attempt, round, prompt: String::new(), schema: String::new() }
    }

    #[test]
    fn a_script_edits_the_workspace_and_replies() {
        let agent = ScriptedAgent::new("founding.toml", Script::from_toml(SCRIPT).unwrap());
        let hands = Folder::new();
        let reply = agent.act(&task(Stage::Analyst, 1, Round::First), &hands).unwrap();
        assert_eq!(reply.text, r#"{"cause":"","outcome":"needs-info","question":"which?"}"#);
        assert!(reply.transcript.contains("exit code 3)\nhi"), "{}", reply.transcript);
        let content = hands.read(&RepoPath::new("tests/a.txt").unwrap()).unwrap().unwrap();
        assert_eq!(content, b"one three");
        assert_eq!(hands.read(&RepoPath::new("b.txt").unwrap()).unwrap(), None);
        assert_eq!((agent.name(), agent.origin()), ("script founding", Origin::Replayed));
        let error = agent.act(&task(Stage::Fixer, 2, Round::First), &hands).unwrap_err().to_string();
        assert!(error.contains("stands 3 times in tests/a.txt"), "{error}");
    }

    #[test]
    fn malformed_claims_can_be_played_and_repaired() {
        let agent = ScriptedAgent::new("s.toml", Script::from_toml(SCRIPT).unwrap());
        let hands = Folder::new();
        assert_eq!(agent.act(&task(Stage::Fixer, 1, Round::First), &hands).unwrap().text, "no json");
        assert_eq!(
            agent.act(&task(Stage::Fixer, 1, Round::Repair), &hands).unwrap().text,
            r#"{"outcome":"fixed"}"#
        );
    }

    #[test]
    fn a_script_that_ends_too_early_says_so() {
        let agent = ScriptedAgent::new("s.toml", Script::default());
        let error = agent.act(&task(Stage::Reviewer, 1, Round::First), &Folder::new()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "script s.toml: attempt 1 of the reviewer is asked for and the script has 0"
        );
        assert!(
            Script::from_toml("[[analyst]]\nclaims = {}\nedits = [{ wrte = \"x\" }]")
                .unwrap_err()
                .contains("an edit is one of")
        );
        assert!(
            Script::from_json("{\"analyst\":[{\"claims\":{},\"x\":1}]}")
                .unwrap_err()
                .contains("unknown field `x`")
        );
    }
}
