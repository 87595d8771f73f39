//! `failfirst run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;

use super::Usage;
use super::github::{Really, Talk};
use super::output::{Output, write_stdout};
use super::secrets::Secrets;
use super::verify::{Common, helper};
use crate::agent::gateway::{
    Gateway, GatewayError, Keys, Ledger, Prices, Recorded, Settings, Sink, Upstreams,
};
use crate::exit_code::ExitCode;
use crate::git::Store;
use crate::github::client::Server;
use crate::github::join::Surroundings;
use crate::github::{fetch, runner};
use crate::issue::{self, Issue, Source};
use crate::lab::{Keep, Progress, Scratch};
use crate::pipeline::LabBench;
use crate::pipeline::engine::{self, Agents, Case};
use crate::pipeline::spec::Pipeline;
use crate::record::{Event, ExchangeRecord, Outcome, Record, RunRecord, default_folder};
use crate::report::terminal::Style;
use crate::report::{Format, Report, render};
use crate::verify::{Bench, Setup};

/// Arguments of `failfirst run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The issue, as `owner/repo#12` or its address.
    #[arg(value_name = "ISSUE", required_unless_present = "issue")]
    reference: Option<String>,
    /// A Markdown or JSON file with the issue.
    #[arg(long, value_name = "FILE", conflicts_with = "reference")]
    issue: Option<PathBuf>,
    /// The repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The revision with the bug (default: `base` under [run] in failfirst.toml, else HEAD).
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// The pipeline.
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// The agent of every stage: claude, codex, gemini, opencode or mini, a name under [agents] in
    /// failfirst.toml, or `script:FILE`.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Where the record of the run goes (default: a new folder below the state folder).
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// What the models may cost, in USD (default: `usd` under [budget] in failfirst.toml).
    #[arg(long, value_name = "USD", value_parser = money)]
    budget_usd: Option<f64>,
    /// Put the result on GitHub, with the token in GITHUB_TOKEN or GH_TOKEN.
    #[arg(long, conflicts_with = "issue")]
    post: bool,
    #[command(flatten)]
    talk: Talk,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    output: Output,
}

fn money(text: &str) -> Result<f64, String> {
    let usd: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if usd.is_finite() && usd > 0.0 { Ok(usd) } else { Err("it must be above 0".to_owned()) }
}

pub(super) fn run(arguments: Arguments, secrets: &Secrets) -> anyhow::Result<ExitCode> {
    let source = match (&arguments.issue, &arguments.reference) {
        (Some(file), _) => Source::File(file.clone()),
        (None, Some(text)) => Source::parse(text)?,
        (None, None) => return Err(Usage("name an issue, or a file with --issue".to_owned()).into()),
    };
    let progress = crate::report::progress::on_stderr();
    progress.stage("reading the issue");
    let issue = match &source {
        Source::File(path) => issue::read(path, Timestamp::now())?,
        Source::GitHub(named) => fetch::named(named, Timestamp::now())?,
    };
    let access = Access::live(secrets)?;
    let folder = match &arguments.record {
        Some(folder) => folder.clone(),
        None => default_folder(Timestamp::now()).map_err(Usage)?,
    };
    let view = work(Work {
        issue,
        repo: &arguments.repo,
        base: arguments.base.as_deref(),
        pipeline: arguments.pipeline.as_deref(),
        agent: arguments.agent.as_deref(),
        agents: None,
        access,
        budget_usd: arguments.budget_usd,
        carry: None,
        config: arguments.common.config.clone(),
        jobs: arguments.common.jobs(),
        keep: arguments.common.keep(),
        record: &folder,
        progress: progress.clone(),
    });
    progress.done();
    let view = view?;
    let mut report = Report::from(&view);
    report.reproduce = format!("failfirst show {}", shell_words::quote(&folder.to_string_lossy()));
    arguments.output.write(&report)?;
    if arguments.post {
        let web = Server::from_environment().web;
        let surroundings = Surroundings { web, run: runner::run_address(), trigger: None };
        let publication = super::publish::of_record(&folder, &arguments.repo, surroundings)?;
        let posted =
            super::github::publish(&super::github::client(&arguments.talk)?, &publication, Really::Wet)?;
        if posted != ExitCode::Verified {
            return Ok(posted);
        }
    } else if arguments.output.is_terminal_report() {
        write_stdout(&dry_run(&report))?;
    }
    Ok(exit_code(&view))
}

