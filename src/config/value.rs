//! Values of the settings that are more than a string or a number.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lang::Template;

/// A command line, split as a shell does but started without one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct CommandLine {
    text: String,
    template: Template,
}

impl CommandLine {
    /// Splits `text`.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn new(text: impl Into<String>) -> Result<Self, String> {
        let text = text.into();
        let template = Template::parse(&text)?;
        Ok(Self { text, template })
    }

    /// The words, with their placeholders.
    pub fn template(&self) -> &Template {
        &self.template
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for CommandLine {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::new(text).map_err(|what| format!("the command {what}"))
    }
}

impl From<CommandLine> for String {
    fn from(line: CommandLine) -> Self {
        line.text
    }
}

/// How long something may take, written as `"90s"`, `"10m"` or `"1h 30m"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TimeLimit(Duration);

impl TimeLimit {
    /// A limit of whole seconds, at least one.
    pub fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds.max(1)))
    }

    /// The duration.
    pub fn get(self) -> Duration {
        self.0
    }

    pub(super) fn of_agents() -> Self {
        Self::from_secs(30 * 60)
    }
}

impl Default for TimeLimit {
    fn default() -> Self {
        Self::from_secs(10 * 60)
    }
}

impl TryFrom<String> for TimeLimit {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let duration: jiff::SignedDuration = text.parse().map_err(|_| {
            format!("\"{text}\" is no duration; write it with a unit, as in \"90s\", \"10m\" or \"1h 30m\"")
        })?;
        match Duration::try_from(duration) {
            Ok(duration) if duration >= Duration::from_secs(1) => Ok(Self(duration)),
            _ => Err(format!("\"{text}\" is too short; a time limit is at least one second")),
        }
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(duration) => write!(f, "{duration:#}"),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}

impl From<TimeLimit> for String {
    fn from(limit: TimeLimit) -> Self {
        limit.to_string()
    }
}

/// How often a result must repeat: 3 or more, since two runs cannot tell a flake from a fact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u32", into = "u32")]
pub struct Repeats(#[schemars(range(min = 3, max = 100))] u32);

impl Repeats {
    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Default for Repeats {
    fn default() -> Self {
        Self(3)
    }
}

impl TryFrom<u32> for Repeats {
    type Error = String;
    fn try_from(count: u32) -> Result<Self, String> {
        if (3..=100).contains(&count) {
            Ok(Self(count))
        } else {
            Err(format!("{count} repeats are outside 3 to 100"))
        }
    }
}

impl From<Repeats> for u32 {
    fn from(repeats: Repeats) -> Self {
        repeats.0
    }
}
