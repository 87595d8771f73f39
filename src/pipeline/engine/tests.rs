use std::cell::RefCell;
use std::path::Path;

use super::*;
use crate::agent::Hands;
use crate::agent::folder::Folder;
use crate::agent::{Script, ScriptedAgent};
use crate::gate::verdict::{FailureClass, SCHEMA};
use crate::git::{Mode, Oid, RepoPath};
use crate::issue::Reference;
use crate::lab::SandboxReport;
use crate::pipeline::prompt::SealedText;
use crate::pipeline::{Left, NoOverrides};
use crate::record::{AttemptEnd, Refuser, RunRecord};

/// A project of two files. The test is red where it says "expect good"; the code is right where it
/// says "good", needs a person where it says "good, perhaps", cannot be judged where it says "fog".
struct Toy {
    breaks_on: Option<&'static str>,
}

struct ToyProof {
    test: String,
}

struct ToyFix {
    verdict: Verdict,
}

type Files = BTreeMap<String, String>;

const BASE: [(&str, &str); 2] = [("code.txt", "bad"), ("test.txt", "")];

impl Toy {
    fn workspace(files: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        for (path, text) in files {
            folder.write(&RepoPath::new(*path).unwrap(), text.as_bytes()).unwrap();
        }
        folder
    }
}

fn gate(check: Check, outcome: GateOutcome, reason: &str) -> GateReport {
    GateReport::new(check, outcome, reason)
}

fn verdict(gates: Vec<GateReport>) -> Verdict {
    let word = crate::gate::verdict::decide(&gates);
    Verdict {
        schema: SCHEMA.into(),
        verdict: word,
        summary: gates
            .iter()
            .find(|gate| gate.outcome != GateOutcome::Pass && gate.outcome != GateOutcome::Skipped)
            .map_or("the fix is proven".into(), |gate| gate.reason.clone()),
        base: Oid::of_blob(b"base"),
        head: Oid::of_blob(b"head"),
        sealed: vec![],
        sealed_digest: String::new(),
        tests: vec![],
        gates,
        sandbox: SandboxReport::default(),
        languages: vec![],
        took: 0.0,
    }
}

impl Bench for Toy {
    type Workspace = Folder;
    type Change = Files;
    type Proven = ToyProof;
    type Verified = ToyFix;

    fn base(&self) -> Oid {
        Oid::of_blob(b"base")
    }

    fn facts(&self) -> ProjectFacts {
        ProjectFacts {
            base: "0123456789".into(),
            language: "Toy".into(),
            runner: "toy 1".into(),
            test_command: "toy test".into(),
            suite_command: None,
            repeats: 3,
            network: false,
            protected: vec![],
        }
    }

    fn contains_commit(&self, name: &str) -> Result<bool, LabError> {
        Ok(name == "abc123")
    }

    fn analyst_workspace(&self) -> Result<Folder, LabError> {
        Ok(Self::workspace(&BASE))
    }

    fn fixer_workspace(&self, proven: &ToyProof) -> Result<Folder, LabError> {
        Ok(Self::workspace(&[("code.txt", "bad"), ("test.txt", &proven.test)]))
    }

    fn reviewer_workspace(&self, _: &ToyProof, change: &Files) -> Result<Folder, LabError> {
        let files: Vec<_> = change.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        Ok(Self::workspace(&files))
    }

    fn collect(&self, workspace: &Folder) -> Result<Result<Files, GateReport>, LabError> {
        let files = workspace.files();
        if files.contains_key("huge.bin") {
            return Ok(Err(gate(Check::K0, GateOutcome::Fail, "huge.bin is too large")));
        }
        Ok(Ok(files))
    }

    fn patch(&self, change: &Files) -> Result<String, LabError> {
        let differs = |(path, text): &(&String, &String)| {
            !BASE.contains(&(path.as_str(), text.as_str())) && !text.starts_with("expect good\nsealed")
        };
        Ok(change.iter().filter(differs).map(|(path, text)| format!("+{path}: {text}\n")).collect())
    }

