//! `failfirst action`: the jobs of the GitHub Action.
//!
//! `gate` reads the event and decides; `work` runs the agents; `verify` proves the result again on a
//! fresh machine; `publish` writes what verify signed off. Each job trusts only digests and outputs of
//! the job before it, never its words.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::Usage;
use super::github::{Really, Talk, client, publish};
use super::output::write_stdout;
use super::run::{Access, Work, work};
use super::secrets::Secrets;
use super::verify::helper;
use crate::config::{Config, GitHubPermission};
use crate::exit_code::ExitCode;
use crate::gate::judge::Extent;
use crate::git::{Oid, Store};
use crate::github::authorise::{self, Mode, Permission, Reason, Refused, Rules, Subject};
use crate::github::bundle::{self, Bundle};
use crate::github::client::{Client, Server};
use crate::github::event::Event;
use crate::github::join::{self, Surroundings};
use crate::github::publish::Publisher;
use crate::github::runner::{self, Output};
use crate::github::secrets::Scanner;
use crate::github::{fetch, prove};
use crate::issue::{GitHubIssue, Issue};
use crate::lab::{Keep, Scratch};
use crate::record::{Digest, default_folder};
use crate::report::Report;
use crate::report::markdown;
use crate::verify::{Inputs, Sealing, Setup};

/// Arguments of `failfirst action`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    job: Job,
}

#[derive(Debug, Subcommand)]
enum Job {
    /// Read the event and decide what is done; freeze the issue.
    Gate(Gate),
    /// Run the agents on a frozen issue and put the result into a bundle.
    Work(WorkArguments),
    /// Prove a bundle again, or judge a pull request, and sign off what was found.
    Verify(Verify),
    /// Publish what verify signed off.
    Publish(Publish),
    /// Tell a person, once, why nothing was done.
    Explain(Explain),
}

#[derive(Debug, Args)]
struct Gate {
    /// The checkout of the default branch, for its failfirst.toml.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// Where the frozen issue goes.
    #[arg(long, value_name = "FILE")]
    issue: PathBuf,
    /// The issue to work on, for events that name none (a schedule, a dispatch).
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    #[command(flatten)]
    talk: Talk,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// Find the cause and write a failing test.
    Analyse,
    /// The whole way to a proven fix.
    Fix,
}

#[derive(Debug, Args)]
struct WorkArguments {
    /// The prepared checkout.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The frozen issue.
    #[arg(long, value_name = "FILE")]
    issue: PathBuf,
    /// What to do.
    #[arg(long, value_enum, default_value_t = What::Fix)]
    mode: What,
    /// The commit with the bug.
    #[arg(long, value_name = "SHA")]
    base: String,
    /// The agent of every stage.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Where the record of the run goes.
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Where the bundle goes.
    #[arg(long, value_name = "FILE")]
    bundle: PathBuf,
}

#[derive(Debug, Args)]
struct Verify {
    /// The prepared checkout.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The bundle; without one a pull request is judged.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["pr", "head"])]
    bundle: Option<PathBuf>,
    /// The commit with the bug.
    #[arg(long, value_name = "SHA")]
    base: String,
    /// The number of the pull request.
    #[arg(long, value_name = "N", required_unless_present = "bundle")]
    pr: Option<u64>,
    /// The head that the gate let pass.
    #[arg(long, value_name = "SHA", required_unless_present = "bundle")]
    head: Option<String>,
    /// The remote that the pull request is fetched from.
    #[arg(long, value_name = "REMOTE", default_value = "origin")]
    remote: String,
    /// Where the sign-off goes.
    #[arg(long, value_name = "FILE")]
    signoff: PathBuf,
}

#[derive(Debug, Args)]
struct Publish {
    /// The bundle that verify proved; absent for a pull request.
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// What verify found.
    #[arg(long, value_name = "FILE")]
    signoff: PathBuf,
    /// The digest of it, from verify's outputs.
    #[arg(long, value_name = "SHA256")]
    digest: String,
    /// A label that must still be on the issue.
    #[arg(long, value_name = "LABEL")]
    trigger: Option<String>,
    /// Print the plan and every text, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    talk: Talk,
}

