//! What the subcommands that talk to GitHub share.

use std::time::Duration;

use clap::Args;

use super::Usage;
use super::output::write_stdout;
use crate::exit_code::ExitCode;
use crate::github::client::{Client, Pace, Server};
use crate::github::plan::Publication;
use crate::github::publish::{Published, Publisher};
use crate::github::secrets::Scanner;

/// How GitHub is talked to.
#[derive(Debug, Args)]
pub(super) struct Talk {
    /// Seconds between two writes; GitHub asks for one. A GitHub Enterprise Server usually has no limits.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    pace: f64,
}

/// A client for the server that the environment names, with its token.
pub(super) fn client(talk: &Talk) -> anyhow::Result<Client> {
    let write = Duration::try_from_secs_f64(talk.pace)
        .map_err(|_| Usage(format!("--pace {} is no time", talk.pace)))?;
    let token = ["GITHUB_TOKEN", "GH_TOKEN"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    Ok(Client::new(Server::from_environment(), token, Pace { write, ..Pace::default() })?)
}

/// Whether a publication is only shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Really {
    /// It is shown.
    Dry,
    /// It is carried out.
    Wet,
}

/// Publishes, or shows what would be published, and tells what stands.
pub(super) fn publish(
    client: &Client,
    publication: &Publication,
    really: Really,
) -> anyhow::Result<ExitCode> {
    let mut publisher = Publisher::new(client, Scanner::from_environment());
    if really == Really::Dry {
        let (plan, known) = publisher.plan(publication)?;
        let mut out = format!("Dry run: nothing is written. {} writes are missing.\n", plan.steps.len());
        for note in &plan.notes {
            out.push_str(&format!("Note: {}\n", crate::report::visible::visible_line(note)));
        }
        for (number, step) in plan.steps.iter().enumerate() {
            out.push_str(&format!("\n{}. {step}\n", number + 1));
            let text = publisher.text_of(publication, &known, step);
            out.extend(text.lines().map(|line| format!("   {line}").trim_end().to_owned() + "\n"));
        }
        write_stdout(&out)?;
        return Ok(ExitCode::Verified);
    }
    let published = publisher.publish(publication)?;
    write_stdout(&told(&published))?;
    // Nothing landed is not green.
    Ok(if published.confirmed { ExitCode::Verified } else { ExitCode::Inconclusive })
}

fn told(published: &Published) -> String {
    let visible = crate::report::visible::visible_line;
    let mut out = String::new();
    for done in &published.done {
        out.push_str(&format!("✓ {done}\n"));
    }
    for (step, reason) in &published.failed {
        out.push_str(&format!("✗ {step}: {}\n", visible(reason)));
    }
    for note in &published.notes {
        out.push_str(&format!("Note: {}\n", visible(note)));
    }
    let standing = match (published.confirmed, published.done.is_empty()) {
        (true, true) => "Everything was in place; nothing was written.",
        (true, false) => "Everything is in place, as a last look at GitHub showed.",
        (false, _) => "Not everything is in place. Running this again goes on from here.",
    };
    let count = published.count;
    out.push_str(&format!("{standing} ({} requests, {} of them writes)\n", count.requests, count.writes));
    out
}
