//! The agent programs that people have: how each is started without a person, where its endpoint is
//! set, how edits are permitted, and how its reply is read. One file each.
//!
//! Adding one is a file here, a line in [`ALL`] and its place in the test against the real programs.

mod agent;
mod claude;
mod codex;
mod gemini;
mod mini;
mod opencode;
mod version;

use std::collections::BTreeMap;
use std::path::Path;

use super::gateway::{Lease, Provider};
use crate::lang::Output;

pub use agent::PresetAgent;
pub use version::Version;

/// All of them.
pub static ALL: [&dyn Preset; 5] =
    [&claude::Claude, &codex::Codex, &gemini::GeminiCli, &opencode::OpenCode, &mini::Mini];

/// The preset of a name.
pub fn named(name: &str) -> Option<&'static dyn Preset> {
    ALL.into_iter().find(|preset| preset.name() == name)
}

/// The names, for sentences.
pub fn names() -> String {
    ALL.map(Preset::name).join(", ")
}

/// A program that works on a case.
pub trait Preset: Sync {
    /// Its name in settings.
    fn name(&self) -> &'static str;

    /// Its name for people.
    fn title(&self) -> &'static str;

    /// The program's file name.
    fn program(&self) -> &'static str;

    /// How it is installed.
    fn install(&self) -> &'static str;

    /// The provider whose interface it speaks.
    fn provider(&self) -> Provider;

    /// The oldest version that takes the flags used here.
    fn oldest(&self) -> Version;

    /// What makes it tell its version.
    fn version_arguments(&self) -> &'static [&'static str] {
        &["--version"]
    }

    /// How it is started.
    fn launch(&self, start: &Start<'_>) -> Launch;

    /// What it replied.
    ///
    /// # Errors
    /// Why it came to nothing, in the program's words; `None` where it says nothing of the kind.
    fn reply(&self, output: &Output, desk: &Path) -> Result<String, Option<String>>;
}

/// What a start depends on.
pub struct Start<'a> {
    /// The program, as a name or a path.
    pub program: &'a str,
    /// The model, where the user names one.
    pub model: Option<&'a str>,
    /// The way to the model.
    pub lease: &'a Lease,
    /// The folder for prompt, reply and settings of the program, outside the project.
    pub desk: &'a Path,
    /// The prompt.
    pub prompt: &'a str,
    /// Whether a sandbox is around the program, so that its own would only be in the way.
    pub isolated: bool,
}

impl Start<'_> {
    fn desk(&self, file: &str) -> String {
        self.desk.join(file).to_string_lossy().into_owned()
    }
}

/// How a program is started.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Launch {
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its variables.
    pub env: BTreeMap<String, String>,
    /// Files on the desk: its settings.
    pub files: BTreeMap<String, String>,
    /// What it reads on standard input.
    pub stdin: Stdin,
}

/// What a program reads on standard input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Stdin {
    /// The prompt.
    #[default]
    Prompt,
    /// Nothing.
    Nothing,
}

impl Launch {
    fn with(arguments: &[&str], env: &[(&str, &str)]) -> Self {
        Self {
            arguments: arguments.iter().map(|word| (*word).to_owned()).collect(),
            env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            ..Self::default()
        }
    }

    fn arguments(mut self, more: &[&str]) -> Self {
        self.arguments.extend(more.iter().map(|word| (*word).to_owned()));
        self
    }

    fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.insert(name.to_owned(), value.into());
        self
    }

    fn file(mut self, name: &str, text: impl Into<String>) -> Self {
        self.files.insert(name.to_owned(), text.into());
        self
    }
}