#[derive(Debug, Args)]
struct Explain {
    /// Who.
    #[arg(long, value_name = "LOGIN")]
    person: String,
    /// Why, as the gate called it.
    #[arg(long, value_name = "REASON")]
    reason: String,
    /// The number of the issue or the pull request.
    #[arg(long, value_name = "N")]
    number: u64,
    #[command(flatten)]
    talk: Talk,
}

pub(super) fn run(arguments: Arguments, secrets: &Secrets) -> anyhow::Result<ExitCode> {
    match arguments.job {
        Job::Gate(arguments) => gate(&arguments),
        Job::Work(arguments) => do_work(&arguments, secrets),
        Job::Verify(arguments) => verify(&arguments),
        Job::Publish(arguments) => do_publish(&arguments),
        Job::Explain(arguments) => explain(&arguments),
    }
}

fn repository() -> anyhow::Result<String> {
    let name = std::env::var("GITHUB_REPOSITORY").unwrap_or_default();
    if bundle::is_repository(&name) {
        return Ok(name);
    }
    Err(Usage(
        "GITHUB_REPOSITORY names no repository (owner/repo); is this a job of GitHub Actions?".to_owned(),
    )
    .into())
}

/// The rules of the commit that is checked out: the default branch's, since the workflow runs there.
fn rules(repo: &std::path::Path) -> anyhow::Result<Rules> {
    let file = repo.join(crate::config::FILE_NAME);
    let config = if file.is_file() { Config::load(&file)? } else { Config::default() };
    let permission = match config.github.permission {
        GitHubPermission::Triage => Permission::Triage,
        GitHubPermission::Write => Permission::Write,
        GitHubPermission::Maintain => Permission::Maintain,
        GitHubPermission::Admin => Permission::Admin,
    };
    Ok(Rules { label: config.github.label, permission })
}

fn tell(values: impl IntoIterator<Item = Option<Output>>) -> anyhow::Result<()> {
    let values: Vec<Output> = values.into_iter().flatten().collect();
    runner::outputs(&values).context("failed to write to GITHUB_OUTPUT")
}

fn gate(arguments: &Gate) -> anyhow::Result<ExitCode> {
    let (mut event, rules, name) = (Event::from_environment()?, rules(&arguments.repo)?, repository()?);
    if let Some(number) = arguments.number
        && matches!(event.name.as_str(), "schedule" | "workflow_dispatch")
    {
        event.payload.inputs = Some(serde_json::json!({ "issue": number.to_string() }));
    }
    let client = client(&arguments.talk)?;
    match pass(arguments, &event, &rules, &name, &client)? {
        Ok(values) => {
            write_stdout("The gate is open.\n")?;
            tell(values)?;
        }
        Err(refused) => {
            write_stdout(&format!("The gate stays closed: {}.\n", refused.reason.name()))?;
            runner::summary(&format!("failfirst did nothing: {}", explanation(refused.reason)))?;
            let person = refused.person.filter(|_| Reason::EXPLAINED.contains(&refused.reason));
            tell([
                Output::new("go", false),
                Output::new("reason", refused.reason.name()),
                Output::new("explain", person.is_some()),
                person.and_then(|person| Output::new("person", person)),
                refused.subject.and_then(|subject| Output::new("number", subject.number())),
            ])?;
        }
    }
    Ok(ExitCode::Verified)
}

type Values = Vec<Option<Output>>;

