//! Pipelines in TOML: the embedded ones, and those of the target repository under
//! `.failfirst/pipelines/NAME.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Overrides;
use crate::agent::Stage;
use crate::config;
use crate::gate::verdict::{Check, MANDATORY};

/// The pipelines that failfirst brings.
const EMBEDDED: [(&str, &str); 3] = [
    ("default", include_str!("../../pipelines/default.toml")),
    ("analyse-only", include_str!("../../pipelines/analyse-only.toml")),
    ("verify", include_str!("../../pipelines/verify.toml")),
];

/// Where a repository may put its own.
pub const FOLDER: &str = ".failfirst/pipelines";

const MAX_ATTEMPTS: u32 = 20;

/// Why a pipeline cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpecError {
    /// There is none of this name.
    #[error("pipeline `{name}` is unknown; known are {known}; a repository's own lie in {FOLDER}/NAME.toml")]
    Unknown {
        /// As given.
        name: String,
        /// The embedded ones.
        known: String,
    },
    /// The file is not understood.
    #[error("pipeline {file}: {what}")]
    Form {
        /// Which file.
        file: String,
        /// What is wrong, and the way out.
        what: String,
    },
}

/// A pipeline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: String,
    /// The stages, in order.
    pub stages: Vec<StageSpec>,
    /// The checks that must be answered before anything is verified, in the catalogue's order.
    pub gates: Vec<Check>,
}

/// The file of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineFile {
    /// What the pipeline is for, in one sentence.
    #[serde(default)]
    about: String,
    /// The stages. They always work in the order analyst, fixer, reviewer, and a stage needs the ones
    /// before it. Default: none, so that only the gates judge.
    #[serde(default)]
    stage: Vec<StageSpec>,
    /// The gates, by name or number (`red` or `K1`), that must be answered before anything is verified.
    /// Gates can be added to the mandatory ones and none of those left out. Default: the mandatory ones.
    #[serde(default)]
    gates: Option<Vec<String>>,
}

/// A stage of a pipeline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// Which stage.
    pub name: Stage,
    /// The agent, by its name in `failfirst.toml`. Default: what `[run]` says there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The template of the prompt: one of failfirst's own, or a file below `.failfirst/prompts` of the
    /// repository. Default: `STAGE.md.j2`.
    #[serde(default)]
    pub prompt: String,
    /// How often the stage may try, 1 to 20. Default: 3 for analyst and fixer, 1 for the reviewer.
    #[serde(default)]
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
}

impl Pipeline {
    /// The pipeline of this name: the repository's own, else an embedded one.
    ///
    /// # Errors
    /// [`SpecError`].
    pub fn load(name: &str, overrides: &dyn Overrides) -> Result<Self, SpecError> {
        let plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let file = format!("{FOLDER}/{name}.toml");
        if let Some(text) = overrides.text(&file).filter(|_| plain) {
            return Self::parse(name, &text, &file);
        }
        let embedded = EMBEDDED.iter().find(|(known, _)| *known == name);
        let Some((_, text)) = embedded else {
            let known = EMBEDDED.map(|(known, _)| known).join(", ");
            return Err(SpecError::Unknown { name: name.to_owned(), known });
        };
        Self::parse(name, text, &format!("pipelines/{name}.toml"))
    }

    /// Reads a pipeline; `file` names it in errors.
    ///
    /// # Errors
    /// [`SpecError::Form`].
    pub fn parse(name: &str, text: &str, file: &str) -> Result<Self, SpecError> {
        let form = |what: String| SpecError::Form { file: file.to_owned(), what };
        let parsed: PipelineFile = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = text.as_bytes()[..start].iter().filter(|&&byte| byte == b'\n').count() + 1;
            form(format!("line {line}: {}; `failfirst schema pipeline` lists every key", error.message()))
        })?;
        let gates = gates(parsed.gates.as_deref()).map_err(form)?;
        let mut stages = parsed.stage;
        for stage in &mut stages {
            if stage.prompt.is_empty() {
                stage.prompt = format!("{}.md.j2", stage.name);
            }
            if stage.attempts == 0 {
                stage.attempts = if stage.name == Stage::Reviewer { 1 } else { 3 };
            }
            if stage.attempts > MAX_ATTEMPTS {
                let (name, most) = (stage.name, MAX_ATTEMPTS);
                return Err(form(format!("`attempts` of the stage `{name}` must be between 1 and {most}")));
            }
        }
        for (index, stage) in stages.iter().enumerate() {
            if stage.name != Stage::ALL[index.min(2)] || index > 2 {
                return Err(form(format!(
                    "the stage `{}` stands at place {}; the order is analyst, fixer, reviewer, without gaps",
                    stage.name,
                    index + 1
                )));
            }
        }
        Ok(Self { name: name.to_owned(), about: parsed.about, stages, gates })
    }

    /// The stage, where the pipeline has it.
    pub fn stage(&self, stage: Stage) -> Option<&StageSpec> {
        self.stages.iter().find(|spec| spec.name == stage)
    }

    /// With the attempts and the agents of `[run]` in the settings.
    #[must_use]
    pub fn with_settings(mut self, run: &config::Run) -> Self {
        for stage in &mut self.stages {
            let (agent, attempts) = match stage.name {
                Stage::Analyst => (&run.analyst, run.attempts.analyst),
                Stage::Fixer => (&run.fixer, run.attempts.fixer),
                Stage::Reviewer => (&run.reviewer, None),
            };
            if let Some(agent) = agent.as_ref().or(run.agent.as_ref()) {
                stage.agent.get_or_insert_with(|| agent.clone());
            }
            stage.attempts = attempts.unwrap_or(stage.attempts);
        }
        self
    }

    /// With one agent for all stages, as `--agent` asks.
    #[must_use]
    pub fn with_agent(mut self, agent: &str) -> Self {
        for stage in &mut self.stages {
            stage.agent = Some(agent.to_owned());
        }
        self
    }
}

