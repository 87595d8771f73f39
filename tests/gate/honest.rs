//! Honest fixes in every language are verified: nobody would use a judge that refuses them.

use crate::harness::story::{javascript, pytest, python, rust};

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

#[test]
fn an_honest_javascript_fix_is_verified() {
    javascript().together().verified();
    javascript().sealed().verified();
}

#[test]
fn an_honest_rust_fix_is_verified() {
    rust().together().verified();
    rust().sealed().verified();
}
