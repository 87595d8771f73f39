//! The `failfirst` command.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    // The sandbox's helpers are this binary too, and must stay single-threaded.
    failfirst::lab::run_if_asked();
    match failfirst::cli::run() {
        Ok(code) => code.into(),
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "failfirst: {error:#}");
            failfirst::exit_code::ExitCode::of_error(&error).into()
        }
    }
}