    fn files(&self, change: &Files) -> Result<Vec<Left>, LabError> {
        let file = |(path, text): (&String, &String)| {
            (RepoPath::new(path.clone()).unwrap(), Some((Mode::File, text.clone().into_bytes())))
        };
        Ok(change.iter().map(file).collect())
    }

    fn prove(&self, change: &Files, claims: &Analyst) -> Result<Result<ToyProof, GateReport>, LabError> {
        if self.breaks_on == Some("prove") {
            return Err(LabError::Sandbox { what: "no namespaces".into() });
        }
        assert!(!claims.tests.is_empty());
        let test = change.get("test.txt").cloned().unwrap_or_default();
        Ok(if test.starts_with("expect good") {
            Ok(ToyProof { test: "expect good\nsealed".into() })
        } else {
            Err(gate(Check::K1, GateOutcome::Fail, "the test passes on the buggy code")
                .class(FailureClass::E))
        })
    }

    fn sealed(&self, proven: &ToyProof) -> Result<SealedView, LabError> {
        Ok(SealedView {
            tests: vec!["toy::test".into()],
            files: vec![SealedText {
                path: RepoPath::new("test.txt").unwrap(),
                text: proven.test.clone(),
                inline: false,
            }],
            failure: gate(Check::K1, GateOutcome::Pass, "it failed in 3 of 3 runs"),
            digest: "d1".into(),
        })
    }

    fn verify(&self, proven: &ToyProof, change: &Files) -> Result<Result<ToyFix, Verdict>, LabError> {
        let with = |check: Check, outcome: GateOutcome, reason: &str| {
            let mut gates: Vec<_> = Check::ALL
                .into_iter()
                .filter(|known| MANDATORY.contains(known) || *known == Check::K12)
                .map(|known| gate(known, GateOutcome::Pass, "holds"))
                .collect();
            gates.retain(|known| known.id != check);
            gates.push(gate(check, outcome, reason));
            verdict(gates)
        };
        if change.get("test.txt") != Some(&proven.test) {
            return Ok(Err(with(Check::K0, GateOutcome::Fail, "the fix edits the sealed test")));
        }
        Ok(match change.get("code.txt").map(String::as_str) {
            Some("good") => Ok(ToyFix { verdict: with(Check::K2, GateOutcome::Pass, "green") }),
            Some("good, perhaps") => Err(with(Check::K12, GateOutcome::Human, "an old test was edited")),
            Some("fog") => Err(with(Check::K2, GateOutcome::Inconclusive, "the run could not be judged")),
            _ => Err(with(Check::K2, GateOutcome::Fail, "the test still fails")),
        })
    }

    fn verdict(verified: &ToyFix) -> &Verdict {
        &verified.verdict
    }
}

fn issue() -> Issue {
    Issue {
        reference: Reference::File { name: "bug.md".into(), number: Some(7) },
        title: "It is bad".into(),
        body: "It should be good.".into(),
        author: None,
        labels: vec![],
        comments: vec![],
        frozen_at: jiff::Timestamp::UNIX_EPOCH,
        removed: vec![],
    }
}

const REPRODUCED: &str = r#"claims = { outcome = "reproduced", cause = "badness", expected_failure = "bad", tests = ["toy::test"], assertions = [{ assertion = "good", quote = "It should be good." }] }"#;
const FIXED: &str = r#"claims = { outcome = "fixed", strategy = "made it good", why_minimal = "one word" }"#;
const DISPUTES: &str =
    r#"claims = { outcome = "disputes-test", dispute_reason = "the issue wants something else" }"#;
const AGREES: &str = r#"claims = { stance = "agree", summary = "convincing" }"#;

fn red() -> String {
    format!("[[analyst]]\nedits = [{{ write = \"test.txt\", text = \"expect good\" }}]\n{REPRODUCED}\n")
}

