//! Odd repositories, odd projects and odd runs: each ends in a clear message and the right exit
//! code, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../harness/repository.rs"]
mod repository;

mod checkouts;
mod command;
mod projects;
mod revisions;
mod runs;
mod switching;
