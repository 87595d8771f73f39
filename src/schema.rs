//! The JSON schemas that failfirst publishes, generated from the types themselves.
//!
//! Each is committed as `schemas/NAME.json`; a test compares the two. `FAILFIRST_BLESS=1 cargo
//! nextest run schema` writes them anew.

use schemars::{Schema, schema_for};

/// A published schema.
pub struct Published {
    /// Its name on the command line (`failfirst schema NAME`).
    pub name: &'static str,
    /// What it describes.
    pub about: &'static str,
    /// Generates it.
    pub generate: fn() -> Schema,
}

/// All schemas.
pub static ALL: &[Published] = &[
    Published {
        name: "config",
        about: "failfirst.toml, the settings of the repository that is judged",
        generate: || schema_for!(crate::config::Config),
    },
    Published {
        name: "claims-analyst",
        about: "the analyst's reply",
        generate: || schema_for!(crate::agent::claims::Analyst),
    },
    Published {
        name: "claims-fixer",
        about: "the fixer's reply",
        generate: || schema_for!(crate::agent::claims::Fixer),
    },
    Published {
        name: "claims-reviewer",
        about: "the reviewer's reply",
        generate: || schema_for!(crate::agent::claims::Reviewer),
    },
    Published {
        name: "pipeline",
        about: "a pipeline, as in .failfirst/pipelines/NAME.toml",
        generate: || schema_for!(crate::pipeline::spec::PipelineFile),
    },
    Published {
        name: "script",
        about: "a script of attempts that `--agent script:FILE` plays",
        generate: || schema_for!(crate::agent::Script),
    },
    Published {
        name: "verdict",
        about: "what `failfirst verify --format json` prints",
        generate: || schema_for!(crate::gate::verdict::Verdict),
    },
    Published {
        name: "case",
        about: "what `failfirst run --format json` prints",
        generate: || schema_for!(crate::report::CaseReport),
    },
];

impl Published {
    /// The schema as indented JSON with a final line break.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(&(self.generate)())
            .expect("a schema is a JSON value, and those can always be written");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, json};

    #[test]
    fn the_committed_schemas_are_the_generated_ones() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        for schema in ALL {
            let file = folder.join(format!("{}.json", schema.name));
            if std::env::var_os("FAILFIRST_BLESS").is_some() {
                std::fs::write(&file, schema.text()).unwrap();
            }
            let committed = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(
                committed == schema.text(),
                "{} is stale; FAILFIRST_BLESS=1 writes it anew",
                file.display()
            );
        }
    }

    fn named(name: &str) -> &'static Published {
        ALL.iter().find(|schema| schema.name == name).unwrap()
    }

    #[test]
    fn what_is_printed_obeys_its_schema() {
        let validator = |name: &str| {
            jsonschema::validator_for(&serde_json::from_str(&named(name).text()).unwrap()).unwrap()
        };
        let (verdict, case) = (validator("verdict"), validator("case"));
        for (name, report) in fixture::all() {
            let value = serde_json::from_str(&json::render(&report)).unwrap();
            let (right, wrong) = if report.case.is_some() { (&case, &verdict) } else { (&verdict, &case) };
            let errors: Vec<_> = right.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
            assert!(!wrong.is_valid(&value), "{name} also passes for the other form");
        }
    }

    #[test]
    fn a_verdict_without_its_gates_or_with_an_unknown_word_breaks_the_schema() {
        let validator =
            jsonschema::validator_for(&serde_json::from_str(&named("verdict").text()).unwrap()).unwrap();
        let (_, report) = fixture::verdicts().remove(0);
        let good: serde_json::Value = serde_json::from_str(&json::render(&report)).unwrap();
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove("gates");
        assert!(!validator.is_valid(&bad));
        let mut bad = good.clone();
        bad["verdict"] = "approved".into();
        assert!(!validator.is_valid(&bad));
    }
}
