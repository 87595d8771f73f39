//! From an event to what stands on GitHub, against a fake that enforces the platform's rules.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../harness/github/mod.rs"]
#[allow(dead_code, reason = "a harness offers more than one story needs")]
mod fake;
#[path = "../harness/mod.rs"]
mod harness;

mod act;
mod action;
mod case;
mod hostile;
mod killed;
mod limits;
mod local;
mod publish;
mod webhooks;
