//! The `failfirst` command.

fn main() {}
