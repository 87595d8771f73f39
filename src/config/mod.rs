//! `failfirst.toml`: the settings of the repository that is judged.
//!
//! All of it is optional. It is read from the base commit, never from the change under judgement,
//! so that a fix cannot relax the rules that judge it.

mod budget;
mod value;

use std::collections::BTreeMap;
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use value::{CommandLine, Repeats, TimeLimit};

pub use budget::{Budget, StageBudget};

use crate::agent::gateway::{Price, Provider};
use crate::agent::presets;
use crate::lang::RunnerSettings;
use crate::lang::protected::Class;

/// The name of the file, at the root of the repository.
pub const FILE_NAME: &str = "failfirst.toml";

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}; leave out --config to work with the defaults")]
    Read {
        /// Which file.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The file is no TOML, or a key or a value in it is unknown.
    #[error("{origin}, line {line} (`{text}`): {message}; `failfirst schema config` lists every key")]
    Value {
        /// Which file.
        origin: String,
        /// The line, counted from 1.
        line: usize,
        /// The line as written.
        text: String,
        /// What is wrong.
        message: String,
    },
    /// A setting contradicts another.
    #[error("{origin}: {message}")]
    Contradiction {
        /// Which file.
        origin: String,
        /// What is wrong, and the way out.
        message: String,
    },
}

/// The settings of a repository.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the project is written in.
    pub project: Project,
    /// How its tests are run.
    pub test: Test,
    /// Which files are what.
    pub paths: Paths,
    /// How runs are isolated.
    pub sandbox: Sandbox,
    /// What the gates insist on.
    pub gates: Gates,
    /// The agents that `failfirst run` may start, by name.
    pub agents: BTreeMap<String, Agent>,
    /// How `failfirst run` goes about a case.
    pub run: Run,
    /// Who may start cases on GitHub, and how.
    pub github: GitHub,
    /// What `failfirst run` may use.
    pub budget: Budget,
    /// What models cost, in USD per million tokens, by name: corrects failfirst's own table.
    pub prices: BTreeMap<String, Price>,
}

/// `[github]`: who may start cases on GitHub, and how.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GitHub {
    /// The label that starts a case when it is added to an issue. Default: `"failfirst"`.
    pub label: String,
    /// The least permission on the repository of whoever adds the label or comments a command.
    /// Default: `"write"`.
    pub permission: GitHubPermission,
}

impl Default for GitHub {
    fn default() -> Self {
        Self { label: "failfirst".to_owned(), permission: GitHubPermission::default() }
    }
}

/// A permission on a repository.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GitHubPermission {
    /// May triage issues.
    Triage,
    /// May push.
    #[default]
    Write,
    /// May maintain the repository.
    Maintain,
    /// May do everything.
    Admin,
}

/// `[project]`: what the project is written in.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Project {
    /// The language: `python`, `javascript` (or `typescript`), `rust`, `go`. Default: recognised from the
    /// files of the base commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The test runner: `pytest`, `unittest`, `jest`, `vitest`, `mocha`, `node`, `cargo`, `nextest`, `go`.
    /// Default: recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// Shell commands that install the dependencies, run once in a clone of the base commit before
    /// anything else. Default: none, since the checkout is used as its owner prepared it.
    pub setup: Vec<String>,
}

/// `[test]`: how tests are run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Test {
    /// The command for named tests; `{tests}` stands for the selection, which otherwise goes to the
    /// end. Report flags are added by failfirst. Default: the runner's usual command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// The command for the whole suite. Default: the runner's usual command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suite: Option<CommandLine>,
    /// Variables for every test run. Default: none.
    pub env: BTreeMap<String, String>,
    /// How long one run may take. Default: `"10m"`.
    pub timeout: TimeLimit,
    /// How often a test must show the same result; at least 3. Default: 3.
    pub repeats: Repeats,
}

/// `[paths]`: which files are what, as globs from the root of the repository (`**` crosses folders).
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Paths {
    /// Test files, besides those that the language knows. Default: none.
    pub tests: Vec<String>,
    /// Production files, also where the language would take them for tests. Default: none.
    pub production: Vec<String>,
    /// Files that a fix may not touch, besides the protected classes. Default: none.
    pub protected: Vec<String>,
}

/// `[paths]`, ready to match.
#[derive(Clone, Debug, Default)]
pub struct PathGlobs {
    /// `paths.tests`.
    pub tests: GlobSet,
    /// `paths.production`.
    pub production: GlobSet,
    /// `paths.protected`.
    pub protected: GlobSet,
}

