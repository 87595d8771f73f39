//! SARIF 2.1.0: one rule a gate, one result a gate that refused, could not tell, or asks for a person,
//! and one result a small change of the fix that the test does not notice, at its line.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::visible::{sentence, visible_line};
use super::{Report, percent_encode, wording};
use crate::gate::verdict::{Check, Evidence, GateReport, Outcome, Verdict};
use crate::git::RepoPath;

/// The log.
pub fn render(report: &Report) -> String {
    let mut run = json!({
        "tool": { "driver": {
            "name": "failfirst",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "informationUri": env!("CARGO_PKG_REPOSITORY"),
            "rules": Check::ALL.map(rule),
        }},
        "originalUriBaseIds": { "SRCROOT": { "description": { "text": "the root of the repository" } } },
        "columnKind": "unicodeCodePoints",
        "results": [],
    });
    if let Some(verdict) = &report.verdict {
        let mut results: Vec<Value> = verdict.gates.iter().filter_map(|gate| result(gate, verdict)).collect();
        results.extend(verdict.gates.iter().flat_map(|gate| mutants(gate, verdict)));
        run["results"] = results.into();
        run["invocations"] = json!([{
            "executionSuccessful": true,
            "toolExecutionNotifications": notifications(verdict),
        }]);
        run["properties"] = json!({
            "verdict": verdict.verdict,
            "summary": visible_line(&verdict.summary),
            "base": verdict.base,
            "head": verdict.head,
            "sealedDigest": verdict.sealed_digest,
        });
        if let Some(repository) = &report.repository {
            run["versionControlProvenance"] =
                json!([{ "repositoryUri": repository.url(), "revisionId": verdict.head }]);
        }
    }
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log:#}\n")
}

fn rule(check: Check) -> Value {
    json!({
        "id": check.to_string(),
        "name": check.name(),
        "shortDescription": { "text": check.question() },
        "fullDescription": { "text": check.question() },
        "defaultConfiguration": { "level": "error" },
    })
}

fn result(gate: &GateReport, verdict: &Verdict) -> Option<Value> {
    let level = match gate.outcome {
        Outcome::Fail => "error",
        // "Could not tell" must be seen; SARIF's own kinds for it are dropped by most viewers.
        Outcome::Human | Outcome::Inconclusive => "warning",
        Outcome::Pass | Outcome::Skipped => return None,
    };
    let text = format!("{} {}: {}", gate.id.question(), wording::answer_of(gate), super::page::reason(gate));
    let index = Check::ALL.iter().position(|check| *check == gate.id)?;
    let places = places(gate, verdict);
    let parts = places.iter().map(ToString::to_string);
    let fingerprint = fingerprint(gate, verdict, parts);
    Some(json!({
        "ruleId": gate.id.to_string(),
        "ruleIndex": index,
        "level": level,
        "message": { "text": message(&text) },
        "locations": places.iter().map(|path| location(path, 1)).collect::<Vec<_>>(),
        "partialFingerprints": { "failfirst/v1": fingerprint },
        "properties": { "outcome": gate.outcome, "class": gate.class },
    }))
}

/// What the test does not notice: a note at each line.
fn mutants(gate: &GateReport, verdict: &Verdict) -> Vec<Value> {
    let index = Check::ALL.iter().position(|check| *check == gate.id);
    let survivors = gate.evidence.iter().filter_map(|evidence| {
        let Evidence::Mutant { path, line, operator, before, after } = evidence else { return None };
        let text = wording::sentence(&wording::mutant(operator, before, after));
        let parts = [path.to_string(), line.to_string(), before.clone(), after.clone()];
        Some(json!({
            "ruleId": gate.id.to_string(),
            "ruleIndex": index?,
            "level": "note",
            "message": { "text": message(&text) },
            "locations": [location(path, *line)],
            "partialFingerprints": { "failfirst/v1": fingerprint(gate, verdict, parts.into_iter()) },
            "properties": { "operator": operator },
        }))
    });
    survivors.collect()
}

fn fingerprint(gate: &GateReport, verdict: &Verdict, parts: impl Iterator<Item = String>) -> String {
    let mut hash = Sha256::new();
    hash.update(format!("{}\0{}\0", gate.id, verdict.sealed_digest));
    parts.for_each(|part| hash.update(format!("{part}\0")));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files that the evidence names; where it names none, the sealed files, since viewers drop
/// results without a place.
fn places(gate: &GateReport, verdict: &Verdict) -> Vec<RepoPath> {
    let mut places: Vec<RepoPath> = Vec::new();
    let named = gate.evidence.iter().filter_map(|evidence| match evidence {
        Evidence::Path { path, .. } => Some(path.clone()),
        Evidence::Clone { test, .. } => Some(test.path.clone()),
        Evidence::Test { id, .. } => file_of(id.as_str(), verdict),
        _ => None,
    });
    for path in named {
        if !places.contains(&path) {
            places.push(path);
        }
    }
    if places.is_empty() {
        places.extend(verdict.sealed.first().map(|file| file.path.clone()));
    }
    places
}

/// The file in the id of a test, where the runner puts it there.
fn file_of(id: &str, verdict: &Verdict) -> Option<RepoPath> {
    let start = [id.split("::").next(), id.split(" > ").next()];
    let known = start.into_iter().flatten().find_map(|text| {
        let path = RepoPath::new(text.trim()).ok()?;
        (path.extension().is_some() && !path.as_str().contains(' ')).then_some(path)
    });
    known.or_else(|| verdict.sealed.first().map(|file| file.path.clone()))
}

fn location(path: &RepoPath, line: u32) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": percent_encode(path.as_str()), "uriBaseId": "SRCROOT" },
        "region": { "startLine": line.max(1) },
    }})
}

