//! The real programs, installed at pinned versions, work on a whole case against the scripted endpoint.

use super::case::{Case, KEY, endpoint, files, report};
use super::endpoint::Fault;

/// Prices for the models that the tests name.
const SETTINGS: &str = "\n[prices.\"mock-1\"]\ninput = 1.0\noutput = 2.0\n";

fn works_on_a_whole_case(program: &str, settings: &str) {
    let case = Case::new(&format!(
        "{SETTINGS}\n[agents.real]\npreset = \"{program}\"\nmodel = \"mock-1\"\n{settings}"
    ));
    let endpoint = endpoint(Fault::None);
    let output = case.run(&endpoint, &["--agent", "real", "--budget-usd", "1"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = report(&output);
    assert_eq!(report["outcome"], "fixed", "{report:#}\n{said}");
    assert_eq!(
        (output.status.code(), &report["verdict"]["verdict"]),
        (Some(0), &"verified".into()),
        "{said}"
    );
    assert_eq!(report["verdict"]["sandbox"]["kind"], "namespaces");
    // Three stages, each with a command and its last words at least.
    let requests = report["cost"]["requests"].as_u64().expect("requests");
    assert!(requests >= 6, "{report:#}");
    let usd = report["cost"]["usd"].as_f64().expect("a price");
    assert!((usd - requests as f64 * 0.0012).abs() < 1e-9, "{requests} requests cost {usd}");
    let seen = endpoint.seen();
    assert!(
        seen.iter().filter(|seen| !seen.body.is_empty()).all(|seen| seen.headers.contains(KEY)),
        "the gateway brings the key"
    );
    assert!(seen.iter().all(|seen| !seen.headers.contains("failfirst-")), "no token leaves");
    for (path, bytes) in files(&case.record()) {
        assert!(memchr::memmem::find(&bytes, KEY.as_bytes()).is_none(), "{} holds the key", path.display());
    }
    assert!(!String::from_utf8_lossy(&output.stdout).contains(KEY) && !said.contains(KEY));
}

#[test]
fn claude_code_works_on_a_whole_case() {
    works_on_a_whole_case("claude", "");
}

#[test]
fn mini_swe_agent_works_on_a_whole_case() {
    works_on_a_whole_case("mini", "");
}

#[test]
#[ignore = "scripts/agents-real runs all five"]
fn codex_works_on_a_whole_case() {
    works_on_a_whole_case("codex", "");
}

#[test]
#[ignore = "scripts/agents-real runs all five"]
fn gemini_cli_works_on_a_whole_case() {
    works_on_a_whole_case("gemini", "");
}

#[test]
#[ignore = "scripts/agents-real runs all five"]
fn opencode_works_on_a_whole_case() {
    works_on_a_whole_case("opencode", "");
}