fn passing() -> String {
    format!("[[analyst]]\nedits = [{{ write = \"test.txt\", text = \"expect bad\" }}]\n{REPRODUCED}\n")
}

fn code(text: &str) -> String {
    format!("[[fixer]]\nedits = [{{ write = \"code.txt\", text = \"{text}\" }}]\n{FIXED}\n")
}

struct Played {
    finished: Result<(Ending, Option<Word>, bool), String>,
    record: RunRecord,
    prompts: Vec<String>,
    kinds: Vec<String>,
}

impl Played {
    fn outcome(&self) -> Outcome {
        self.finished.as_ref().unwrap().0.outcome
    }
}

/// Plays a script on the toy project.
fn play_with(script: &str, toy: &Toy, pipeline: &Pipeline, time: Option<Duration>) -> Played {
    let script = Script::from_toml(script).unwrap();
    let mut agents = Agents::new();
    for spec in &pipeline.stages {
        agents.insert(spec.name, Box::new(ScriptedAgent::new("toy.toml", script.clone())));
    }
    let folder = tempfile::tempdir().unwrap();
    let record = Record::create(&folder.path().join("run")).unwrap();
    let kinds = RefCell::new(Vec::new());
    let watcher = |event: &Event| {
        let value = serde_json::to_value(event).unwrap();
        kinds.borrow_mut().push(value["kind"].as_str().unwrap().to_owned());
    };
    let issue = issue();
    let finished = run(&Case {
        bench: toy,
        issue: &issue,
        pipeline,
        agents: &agents,
        overrides: &NoOverrides,
        record: &record,
        watcher: &watcher,
        time,
        ledger: None,
    });
    let place = record.folder().to_owned();
    drop(record);
    let view = RunRecord::read(&place).unwrap();
    assert!(view.ending.is_some(), "every run has an ending in its record");
    Played {
        finished: finished
            .map(|done| {
                let word = done.verdict.map(|verdict| verdict.verdict);
                assert_eq!(view.verdict.as_ref().map(|verdict| verdict.verdict), word);
                assert_eq!(view.ending.as_ref(), Some(&done.ending));
                (done.ending, word, done.verified.is_some())
            })
            .map_err(|error| error.to_string()),
        record: view,
        prompts: prompts(&place),
        kinds: kinds.into_inner(),
    }
}

fn prompts(place: &Path) -> Vec<String> {
    let entries = Record::read(place).unwrap();
    let text = |digest| String::from_utf8(Record::load(place, digest).unwrap()).unwrap();
    entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Prompt { prompt, .. } => Some(text(prompt)),
            _ => None,
        })
        .collect()
}

fn play(script: &str) -> Played {
    let pipeline = Pipeline::load("default", &NoOverrides).unwrap();
    play_with(script, &Toy { breaks_on: None }, &pipeline, None)
}

#[test]
fn a_case_goes_from_the_issue_to_a_verified_fix() {
    let played = play(&format!("{}{}[[reviewer]]\n{AGREES}", red(), code("good")));
    let (ending, word, proof) = played.finished.as_ref().unwrap();
    assert_eq!((ending.outcome, *word, *proof), (Outcome::Fixed, Some(Word::Verified), true));
    assert_eq!(ending.explanation, "the fix is proven");
    assert_eq!(
        played.kinds,
        [
            "run-started",
            "issue",
            "prompt",
            "reply",
            "patch",
            "gate",
            "sealed",
            "prompt",
            "reply",
            "patch",
            "verdict",
            "prompt",
            "reply",
            "ended"
        ]
    );
    let record = &played.record;
    assert!(record.replayed);
    assert_eq!(record.sealed.as_ref().unwrap().patch, "+test.txt: expect good\n");
    assert_eq!(record.fix.as_deref(), Some("+code.txt: good\n"));
    assert_eq!(record.opinion.as_ref().unwrap().summary, "convincing");
    assert_eq!(record.analysis().unwrap().cause, "badness");
    assert!(record.attempts.iter().all(|attempt| attempt.end == AttemptEnd::Accepted));
}

