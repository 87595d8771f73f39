//! JSON schemas of what failfirst prints, generated from the types and committed in `schemas/`.

use clap::ValueEnum;
use schemars::Schema;

use super::json::CaseReport;
use crate::gate::verdict::Verdict;

/// A form that has a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Form {
    /// The JSON of `failfirst verify`.
    Verdict,
    /// The JSON of `failfirst run`.
    Case,
}

impl Form {
    /// Its committed file.
    pub fn file(self) -> &'static str {
        match self {
            Self::Verdict => "schemas/verdict.json",
            Self::Case => "schemas/case.json",
        }
    }

    /// Its schema, as `failfirst schema` prints it.
    pub fn schema(self) -> String {
        let schema: Schema = match self {
            Self::Verdict => schemars::schema_for!(Verdict),
            Self::Case => schemars::schema_for!(CaseReport),
        };
        let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::report::{fixture, json};

    /// After a wanted change of the types: `FAILFIRST_BLESS=1 cargo test schema`.
    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        for form in Form::value_variants() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(form.file());
            if std::env::var_os("FAILFIRST_BLESS").is_some() {
                std::fs::write(&path, form.schema()).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                committed == form.schema(),
                "{} is out of date; run `FAILFIRST_BLESS=1 cargo test schema` and look at the difference",
                form.file()
            );
        }
    }

    #[test]
    fn what_is_printed_obeys_its_schema() {
        let validator =
            |form: Form| jsonschema::validator_for(&serde_json::from_str(&form.schema()).unwrap()).unwrap();
        let (verdict, case) = (validator(Form::Verdict), validator(Form::Case));
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
            jsonschema::validator_for(&serde_json::from_str(&Form::Verdict.schema()).unwrap()).unwrap();
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
