//! Budgets, faults of providers and of programs, keys, and replay, with an agent that does as it is told.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::case::{Case, KEY, endpoint, files, report};
use super::endpoint::Fault;

const PRICES: &str = "\n[prices.\"mock-1\"]\ninput = 1.0\noutput = 2.0\n";

/// A case whose agent is the test's own program in the given mode.
fn case(mode: &str, settings: &str) -> Case {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/stubborn.py");
    // The desk is where the reply goes.
    let command = format!("sh -c 'DESK=$(dirname \"$0\") exec python3 {program} {mode}' {{reply}}");
    Case::new(&format!("{PRICES}\n[agents.own]\ncommand = {command:?}\nprovider = \"anthropic\"\n{settings}"))
}

struct Ended {
    report: Value,
    code: Option<i32>,
    took: Duration,
}

fn run(case: &Case, fault: Fault, arguments: &[&str]) -> Ended {
    let endpoint = endpoint(fault);
    let began = Instant::now();
    let output = case.run(&endpoint, &[&["--agent", "own"], arguments].concat());
    Ended { report: report(&output), code: output.status.code(), took: began.elapsed() }
}

impl Ended {
    fn outcome(&self) -> &str {
        self.report["outcome"].as_str().unwrap_or_default()
    }

    fn explanation(&self) -> &str {
        self.report["explanation"].as_str().unwrap_or_default()
    }
}

fn events(case: &Case) -> Vec<Value> {
    let text = std::fs::read_to_string(case.record().join("events.jsonl")).expect("a record");
    text.lines().map(|line| serde_json::from_str::<Value>(line).expect("an entry")["event"].clone()).collect()
}

/// No process is left that works in the project.
fn assert_nobody_is_left(case: &Case) {
    let home = format!("{}", case.repository.root().display());
    for entry in std::fs::read_dir("/proc").expect("processes").flatten() {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let cwd = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        assert!(!cwd.starts_with(&home), "{line} is left");
    }
}

fn assert_over_budget(case: &Case, ended: &Ended, part: &str) {
    assert_eq!((ended.outcome(), ended.code), ("over-budget", Some(6)), "{:#}", ended.report);
    assert!(ended.explanation().contains(part), "{}", ended.explanation());
    assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
    assert_nobody_is_left(case);
    // What was begun is kept.
    let patch = events(case).into_iter().find(|event| event["kind"] == "patch").expect("a patch");
    assert_eq!(patch["files"][0]["path"], "tests/test_partial.py");
}

#[test]
fn an_agent_that_never_stops_is_ended_when_the_money_is_used_up() {
    let case = case("endless", "");
    let ended = run(&case, Fault::Endless, &["--budget-usd", "0.01"]);
    assert_over_budget(&case, &ended, "of 0.01 USD (`usd` under [budget])");
    // One call of 0.0012 USD more than the limit at the most.
    let usd = ended.report["cost"]["usd"].as_f64().expect("money");
    assert!((0.01..0.0112).contains(&usd), "{usd}");
    let refused = events(&case).into_iter().filter(|event| event["exchange"]["refused"].is_string());
    assert_eq!(refused.count(), 1, "the first refusal is recorded");
}

#[test]
fn an_agent_that_never_stops_is_ended_when_the_tokens_are_used_up() {
    let case = case("endless", "[budget.analyst]\ntokens = 5000\n");
    let ended = run(&case, Fault::Endless, &[]);
    assert_over_budget(&case, &ended, "5500 of 5000 tokens (`tokens` under [budget.analyst])");
    assert_eq!(ended.report["cost"]["requests"], 5);
}

#[test]
fn an_agent_that_never_stops_is_ended_when_the_requests_are_used_up() {
    let case = case("endless", "[budget]\nrequests = 3\n");
    assert_over_budget(&case, &run(&case, Fault::Endless, &[]), "3 of 3 requests");
}

#[test]
fn an_agent_that_never_stops_is_ended_when_the_time_is_used_up() {
    let case = case("hang", "[budget]\ntime = \"5s\"\n");
    let ended = run(&case, Fault::None, &[]);
    assert_over_budget(&case, &ended, "(`time` under [budget])");
    assert!(ended.took < Duration::from_secs(20), "{:?}", ended.took);
}

#[test]
fn a_model_without_a_price_is_not_called_on_a_budget_in_money() {
    let case = case("act", "");
    let text = std::fs::read_to_string(case.repository.root().join("failfirst.toml")).expect("settings");
    let unpriced = case.folder.path().join("unpriced.toml");
    std::fs::write(&unpriced, text.replace("mock-1", "another")).expect("settings");
    let ended =
        run(&case, Fault::None, &["--budget-usd", "1", "--config", unpriced.to_str().expect("a path")]);
    assert_eq!(ended.outcome(), "over-budget");
    assert!(
        ended.explanation().contains("no price is known for the model \"mock-1\""),
        "{}",
        ended.explanation()
    );
}

