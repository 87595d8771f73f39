//! What agents claim, by stage. Claims steer the pipeline and fill reports; they prove nothing.

use schemars::{JsonSchema, schema_for};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Stage;
use crate::git::RepoPath;
use crate::issue::Issue;
use crate::lang::TestId;

/// The claims of one attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Claims {
    /// Of the analyst.
    Analyst(Analyst),
    /// Of the fixer.
    Fixer(Fixer),
    /// Of the reviewer.
    Reviewer(Reviewer),
}

/// The analyst's reply.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Analyst {
    /// How the analysis ended.
    pub outcome: AnalystOutcome,
    /// Why the software misbehaves, in a few sentences: the mechanism, not the symptom.
    pub cause: String,
    /// Where the fault lies in production code, most likely first.
    #[serde(default)]
    pub suspects: Vec<Suspect>,
    /// With `reproduced`: how the test fails on the present code, as the runner will word it (for example
    /// `AssertionError: 2 != 1`).
    #[serde(default)]
    pub expected_failure: String,
    /// With `reproduced`: the ids of the replication tests, as the test runner names them.
    #[serde(default)]
    pub tests: Vec<TestId>,
    /// With `reproduced`: what the tests assert, each assertion with the sentence of the issue that demands
    /// it.
    #[serde(default)]
    pub assertions: Vec<Assertion>,
    /// Production names that the tests use and that do not exist yet. Empty unless the issue itself names a
    /// new API; a test through an existing entry point is better.
    #[serde(default)]
    pub new_symbols: Vec<String>,
    /// With `needs-info`: the one question whose answer would allow to go on.
    #[serde(default)]
    pub question: Option<String>,
    /// With `already-fixed`: the commit that fixed it.
    #[serde(default)]
    pub commit: Option<String>,
    /// With `not-reproduced`, `already-fixed` or `needs-info`: what was tried and what was seen, with
    /// commands and output.
    #[serde(default)]
    pub evidence: Option<String>,
}

/// How an analysis ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnalystOutcome {
    /// A test was written that fails because of the bug.
    Reproduced,
    /// The issue does not say enough; one question would decide it.
    NeedsInfo,
    /// The described behaviour does not occur on this code.
    NotReproduced,
    /// It occurred once, and a commit has repaired it.
    AlreadyFixed,
}

/// A place in production code.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suspect {
    /// The file, from the root of the repository.
    pub path: RepoPath,
    /// The line, counted from 1.
    pub line: u32,
    /// The function, method or class.
    #[serde(default)]
    pub symbol: Option<String>,
}

/// An assertion and its reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The assertion, as the test writes it.
    pub assertion: String,
    /// The words of the issue that demand it, copied exactly.
    pub quote: String,
}

/// The fixer's reply.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixer {
    /// How the work ended.
    pub outcome: FixerOutcome,
    /// With `fixed`: what was changed and how that removes the cause.
    #[serde(default)]
    pub strategy: String,
    /// With `fixed`: why no smaller change would do.
    #[serde(default)]
    pub why_minimal: String,
    /// With `disputes-test`: what the sealed test demands, what the issue demands, and where they differ.
    #[serde(default)]
    pub dispute_reason: Option<String>,
}

/// How a fixer's work ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FixerOutcome {
    /// The code is repaired.
    Fixed,
    /// The sealed test contradicts the issue; no right fix can make it pass.
    DisputesTest,
}

/// The reviewer's reply.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reviewer {
    /// What the reviewer makes of the fix.
    pub stance: Stance,
    /// The judgement in two to five sentences, for the maintainer who decides.
    pub summary: String,
    /// Remarks on lines of the patch.
    #[serde(default)]
    pub remarks: Vec<Remark>,
}

/// What a reviewer makes of a fix. Nothing here can raise a verdict.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stance {
    /// The fix is right as far as can be seen.
    Agree,
    /// Something should be looked at; it is named in the remarks.
    Doubt,
    /// The fix should not be merged as it is; lowers the verdict to needs-human.
    Reject,
}

/// A remark on a line.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remark {
    /// The file, from the root of the repository.
    pub path: RepoPath,
    /// The line in the fixed file, counted from 1.
    pub line: u32,
    /// The remark.
    pub body: String,
}