fn pass(
    arguments: &Gate,
    event: &Event,
    rules: &Rules,
    name: &str,
    client: &Client,
) -> anyhow::Result<Result<Values, Refused>> {
    let asked = match authorise::intent(event, rules) {
        Ok(asked) => asked,
        Err(refused) => return Ok(Err(refused)),
    };
    let permission = match &asked.sender {
        Some(login) => fetch::permission(client, name, login)?,
        None => Permission::None,
    };
    let pull = match asked.subject {
        Subject::Pull(number) => Some(fetch::pull(client, name, number)?),
        Subject::Issue(_) => None,
    };
    let bound = match authorise::decide(&asked, rules, permission, pull.as_ref().map(|(_, facts)| facts)) {
        Ok(bound) => bound,
        Err(refused) => return Ok(Err(refused)),
    };
    let (kind, base) = match (&asked.subject, &pull) {
        (Subject::Pull(_), Some((pull, _))) => ("pull", pull.base.sha.clone()),
        _ => ("issue", std::env::var("GITHUB_SHA").unwrap_or_default()),
    };
    if let (Subject::Issue(number), Mode::Fix | Mode::Analyse) = (asked.subject, asked.mode) {
        let (owner, repo) = name.split_once('/').unwrap_or((name, ""));
        let issue = GitHubIssue { host: None, owner: owner.to_owned(), repo: repo.to_owned(), number };
        let carried = event.payload.issue.as_ref();
        let at =
            asked.at.or_else(|| carried.and_then(|issue| issue.updated_at)).unwrap_or_else(Timestamp::now);
        let frozen = fetch::issue(client, &issue, carried, at)?;
        bundle::write(&frozen, &arguments.issue)?;
    }
    let trigger = (event.name == "issues").then(|| rules.label.clone());
    Ok(Ok(vec![
        Output::new("go", true),
        Output::new("explain", false),
        Output::new("mode", asked.mode),
        Output::new("kind", kind),
        Output::new("number", asked.subject.number()),
        Output::new("base", base),
        bound.and_then(|head| Output::new("head", head)),
        Output::new("dry-run", asked.dry),
        trigger.and_then(|label| Output::new("trigger", label)),
    ]))
}

fn setup(repo: &std::path::Path) -> anyhow::Result<Setup> {
    Ok(Setup {
        repository: repo.to_owned(),
        config: None,
        jobs: std::thread::available_parallelism().map_or(2, usize::from),
        helper: helper()?,
        hidden: Vec::new(),
        progress: crate::report::progress::on_stderr(),
    })
}

fn do_work(arguments: &WorkArguments, secrets: &Secrets) -> anyhow::Result<ExitCode> {
    let (issue, _): (Issue, Digest) = bundle::read(&arguments.issue)?;
    let crate::issue::Reference::GitHub(named) = issue.reference.clone() else {
        return Err(Usage(format!("{} is about no issue on GitHub", arguments.issue.display())).into());
    };
    let folder = match &arguments.record {
        Some(folder) => folder.clone(),
        None => default_folder(Timestamp::now()).map_err(Usage)?,
    };
    let progress = crate::report::progress::on_stderr();
    let view = work(Work {
        issue,
        repo: &arguments.repo,
        base: Some(&arguments.base),
        pipeline: (arguments.mode == What::Analyse).then_some("analyse-only"),
        agent: arguments.agent.as_deref(),
        agents: None,
        access: Access::live(secrets)?,
        budget_usd: None,
        carry: None,
        config: None,
        jobs: std::thread::available_parallelism().map_or(2, usize::from),
        keep: Keep::No,
        record: &folder,
        progress: progress.clone(),
    });
    progress.done();
    let view = view?;
    let scratch = Scratch::new(Keep::No)?;
    let store = Store::open(&arguments.repo, scratch.path())?;
    let base = store.resolve(&arguments.base)?;
    let name = format!("{}/{}", named.owner, named.repo);
    let outcome = view.ending.as_ref().map(|ending| ending.outcome.to_string());
    let bundle = Bundle::of_record(&store, base, &name, named.number, view)?;
    bundle::write(&bundle, &arguments.bundle)?;
    write_stdout(&format!(
        "The result ({}) is in {}.\n",
        outcome.as_deref().unwrap_or("none"),
        arguments.bundle.display()
    ))?;
    tell([outcome.and_then(|outcome| Output::new("outcome", outcome))])?;
    Ok(ExitCode::Verified)
}