fn assert_no_key(case: &Case, texts: &[String]) {
    for text in texts {
        assert!(!text.contains(KEY));
    }
    for (path, bytes) in files(&case.record()) {
        assert!(memchr::memmem::find(&bytes, KEY.as_bytes()).is_none(), "{} holds the key", path.display());
    }
}

/// An agent that reads whatever it can and hands it out: what it found is in its loot.
fn loot_of(case: &Case, key_file: bool, fault: Fault) -> (std::process::Output, Vec<String>) {
    let endpoint = endpoint(fault);
    let file = case.folder.path().join("key.txt");
    std::fs::write(&file, KEY).expect("a key file");
    let issue = case.folder.path().join("issue.md");
    let mut command = case.failfirst(&["run", "--keep", "--agent", "own"]);
    command
        .arg("--issue")
        .arg(issue)
        .arg("--repo")
        .arg(case.repository.root())
        .arg("--record")
        .arg(case.record());
    command.env("ANTHROPIC_BASE_URL", endpoint.url("")).env("KEY_FILE", &file);
    let scratch = case.folder.path().join("scratch");
    command.env("FAILFIRST_SCRATCH", &scratch);
    match key_file {
        true => command.env("ANTHROPIC_API_KEY_FILE", &file),
        false => command.env("ANTHROPIC_API_KEY", KEY),
    };
    let output = command.output().expect("failfirst runs");
    assert!(
        endpoint.seen().iter().all(|seen| seen.path.starts_with("/v1/m") && seen.headers.contains(KEY)),
        "the provider gets the key"
    );
    let loot = files(&scratch).into_iter().filter(|(path, _)| path.ends_with("loot.json"));
    let loot: Vec<String> = loot.map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).collect();
    assert!(!loot.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    (output, loot)
}

#[test]
fn an_agent_that_reads_whatever_it_can_finds_no_key() {
    for key_file in [false, true] {
        let case = case("thief", "env = [\"KEY_FILE\"]\n");
        let (output, loot) = loot_of(&case, key_file, Fault::None);
        assert_eq!(report(&output)["outcome"], "fixed");
        let first: Value = serde_json::from_str(&loot[0]).expect("loot");
        for place in ["environment", "/proc/1/environ", "models", "stranger", "answer", "key file"] {
            assert!(first[place].is_string(), "the thief looked at {place}");
        }
        assert!(
            first["elsewhere"].as_str().is_some_and(|text| text.starts_with("(404")),
            "{}",
            first["elsewhere"]
        );
        assert!(
            first["stranger"].as_str().is_some_and(|text| text.starts_with("(401")),
            "{}",
            first["stranger"]
        );
        if key_file {
            // In this mode only: elsewhere the file is the user's own and no key of failfirst's.
            assert_no_key(&case, &loot);
        } else {
            assert_no_key(
                &case,
                &loot.iter().map(|text| text.replace(&first["key file"].to_string(), "")).collect::<Vec<_>>(),
            );
        }
        assert_no_key(&case, &[String::from_utf8_lossy(&output.stdout).into_owned()]);
    }
}

#[test]
fn an_agent_without_a_sandbox_finds_no_key_in_failfirsts_own_process() {
    let case = case("snoop", "[sandbox]\nlevel = \"off\"\n");
    let (output, loot) = loot_of(&case, false, Fault::None);
    assert_eq!(report(&output)["outcome"], "fixed");
    let first: Value = serde_json::from_str(&loot[0]).expect("loot");
    let processes = first.as_object().expect("places").iter();
    let environs: Vec<_> = processes.filter(|(place, _)| place.starts_with("/proc/")).collect();
    assert!(environs.len() > 10, "it sees the machine's processes");
    assert!(environs.iter().any(|(_, text)| text.as_str().is_some_and(|text| text.contains("__keys"))));
    for (place, text) in environs {
        assert!(!text.as_str().unwrap_or_default().contains(KEY), "{place} holds the key");
    }
}

#[test]
fn a_provider_that_refuses_the_key_ends_the_run_and_the_key_it_repeats_is_taken_out() {
    let case = case("act", "");
    let ended = run(&case, Fault::Unauthorised, &[]);
    assert_eq!(ended.outcome(), "aborted", "{:#}", ended.report);
    assert!(
        ended.explanation().contains("401: incorrect API key provided: [key]"),
        "{}",
        ended.explanation()
    );
    assert_no_key(&case, &[ended.report.to_string()]);
}

#[test]
fn a_provider_that_is_busy_or_breaks_ends_the_run_and_is_named() {
    for (fault, part) in [
        (Fault::Busy, "429: slow down"),
        (Fault::Broken, "500: oops"),
        (Fault::CutStream, "the provider broke off"),
    ] {
        let case = case("act", "");
        let ended = run(&case, fault, &[]);
        assert_eq!((ended.outcome(), ended.code), ("aborted", Some(3)), "{fault:?}: {:#}", ended.report);
        assert!(ended.explanation().contains(part), "{fault:?}: {}", ended.explanation());
        assert!(ended.took < Duration::from_secs(60));
    }
}