impl Claims {
    /// Reads the claims of a stage from JSON.
    ///
    /// # Errors
    /// What is wrong with them, one sentence fragment each, worded for the agent that must repair them.
    pub fn parse(stage: Stage, text: &str, issue: &Issue) -> Result<Self, Vec<String>> {
        let claims = match stage {
            Stage::Analyst => Self::Analyst(read(text)?),
            Stage::Fixer => Self::Fixer(read(text)?),
            Stage::Reviewer => Self::Reviewer(read(text)?),
        };
        let problems = claims.problems(issue);
        if problems.is_empty() { Ok(claims) } else { Err(problems) }
    }

    /// The JSON schema of a stage's claims, indented.
    pub fn schema(stage: Stage) -> String {
        let schema = match stage {
            Stage::Analyst => schema_for!(Analyst),
            Stage::Fixer => schema_for!(Fixer),
            Stage::Reviewer => schema_for!(Reviewer),
        };
        serde_json::to_string_pretty(&schema)
            .expect("a schema is a JSON value, and those can always be written")
    }

    fn problems(&self, issue: &Issue) -> Vec<String> {
        let mut problems = Vec::new();
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                problems.push(what.to_owned());
            }
        };
        let some = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.trim().is_empty());
        match self {
            Self::Analyst(claims) => match claims.outcome {
                AnalystOutcome::Reproduced => {
                    demand(!claims.cause.trim().is_empty(), "`cause` is empty");
                    demand(!claims.tests.is_empty(), "`tests` names no test");
                    demand(!claims.expected_failure.trim().is_empty(), "`expected_failure` is empty");
                    demand(!claims.assertions.is_empty(), "`assertions` is empty: tie each to the issue");
                    let texts = texts(issue);
                    for assertion in &claims.assertions {
                        if !is_quoted(&assertion.quote, &texts) {
                            problems.push(format!(
                                "the quote \"{}\" does not stand in the issue; copy the words exactly",
                                assertion.quote
                            ));
                        }
                    }
                }
                AnalystOutcome::NeedsInfo => {
                    demand(some(&claims.question), "`needs-info` asks no `question`");
                }
                AnalystOutcome::NotReproduced => {
                    demand(
                        some(&claims.evidence),
                        "`not-reproduced` needs `evidence`: what was run and seen",
                    );
                }
                AnalystOutcome::AlreadyFixed => {
                    demand(some(&claims.commit), "`already-fixed` names no `commit`");
                    demand(some(&claims.evidence), "`already-fixed` needs `evidence`: what was run and seen");
                }
            },
            Self::Fixer(claims) => match claims.outcome {
                FixerOutcome::Fixed => {
                    demand(!claims.strategy.trim().is_empty(), "`strategy` is empty");
                    demand(!claims.why_minimal.trim().is_empty(), "`why_minimal` is empty");
                }
                FixerOutcome::DisputesTest => {
                    demand(some(&claims.dispute_reason), "`disputes-test` gives no `dispute_reason`");
                }
            },
            Self::Reviewer(claims) => {
                demand(!claims.summary.trim().is_empty(), "`summary` is empty");
            }
        }
        problems
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Vec<String>> {
    let value =
        super::reply::last_object(text).ok_or_else(|| vec!["the reply holds no JSON object".to_owned()])?;
    serde_json::from_value(value).map_err(|error| vec![error.to_string()])
}

/// The texts of an issue in which a quote may stand, in comparable form.
fn texts(issue: &Issue) -> Vec<String> {
    let bodies = issue.comments.iter().map(|comment| comment.body.as_str());
    [issue.title.as_str(), issue.body.as_str()].into_iter().chain(bodies).map(comparable).collect()
}