/// What a run needs.
pub(super) struct Work<'a> {
    pub(super) issue: Issue,
    pub(super) repo: &'a Path,
    pub(super) base: Option<&'a str>,
    pub(super) pipeline: Option<&'a str>,
    pub(super) agent: Option<&'a str>,
    /// Agents that are ready, instead of those that the settings name.
    pub(super) agents: Option<Agents>,
    /// How models are reached.
    pub(super) access: Access,
    /// What they may cost, in USD, instead of what the settings say.
    pub(super) budget_usd: Option<f64>,
    /// The folder of a record whose exchanges count as this run's.
    pub(super) carry: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) jobs: usize,
    pub(super) keep: Keep,
    pub(super) record: &'a Path,
    pub(super) progress: Arc<dyn Progress>,
}

/// How models are reached.
pub(super) enum Access {
    /// Not at all.
    None,
    /// Over the network; the files hold keys.
    Live { upstreams: Upstreams, files: Vec<PathBuf> },
    /// A record answers.
    Recorded(Recorded),
}

impl Access {
    /// Over the network, with the keys of the process.
    pub(super) fn live(secrets: &Secrets) -> Result<Self, Usage> {
        let variable = |name: &str| secrets.variable(name);
        let told = |error: GatewayError| Usage(error.to_string());
        let keys = Keys::from_variables(&variable).map_err(told)?;
        let upstreams = Upstreams::new(&keys, &variable).map_err(told)?;
        Ok(Self::Live { upstreams, files: keys.files().to_vec() })
    }
}

/// Works on a case and reads its record back.
pub(super) fn work(work: Work<'_>) -> anyhow::Result<RunRecord> {
    let scratch = Scratch::new(work.keep)?;
    let store = Arc::new(Store::open(work.repo, scratch.path())?);
    work.progress.stage("preparing the project");
    // The settings say which commit has the bug, and are read from the commit that is checked out.
    let named = match work.base {
        Some(base) => base.to_owned(),
        None => Bench::settings(&store, store.resolve("HEAD")?, work.config.as_deref())?
            .run
            .base
            .unwrap_or_else(|| "HEAD".to_owned()),
    };
    let base = store.resolve(&named)?;
    let (access, hidden) = match work.access {
        Access::None => (None, Vec::new()),
        Access::Live { upstreams, files } => (Some((upstreams, None)), files),
        Access::Recorded(recorded) => (Some((Upstreams::default(), Some(recorded))), Vec::new()),
    };
    let setup = Setup {
        hidden,
        repository: work.repo.to_owned(),
        config: work.config.clone(),
        jobs: work.jobs,
        helper: helper()?,
        progress: work.progress.clone(),
    };
    let project = Bench::open(store, scratch, base, setup)?;
    let run = &project.config.run;
    let name = work.pipeline.or(run.pipeline.as_deref()).unwrap_or("default");
    let mut pipeline = Pipeline::load(name, &project)?.with_settings(run);
    if let Some(agent) = work.agent {
        pipeline = pipeline.with_agent(agent);
    }
    let record = Arc::new(Record::create(work.record)?);
    if let Some(folder) = &work.carry {
        carry(folder, &record)?;
    }
    let config = &project.config;
    let budget = config.budget.limits(work.budget_usd);
    let ledger = Arc::new(Ledger::new(budget, Prices::default().with(&config.prices)));
    let gateway = match access {
        Some((upstreams, recorded)) => {
            let sink = sink(&record, &work.progress);
            Some(Arc::new(Gateway::open(Settings { upstreams, recorded, ledger: ledger.clone(), sink })?))
        }
        None => None,
    };
    let agents = match work.agents {
        Some(agents) => agents,
        None => engine::open_agents(&pipeline, config, gateway.as_ref())?,
    };
    let text = format!("{}\n{}", work.issue.title, work.issue.body);
    let bench = LabBench::new(&project, text);
    let progress = work.progress.clone();
    let finished = engine::run(&Case {
        bench: &bench,
        issue: &work.issue,
        pipeline: &pipeline,
        agents: &agents,
        overrides: &project,
        record: &record,
        watcher: &|event| tell(progress.as_ref(), event),
        time: None,
        ledger: Some(&ledger),
    });
    // What is under way is recorded before the record is read.
    drop((agents, gateway));
    finished?;
    RunRecord::read(record.folder())
        .with_context(|| format!("failed to read {} back", record.folder().display()))
}

