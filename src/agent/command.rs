//! Any program as an agent: a prompt file in, edits in the workspace and claims as JSON out.

use std::path::Path;
use std::sync::Arc;

use super::desk::{self, Desk, PROMPT, REPLY, SCHEMA};
use super::gateway::{Gateway, Lease, Provider};
use super::{Agent, AgentError, Hands, Origin, Reply, Task, Terms, reply};
use crate::config::{self, TimeLimit};
use crate::lab::Network;
use crate::lang::{Invocation, Output};

/// A program that is started once for each attempt.
pub struct CommandAgent {
    name: String,
    words: Vec<String>,
    variables: Vec<String>,
    network: Network,
    timeout: TimeLimit,
    provider: Option<Provider>,
    gateway: Option<Arc<Gateway>>,
}

const PLACES: [&str; 4] = ["{prompt}", "{reply}", "{schema}", "{workspace}"];

impl CommandAgent {
    /// The agent of `[agents.NAME]` with a command.
    ///
    /// # Errors
    /// [`AgentError::Setting`] for a placeholder that does not exist, or a provider without a key.
    pub fn new(
        name: &str,
        settings: &config::Agent,
        gateway: Option<Arc<Gateway>>,
    ) -> Result<Self, AgentError> {
        let wrong = |what: String| AgentError::Setting { agent: name.to_owned(), what };
        let command = settings.command.as_ref();
        let command =
            command.ok_or_else(|| wrong(format!("[agents.{name}] has neither a command nor a preset")))?;
        let words = command.template().words().to_vec();
        if let Some(unknown) = words.iter().find_map(|word| unknown_place(word)) {
            return Err(wrong(format!(
                "`command` under [agents.{name}] holds `{unknown}`, which stands for nothing; known are {}",
                PLACES.join(", ")
            )));
        }
        if let (Some(provider), Some(gateway)) = (settings.provider, &gateway) {
            gateway.can_reach(provider).map_err(|error| wrong(error.to_string()))?;
        }
        // A key is the gateway's; a program that needs one gets a token from there.
        let key =
            settings.env.iter().find(|name| Provider::ALL.iter().any(|one| one.key_variable() == **name));
        if let (Some(key), true) = (key, gateway.is_some()) {
            return Err(wrong(format!(
                "`env` under [agents.{name}] passes on {key}; no agent gets a key: set `provider` there, and the program finds a working token in the same variable"
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            words,
            variables: settings.env.clone(),
            network: settings.network.into(),
            timeout: settings.timeout,
            provider: settings.provider,
            gateway,
        })
    }

    /// The command for a workspace. The prompt's content is never an argument: it can be longer than a
    /// command line, and arguments are visible to every process of the machine.
    fn compose(&self, root: &Path, desk: &Desk) -> Invocation {
        let place = |file: &str| desk.path(file).to_string_lossy().into_owned();
        let (prompt, reply, schema) = (place(PROMPT), place(REPLY), place(SCHEMA));
        let fill = |word: &String| {
            word.replace("{prompt}", &prompt)
                .replace("{reply}", &reply)
                .replace("{schema}", &schema)
                .replace("{workspace}", &root.to_string_lossy())
        };
        let words = self.words.iter().map(fill);
        let mut invocation = if self.words.iter().any(|word| word.contains("{prompt}")) {
            Invocation::new(words)
        } else {
            desk.with_prompt_as_input(words)
        };
        for name in &self.variables {
            if let Ok(value) = std::env::var(name) {
                invocation = invocation.env(name, value);
            }
        }
        invocation
    }

    fn understand(output: &Output, file: Option<String>) -> Result<String, Option<String>> {
        match file {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ if output.timed_out || output.code != Some(0) => Err(None),
            _ if reply::last_object(&output.stdout).is_none() => Err(None),
            _ => Ok(output.stdout.clone()),
        }
    }
}

impl Agent for CommandAgent {
    fn name(&self) -> &str {
        &self.name
    }

    fn origin(&self) -> Origin {
        let from_record = self.gateway.as_ref().is_some_and(|gateway| gateway.is_replaying());
        if from_record && self.provider.is_some() { Origin::Replayed } else { Origin::Live }
    }

    fn act(&self, task: &Task, hands: &dyn Hands) -> Result<Reply, AgentError> {
        let start = |what: String| AgentError::Start { agent: self.name.clone(), what };
        let desk = Desk::lay(hands.desk(), task).map_err(start)?;
        let mut invocation = self.compose(hands.root(), &desk);
        let lease = self.gateway.as_ref().map(|gateway| gateway.lease(task.stage, task.attempt));
        let mut bounds = lease.as_ref().map(Lease::bounds).unwrap_or_default();
        match (&lease, self.provider) {
            (Some(lease), Some(provider)) => {
                invocation = invocation
                    .env(provider.upstream_variable(), lease.address(provider))
                    .env(provider.key_variable(), lease.token());
            }
            // Who calls no model needs no way to one.
            _ => bounds.relay = None,
        }
        let terms = Terms { timeout: self.timeout.get(), network: self.network, bounds };
        let output = hands.run(&invocation, &terms).map_err(start)?;
        let found = Self::understand(&output, reply::read_file(&desk.path(REPLY)));
        desk::conclude(&self.name, lease.as_ref(), &terms, &output, found)
    }
}

fn unknown_place(word: &str) -> Option<String> {
    let mut rest = word;
    while let Some(open) = rest.find('{') {
        rest = &rest[open..];
        let close = rest.find('}')?;
        let place = &rest[..=close];
        let is_name = place.len() > 2 && place[1..close].bytes().all(|byte| byte.is_ascii_lowercase());
        if is_name && !PLACES.contains(&place) {
            return Some(place.to_owned());
        }
        rest = &rest[1..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::folder::Folder;
    use super::super::{Round, Stage};
    use super::*;
    use crate::config::Config;
    use crate::git::RepoPath;

    fn agent(command: &str) -> Result<CommandAgent, AgentError> {
        let text = format!(
            "[agents.test]\ncommand = {}\ntimeout = \"2s\"\nenv = [\"PATH\", \"HOME\"]",
            serde_json::json!(command)
        );
        CommandAgent::new("test", &Config::parse(&text, "t").unwrap().agents["test"], None)
    }

    fn task(prompt: &str) -> Task {
        Task {
            stage: Stage::Fixer,
            attempt: 1,
            round: Round::First,
            prompt: prompt.into(),
            schema: "{}".into(),
        }
    }

    fn act(command: &str, hands: &Folder) -> Result<Reply, String> {
        agent(command).unwrap().act(&task("the prompt"), hands).map_err(|error| error.to_string())
    }

    #[test]
    fn a_program_reads_the_prompt_edits_and_replies_in_the_file() {
        let hands = Folder::new();
        let reply = act(
            "sh -c 'cp \"$1\" seen.txt; echo \"{\\\"a\\\":1}\" >\"$2\"; exit 3' x {prompt} {reply}",
            &hands,
        )
        .unwrap();
        assert_eq!(reply.text.trim(), "{\"a\":1}");
        let seen = hands.read(&RepoPath::new("seen.txt").unwrap()).unwrap().unwrap();
        assert_eq!(seen, b"the prompt");
    }

    #[test]
    fn a_program_without_a_prompt_argument_gets_it_on_standard_input() {
        let hands = Folder::new();
        let reply = act("sh -c 'cat; echo \"{\\\"b\\\":2}\"'", &hands).unwrap();
        assert!(reply.text.starts_with("the prompt"), "{}", reply.text);
        assert!(reply.text.contains("{\"b\":2}"));
    }

    #[test]
    fn a_place_inside_a_word_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk::lay(folder.path(), &task("p")).unwrap();
        let invocation =
            agent("x --out={reply} '{\"k\": 1}' {prompt}").unwrap().compose(Path::new("/w"), &desk);
        let place = |name: &str| desk.path(name).display().to_string();
        assert_eq!(invocation.argv, ["x", &format!("--out={}", place(REPLY)), "{\"k\": 1}", &place(PROMPT)]);
        let error = agent("x {promt}").err().unwrap().to_string();
        assert!(error.contains("`{promt}`, which stands for nothing; known are {prompt}"), "{error}");
    }

    #[test]
    fn every_way_to_fail_says_so() {
        let hands = Folder::new();
        assert!(
            act("sh -c 'echo oops >&2; exit 4'", &hands)
                .unwrap_err()
                .contains("exit code 4 and no reply; it last printed: oops")
        );
        assert!(act("true", &hands).unwrap_err().contains("left no reply"));
        assert!(act("sleep 30", &hands).unwrap_err().contains("was ended after 2s"));
        assert!(act("sh -c 'kill -9 $$'", &hands).unwrap_err().contains("a signal"));
        assert!(act("/no/such/program {prompt}", &hands).unwrap_err().contains("could not be started"));
    }

    #[test]
    fn an_old_reply_is_not_taken_for_a_new_one() {
        let hands = Folder::new();
        act("sh -c 'echo {} >\"$0\"' {reply}", &hands).unwrap();
        assert!(act("true", &hands).unwrap_err().contains("left no reply"));
    }
}
