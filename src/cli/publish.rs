//! `failfirst publish`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::Usage;
use super::github::{Really, Talk, client, publish};
use crate::exit_code::ExitCode;
use crate::git::Store;
use crate::github::bundle::{Bundle, SIGNOFF, Signoff};
use crate::github::client::Server;
use crate::github::join::{self, Surroundings};
use crate::github::plan::Publication;
use crate::github::runner;
use crate::issue::Reference;
use crate::lab::{Keep, Scratch};
use crate::record::{Digest, RunRecord};

/// Arguments of `failfirst publish`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder with the record of a run on this machine.
    #[arg(value_name = "RUN", required_unless_present = "signoff", conflicts_with = "signoff")]
    run: Option<PathBuf>,
    /// The repository of the run.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The result of a run on another machine, with what verify found about it.
    #[arg(long, value_name = "FILE", requires = "signoff")]
    bundle: Option<PathBuf>,
    /// What verify found.
    #[arg(long, value_name = "FILE", requires = "digest")]
    signoff: Option<PathBuf>,
    /// The digest that verify told of what it found.
    #[arg(long, value_name = "SHA256", requires = "signoff")]
    digest: Option<String>,
    /// A label that must still be on the issue; else the order was withdrawn.
    #[arg(long, value_name = "LABEL")]
    trigger: Option<String>,
    /// Print the plan and every text, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    talk: Talk,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let surroundings = Surroundings {
        web: Server::from_environment().web,
        run: runner::run_address(),
        trigger: arguments.trigger.clone(),
    };
    let publication = match (&arguments.run, &arguments.signoff, &arguments.digest) {
        (Some(run), _, _) => of_record(run, &arguments.repo, surroundings)?,
        (None, Some(signoff), Some(digest)) => {
            join::read(arguments.bundle.as_deref(), signoff, digest, surroundings)?
        }
        _ => return Err(Usage("name the record of a run, or --signoff with --digest".to_owned()).into()),
    };
    let really = if arguments.dry_run { Really::Dry } else { Really::Wet };
    publish(&client(&arguments.talk)?, &publication, really)
}

/// The publication of a run on this machine, whose gates this machine asked itself.
pub(super) fn of_record(run: &Path, repo: &Path, surroundings: Surroundings) -> anyhow::Result<Publication> {
    let record = RunRecord::read(run)?;
    let issue = match record.issue.as_ref().map(|issue| &issue.reference) {
        Some(Reference::GitHub(issue)) => issue.clone(),
        _ => {
            let text =
                format!("the run in {} is about no issue on GitHub, so it has no place there", run.display());
            return Err(Usage(text).into());
        }
    };
    let base = record.base.with_context(|| format!("the run in {} never began", run.display()))?;
    let scratch = Scratch::new(Keep::No)?;
    let store = Store::open(repo, scratch.path())?;
    let base = store.resolve(&base.to_string())?;
    let repository = format!("{}/{}", issue.owner, issue.repo);
    let bundle = Bundle::of_record(&store, base, &repository, issue.number, record)?;
    let diff = match bundle.parts.last() {
        Some(part) => store.patch_text(base.tree, part.tree, &[])?,
        None => String::new(),
    };
    let digest = Digest::of(&serde_json::to_vec(&bundle)?);
    let signoff = Signoff {
        schema: SIGNOFF.to_owned(),
        repository,
        number: issue.number,
        bundle: Some(digest.clone()),
        verdict: bundle.record.verdict.clone().filter(|_| !bundle.parts.is_empty()),
        tree: bundle.parts.last().map(|part| part.tree),
        diff,
        reproduce: format!("failfirst run {issue}"),
    };
    join::join(Some((&bundle, &digest)), &signoff, surroundings).map_err(|what| Usage(what).into())
}
