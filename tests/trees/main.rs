//! Odd repositories, odd projects and odd runs: each ends in a clear message and the right exit
//! code, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "../harness/repository.rs"]
#[expect(dead_code, reason = "a part of the harness of all test programs")]
mod repository;

mod checkouts;
mod command;
mod projects;
mod revisions;
mod runs;
mod switching;