#[test]
fn a_refusal_is_the_feedback_of_the_next_attempt() {
    let tampers =
        format!("[[fixer]]\nedits = [{{ write = \"test.txt\", text = \"expect bad\" }}]\n{FIXED}\n");
    let script = format!("{}{}{tampers}{}[[reviewer]]\n{AGREES}", passing(), red(), code("good"));
    let played = play(&script);
    assert_eq!(played.outcome(), Outcome::Fixed);
    assert!(!played.prompts[0].contains("What became of the earlier attempts"));
    for part in
        ["### Attempt 1: a check refused it", "the test passes on the buggy code", "+test.txt: expect bad"]
    {
        assert!(played.prompts[1].contains(part), "{part}");
    }
    assert!(played.prompts[3].contains("the fix edits the sealed test"));
    let refused: Vec<_> = played
        .record
        .refused()
        .map(|(attempt, refusal)| (attempt.stage, attempt.number, refusal.check()))
        .collect();
    assert_eq!(refused, [(Stage::Analyst, 1, Some(Check::K1)), (Stage::Fixer, 1, Some(Check::K0))]);
}

#[test]
fn attempts_run_out() {
    let played = play(&passing().repeat(3));
    assert_eq!(played.outcome(), Outcome::NotReproduced);
    let ending = played.record.ending.unwrap();
    assert_eq!(
        ending.explanation,
        "no test could be made to fail because of the bug: 3 attempts were refused, the last because the test passes on the buggy code"
    );
    let played = play(&format!("{}{}", red(), code("worse").repeat(3)));
    assert_eq!(played.outcome(), Outcome::NotFixed);
    let (_, word, proof) = played.finished.unwrap();
    assert_eq!((word, proof), (Some(Word::Refused), false));
}

#[test]
fn an_attempt_that_changes_nothing_is_refused() {
    let idle = format!("[[analyst]]\n{REPRODUCED}\n");
    let lazy = format!("[[fixer]]\n{FIXED}\n");
    let played = play(&format!("{idle}{}{lazy}{}[[reviewer]]\n{AGREES}", red(), code("good")));
    assert_eq!(played.outcome(), Outcome::Fixed);
    let reasons: Vec<_> = played.record.refused().map(|(_, refusal)| refusal.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "no file was changed, so there is no test that could fail",
            "no file was changed, so the test fails as before"
        ]
    );
}

#[test]
fn good_outcomes_without_a_test_end_the_case() {
    let claims = |text: &str| play(&format!("[[analyst]]\nclaims = {{ cause = \"\", {text} }}"));
    let asked = claims("outcome = \"needs-info\", question = \"Which?\"");
    assert_eq!(
        asked.finished.unwrap().0,
        Ending { outcome: Outcome::NeedsInfo, explanation: "Which?".into() }
    );
    assert_eq!(asked.record.attempts[0].end, AttemptEnd::Accepted);
    assert_eq!(
        claims("outcome = \"not-reproduced\", evidence = \"ran it\"").outcome(),
        Outcome::NotReproduced
    );
    let fixed = claims("outcome = \"already-fixed\", commit = \"abc123\", evidence = \"see\"");
    assert_eq!(fixed.finished.unwrap().0.explanation, "fixed by abc123: see");
}

#[test]
fn a_commit_that_the_base_does_not_contain_is_no_answer() {
    let made_up = "[[analyst]]\nclaims = { cause = \"\", outcome = \"already-fixed\", commit = \"fff\", evidence = \"e\" }\n";
    let played = play(&made_up.repeat(3));
    assert_eq!(played.outcome(), Outcome::NotReproduced);
    assert!(played.prompts[1].contains("no commit that this one contains"));
}

