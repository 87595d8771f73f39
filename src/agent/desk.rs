//! The folder through which a program gets its prompt and gives its reply, and what its end means.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::gateway::Lease;
use super::{AgentError, Reply, Task, Terms};
use crate::lang::{Invocation, Output};

pub(super) const PROMPT: &str = "prompt.md";
pub(super) const REPLY: &str = "reply.json";
pub(super) const SCHEMA: &str = "schema.json";

/// A desk with the task on it.
pub(super) struct Desk {
    folder: PathBuf,
}

impl Desk {
    /// Lays out prompt and schema and takes the reply of an earlier round away, which must not be
    /// taken for this one's.
    pub(super) fn lay(folder: &Path, task: &Task) -> Result<Self, String> {
        let desk = Self { folder: folder.to_owned() };
        desk.write(PROMPT, &task.prompt)?;
        desk.write(SCHEMA, &task.schema)?;
        for name in [REPLY, "mini-reply.json", "codex-last.txt"] {
            remove(&folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(desk)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a new file in the place of whatever an earlier process left there.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), String> {
        let file = self.folder.join(name);
        let told = |error: std::io::Error| format!("{}: {error}", file.display());
        let mut folder = self.folder.clone();
        for part in Path::new(name).parent().into_iter().flatten() {
            folder.push(part);
            // A link must not lead the write elsewhere.
            if std::fs::symlink_metadata(&folder).is_ok_and(|meta| !meta.is_dir()) {
                remove(&folder).map_err(told)?;
            }
            if !folder.is_dir() {
                std::fs::create_dir(&folder).map_err(told)?;
            }
        }
        remove(&file).map_err(told)?;
        let mut open = std::fs::OpenOptions::new().write(true).create_new(true).open(&file).map_err(told)?;
        open.write_all(text.as_bytes()).map_err(told)
    }

    /// A program that reads the prompt on standard input, through a shell that only opens it: the words
    /// stay words.
    pub(super) fn with_prompt_as_input(&self, words: impl Iterator<Item = String>) -> Invocation {
        let prompt = self.path(PROMPT).to_string_lossy().into_owned();
        let shell = ["/bin/sh", "-c", "exec \"$@\" <\"$0\"", &prompt].map(str::to_owned);
        Invocation::new(shell.into_iter().chain(words))
    }
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(file) {
        Ok(data) if data.is_dir() => std::fs::remove_dir_all(file),
        Ok(_) => std::fs::remove_file(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// What a program's end means. `found` is its reply, or why there is none in its own words.
pub(super) fn conclude(
    agent: &str,
    lease: Option<&Lease>,
    terms: &Terms,
    output: &Output,
    found: Result<String, Option<String>>,
) -> Result<Reply, AgentError> {
    let name = || agent.to_owned();
    let transcript = transcript(output);
    let said = match found {
        Ok(text) => return Ok(Reply { text, transcript, took: output.took }),
        Err(said) => said,
    };
    if let Some(what) = lease.and_then(Lease::over) {
        return Err(AgentError::OverBudget { what });
    }
    if let Some(what) = lease.and_then(Lease::no_answer) {
        return Err(AgentError::NoModel { agent: name(), what });
    }
    if output.timed_out {
        return Err(match terms.bounds.stop.due() {
            Some(what) => AgentError::Ended { agent: name(), what },
            None => AgentError::TimedOut { agent: name(), after: output.took },
        });
    }
    let tail = said.map_or_else(|| tail(&transcript, 600), |said| self::tail(&said, 600));
    if output.code != Some(0) {
        let status = output.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
        return Err(AgentError::Failed { agent: name(), status, tail });
    }
    Err(AgentError::NoReply { agent: name() })
}

/// What a program printed.
pub(super) fn transcript(output: &Output) -> String {
    match (output.stdout.trim_end(), output.stderr.trim_end()) {
        (out, "") => out.to_owned(),
        ("", err) => err.to_owned(),
        (out, err) => format!("{out}\n--- standard error ---\n{err}"),
    }
}

/// The end of a text.
pub(super) fn tail(text: &str, chars: usize) -> String {
    let count = text.chars().count();
    if count == 0 {
        return "nothing".to_owned();
    }
    text.chars().skip(count.saturating_sub(chars)).collect::<String>().trim().to_owned()
}