/// `[sandbox]`: how runs are isolated.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sandbox {
    /// How much isolation is insisted on. Default: `"auto"`.
    pub level: Level,
}

/// How much isolation is insisted on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Nothing runs unless every layer is there.
    Required,
    /// The strongest that the machine offers; what is missing is reported.
    #[default]
    Auto,
    /// None; every report says so.
    Off,
}

/// `[gates]`: what the gates insist on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gates {
    /// Which other tests must still pass. Anything but `"suite"` is shown in every report.
    /// Default: `"suite"`.
    pub regressions: Regressions,
    /// What a change to a protected file amounts to, by class.
    pub protected: Protected,
    /// How many small changes of the changed lines are tried at most, each by a run of the replication
    /// tests, 0 to 1000; 0 switches that off. Default: 20.
    pub mutants: Mutants,
}

/// `gates.mutants`: how many small changes are tried at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Mutants(pub u32);

impl Default for Mutants {
    fn default() -> Self {
        Self(20)
    }
}

/// Which other tests must still pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Regressions {
    /// All tests of the project.
    #[default]
    Suite,
    /// The tests of the files that the change touches or that import what it touches.
    Related,
    /// None.
    Off,
}

/// `[gates.protected]`: what a change to a protected file amounts to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Protected {
    /// Configuration of the test runner or of its interpreter. Default: `"refuse"`.
    pub runner: Rule,
    /// Lockfiles and vendored dependencies. Default: `"refuse"`.
    pub dependencies: Rule,
    /// Continuous integration. Default: `"refuse"`.
    pub ci: Rule,
    /// Files that steer git. Default: `"refuse"`.
    pub git: Rule,
    /// Instructions for coding agents. Default: `"refuse"`.
    pub agent_instructions: Rule,
    /// What `paths.protected` lists. Default: `"refuse"`.
    pub configured: Rule,
}

impl Protected {
    /// The rule for a class.
    pub fn rule(&self, class: Class) -> Rule {
        match class {
            Class::Runner => self.runner,
            Class::Dependencies => self.dependencies,
            Class::Ci => self.ci,
            Class::Git => self.git,
            Class::AgentInstructions => self.agent_instructions,
            Class::Configured => self.configured,
        }
    }
}

/// What a change to a protected file amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The change is refused.
    #[default]
    Refuse,
    /// A person must look at it.
    Human,
}

/// `[agents.NAME]`: a program that works on a case.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Agent {
    /// The program and its arguments, started without a shell in the workspace. `{prompt}` stands for
    /// the path of a file with the prompt, `{reply}` for the path where the reply's JSON is expected,
    /// `{schema}` for the path of that JSON's schema, `{workspace}` for the folder of the project. Without
    /// `{prompt}` the prompt comes on standard input; without a reply file the last JSON object on
    /// standard output is the reply.
    /// Default: none; a preset brings its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// A program that failfirst knows how to use, instead of a command: `claude`, `codex`, `gemini`,
    /// `opencode`, `mini`. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// With a preset: the program, by name or path. Default: the preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// With a preset: the model. Default: the program's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// With a preset: further arguments. Default: none.
    pub arguments: Vec<String>,
    /// With a command: the provider that the program calls. Its address and a token that works during
    /// the attempt stand in the variables that the provider's own clients read (`ANTHROPIC_BASE_URL`
    /// and `ANTHROPIC_API_KEY`, and their like). Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// The names of variables that are passed on from failfirst's own environment; never those of
    /// keys. Default: none.
    pub env: Vec<String>,
    /// Whether the program may use the network. Models are reached without. Default: `"none"`.
    pub network: Network,
    /// How long one attempt may take. Default: `"30m"`.
    pub timeout: TimeLimit,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            command: None,
            preset: None,
            program: None,
            model: None,
            arguments: Vec::new(),
            provider: None,
            env: Vec::new(),
            network: Network::default(),
            timeout: TimeLimit::of_agents(),
        }
    }
}

/// Whether a program may use the network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Network {
    /// Loopback only.
    #[default]
    None,
    /// The network of the machine.
    Host,
}

/// `[run]`: how a case is worked on.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// The pipeline, by name. Default: `"default"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// The agent of every stage that names none. Default: none; `--agent` overrides all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The agent that writes the replication test. Default: `run.agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analyst: Option<String>,
    /// The agent that repairs the code. Default: `run.agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixer: Option<String>,
    /// The agent that reads the result. Default: `run.agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewer: Option<String>,
    /// How often a stage may try. Default: what the pipeline says.
    pub attempts: Attempts,
    /// The revision with the bug. Default: the commit that is checked out; `--base` overrides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

