use std::time::Duration;

use super::*;

fn error(text: &str) -> String {
    Config::parse(text, FILE_NAME).unwrap_err().to_string()
}

#[test]
fn an_empty_file_gives_the_documented_defaults() {
    let config = Config::from_tree_text(Some("")).unwrap();
    assert_eq!(config, Config::from_tree_text(None).unwrap());
    assert_eq!(config.test.timeout.get(), Duration::from_secs(600));
    assert_eq!(config.test.repeats.get(), 3);
    assert_eq!(config.sandbox.level, Level::Auto);
    assert_eq!(config.gates.regressions, Regressions::Suite);
    assert_eq!(config.gates.protected.rule(Class::Ci), Rule::Refuse);
}

#[test]
fn every_key_of_the_contract_is_understood() {
    let config = Config::parse(
        r#"
        [project]
        language = "python"
        runner = "pytest"
        setup = ["pip install -e ."]
        [test]
        command = ".venv/bin/python -m pytest {tests}"
        suite = ".venv/bin/python -m pytest"
        env = { PYTHONPATH = "src" }
        timeout = "1m 30s"
        repeats = 5
        [paths]
        tests = ["tests/**"]
        production = ["src/**"]
        protected = ["secrets/*.toml"]
        [sandbox]
        level = "required"
        [gates]
        regressions = "related"
        [gates.protected]
        agent-instructions = "human"
        [agents.claude]
        command = "claude -p --allowedTools 'Read,Edit'"
        env = ["ANTHROPIC_API_KEY"]
        network = "host"
        timeout = "1h"
        [run]
        agent = "claude"
        attempts = { analyst = 2 }
        base = "origin/main"
        "#,
        FILE_NAME,
    )
    .unwrap();
    assert_eq!(config.test.timeout.get(), Duration::from_secs(90));
    assert_eq!(config.gates.protected.rule(Class::AgentInstructions), Rule::Human);
    assert_eq!(config.agents["claude"].network, Network::Host);
    assert_eq!(config.run.attempts.analyst, Some(2));
    let settings = config.runner_settings();
    assert_eq!(settings.command.unwrap().words()[3], "{tests}");
    let globs = config.paths.globs().unwrap();
    assert!(globs.tests.is_match("tests/unit/test_a.py"));
    assert!(!globs.protected.is_match("src/a.toml"));
    // What is written out reads back as the same settings.
    let written = toml::to_string(&config).unwrap();
    assert_eq!(Config::parse(&written, "again").unwrap(), config);
}

#[test]
fn an_error_names_the_file_the_line_and_the_way_out() {
    let unknown = error("[test]\ntimout = \"10m\"\n");
    assert!(unknown.starts_with("failfirst.toml, line 2 (`timout = \"10m\"`): unknown field"), "{unknown}");
    assert!(unknown.contains("`timeout`") && unknown.contains("failfirst schema config"), "{unknown}");
    assert!(
        error("[test]\n\nrepeats = 1").contains("line 3 (`repeats = 1`): 1 repeats are outside 3 to 100")
    );
    assert!(error("[test]\ntimeout = \"10\"").contains("write it with a unit"));
    assert!(error("[test]\ntimeout = \"-3m\"").contains("too short"));
    assert!(error("[test]\ncommand = \"pytest '\"").contains("open quote"));
    assert!(error("[sandbox]\nlevel = \"none\"").contains("`required`, `auto`, `off`"));
    assert!(error("[paths]\ntests = [\"a[\"]").contains("`paths.tests` holds \"a[\""));
}

#[test]
fn a_stage_whose_agent_is_not_defined_is_an_error() {
    let message = error("[run]\nfixer = \"coder\"");
    assert!(
        message.contains("`run.fixer = \"coder\"` names no agent; define it as [agents.coder]"),
        "{message}"
    );
    assert!(error("[run]\nattempts = { fixer = 0 }").contains("between 1 and 20"));
}