/// Quotes are compared by their letters, digits and operators: layout, case, emphasis and
/// typographic quotation marks do not survive being copied.
fn comparable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !"*_`>#\"'“”‘’…".contains(*c))
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_quoted(quote: &str, texts: &[String]) -> bool {
    // An ellipsis stands for left-out words.
    let parts: Vec<_> = quote
        .split("...")
        .flat_map(|part| part.split('…'))
        .map(comparable)
        .filter(|part| !part.is_empty())
        .collect();
    !parts.is_empty() && texts.iter().any(|text| parts.iter().all(|part| text.contains(part)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::issue::Reference;

    pub(crate) fn issue(body: &str) -> Issue {
        Issue {
            reference: Reference::File { name: "bug.md".into(), number: Some(7) },
            title: "Totals are wrong".into(),
            body: body.into(),
            author: None,
            labels: vec![],
            comments: vec![],
            frozen_at: jiff::Timestamp::UNIX_EPOCH,
            removed: vec![],
        }
    }

    fn problems(stage: Stage, text: &str) -> Vec<String> {
        Claims::parse(stage, text, &issue("The `total()` of **one** item is 2,\nbut it should be 1."))
            .unwrap_err()
    }

    const GOOD: &str = r#"{"outcome":"reproduced","cause":"off by one","expected_failure":"2 != 1","tests":["t::a"],
        "assertions":[{"assertion":"total() == 1","quote":"total() of one item is 2, but it should be 1"}]}"#;

    #[test]
    fn claims_are_found_in_the_prose_around_them() {
        let text = format!("Here {{is}} my reply:\n```json\n{GOOD}\n```\nDone.");
        let issue = issue("The `total()` of **one** item is 2,\nbut it should be 1.");
        let Claims::Analyst(claims) = Claims::parse(Stage::Analyst, &text, &issue).unwrap() else { panic!() };
        assert_eq!(claims.tests, [TestId::from("t::a")]);
        assert!(Claims::parse(Stage::Analyst, &GOOD.replace("of one item is 2, but", "…"), &issue).is_ok());
    }

    #[test]
    fn a_reproduction_needs_tests_and_real_quotes() {
        let found = problems(Stage::Analyst, r#"{"outcome":"reproduced","cause":""}"#);
        assert_eq!(found.len(), 4, "{found:?}");
        let invented = GOOD.replace("should be 1", "must never be 2");
        assert!(problems(Stage::Analyst, &invented)[0].contains("does not stand in the issue"));
        assert!(
            problems(Stage::Analyst, &GOOD.replace("total() of one item is 2, but it should be 1", "…"))[0]
                .contains("does not stand")
        );
    }

    #[test]
    fn every_other_outcome_needs_what_makes_it_useful() {
        let analyst =
            |outcome: &str| problems(Stage::Analyst, &format!(r#"{{"outcome":"{outcome}","cause":""}}"#));
        assert_eq!(analyst("needs-info"), ["`needs-info` asks no `question`"]);
        assert_eq!(analyst("already-fixed").len(), 2);
        assert_eq!(analyst("not-reproduced").len(), 1);
        assert_eq!(problems(Stage::Fixer, r#"{"outcome":"fixed"}"#).len(), 2);
        assert_eq!(problems(Stage::Fixer, r#"{"outcome":"disputes-test"}"#).len(), 1);
        assert_eq!(problems(Stage::Reviewer, r#"{"stance":"agree","summary":" "}"#).len(), 1);
    }

    #[test]
    fn malformed_claims_say_what_is_wrong() {
        assert_eq!(problems(Stage::Fixer, "I fixed it."), ["the reply holds no JSON object"]);
        assert!(
            problems(Stage::Fixer, r#"{"outcome":"done"}"#)[0]
                .contains("expected `fixed` or `disputes-test`")
        );
        assert!(
            problems(Stage::Fixer, r#"{"outcome":"fixed","extra":1}"#)[0].contains("unknown field `extra`")
        );
        assert!(
            problems(
                Stage::Reviewer,
                r#"{"stance":"agree","summary":"s","remarks":[{"path":"../x","line":1,"body":"b"}]}"#
            )[0]
            .contains("does not stay inside")
        );
    }

    #[test]
    fn the_schema_names_every_field() {
        let schema = Claims::schema(Stage::Analyst);
        for field in ["outcome", "expected_failure", "assertions", "quote", "already-fixed"] {
            assert!(schema.contains(&format!("\"{field}\"")), "{field}");
        }
    }
}
