//! Any program as an agent: a prompt file in, edits in the workspace and claims as JSON out.

use std::path::Path;

use super::{Agent, AgentError, Hands, Reply, Task, Terms, reply};
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
}

const PLACES: [&str; 4] = ["{prompt}", "{reply}", "{schema}", "{workspace}"];

impl CommandAgent {
    /// The agent of `[agents.NAME]`.
    ///
    /// # Errors
    /// [`AgentError::Setting`] for a placeholder that does not exist.
    pub fn new(name: &str, settings: &config::Agent) -> Result<Self, AgentError> {
        let words = settings.command.template().words().to_vec();
        if let Some(unknown) = words.iter().find_map(|word| unknown_place(word)) {
            let what = format!(
                "`command` under [agents.{name}] holds `{unknown}`, which stands for nothing; known are {}",
                PLACES.join(", ")
            );
            return Err(AgentError::Setting { agent: name.to_owned(), what });
        }
        Ok(Self {
            name: name.to_owned(),
            words,
            variables: settings.env.clone(),
            network: match settings.network {
                config::Network::None => Network::Loopback,
                config::Network::Host => Network::Host,
            },
            timeout: settings.timeout,
        })
    }

    /// The command for a workspace. The prompt's content is never an argument: it can be longer than a
    /// command line, and arguments are visible to every process of the machine.
    fn compose(&self, root: &Path, desk: &Path) -> Invocation {
        let place = |file: &str| desk.join(file).to_string_lossy().into_owned();
        let (prompt, reply, schema) = (place(PROMPT), place(REPLY), place(SCHEMA));
        let fill = |word: &String| {
            word.replace("{prompt}", &prompt)
                .replace("{reply}", &reply)
                .replace("{schema}", &schema)
                .replace("{workspace}", &root.to_string_lossy())
        };
        let words = self.words.iter().map(fill);
        let argv: Vec<String> = if self.words.iter().any(|word| word.contains("{prompt}")) {
            words.collect()
        } else {
            // A shell that only opens standard input: the words stay words.
            let shell = ["/bin/sh", "-c", "exec \"$@\" <\"$0\"", &prompt].map(str::to_owned);
            shell.into_iter().chain(words).collect()
        };
        let mut invocation = Invocation::new(argv);
        for name in &self.variables {
            if let Ok(value) = std::env::var(name) {
                invocation = invocation.env(name, value);
            }
        }
        invocation
    }

    fn understand(&self, output: &Output, file: Option<String>) -> Result<Reply, AgentError> {
        let agent = || self.name.clone();
        let transcript = transcript(output);
        let text = match file {
            Some(text) if !text.trim().is_empty() => text,
            _ if output.timed_out => {
                return Err(AgentError::TimedOut { agent: agent(), after: output.took });
            }
            _ if output.code != Some(0) => {
                let status = output.code.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
                return Err(AgentError::Failed { agent: agent(), status, tail: tail(&transcript, 600) });
            }
            _ if reply::last_object(&output.stdout).is_none() => {
                return Err(AgentError::NoReply { agent: agent() });
            }
            _ => output.stdout.clone(),
        };
        Ok(Reply { text, transcript, took: output.took })
    }
}

const PROMPT: &str = "prompt.md";
const REPLY: &str = "reply.json";
const SCHEMA: &str = "schema.json";

impl Agent for CommandAgent {
    fn name(&self) -> &str {
        &self.name
    }

    fn act(&self, task: &Task, hands: &dyn Hands) -> Result<Reply, AgentError> {
        let start = |what: String| AgentError::Start { agent: self.name.clone(), what };
        let desk = hands.desk();
        for (name, content) in [(PROMPT, &task.prompt), (SCHEMA, &task.schema)] {
            let file = desk.join(name);
            replace(&file, content).map_err(|error| start(format!("{}: {error}", file.display())))?;
        }
        // The reply of an earlier round must not be taken for this one's.
        remove(&desk.join(REPLY)).map_err(|error| start(format!("{REPLY}: {error}")))?;
        let invocation = self.compose(hands.root(), desk);
        let terms = Terms { timeout: self.timeout.get(), network: self.network };
        let output = hands.run(&invocation, terms).map_err(start)?;
        self.understand(&output, reply::read_file(&desk.join(REPLY)))
    }
}

/// Writes a new file in the place of whatever an earlier process left there.
fn replace(file: &Path, content: &str) -> std::io::Result<()> {
    use std::io::Write;
    remove(file)?;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).open(file)?;
    file.write_all(content.as_bytes())
}

fn remove(file: &Path) -> std::io::Result<()> {
    match std::fs::symlink_metadata(file) {
        Ok(data) if data.is_dir() => std::fs::remove_dir_all(file),
        Ok(_) => std::fs::remove_file(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
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

fn transcript(output: &Output) -> String {
    match (output.stdout.trim_end(), output.stderr.trim_end()) {
        (out, "") => out.to_owned(),
        ("", err) => err.to_owned(),
        (out, err) => format!("{out}\n--- standard error ---\n{err}"),
    }
}

fn tail(text: &str, chars: usize) -> String {
    let count = text.chars().count();
    if count == 0 {
        return "nothing".to_owned();
    }
    text.chars().skip(count.saturating_sub(chars)).collect::<String>().trim().to_owned()
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
        CommandAgent::new("test", &Config::parse(&text, "t").unwrap().agents["test"])
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
        let invocation =
            agent("x --out={reply} '{\"k\": 1}' {prompt}").unwrap().compose(Path::new("/w"), Path::new("/d"));
        assert_eq!(invocation.argv, ["x", "--out=/d/reply.json", "{\"k\": 1}", "/d/prompt.md"]);
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
