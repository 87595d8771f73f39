//! Claude Code.

use std::path::Path;

use serde_json::Value;

use super::{Launch, Preset, Start, Version};
use crate::agent::gateway::Provider;
use crate::lang::Output;

pub(super) struct Claude;

impl Preset for Claude {
    fn name(&self) -> &'static str {
        "claude"
    }

    fn title(&self) -> &'static str {
        "Claude Code"
    }

    fn program(&self) -> &'static str {
        "claude"
    }

    fn install(&self) -> &'static str {
        "npm install -g @anthropic-ai/claude-code"
    }

    fn provider(&self) -> Provider {
        Provider::Anthropic
    }

    fn oldest(&self) -> Version {
        // The first with `--bare`.
        Version(2, 1, 81)
    }

    fn launch(&self, start: &Start<'_>) -> Launch {
        // `--bare` leaves out hooks, plugins and memory of the user, who is not there to answer for them.
        let mut launch = Launch::with(
            &[
                "-p",
                "--bare",
                "--output-format",
                "json",
                "--no-session-persistence",
                "--permission-mode",
                "acceptEdits",
            ],
            &[
                ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
                ("DISABLE_ERROR_REPORTING", "1"),
                ("DISABLE_TELEMETRY", "1"),
                ("IS_SANDBOX", "1"),
            ],
        )
        .env("ANTHROPIC_BASE_URL", start.lease.address(Provider::Anthropic))
        .env("ANTHROPIC_API_KEY", start.lease.token())
        .env("CLAUDE_CONFIG_DIR", start.desk("claude"))
        .arguments(&[
            "--tools",
            "Read,Edit,Write,Bash,Glob,Grep",
            "--allowedTools",
            "Read,Edit,Write,Bash,Glob,Grep",
        ]);
        if let Some(model) = start.model {
            launch = launch.arguments(&["--model", model]);
        }
        launch
    }

    fn reply(&self, output: &Output, _desk: &Path) -> Result<String, Option<String>> {
        let last =
            output.stdout.lines().rev().find_map(|line| serde_json::from_str::<Value>(line.trim()).ok());
        let Some(result) = last else { return Err(None) };
        let text = result.get("result").and_then(Value::as_str).unwrap_or_default().to_owned();
        if result.get("is_error").and_then(Value::as_bool).unwrap_or(false) || output.code != Some(0) {
            let kind = result.get("subtype").and_then(Value::as_str).unwrap_or("error");
            return Err(Some(if text.is_empty() { kind.to_owned() } else { text }));
        }
        if text.trim().is_empty() { Err(None) } else { Ok(text) }
    }
}
