//! The Rust adapter against real builds of small crates without dependencies.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod builds;
mod canaries;
mod harness;
mod libtest;
mod nextest;
mod targets;
