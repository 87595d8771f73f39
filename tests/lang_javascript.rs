//! The JavaScript adapter against the real runners; scripts/test-tools/javascript installs them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stand outside the test functions, and what a run printed explains a failure"
)]

#[path = "javascript/mod.rs"]
mod harness;

#[path = "javascript/jest.rs"]
mod jest;
#[path = "javascript/mocha.rs"]
mod mocha;
#[path = "javascript/node_test.rs"]
mod node_test;
#[path = "javascript/projects.rs"]
mod projects;
#[path = "javascript/vitest.rs"]
mod vitest;
