//! `failfirst replay`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::Usage;
use super::output::Output;
use super::run::{Access, Work, exit_code, work};
use super::verify::Common;
use crate::agent::gateway::Recorded;
use crate::agent::replay::Doings;
use crate::exit_code::ExitCode;
use crate::record::RunRecord;
use crate::report::Report;

/// Arguments of `failfirst replay`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder with the record of a run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Start the agents again and let the record answer in the place of their models, instead of doing
    /// again what they did.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Where the record of the replay goes (default: a temporary folder, removed at the end).
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let old = RunRecord::read(&arguments.run)?;
    let (Some(issue), Some(base)) = (old.issue, old.base) else {
        let text =
            format!("{}: the record holds no issue, so there is nothing to replay", arguments.run.display());
        return Err(Usage(text).into());
    };
    let temporary =
        tempfile::Builder::new().prefix("failfirst-replay-").tempdir().context("failed to make a folder")?;
    let folder = arguments.record.clone().unwrap_or_else(|| temporary.path().join("record"));
    let (agents, access, carry) = match &arguments.agent {
        None => (Some(Doings::read(&arguments.run)?.agents()), Access::None, Some(arguments.run.clone())),
        Some(_) => (None, Access::Recorded(Recorded::read(&arguments.run)?), None),
    };
    let progress = crate::report::progress::on_stderr();
    let base = base.to_string();
    let view = work(Work {
        issue,
        repo: &arguments.repo,
        base: Some(&base),
        pipeline: Some(&old.pipeline),
        agent: arguments.agent.as_deref(),
        agents,
        access,
        budget_usd: None,
        carry,
        config: arguments.common.config.clone(),
        jobs: arguments.common.jobs(),
        keep: arguments.common.keep(),
        record: &folder,
        progress: progress.clone(),
    });
    progress.done();
    let view = view?;
    let mut report = Report::from(&view);
    report.reproduce = format!("failfirst replay {}", shell_words::quote(&arguments.run.to_string_lossy()));
    arguments.output.write(&report)?;
    Ok(exit_code(&view))
}
