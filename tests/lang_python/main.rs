//! The Python adapter against real interpreters: every way in which a test can end.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod harness;
mod pytest;
mod unittest;
