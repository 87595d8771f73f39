//! The Go adapter against a real `go test`, which scripts/test-tools/go installs.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod builds;
mod deaths;
mod harness;
mod projects;
mod results;
