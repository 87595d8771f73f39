//! Codex.

use std::path::Path;

use super::{Launch, Preset, Start, Version};
use crate::agent::gateway::Provider;
use crate::agent::reply;
use crate::lang::Output;

pub(super) struct Codex;

const LAST: &str = "codex-last.txt";

impl Preset for Codex {
    fn name(&self) -> &'static str {
        "codex"
    }

    fn title(&self) -> &'static str {
        "Codex"
    }

    fn program(&self) -> &'static str {
        "codex"
    }

    fn install(&self) -> &'static str {
        "npm install -g @openai/codex"
    }

    fn provider(&self) -> Provider {
        Provider::OpenAi
    }

    fn oldest(&self) -> Version {
        Version(0, 100, 0)
    }

    fn launch(&self, start: &Start<'_>) -> Launch {
        let config = format!(
            "model_provider = \"failfirst\"\n\n[model_providers.failfirst]\nname = \"failfirst\"\nbase_url = \"{}\"\n\
             env_key = \"OPENAI_API_KEY\"\nwire_api = \"responses\"\n",
            start.lease.address(Provider::OpenAi)
        );
        let launch = Launch::with(
            &["exec", "--skip-git-repo-check", "--disable", "plugins", "--disable", "apps"],
            &[],
        )
        .arguments(&["--json", "-o", &start.desk(LAST)])
        .env("CODEX_HOME", start.desk("codex"))
        .env("OPENAI_API_KEY", start.lease.token())
        .file("codex/config.toml", config);
        // Its own sandbox cannot be set up inside ours, and would only keep out what is out already.
        let launch = if start.isolated {
            launch.arguments(&["--dangerously-bypass-approvals-and-sandbox"])
        } else {
            launch.arguments(&["-s", "workspace-write"])
        };
        match start.model {
            Some(model) => launch.arguments(&["-m", model, "-"]),
            None => launch.arguments(&["-"]),
        }
    }

    fn reply(&self, output: &Output, desk: &Path) -> Result<String, Option<String>> {
        if let Some(text) = reply::read_file(&desk.join(LAST)).filter(|text| !text.trim().is_empty()) {
            return Ok(text);
        }
        let events =
            output.stdout.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let mut errors = events.filter(|event| event["type"] == "error" || event["type"] == "turn.failed");
        let last = errors.next_back();
        let message =
            last.as_ref().and_then(|event| event["message"].as_str().or(event["error"]["message"].as_str()));
        Err(message.map(str::to_owned))
    }
}
