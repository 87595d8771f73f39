//! `failfirst show`.

use std::path::PathBuf;

use clap::Args;

use super::output::Output;
use crate::exit_code::ExitCode;
use crate::record::RunRecord;
use crate::report::Report;

/// Arguments of `failfirst show`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder with the record of a run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    #[command(flatten)]
    output: Output,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let view = RunRecord::read(&arguments.run)?;
    let mut report = Report::from(&view);
    report.reproduce = format!("failfirst show {}", shell_words::quote(&arguments.run.to_string_lossy()));
    arguments.output.write(&report)?;
    Ok(super::run::exit_code(&view))
}