/// `run.attempts`: how often a stage may try.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attempts {
    /// The analyst, 1 to 20. Default: 3, as the pipeline `default` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20))]
    pub analyst: Option<u32>,
    /// The fixer, 1 to 20. Default: 3, as the pipeline `default` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 20))]
    pub fixer: Option<u32>,
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or as [`Config::parse`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let origin = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: origin.clone(), source })?;
        Self::parse(&text, &origin)
    }

    /// Reads the text of the [`FILE_NAME`] of a git tree; `None` stands for a tree without one.
    ///
    /// # Errors
    /// As [`Config::parse`].
    pub fn from_tree_text(text: Option<&str>) -> Result<Self, ConfigError> {
        text.map_or_else(|| Ok(Self::default()), |text| Self::parse(text, FILE_NAME))
    }

    /// Reads TOML; `origin` names it in errors.
    ///
    /// # Errors
    /// A syntax error, an unknown key, a value out of range, an agent that is not defined.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
            ConfigError::Value {
                origin: origin.to_owned(),
                line,
                text: text.lines().nth(line - 1).unwrap_or_default().trim().to_owned(),
                message: error.message().trim().replace('\n', ", "),
            }
        })?;
        config.contradiction().map_or(Ok(()), |message| {
            Err(ConfigError::Contradiction { origin: origin.to_owned(), message })
        })?;
        Ok(config)
    }

    fn contradiction(&self) -> Option<String> {
        let run = &self.run;
        let stages = [
            ("run.agent", &run.agent),
            ("run.analyst", &run.analyst),
            ("run.fixer", &run.fixer),
            ("run.reviewer", &run.reviewer),
        ];
        for (key, name) in stages {
            if let Some(name) = name
                && !self.agents.contains_key(name)
                && presets::named(name).is_none()
            {
                return Some(format!(
                    "`{key} = \"{name}\"` names no agent; define it as [agents.{name}] with a command"
                ));
            }
        }
        if let Some(problem) = self.agents.iter().find_map(|(name, agent)| agent.contradiction(name)) {
            return Some(problem);
        }
        if let Some(problem) = self.budget.contradiction() {
            return Some(problem);
        }
        for (key, attempts) in [("analyst", run.attempts.analyst), ("fixer", run.attempts.fixer)] {
            if attempts.is_some_and(|count| !(1..=20).contains(&count)) {
                return Some(format!("`run.attempts.{key}` must be between 1 and 20"));
            }
        }
        if self.gates.mutants.0 > 1000 {
            return Some("`gates.mutants` must be between 0 and 1000".to_owned());
        }
        self.paths.globs().err()
    }

    /// What the adapters of languages obey.
    pub fn runner_settings(&self) -> RunnerSettings {
        RunnerSettings {
            runner: self.project.runner.clone(),
            command: self.test.command.as_ref().map(|line| line.template().clone()),
            suite: self.test.suite.as_ref().map(|line| line.template().clone()),
        }
    }
}

impl Agent {
    fn contradiction(&self, name: &str) -> Option<String> {
        let one = |what: &str| Some(format!("[agents.{name}]: {what}"));
        match (&self.command, &self.preset) {
            (None, None) => one("neither a command nor a preset is set; set one of them"),
            (Some(_), Some(_)) => one("a command and a preset are set; take one of them out"),
            (None, Some(preset)) if presets::named(preset).is_none() => {
                one(&format!("`preset = \"{preset}\"` is none of {}", presets::names()))
            }
            (None, Some(_)) if self.provider.is_some() => {
                one("`provider` is for commands; a preset has its own")
            }
            (Some(_), None)
                if self.program.is_some() || self.model.is_some() || !self.arguments.is_empty() =>
            {
                one("`program`, `model` and `arguments` are for presets; write them into the command")
            }
            _ => None,
        }
    }
}

impl Paths {
    /// The globs, ready to match repository paths.
    ///
    /// # Errors
    /// A fragment that names the key and the glob that cannot be used.
    pub fn globs(&self) -> Result<PathGlobs, String> {
        let set = |key: &str, globs: &[String]| {
            let mut set = GlobSetBuilder::new();
            for text in globs {
                let glob = Glob::new(text).map_err(|error| {
                    format!("`paths.{key}` holds \"{text}\", which is no glob: {}", error.kind())
                })?;
                set.add(glob);
            }
            set.build().map_err(|error| format!("`paths.{key}` is too large: {error}"))
        };
        Ok(PathGlobs {
            tests: set("tests", &self.tests)?,
            production: set("production", &self.production)?,
            protected: set("protected", &self.protected)?,
        })
    }
}

#[cfg(test)]
mod tests;
