//! `failfirst demo`: the story that failfirst was founded on, played by a script and judged for real.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;

use super::output::{Output, write_stdout};
use super::run::{Access, Work, dry_run, exit_code, work};
use super::verify::Common;
use crate::agent::{Agent, Script, ScriptedAgent, Stage};
use crate::exit_code::ExitCode;
use crate::issue;
use crate::pipeline::engine::Agents;
use crate::report::Report;

/// Arguments of `failfirst demo`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the example repository goes (default: a temporary folder, removed at the end).
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    output: Output,
}

const FILES: [(&str, &str); 5] = [
    ("README.md", include_str!("../../demo/project/README.md")),
    ("branches.py", include_str!("../../demo/project/branches.py")),
    ("tests/__init__.py", include_str!("../../demo/project/tests/__init__.py")),
    ("tests/together.py", include_str!("../../demo/project/tests/together.py")),
    ("tests/test_branches.py", include_str!("../../demo/project/tests/test_branches.py")),
];
const ISSUE: &str = include_str!("../../demo/issue.md");
const SCRIPT: &str = include_str!("../../demo/script.toml");

const STORY: &str = "\
failfirst demo: the agents are replayed from a script; gates, sandbox and tests are real.

A small project creates branches in two steps, check and add, so two requests at once create a branch twice.
An analyst writes a replication test, a fixer repairs the code, and neither is believed. Watch what happens to
a test that passes on the bug, to a fixer that edits the test, and to one that only changes a helper.

";

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let temporary =
        tempfile::Builder::new().prefix("failfirst-demo-").tempdir().context("failed to make a folder")?;
    let folder = arguments.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let repo = folder.join("branches");
    build(&repo).with_context(|| format!("failed to build the example repository in {}", repo.display()))?;
    let file = folder.join("issue.md");
    std::fs::write(&file, ISSUE).with_context(|| format!("failed to write {}", file.display()))?;
    if arguments.output.is_terminal_report() {
        write_stdout(STORY)?;
    }
    let mut agents = Agents::new();
    for stage in Stage::ALL {
        let agent: Box<dyn Agent> =
            Box::new(ScriptedAgent::new("demo", Script::from_toml(SCRIPT).map_err(anyhow::Error::msg)?));
        agents.insert(stage, agent);
    }
    let progress = crate::report::progress::on_stderr();
    let view = work(Work {
        issue: issue::read(&file, Timestamp::now())?,
        repo: &repo,
        base: None,
        pipeline: None,
        agent: None,
        agents: Some(agents),
        access: Access::None,
        budget_usd: None,
        carry: None,
        config: arguments.common.config.clone(),
        jobs: arguments.common.jobs(),
        keep: arguments.common.keep(),
        record: &folder.join("record"),
        progress: progress.clone(),
    });
    progress.done();
    let view = view?;
    let mut report = Report::from(&view);
    report.reproduce = "failfirst demo".to_owned();
    arguments.output.write(&report)?;
    if arguments.output.is_terminal_report() {
        write_stdout(&dry_run(&report))?;
    }
    Ok(exit_code(&view))
}

/// Writes the example project and commits it.
fn build(repo: &Path) -> anyhow::Result<()> {
    for (path, text) in FILES {
        let file = repo.join(path);
        let parent = file.parent().unwrap_or(repo);
        std::fs::create_dir_all(parent)?;
        std::fs::write(file, text)?;
    }
    git(repo, &["init", "--quiet", "--initial-branch=main"])?;
    git(repo, &["add", "--all"])?;
    git(repo, &["commit", "--quiet", "--no-verify", "--message", "Branches, with a race"])
}

fn git(repo: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=failfirst demo",
            "-c",
            "user.email=demo@localhost",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(["-c", "core.hooksPath=/dev/null"])
        .args(arguments)
        .current_dir(repo)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .output()
        .context("failed to run git; is it installed?")?;
    if !output.status.success() {
        bail!("git {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