#[test]
fn a_provider_that_talks_nonsense_costs_the_attempts() {
    let case = case("act", "");
    let ended = run(&case, Fault::NoJson, &[]);
    assert_eq!(ended.outcome(), "not-reproduced", "{:#}", ended.report);
    assert!(ended.explanation().contains("3 attempts were refused"), "{}", ended.explanation());
}

#[test]
fn an_answer_of_ten_megabytes_passes_and_is_recorded() {
    let case = case("act", "");
    let ended = run(&case, Fault::Huge, &[]);
    assert_eq!(ended.outcome(), "fixed", "{:#}", ended.report);
    let large = files(&case.record()).into_iter().filter(|(_, bytes)| bytes.len() > 10 << 20).count();
    assert!(large >= 2, "{large} blobs of more than 10 MB");
}

#[test]
fn programs_that_fail_hang_or_print_garbage_cost_the_attempts() {
    for (mode, part) in [
        ("exit", "ended with exit code 1 and no reply; it last printed: it went wrong"),
        ("garbage", "left no reply"),
        ("hang", "was ended after 3s, the `timeout`"),
    ] {
        let case = case(mode, "timeout = \"3s\"\n");
        let ended = run(&case, Fault::None, &[]);
        assert_eq!((ended.outcome(), ended.code), ("not-reproduced", Some(5)), "{mode}: {:#}", ended.report);
        assert!(ended.explanation().contains(part), "{mode}: {}", ended.explanation());
        assert_nobody_is_left(&case);
    }
}

#[test]
fn a_program_that_floods_the_disk_is_ended() {
    let case = case("flood", "[run.attempts]\nanalyst = 1\n");
    let ended = run(&case, Fault::None, &[]);
    assert_eq!(ended.outcome(), "not-reproduced", "{:#}", ended.report);
    assert!(ended.explanation().contains("it wrote more than 4 GiB"), "{}", ended.explanation());
    assert!(ended.took < Duration::from_secs(40), "{:?}", ended.took);
}

/// What a replay must repeat: everything but times, the mark of the replay and the command to reproduce it.
fn essence(mut report: Value) -> String {
    fn forget(value: &mut Value) {
        match value {
            Value::Object(map) => {
                for key in ["took", "seconds", "replayed", "reproduce"] {
                    map.remove(key);
                }
                map.values_mut().for_each(forget);
            }
            Value::Array(items) => items.iter_mut().for_each(forget),
            _ => {}
        }
    }
    forget(&mut report);
    // The two extra tests of a session and the errors that gates put into the code have names that
    // nobody can foresee.
    for gate in report["verdict"]["gates"].as_array_mut().into_iter().flatten() {
        if gate["id"] == "K4" {
            gate["evidence"] = Value::Null;
        }
    }
    regex::Regex::new("stopped [0-9a-f]{16}")
        .expect("a pattern")
        .replace_all(&report.to_string(), "stopped")
        .into_owned()
}

#[test]
fn a_recorded_run_is_replayed_without_a_model_and_without_the_program() {
    let case = case("act", "");
    let first = run(&case, Fault::None, &[]);
    assert_eq!(first.outcome(), "fixed");
    for agent in [None, Some("own")] {
        let mut command = case.failfirst(&["replay"]);
        command.arg(case.record()).arg("--repo").arg(case.repository.root());
        if let Some(agent) = agent {
            // The program works again, and the record answers in the place of the model.
            command.args(["--agent", agent]);
        }
        let output = command.output().expect("failfirst runs");
        let again = report(&output);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(again["replayed"], true);
        assert_eq!(essence(again), essence(first.report.clone()));
    }
}

#[test]
fn a_provider_without_a_key_is_said_before_anything_runs() {
    let case = case("act", "");
    let issue = case.folder.path().join("issue.md");
    let mut command = case.failfirst(&["run", "--agent", "claude"]);
    command
        .arg("--issue")
        .arg(issue)
        .arg("--repo")
        .arg(case.repository.root())
        .arg("--record")
        .arg(case.record());
    let output = command.output().expect("failfirst runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("there is no key for anthropic: set ANTHROPIC_API_KEY or ANTHROPIC_API_KEY_FILE"),
        "{said}"
    );
}

#[test]
fn doctor_says_what_works() {
    let case = case("act", "");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_failfirst"));
    let like = case.failfirst(&[]);
    command.arg("doctor").env_clear().envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.env("ANTHROPIC_API_KEY", KEY).output().expect("doctor runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    for line in [
        "✓ sandbox",
        "✓ git",
        "✓ python3",
        "✓ anthropic        a key is set",
        "✗ openai           there is no key",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(text.contains("✓ claude           Claude Code 2.1.330"), "{text}");
    assert!(
        text.contains("✗ mini             mini-swe-agent 2.4.6 is there; there is no key for openai"),
        "{text}"
    );
    assert!(!text.contains(KEY));
}
