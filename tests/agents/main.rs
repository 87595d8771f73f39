//! Agents, over the gateway: real programs, budgets, key safety, faults and replay.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../harness/mod.rs"]
mod harness;

mod case;
mod endpoint;
mod limits;
mod programs;