fn notifications(verdict: &Verdict) -> Vec<Value> {
    let skipped = verdict.gates.iter().filter(|gate| gate.outcome == Outcome::Skipped);
    skipped
        .map(|gate| {
            json!({
                "level": "note",
                "descriptor": { "id": gate.id.to_string() },
                "associatedRule": { "id": gate.id.to_string() },
                "message": { "text": message(&format!("Not checked: {} {}", gate.id.question(), gate.reason)) },
            })
        })
        .collect()
}

/// Plain text in which nothing is a link: SARIF reads `[text](target)` in messages.
fn message(text: &str) -> String {
    let text = sentence(text, 2_000);
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn log(report: &Report) -> Value {
        serde_json::from_str(&render(report)).unwrap()
    }

    #[test]
    fn a_verified_change_has_rules_and_notes_and_no_result() {
        let log = log(&fixture::verified());
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), Check::ALL.len());
        assert_eq!(run["results"], json!([]));
        let notes = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        let skipped = |gate: &&crate::gate::verdict::GateReport| gate.outcome == Outcome::Skipped;
        let skipped =
            fixture::verified().verdict.map_or(0, |verdict| verdict.gates.iter().filter(skipped).count());
        assert_eq!(notes.len(), skipped, "what was not checked is said");
        assert_eq!(run["versionControlProvenance"][0]["repositoryUri"], "https://github.com/acme/hotel");
    }

    #[test]
    fn a_refusal_is_an_error_at_the_files_of_its_evidence() {
        let log = log(&fixture::refused());
        insta::assert_json_snapshot!(log["runs"][0]["results"], @r#"
        [
          {
            "ruleId": "K3",
            "ruleIndex": 3,
            "level": "error",
            "message": {
              "text": "Is the test still red without the production change? no: Without the production change the test passes all the same: `tests/conftest.py` makes it pass."
            },
            "locations": [
              {
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "tests/conftest.py",
                    "uriBaseId": "SRCROOT"
                  },
                  "region": {
                    "startLine": 1
                  }
                }
              },
              {
                "physicalLocation": {
                  "artifactLocation": {
                    "uri": "tests/test_booking.py",
                    "uriBaseId": "SRCROOT"
                  },
                  "region": {
                    "startLine": 1
                  }
                }
              }
            ],
            "partialFingerprints": {
              "failfirst/v1": "b6ef279d3c735466e5767945887503d767c0254a1afc66757d29a7f878760a00"
            },
            "properties": {
              "outcome": "fail",
              "class": null
            }
          }
        ]
        "#);
    }

    #[test]
    fn what_a_person_must_see_is_a_warning() {
        let log = log(&fixture::needs_human());
        let results = log["runs"][0]["results"].as_array().unwrap();
        let seen: Vec<_> = results.iter().map(|r| (r["ruleId"].clone(), r["level"].clone())).collect();
        assert_eq!(seen, [("K0".into(), "warning".into()), ("K12".into(), "warning".into())]);
        for result in results {
            let rule = result["ruleIndex"].as_u64().unwrap();
            assert_eq!(log["runs"][0]["tool"]["driver"]["rules"][rule as usize]["id"], result["ruleId"]);
            assert_eq!(
                result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
                "tests/test_prices.py"
            );
        }
    }

    #[test]
    fn what_the_test_does_not_notice_is_a_note_at_its_line() {
        let log = log(&fixture::survivor());
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        for (result, line) in results.iter().zip([14, 15]) {
            assert_eq!((&result["ruleId"], &result["level"]), (&"K9".into(), &"note".into()));
            let place = &result["locations"][0]["physicalLocation"];
            assert_eq!(place["artifactLocation"]["uri"], "src/booking.py");
            assert_eq!(place["region"]["startLine"], line);
        }
        let text = results[0]["message"]["text"].as_str().unwrap();
        assert_eq!(
            text,
            "With `self.free() <= 1` instead of `self.free() < 1` the test still passes (boundary)."
        );
        assert_ne!(results[0]["partialFingerprints"], results[1]["partialFingerprints"]);
    }

    #[test]
    fn hostile_text_makes_no_link() {
        assert_eq!(message("[x](y)\u{202e}"), "\\[x\\](y)\\\\u{202e}");
    }
}