fn verify(arguments: &Verify) -> anyhow::Result<ExitCode> {
    let signoff = match (&arguments.bundle, arguments.pr, &arguments.head) {
        (Some(file), _, _) => {
            let (own, digest) = Bundle::read(file)?;
            let base = Oid::try_from(arguments.base.clone()).map_err(Usage)?;
            let setup = setup(&arguments.repo)?;
            let progress = setup.progress.clone();
            let found = prove::bundle(&own, &digest, Some(base), setup, Keep::No);
            progress.done();
            found?
        }
        (None, Some(number), Some(head)) => {
            let head = fetch::pull_head(&arguments.repo, &arguments.remote, number, Some(head))?;
            let setup = setup(&arguments.repo)?;
            let progress = setup.progress.clone();
            let found = prove::pull(
                Inputs {
                    repository: setup.repository,
                    base: arguments.base.clone(),
                    head: head.clone(),
                    sealing: Sealing::Found,
                    config: None,
                    extent: Extent::UntilRefused,
                    jobs: setup.jobs,
                    keep: Keep::No,
                    helper: setup.helper,
                    progress: setup.progress,
                },
                &repository()?,
                number,
                &format!("failfirst verify --pr {number} --base {} --head {head}", arguments.base),
            );
            progress.done();
            found?
        }
        _ => return Err(Usage("name a --bundle, or --pr with --head".to_owned()).into()),
    };
    let digest = bundle::write(&signoff, &arguments.signoff)?;
    let word = signoff.verdict.as_ref().map(|verdict| verdict.verdict);
    if let Some(verdict) = &signoff.verdict {
        let report = Report::of(verdict.clone(), signoff.reproduce.clone());
        runner::summary(&markdown::render(&report))?;
    }
    write_stdout(&format!(
        "Signed off: {}.\n",
        word.map_or_else(|| "nothing to prove".to_owned(), |word| word.to_string())
    ))?;
    tell([
        Output::new("digest", digest.as_str()),
        Output::new("verdict", word.map_or_else(|| "none".to_owned(), |word| word.to_string())),
    ])?;
    // For a pull request the job is the check, where nothing may be published. A result of ours is told
    // by what is published about it.
    Ok(match (arguments.pr, word) {
        (Some(_), Some(word)) => word.into(),
        _ => ExitCode::Verified,
    })
}

fn do_publish(arguments: &Publish) -> anyhow::Result<ExitCode> {
    let surroundings = Surroundings {
        web: Server::from_environment().web,
        run: runner::run_address(),
        trigger: arguments.trigger.clone().filter(|label| !label.is_empty()),
    };
    let publication =
        join::read(arguments.bundle.as_deref(), &arguments.signoff, &arguments.digest, surroundings)?;
    let own = repository()?;
    if !publication.repository.eq_ignore_ascii_case(&own) {
        return Err(Usage(format!(
            "the sign-off is about {}, and this job runs in {own}",
            publication.repository
        ))
        .into());
    }
    runner::summary(&markdown::render(&publication.report))?;
    let really = if arguments.dry_run { Really::Dry } else { Really::Wet };
    publish(&client(&arguments.talk)?, &publication, really)
}

fn explain(arguments: &Explain) -> anyhow::Result<ExitCode> {
    let reason = Reason::of_name(&arguments.reason)
        .ok_or_else(|| Usage(format!("`{}` is no reason of the gate", arguments.reason.escape_debug())))?;
    if !authorise::is_login(&arguments.person) {
        return Err(Usage("--person is no name of a person on GitHub".to_owned()).into());
    }
    let client = client(&arguments.talk)?;
    let publisher = Publisher::new(&client, Scanner::from_environment());
    // Issues and pull requests share their numbers, and comments their route.
    let subject = Subject::Issue(arguments.number);
    let told = publisher.explain(&repository()?, subject, &arguments.person, explanation(reason))?;
    write_stdout(if told { "Explained.\n" } else { "It was explained before.\n" })?;
    Ok(ExitCode::Verified)
}

/// A reason as a sentence for the person.
fn explanation(reason: Reason) -> &'static str {
    match reason {
        Reason::NotForUs => "the event asks for nothing.",
        Reason::Bot => "bots start nothing.",
        Reason::Edited => "an edited comment starts nothing; write a new one.",
        Reason::Closed => "it is closed.",
        Reason::UnknownCommand => {
            "this command is unknown. Known are `/failfirst analyse`, `test`, `fix`, `verify`, `retry` and `stop`."
        }
        Reason::SeveralCommands => "the comment holds commands that differ; write one.",
        Reason::WrongSubject => {
            "this command does not fit here: `verify` is for pull requests, `analyse`, `test` and `fix` are for issues."
        }
        Reason::Permission => "it takes more rights on this repository to start failfirst; ask a maintainer.",
        Reason::NeedsCommit => {
            "this pull request comes from another repository. Read the commit, then approve exactly it with \
             `/failfirst verify COMMIT` (its first seven digits or more)."
        }
        Reason::OtherCommit => {
            "the head of this pull request is another commit than the one that was asked for."
        }
        Reason::Inputs => "the inputs must name one issue or one pull request by its number.",
    }
}