#[test]
fn malformed_claims_get_one_repair_and_keep_the_work() {
    let repaired = format!(
        "[[analyst]]\nedits = [{{ write = \"test.txt\", text = \"expect good\" }}]\nclaims = \"I did it\"\n{}\n",
        REPRODUCED.replacen("claims", "repair", 1)
    );
    let played = play(&format!("{repaired}{}[[reviewer]]\n{AGREES}", code("good")));
    assert_eq!(played.outcome(), Outcome::Fixed);
    assert!(
        played.prompts[1].contains("## Only the reply is wrong") && played.prompts[1].contains("I did it")
    );
    let hopeless = "[[analyst]]\nclaims = \"no\"\n".repeat(3);
    let played = play(&hopeless);
    assert_eq!((played.outcome(), played.prompts.len()), (Outcome::NotReproduced, 6));
    assert!(played.record.refused().all(|(_, refusal)| refusal.by == Refuser::Claims));
}

#[test]
fn a_dispute_discards_the_fix_and_goes_back_to_the_analyst() {
    let dispute = format!("[[fixer]]\nedits = [{{ write = \"code.txt\", text = \"x\" }}]\n{DISPUTES}\n");
    let played = play(&format!("{}{dispute}{}{}[[reviewer]]\n{AGREES}", red(), red(), code("good")));
    assert_eq!(played.outcome(), Outcome::Fixed);
    assert!(played.prompts[2].contains("## The test is disputed"));
    assert!(played.prompts[2].contains("the issue wants something else"));
    assert!(played.prompts[3].contains("Your objection to an earlier test was heard"));
    let ends: Vec<_> = played.record.attempts.iter().map(|attempt| (attempt.stage, attempt.number)).collect();
    assert_eq!(ends[1..4], [(Stage::Fixer, 1), (Stage::Analyst, 2), (Stage::Fixer, 2)]);
    assert!(matches!(played.record.attempts[1].end, AttemptEnd::Disputed(_)));
}

#[test]
fn a_dispute_is_heard_once_and_also_on_the_last_attempt() {
    let twice = format!("{}[[fixer]]\n{DISPUTES}\n{}[[fixer]]\n{DISPUTES}\n", red(), red());
    let played = play(&twice);
    assert_eq!(played.outcome(), Outcome::Disputed);
    assert!(played.record.fix.is_none());
    let late = format!(
        "{}{}{}{}[[fixer]]\n{DISPUTES}\n{}{}[[reviewer]]\n{AGREES}",
        passing().repeat(2),
        red(),
        code("worse"),
        code("worse"),
        red(),
        code("good")
    );
    assert_eq!(play(&late).outcome(), Outcome::Fixed);
    let unsettled = format!("{}[[fixer]]\n{DISPUTES}\n{}", red(), passing().repeat(3));
    assert_eq!(play(&unsettled).outcome(), Outcome::Disputed);
}

#[test]
fn a_reviewer_lowers_a_verdict_and_never_raises_one() {
    let review = |text: &str, stance: &str| {
        let script = format!(
            "{}{}[[reviewer]]\nclaims = {{ stance = \"{stance}\", summary = \"it copies the logic\" }}",
            red(),
            code(text)
        );
        play(&script)
    };
    let rejected = review("good", "reject");
    let (ending, word, proof) = rejected.finished.unwrap();
    assert_eq!((ending.outcome, word, proof), (Outcome::Fixed, Some(Word::NeedsHuman), false));
    assert!(ending.explanation.ends_with("the reviewer rejects it: it copies the logic"));
    assert!(rejected.record.lowered.is_some());
    assert_eq!(review("good", "doubt").finished.unwrap().1, Some(Word::Verified));
    assert_eq!(review("good, perhaps", "agree").finished.unwrap().1, Some(Word::NeedsHuman));
}

#[test]
fn a_review_that_cannot_be_had_changes_nothing_and_is_told() {
    let played = play(&format!("{}{}[[reviewer]]\nclaims = \"no\"", red(), code("good")));
    assert_eq!(played.finished.unwrap().1, Some(Word::Verified));
    assert!(played.record.no_review.unwrap().contains("the claims are malformed"));
}

