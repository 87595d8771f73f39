//! JSON: the verdict as data, stable, with a schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Case, Report};
use crate::gate::verdict::Verdict;

/// The name and version of the JSON form of a case.
pub const CASE_SCHEMA: &str = "failfirst/case/1";

/// A case with its verdict: the JSON form of `failfirst run`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CaseReport {
    /// Always `failfirst/case/1`.
    pub schema: String,
    /// The case.
    #[serde(flatten)]
    pub case: Case,
    /// The verdict; absent when the case ended before there was a change to judge.
    pub verdict: Option<Verdict>,
    /// The one command that reproduces the verdict locally.
    pub reproduce: String,
}

/// The verdict object; for a case the case object, which holds it.
pub fn render(report: &Report) -> String {
    let text = match (&report.case, &report.verdict) {
        (None, verdict) => serde_json::to_string_pretty(verdict),
        (Some(case), verdict) => serde_json::to_string_pretty(&CaseReport {
            schema: CASE_SCHEMA.to_owned(),
            case: case.clone(),
            verdict: verdict.clone(),
            reproduce: report.reproduce.clone(),
        }),
    };
    let mut text = text.expect("a verdict holds nothing that JSON cannot");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_verdict_reads_back_as_it_was() {
        for (name, report) in fixture::verdicts() {
            let back: Verdict = serde_json::from_str(&render(&report)).unwrap();
            assert_eq!(Some(back), report.verdict, "{name}");
        }
    }

    #[test]
    fn a_case_holds_its_verdict() {
        let report = fixture::fixed_case();
        let back: CaseReport = serde_json::from_str(&render(&report)).unwrap();
        assert_eq!(back.verdict, report.verdict);
        assert_eq!(Some(back.case), report.case);
    }
}
