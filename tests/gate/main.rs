//! The catalogue of deceits: every one is refused or left to a person, and its honest twin is not.

#[path = "../harness/mod.rs"]
mod harness;

mod honest;
mod invalid_test;
mod seed;
mod tampering;
