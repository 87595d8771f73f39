//! The files by which a job of GitHub Actions is told things and tells them.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

/// The largest step summary, in bytes: over it the upload fails and the step stays green.
const MAX_SUMMARY: usize = 1 << 20;

/// A value that may become an output: an enum or a number, never a text of somebody else's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    name: &'static str,
    value: String,
}

impl Output {
    /// An output. `None` where the value holds anything but letters, digits and `-_./`.
    pub fn new(name: &'static str, value: impl ToString) -> Option<Self> {
        let value = value.to_string();
        let plain = value.len() <= 200
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
        plain.then_some(Self { name, value })
    }
}

fn file(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn append(path: &PathBuf, text: &str) -> std::io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// Writes outputs to `GITHUB_OUTPUT`, each under a delimiter of its own that nobody can guess. Does
/// nothing outside a job.
///
/// # Errors
/// The file cannot be written.
pub fn outputs(values: &[Output]) -> std::io::Result<()> {
    let Some(path) = file("GITHUB_OUTPUT") else { return Ok(()) };
    let mut text = String::new();
    for output in values {
        let end = format!("end_{}", crate::lab::nonce(16));
        text.push_str(&format!("{}<<{end}\n{}\n{end}\n", output.name, output.value));
    }
    append(&path, &text)
}

/// Adds to the step's summary, within its limit. Does nothing outside a job.
///
/// # Errors
/// The file cannot be written.
pub fn summary(text: &str) -> std::io::Result<()> {
    let Some(path) = file("GITHUB_STEP_SUMMARY") else { return Ok(()) };
    let used = std::fs::metadata(&path).map(|about| about.len()).unwrap_or(0);
    let room = MAX_SUMMARY.saturating_sub(usize::try_from(used).unwrap_or(usize::MAX));
    let text = if text.len() + 1 > room {
        "The report does not fit into the summary of this step; it is in the artifact.\n".to_owned()
    } else {
        format!("{text}\n")
    };
    if text.len() > room { Ok(()) } else { append(&path, &text) }
}

/// The address of the run, for links.
pub fn run_address() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (server, repository, id) =
        (variable("GITHUB_SERVER_URL")?, variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?);
    id.parse::<u64>().ok()?;
    let repository = crate::report::Repository::new(&server, &repository)?;
    Some(format!("{}/actions/runs/{id}", repository.url()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_forge_an_output_is_none() {
        for bad in ["a\nb=c", "$(id)", "a b", "::set-output", "é", &"x".repeat(201)] {
            assert_eq!(Output::new("x", bad), None, "{bad:?}");
        }
        for good in ["", "true", "12", "needs-human", "1a2b3c4d", "acme/hotel"] {
            assert!(Output::new("x", good).is_some(), "{good:?}");
        }
    }
}