/// Takes over the exchanges of another record.
fn carry(folder: &Path, record: &Record) -> anyhow::Result<()> {
    for entry in Record::read(folder)? {
        if let Event::Exchange { exchange } = entry.event {
            for digest in [&exchange.request, &exchange.response] {
                record.store(&Record::load(folder, digest)?)?;
            }
            record.append(Event::Exchange { exchange })?;
        }
    }
    Ok(())
}

/// Where the gateway's exchanges go.
fn sink(record: &Arc<Record>, progress: &Arc<dyn Progress>) -> Sink {
    let (record, progress) = (record.clone(), progress.clone());
    Arc::new(move |exchange| {
        let kept = (|| {
            let (request, response) = (record.store(&exchange.request)?, record.store(&exchange.response)?);
            let exchange = ExchangeRecord {
                stage: exchange.stage,
                attempt: exchange.attempt,
                provider: exchange.provider,
                surface: exchange.surface.name().to_owned(),
                model: exchange.model,
                status: exchange.status,
                content_type: exchange.content_type,
                request,
                response,
                usage: exchange.usage,
                usd: exchange.usd,
                seconds: exchange.seconds,
                cut: exchange.cut,
                refused: exchange.refused,
            };
            record.append(Event::Exchange { exchange: Box::new(exchange) })
        })();
        if let Err(error) = kept {
            progress.stage(&format!("an exchange with a model could not be recorded: {error}"));
        }
    })
}

/// One line of progress for the events that a person waits for.
fn tell(progress: &dyn Progress, event: &Event) {
    match event {
        Event::Prompt { stage, attempt, .. } => progress.stage(&format!("{stage}, attempt {attempt}")),
        Event::AttemptRefused { stage, attempt, refusal } => {
            progress.stage(&format!("refused ({stage}, attempt {attempt}): {}", refusal.reason));
        }
        Event::Sealed { digest, .. } => {
            progress.stage(&format!(
                "the test is red on the buggy code and sealed ({})",
                &digest[..10.min(digest.len())]
            ));
        }
        _ => {}
    }
}

/// What `--post` would send, for a reader of a dry run.
pub(super) fn dry_run(report: &Report) -> String {
    let text = render(Format::Markdown, report, Style::default());
    format!("\nDry run: nothing was posted. This is the review that would be:\n\n{}\n", text.trim_end())
}

/// The exit code of a run.
pub(super) fn exit_code(view: &RunRecord) -> ExitCode {
    let Some(ending) = &view.ending else { return ExitCode::Inconclusive };
    match ending.outcome {
        Outcome::Fixed => {
            view.verdict.as_ref().map_or(ExitCode::Inconclusive, |verdict| verdict.verdict.into())
        }
        Outcome::NotReproduced | Outcome::NeedsInfo | Outcome::AlreadyFixed => ExitCode::NotReproduced,
        Outcome::NotFixed => ExitCode::Refused,
        Outcome::Disputed => ExitCode::NeedsHuman,
        Outcome::OverBudget => ExitCode::OverBudget,
        Outcome::Aborted => ExitCode::Inconclusive,
    }
}
