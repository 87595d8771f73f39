//! `failfirst verify`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::exit_code::ExitCode;
use crate::gate::judge::Extent;
use crate::lab::Keep;
use crate::verify::{Inputs, Sealing, verify};

/// Arguments of `failfirst verify`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The revision with the bug; where it is a branch that moved on, the point where head forked off
    /// counts.
    #[arg(long, value_name = "REV")]
    base: String,
    /// The revision with the fix.
    #[arg(long, value_name = "REV", default_value = "HEAD")]
    head: String,
    /// The revision that sealed the test: whatever head changes in it afterwards is refused.
    #[arg(long, value_name = "REV", conflicts_with = "test")]
    test_rev: Option<String>,
    /// Test files of head to judge by, instead of all that head adds or changes.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    test: Vec<String>,
    /// Ask every gate, also after a refusal.
    #[arg(long)]
    all: bool,
    /// A configuration file to use instead of the base commit's failfirst.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How many runs go side by side (default: the number of processors).
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Keep the temporary folders.
    #[arg(long)]
    keep: bool,
}

pub(super) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let sealing = match (arguments.test_rev, arguments.test) {
        (Some(rev), _) => Sealing::Revision(rev),
        (None, paths) if paths.is_empty() => Sealing::Found,
        (None, paths) => Sealing::Paths(paths),
    };
    let verdict = verify(Inputs {
        repository: arguments.repo,
        base: arguments.base,
        head: arguments.head,
        sealing,
        config: arguments.config,
        extent: if arguments.all { Extent::All } else { Extent::UntilRefused },
        jobs: arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from)),
        keep: if arguments.keep { Keep::Yes } else { Keep::No },
        helper: std::env::current_exe().context("failed to find the failfirst binary itself")?,
        progress: crate::report::progress::on_stderr(),
    })?;
    let text = serde_json::to_string_pretty(&verdict)?;
    use std::io::Write as _;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(verdict.verdict.into())
}
