//! The Python adapter against real interpreters: every way in which a test can end.

mod harness;
mod pytest;
mod unittest;
