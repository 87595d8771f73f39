//! The command line: one file a subcommand.

mod action;
mod demo;
mod doctor;
mod github;
mod init;
mod output;
mod publish;
mod replay;
mod run;
mod schema;
mod secrets;
mod show;
mod verify;

use clap::{Parser, Subcommand};

use crate::exit_code::ExitCode;

/// Turns a bug report into a proven fix.
#[derive(Debug, Parser)]
#[command(name = "failfirst", version, about, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge a change: does its test fail on the buggy code, and does the fix turn it green?
    Verify(verify::Arguments),
    /// Work on an issue: an analyst writes a failing test, a fixer repairs the code, gates judge both.
    Run(run::Arguments),
    /// Show the report of a run again.
    Show(show::Arguments),
    /// Put the result of a run on GitHub, or show what would be put there.
    Publish(publish::Arguments),
    /// The jobs of the GitHub Action.
    Action(action::Arguments),
    /// Write a workflow and a commented failfirst.toml into a repository.
    Init(init::Arguments),
    /// Do again what a recorded run did, without a model: the gates judge anew.
    Replay(replay::Arguments),
    /// Say what works on this machine: sandbox, test runners, models, agents.
    Doctor(doctor::Arguments),
    /// See the gates at work on a small example; needs git and python3.
    Demo(demo::Arguments),
    /// Print the JSON schema of a file or a report.
    Schema(schema::Arguments),
}

/// Wrong usage that the argument parser cannot see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(pub(crate) String);

/// Parses the arguments of the process and carries out what they say.
///
/// # Errors
/// What the subcommand could not do.
pub fn run() -> anyhow::Result<ExitCode> {
    let (arguments, secrets) = secrets::take(std::env::args_os())?;
    match Cli::parse_from(arguments).command {
        Command::Verify(arguments) => verify::run(arguments),
        Command::Run(arguments) => run::run(arguments, &secrets),
        Command::Show(arguments) => show::run(&arguments),
        Command::Publish(arguments) => publish::run(&arguments),
        Command::Action(arguments) => action::run(arguments, &secrets),
        Command::Init(arguments) => init::run(&arguments),
        Command::Replay(arguments) => replay::run(arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Schema(arguments) => schema::run(&arguments),
    }
}
