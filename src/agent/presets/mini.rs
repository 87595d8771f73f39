//! mini-swe-agent.

use std::path::Path;

use serde_json::json;

use super::{Launch, Preset, Start, Stdin, Version};
use crate::agent::gateway::Provider;
use crate::agent::reply;
use crate::lang::Output;

pub(super) struct Mini;

const REPLY: &str = "mini-reply.json";

impl Preset for Mini {
    fn name(&self) -> &'static str {
        "mini"
    }

    fn title(&self) -> &'static str {
        "mini-swe-agent"
    }

    fn program(&self) -> &'static str {
        "mini"
    }

    fn install(&self) -> &'static str {
        "pip install mini-swe-agent mcp"
    }

    fn provider(&self) -> Provider {
        Provider::OpenAi
    }

    fn oldest(&self) -> Version {
        Version(2, 0, 0)
    }

    fn version_arguments(&self) -> &'static [&'static str] {
        // There is no such flag: it prints its version, when not told to be silent, with anything.
        &["--help"]
    }

    fn launch(&self, start: &Start<'_>) -> Launch {
        // It has no last message: what it says is what it prints when it hands in. The task is no
        // argument, since it can be longer than one may be.
        let task = format!(
            "{}\n\nThis program keeps no last message: write the JSON object of your reply into the file `{}` before you submit.\n",
            start.prompt,
            start.desk(REPLY)
        );
        let config = json!({"run": {"task": task}});
        let model = start.model.unwrap_or("gpt-5");
        let model = if model.contains('/') { model.to_owned() } else { format!("openai/{model}") };
        let mut launch = Launch::with(&["-c", "mini.yaml", "-c", &start.desk("mini-task.yaml")], &[])
            .arguments(&[
                "-m",
                &model,
                "-y",
                "--exit-immediately",
                "-l",
                "0",
                "-o",
                &start.desk("mini-trajectory.json"),
            ])
            .env("MSWEA_CONFIGURED", "true")
            .env("MSWEA_COST_TRACKING", "ignore_errors")
            .env("MSWEA_GLOBAL_CONFIG_DIR", start.desk("mini"))
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("OPENAI_API_BASE", start.lease.address(Provider::OpenAi))
            .env("OPENAI_API_KEY", start.lease.token())
            .file("mini-task.yaml", config.to_string());
        launch.stdin = Stdin::Nothing;
        launch
    }

    fn reply(&self, output: &Output, desk: &Path) -> Result<String, Option<String>> {
        let text = reply::read_file(&desk.join(REPLY)).filter(|text| !text.trim().is_empty());
        let last = output.stdout.lines().rev().find(|line| !line.trim().is_empty());
        text.ok_or_else(|| last.filter(|_| output.code != Some(0)).map(|line| line.trim().to_owned()))
    }
}