#[test]
fn what_cannot_be_judged_is_no_fix() {
    let played = play(&format!("{}{}", red(), code("fog").repeat(3)));
    let (ending, word, proof) = played.finished.unwrap();
    assert_eq!((ending.outcome, word, proof), (Outcome::NotFixed, Some(Word::Inconclusive), false));
}

#[test]
fn a_gate_that_the_pipeline_adds_must_be_answered() {
    let mut pipeline = Pipeline::load("default", &NoOverrides).unwrap();
    pipeline.gates.push(Check::K9);
    let script = format!("{}{}", red(), code("good"));
    let played = play_with(&script, &Toy { breaks_on: None }, &pipeline, None);
    let (ending, word, proof) = played.finished.unwrap();
    assert_eq!((ending.outcome, word, proof), (Outcome::NotFixed, Some(Word::Inconclusive), false));
    assert!(ending.explanation.contains("demands K9 (mutants)"), "{}", ending.explanation);
}

#[test]
fn a_change_that_no_gate_can_read_is_refused() {
    let huge = format!("[[analyst]]\nedits = [{{ write = \"huge.bin\", text = \"x\" }}]\n{REPRODUCED}\n");
    let played = play(&format!("{huge}{}{}[[reviewer]]\n{AGREES}", red(), code("good")));
    assert_eq!(played.outcome(), Outcome::Fixed);
    assert_eq!(played.record.refused().next().unwrap().1.reason, "huge.bin is too large");
}

#[test]
fn a_broken_lab_is_an_error_and_never_a_refusal() {
    let pipeline = Pipeline::load("default", &NoOverrides).unwrap();
    let played = play_with(&red(), &Toy { breaks_on: Some("prove") }, &pipeline, None);
    assert_eq!(played.finished.unwrap_err(), "the sandbox did not start: no namespaces");
    assert_eq!(played.record.ending.as_ref().unwrap().outcome, Outcome::Aborted);
    assert_eq!(played.record.refused().count(), 0);
}

#[test]
fn an_agent_that_cannot_work_at_all_aborts_the_case() {
    let played = play(&red());
    let (ending, ..) = played.finished.unwrap();
    assert_eq!(ending.outcome, Outcome::Aborted);
    assert!(ending.explanation.contains("attempt 1 of the fixer is asked for and the script has 0"));
    assert!(played.record.sealed.is_some(), "what was found before is kept");
}

#[test]
fn a_case_that_takes_too_long_is_over_budget() {
    let pipeline = Pipeline::load("default", &NoOverrides).unwrap();
    let played = play_with(&red(), &Toy { breaks_on: None }, &pipeline, Some(Duration::ZERO));
    assert_eq!(played.outcome(), Outcome::OverBudget);
}

#[test]
fn shorter_pipelines_end_where_they_say() {
    let analyse = Pipeline::load("analyse-only", &NoOverrides).unwrap();
    let played = play_with(&red(), &Toy { breaks_on: None }, &analyse, None);
    assert_eq!(played.outcome(), Outcome::NotFixed);
    assert!(played.record.sealed.is_some());
    let verify = Pipeline::load("verify", &NoOverrides).unwrap();
    let played = play_with("", &Toy { breaks_on: None }, &verify, None);
    assert!(played.finished.unwrap().0.explanation.contains("has no stages"));
}

#[test]
fn agents_are_opened_by_stage() {
    let pipeline = Pipeline::load("default", &NoOverrides).unwrap();
    let none = open_agents(&pipeline, &Config::default(), None).err().unwrap().to_string();
    assert!(none.contains("no agent is named for the stage `analyst`; use --agent NAME"), "{none}");
    let text = "[agents.a]\ncommand = \"x\"\n[run]\nanalyst = \"a\"\nfixer = \"a\"";
    let config = Config::parse(text, "t").unwrap();
    let agents = open_agents(&pipeline.with_settings(&config.run), &config, None).unwrap();
    assert_eq!(agents.keys().collect::<Vec<_>>(), [&Stage::Analyst, &Stage::Fixer]);
}
