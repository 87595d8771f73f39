//! `failfirst verify`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::output::Output;
use crate::exit_code::ExitCode;
use crate::gate::judge::Extent;
use crate::lab::Keep;
use crate::report::Report;
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
    /// A pull request to judge: its head is fetched, from forks too. With --head it must be that commit.
    #[arg(long, value_name = "N")]
    pr: Option<u64>,
    /// The remote that --pr is fetched from.
    #[arg(long, value_name = "REMOTE", default_value = "origin", requires = "pr")]
    remote: String,
    /// The revision that sealed the test: whatever head changes in it afterwards is refused.
    #[arg(long, value_name = "REV", conflicts_with = "test")]
    test_rev: Option<String>,
    /// A test file of head to judge by, instead of all that head adds or changes; may be given again.
    #[arg(long, value_name = "PATH")]
    test: Vec<String>,
    /// Ask every gate, also after a refusal.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    output: Output,
}

/// What `verify` and `run` share.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// A configuration file to use instead of the base commit's failfirst.toml.
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How many runs go side by side (default: the number of processors).
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Keep the temporary folders.
    #[arg(long)]
    keep: bool,
}

impl Common {
    /// How many runs go side by side.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from))
    }

    /// Whether temporary folders stay.
    pub(super) fn keep(&self) -> Keep {
        if self.keep { Keep::Yes } else { Keep::No }
    }
}

/// The failfirst binary, which is the sandbox's helper too.
pub(super) fn helper() -> anyhow::Result<PathBuf> {
    std::env::current_exe().context("failed to find the failfirst binary itself")
}

pub(super) fn run(mut arguments: Arguments) -> anyhow::Result<ExitCode> {
    if let Some(number) = arguments.pr {
        let wanted = Some(arguments.head.as_str()).filter(|head| *head != "HEAD");
        arguments.head = crate::github::fetch::pull_head(&arguments.repo, &arguments.remote, number, wanted)?;
    }
    let reproduce = reproduce(&arguments);
    let sealing = match (arguments.test_rev, arguments.test) {
        (Some(rev), _) => Sealing::Revision(rev),
        (None, paths) if paths.is_empty() => Sealing::Found,
        (None, paths) => Sealing::Paths(paths),
    };
    let progress = crate::report::progress::on_stderr();
    let verdict = verify(Inputs {
        repository: arguments.repo,
        base: arguments.base,
        head: arguments.head,
        sealing,
        jobs: arguments.common.jobs(),
        keep: arguments.common.keep(),
        config: arguments.common.config,
        extent: if arguments.all { Extent::All } else { Extent::UntilRefused },
        helper: helper()?,
        progress: progress.clone(),
    });
    progress.done();
    let verdict = verdict?;
    let word = verdict.verdict;
    arguments.output.write(&Report::of(verdict, reproduce))?;
    Ok(word.into())
}

/// The command that gives the same verdict again.
fn reproduce(arguments: &Arguments) -> String {
    let mut words = vec!["failfirst", "verify", "--base", &arguments.base, "--head", &arguments.head];
    let number = arguments.pr.map(|number| number.to_string());
    if let Some(number) = &number {
        words.extend(["--pr", number]);
    }
    if let Some(rev) = &arguments.test_rev {
        words.extend(["--test-rev", rev]);
    }
    for path in &arguments.test {
        words.extend(["--test", path]);
    }
    shell_words::join(words)
}
