//! `--format` and `--output`, shared by all subcommands that report.

use std::io::{IsTerminal, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::report::terminal::{Colour, Style};
use crate::report::{Format, Report, render};

/// Where a report goes, and in which form.
#[derive(Debug, Args)]
pub(super) struct Output {
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// A file for the report, instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Output {
    /// True when a person reads the report on standard output.
    pub(super) fn is_terminal_report(&self) -> bool {
        self.format == Format::Terminal && self.output.is_none()
    }

    /// Writes the report. A file appears whole or not at all.
    pub(super) fn write(&self, report: &Report) -> anyhow::Result<()> {
        let colours = self.output.is_none()
            && std::io::stdout().is_terminal()
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let style = Style { colour: if colours { Colour::On } else { Colour::Off }, ..Style::default() };
        let mut text = render(self.format, report, style);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        match &self.output {
            None => write_stdout(&text),
            Some(file) => {
                let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
                let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
                let failed = || format!("failed to write the report to {} (--output)", file.display());
                let mut part = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
                part.write_all(text.as_bytes()).with_context(failed)?;
                part.persist(file).with_context(failed)?;
                Ok(())
            }
        }
    }
}

/// Writes to standard output; a reader that went away is no error.
pub(super) fn write_stdout(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
