//! Gemini CLI.

use std::path::Path;

use serde_json::Value;

use super::{Launch, Preset, Start, Version};
use crate::agent::gateway::Provider;
use crate::agent::reply;
use crate::lang::Output;

pub(super) struct GeminiCli;

impl Preset for GeminiCli {
    fn name(&self) -> &'static str {
        "gemini"
    }

    fn title(&self) -> &'static str {
        "Gemini CLI"
    }

    fn program(&self) -> &'static str {
        "gemini"
    }

    fn install(&self) -> &'static str {
        "npm install -g @google/gemini-cli"
    }

    fn provider(&self) -> Provider {
        Provider::Gemini
    }

    fn oldest(&self) -> Version {
        Version(0, 40, 0)
    }

    fn launch(&self, start: &Start<'_>) -> Launch {
        let settings = serde_json::json!({
            "security": {"auth": {"selectedType": "gemini-api-key"}},
            "privacy": {"usageStatisticsEnabled": false},
            "telemetry": {"enabled": false},
            "general": {"disableAutoUpdate": true, "disableUpdateNag": true},
        });
        // The prompt comes on standard input; `-p` stands after it.
        Launch::with(&["-p", "Do what is asked above.", "--yolo", "--skip-trust", "-o", "json"], &[])
            .arguments(&["-m", start.model.unwrap_or("gemini-2.5-pro")])
            .env("GOOGLE_GEMINI_BASE_URL", start.lease.address(Provider::Gemini))
            .env("GEMINI_API_KEY", start.lease.token())
            .env("GEMINI_CLI_HOME", start.desk("gemini"))
            .file("gemini/.gemini/settings.json", settings.to_string())
    }

    fn reply(&self, output: &Output, _desk: &Path) -> Result<String, Option<String>> {
        let found = reply::last_object(&output.stdout).or_else(|| reply::last_object(&output.stderr));
        let Some(value) = found else { return Err(None) };
        if let Some(text) =
            value.get("response").and_then(Value::as_str).filter(|text| !text.trim().is_empty())
        {
            return Ok(text.to_owned());
        }
        Err(value.pointer("/error/message").and_then(Value::as_str).map(str::to_owned))
    }
}
