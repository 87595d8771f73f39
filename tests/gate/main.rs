//! The catalogue of deceits: every one is refused or left to a person, and its honest twin is not.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod clones;
mod evidence;
mod forms;
mod git_tricks;
mod go;
mod honest;
mod invalid_test;
mod more;
mod mutants;
mod observes;
mod overfit;
mod regressions;
mod replication;
mod rows;
mod seed;
mod smells;
mod still_wrong;
mod surroundings;
mod tampering;
mod twin;
mod unexercised;