/// The checks that a list of names stands for. None of the mandatory ones may be missing.
fn gates(names: Option<&[String]>) -> Result<Vec<Check>, String> {
    let needed: Vec<_> = Check::ALL.into_iter().filter(is_needed).collect();
    let Some(names) = names else { return Ok(needed) };
    let mut found = Vec::new();
    for name in names {
        let check = Check::ALL
            .into_iter()
            .find(|check| check.name() == name || check.to_string() == *name)
            .ok_or_else(|| {
            let known = Check::ALL.map(Check::name).join(", ");
            format!("`gates` names `{name}`, which is no gate; known are {known}")
        })?;
        found.push(check);
    }
    if let Some(missing) = needed.iter().find(|check| !found.contains(check)) {
        let way_out = if *missing == Check::K12 {
            "; to do without, set `regressions = \"off\"` under [gates] in failfirst.toml, which every report then shows"
        } else {
            ""
        };
        return Err(format!(
            "`gates` leaves out `{}` ({missing}), which is mandatory: gates can be added and not removed{way_out}",
            missing.name()
        ));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn is_needed(check: &Check) -> bool {
    MANDATORY.contains(check) || *check == Check::K12
}

#[cfg(test)]
mod tests {
    use super::super::NoOverrides;
    use super::*;
    use crate::config::{Config, FILE_NAME};

    fn error(text: &str) -> String {
        Pipeline::parse("x", text, "x.toml").unwrap_err().to_string()
    }

    struct Own(&'static str);

    impl Overrides for Own {
        fn text(&self, path: &str) -> Option<String> {
            (path == ".failfirst/pipelines/default.toml").then(|| self.0.to_owned())
        }
    }

    #[test]
    fn the_embedded_pipelines_are_sound() {
        for (name, stages) in [("default", 3), ("analyse-only", 1), ("verify", 0)] {
            let pipeline = Pipeline::load(name, &NoOverrides).unwrap();
            assert_eq!(pipeline.stages.len(), stages, "{name}");
            assert!(MANDATORY.iter().all(|check| pipeline.gates.contains(check)), "{name}");
            assert!(pipeline.gates.contains(&Check::K12) && !pipeline.about.is_empty(), "{name}");
        }
        let unknown = Pipeline::load("../x", &NoOverrides).unwrap_err().to_string();
        assert!(unknown.contains("`../x` is unknown; known are default, analyse-only, verify"), "{unknown}");
    }

    #[test]
    fn no_mandatory_gate_can_be_left_out() {
        let all = ["scope", "red", "green", "inert", "canaries", "unfix", "regressions", "stability"];
        for (index, name) in all.iter().enumerate() {
            let mut names = all.to_vec();
            names.remove(index);
            let message = error(&format!("gates = {names:?}"));
            assert!(message.contains(&format!("leaves out `{name}`")), "{message}");
        }
        let more = Pipeline::parse("x", "gates = [\"K9\", \"scope\", \"red\", \"green\", \"inert\", \"canaries\", \"unfix\", \"K12\", \"stability\"]", "x").unwrap();
        assert!(more.gates.contains(&Check::K9));
        assert!(error("gates = [\"rad\"]").contains("`rad`, which is no gate; known are scope, red"));
    }

    #[test]
    fn stages_stand_in_order_and_without_gaps() {
        assert!(error("[[stage]]\nname = \"fixer\"").contains("`fixer` stands at place 1"));
        assert!(
            error("[[stage]]\nname = \"analyst\"\n[[stage]]\nname = \"reviewer\"").contains("without gaps")
        );
        assert!(error("[[stage]]\nname = \"analyst\"\nattempts = 21").contains("between 1 and 20"));
        assert!(
            error("[[stage]]\nname = \"analyst\"\nmodel = \"x\"").contains("line 3: unknown field `model`")
        );
    }

    #[test]
    fn a_repository_may_bring_its_own() {
        let own =
            Pipeline::load("default", &Own("about = \"ours\"\n[[stage]]\nname = \"analyst\"\n")).unwrap();
        assert_eq!((own.about.as_str(), own.stages.len()), ("ours", 1));
        assert_eq!((own.stages[0].prompt.as_str(), own.stages[0].attempts), ("analyst.md.j2", 3));
        let broken = Pipeline::load("default", &Own("gates = []")).unwrap_err().to_string();
        assert!(
            broken.starts_with("pipeline .failfirst/pipelines/default.toml: `gates` leaves out `scope`"),
            "{broken}"
        );
    }

    #[test]
    fn settings_name_agents_and_attempts() {
        let text = "[agents.a]\ncommand = \"x\"\n[agents.b]\ncommand = \"y\"\n[run]\nagent = \"a\"\nfixer = \"b\"\nattempts = { fixer = 7 }";
        let config = Config::parse(text, FILE_NAME).unwrap();
        let pipeline = Pipeline::load("default", &NoOverrides).unwrap().with_settings(&config.run);
        let agents: Vec<_> = pipeline.stages.iter().map(|stage| stage.agent.as_deref().unwrap()).collect();
        assert_eq!(agents, ["a", "b", "a"]);
        assert_eq!(pipeline.stage(Stage::Fixer).unwrap().attempts, 7);
        assert_eq!(pipeline.with_agent("c").stages[0].agent.as_deref(), Some("c"));
    }
}
