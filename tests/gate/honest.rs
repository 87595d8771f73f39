//! Honest fixes in every language are verified: nobody would use a judge that refuses them.

use failfirst::verify::Sealing;

use crate::harness::story::{javascript, pytest, python, rust};

/// Rows 1 and 33, Python, honest twin: verified.
#[test]
fn an_honest_python_fix_is_verified() {
    python().together().verified();
    python().sealed().verified();
}

#[test]
fn an_honest_fix_with_pytest_is_verified() {
    pytest().together().verified();
    pytest().sealed().verified();
}

/// Rows 1 and 33, JavaScript, honest twin: verified.
#[test]
fn an_honest_javascript_fix_is_verified() {
    javascript().together().verified();
    javascript().sealed().verified();
}

/// Rows 1 and 33, Rust, honest twin: verified.
#[test]
fn an_honest_rust_fix_is_verified() {
    rust().together().verified();
    rust().sealed().verified();
}

/// What is checked out must not leak into the variants: in a pull request's checkout the head's own
/// files are tracked, and the base must be judged without them.
#[test]
fn the_verdict_is_the_same_whatever_revision_is_checked_out() {
    let written = python().write();
    let at_base = written.judge(Sealing::Found);
    written.repository.git(&["checkout", "-q", "--detach", &written.head]);
    let at_head = written.judge(Sealing::Found);
    let reasons = |judged: &failfirst::gate::verdict::Verdict| {
        judged
            .gates
            .iter()
            .map(|gate| (gate.id, gate.reason.clone(), gate.evidence.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(reasons(&at_base.verdict), reasons(&at_head.verdict));
    at_head.verified();
}
