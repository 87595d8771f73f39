//! `failfirst schema`.

use clap::Args;

use super::output::write_stdout;
use crate::exit_code::ExitCode;
use crate::schema::ALL;

/// Arguments of `failfirst schema`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Which schema; without a name they are listed.
    name: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(name) = &arguments.name else {
        let list: String =
            ALL.iter().map(|schema| format!("{:18} {}\n", schema.name, schema.about)).collect();
        write_stdout(&list)?;
        return Ok(ExitCode::Verified);
    };
    let Some(schema) = ALL.iter().find(|schema| schema.name == name) else {
        let known = ALL.iter().map(|schema| schema.name).collect::<Vec<_>>().join(", ");
        return Err(super::Usage(format!("`{name}` is no schema; known are {known}")).into());
    };
    write_stdout(&schema.text())?;
    Ok(ExitCode::Verified)
}
