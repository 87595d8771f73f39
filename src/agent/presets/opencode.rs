//! opencode.

use std::path::Path;

use serde_json::{Value, json};

use super::{Launch, Preset, Start, Version};
use crate::agent::gateway::Provider;
use crate::lang::Output;

pub(super) struct OpenCode;

impl Preset for OpenCode {
    fn name(&self) -> &'static str {
        "opencode"
    }

    fn title(&self) -> &'static str {
        "opencode"
    }

    fn program(&self) -> &'static str {
        "opencode"
    }

    fn install(&self) -> &'static str {
        "npm install -g opencode-ai"
    }

    fn provider(&self) -> Provider {
        Provider::OpenAi
    }

    fn oldest(&self) -> Version {
        Version(1, 0, 0)
    }

    fn launch(&self, start: &Start<'_>) -> Launch {
        let model = start.model.unwrap_or("gpt-5");
        let config = json!({
            "$schema": "https://opencode.ai/config.json",
            "autoupdate": false,
            "share": "disabled",
            "permission": {"edit": "allow", "bash": "allow", "webfetch": "deny", "external_directory": "allow"},
            "provider": {"failfirst": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "failfirst",
                "options": {
                    "baseURL": start.lease.address(Provider::OpenAi),
                    "apiKey": "{env:FAILFIRST_MODEL_TOKEN}",
                },
                "models": {model: {"name": model, "tool_call": true}},
            }},
            "model": format!("failfirst/{model}"),
            "small_model": format!("failfirst/{model}"),
        });
        Launch::with(&["run", "--pure", "--format", "json", "--title", "failfirst"], &[])
            .arguments(&["-m", &format!("failfirst/{model}")])
            .env("OPENCODE_CONFIG", start.desk("opencode/opencode.json"))
            .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
            .env("OPENCODE_DISABLE_MODELS_FETCH", "1")
            .env("OPENCODE_DISABLE_LSP_DOWNLOAD", "1")
            .env("FAILFIRST_MODEL_TOKEN", start.lease.token())
            .file("opencode/opencode.json", config.to_string())
    }

    fn reply(&self, output: &Output, _desk: &Path) -> Result<String, Option<String>> {
        let events: Vec<Value> =
            output.stdout.lines().filter_map(|line| serde_json::from_str(line.trim()).ok()).collect();
        let mut texts = events.iter().rev().filter(|event| event["type"] == "text");
        let last = texts.find_map(|event| event.pointer("/part/text").and_then(Value::as_str));
        if let Some(text) = last.filter(|text| !text.trim().is_empty()) {
            return Ok(text.to_owned());
        }
        let error = events.iter().rev().find(|event| event["type"] == "error");
        let words = |event: &Value| {
            let message = event.pointer("/error/data/message").or_else(|| event.pointer("/error/message"));
            message.and_then(Value::as_str).map(str::to_owned)
        };
        Err(error.and_then(words))
    }
}
