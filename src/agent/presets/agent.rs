//! Runs the program of a preset.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{Preset, Start, Stdin, Version};
use crate::agent::desk::{self, Desk};
use crate::agent::gateway::Gateway;
use crate::agent::{Agent, AgentError, Hands, Origin, Reply, Task, Terms};
use crate::config::{self, TimeLimit};
use crate::lab::{Bounds, Network};
use crate::lang::Invocation;

/// A program of which a preset knows how it is used.
pub struct PresetAgent {
    name: String,
    preset: &'static dyn Preset,
    program: String,
    model: Option<String>,
    arguments: Vec<String>,
    network: Network,
    timeout: TimeLimit,
    gateway: Arc<Gateway>,
    version: OnceLock<Version>,
}

impl PresetAgent {
    /// The agent of `[agents.NAME]` with a preset.
    ///
    /// # Errors
    /// The provider has no key.
    pub fn new(
        name: &str,
        preset: &'static dyn Preset,
        settings: &config::Agent,
        gateway: Arc<Gateway>,
    ) -> Result<Self, AgentError> {
        gateway
            .can_reach(preset.provider())
            .map_err(|error| AgentError::Setting { agent: name.to_owned(), what: error.to_string() })?;
        Ok(Self {
            name: name.to_owned(),
            preset,
            program: settings.program.clone().unwrap_or_else(|| preset.program().to_owned()),
            model: settings.model.clone(),
            arguments: settings.arguments.clone(),
            network: settings.network.into(),
            timeout: settings.timeout,
            gateway,
            version: OnceLock::new(),
        })
    }

    /// Checks the program once, where it will run.
    fn check(&self, hands: &dyn Hands) -> Result<(), AgentError> {
        if self.version.get().is_some() {
            return Ok(());
        }
        let preset = self.preset;
        let fail = |what: String| AgentError::Start { agent: self.name.clone(), what };
        let words = std::iter::once(self.program.as_str()).chain(preset.version_arguments().iter().copied());
        let version = Invocation::new(words)
            .env("MSWEA_CONFIGURED", "true")
            .env("CODEX_HOME", hands.desk().to_string_lossy());
        let terms =
            Terms { timeout: Duration::from_secs(60), network: Network::Loopback, bounds: Bounds::default() };
        let output = hands.run(&version, &terms).map_err(fail)?;
        let install = format!(
            "{} (`{}`) does not run: install it with `{}`, or name it by `program` under [agents.{}]",
            preset.title(),
            self.program,
            preset.install(),
            self.name
        );
        if output.code != Some(0) {
            return Err(fail(format!("{install}; it said: {}", desk::tail(&output.stderr, 300))));
        }
        let text = format!("{}\n{}", output.stdout, output.stderr);
        let Some(version) = Version::find(&text) else {
            return Err(fail(format!("{install}; it tells no version")));
        };
        if version < preset.oldest() {
            return Err(fail(format!(
                "{} is at version {version}, and this needs {} or newer: `{}`",
                preset.title(),
                preset.oldest(),
                preset.install()
            )));
        }
        let _ = self.version.set(version);
        Ok(())
    }
}

impl Agent for PresetAgent {
    fn name(&self) -> &str {
        &self.name
    }

    fn origin(&self) -> Origin {
        if self.gateway.is_replaying() { Origin::Replayed } else { Origin::Live }
    }

    fn act(&self, task: &Task, hands: &dyn Hands) -> Result<Reply, AgentError> {
        self.check(hands)?;
        let failed = |what: String| AgentError::Start { agent: self.name.clone(), what };
        let desk = Desk::lay(hands.desk(), task).map_err(failed)?;
        let lease = self.gateway.lease(task.stage, task.attempt);
        let launch = self.preset.launch(&Start {
            program: &self.program,
            model: self.model.as_deref(),
            lease: &lease,
            desk: hands.desk(),
            prompt: &task.prompt,
            isolated: hands.is_isolated(),
        });
        for (name, text) in &launch.files {
            desk.write(name, text).map_err(failed)?;
        }
        let words =
            std::iter::once(self.program.clone()).chain(launch.arguments).chain(self.arguments.clone());
        let mut invocation = match launch.stdin {
            Stdin::Prompt => desk.with_prompt_as_input(words),
            Stdin::Nothing => Invocation::new(words),
        };
        invocation.env.extend(launch.env);
        let terms = Terms { timeout: self.timeout.get(), network: self.network, bounds: lease.bounds() };
        let output = hands.run(&invocation, &terms).map_err(failed)?;
        let found = self.preset.reply(&output, hands.desk());
        desk::conclude(&self.name, Some(&lease), &terms, &output, found)
    }
}

impl From<config::Network> for Network {
    fn from(network: config::Network) -> Self {
        match network {
            config::Network::None => Self::Loopback,
            config::Network::Host => Self::Host,
        }
    }
}
