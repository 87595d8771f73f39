//! `failfirst doctor`.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use clap::Args;

use super::output::write_stdout;
use super::verify::helper;
use crate::agent::gateway::{Keys, Provider, Upstreams};
use crate::agent::presets::{self, Version};
use crate::exit_code::ExitCode;
use crate::lab::{Keep, Scratch, sandbox_report};

/// Arguments of `failfirst doctor`.
#[derive(Debug, Args)]
pub(super) struct Arguments {}

/// Runners and what their languages are run with.
const TOOLS: [(&str, &[&str], &str); 6] = [
    ("python3", &["--version"], "Python: pytest, unittest"),
    ("node", &["--version"], "JavaScript, TypeScript: node:test, jest, vitest, mocha"),
    ("cargo", &["--version"], "Rust: cargo test"),
    ("cargo-nextest", &["nextest", "--version"], "Rust: nextest"),
    ("go", &["version"], "Go: go test"),
    ("git", &["--version"], "needed for everything"),
];

pub(super) fn run(_arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let mut text = String::new();
    let scratch = Scratch::new(Keep::No)?;
    let sandbox = sandbox_report(&helper()?, &scratch);
    let mut line = |mark: bool, name: &str, what: &str| {
        let _ = writeln!(text, "  {} {name:16} {what}", if mark { "✓" } else { "✗" });
    };
    let layers = sandbox.layers.join(", ");
    let missing = sandbox.missing.clone().unwrap_or_default();
    line(sandbox.missing.is_none(), "sandbox", if sandbox.missing.is_none() { &layers } else { &missing });
    let mut git = false;
    for (program, arguments, what) in TOOLS {
        let answer = ask(program, arguments);
        git |= program == "git" && answer.is_some();
        line(
            answer.is_some(),
            program,
            &answer.map_or(format!("absent; {what}"), |said| format!("{said}; {what}")),
        );
    }
    text.push_str("\nmodels\n");
    let variable = |name: &str| std::env::var(name).ok();
    let upstreams = Keys::from_variables(&variable).and_then(|keys| Upstreams::new(&keys, &variable));
    for provider in Provider::ALL {
        let (good, what) = match &upstreams {
            Ok(upstreams) => match upstreams.of(provider) {
                Ok(upstream) if upstream.is_local() => (true, "a server on this machine".to_owned()),
                Ok(_) => (true, "a key is set".to_owned()),
                Err(error) => (false, error.to_string()),
            },
            Err(error) => (false, error.to_string()),
        };
        let _ = writeln!(text, "  {} {:16} {what}", if good { "✓" } else { "✗" }, provider.name());
    }
    text.push_str("\nagents\n");
    for preset in presets::ALL {
        let (good, what) = agent(preset, upstreams.as_ref().ok());
        let _ = writeln!(text, "  {} {:16} {what}", if good { "✓" } else { "✗" }, preset.name());
    }
    write_stdout(&text)?;
    Ok(if git { ExitCode::Verified } else { ExitCode::Usage })
}

/// Whether the program of a preset can be used, and why not.
fn agent(preset: &dyn presets::Preset, upstreams: Option<&Upstreams>) -> (bool, String) {
    let Some(said) = ask(preset.program(), preset.version_arguments()) else {
        return (false, format!("{} is absent; `{}`", preset.title(), preset.install()));
    };
    let version = Version::find(&said);
    let title = version.map_or(preset.title().to_owned(), |version| format!("{} {version}", preset.title()));
    if version.is_some_and(|version| version < preset.oldest()) {
        return (false, format!("{title} is too old, {} is needed; `{}`", preset.oldest(), preset.install()));
    }
    match upstreams.map(|upstreams| upstreams.of(preset.provider())) {
        Some(Ok(_)) => (true, title),
        Some(Err(error)) => (false, format!("{title} is there; {error}")),
        None => (false, format!("{title} is there; see above")),
    }
}

/// The line with a version that a program prints about itself.
fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .env("MSWEA_CONFIGURED", "true")
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let said =
        format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let with_number = said.lines().find(|line| line.bytes().any(|byte| byte.is_ascii_digit()));
    Some(with_number.or_else(|| said.lines().next()).unwrap_or_default().trim().chars().take(80).collect())
}
