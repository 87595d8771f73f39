//! What of the machine cargo needs: its homes, its version, where it builds.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::{LangError, Project, command};

/// Cargo's home: the registry's index and sources.
pub(super) fn cargo_home() -> Option<PathBuf> {
    home("CARGO_HOME", ".cargo")
}

fn home(variable: &str, folder: &str) -> Option<PathBuf> {
    let set = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    let place = set.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(folder)))?;
    place.is_dir().then_some(place)
}

/// The variables that cargo and the toolchain need besides the lab's.
///
/// `CARGO_INCREMENTAL`, `RUSTFLAGS` and their like are left as they are by default: cargo would
/// build everything anew that the project's own set-up has built.
pub(super) fn environment() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (variable, place) in [("CARGO_HOME", cargo_home()), ("RUSTUP_HOME", home("RUSTUP_HOME", ".rustup"))] {
        if let Some(place) = place.and_then(|place| place.to_str().map(str::to_owned)) {
            found.push((variable.to_owned(), place));
        }
    }
    if let Ok(toolchain) = std::env::var("RUSTUP_TOOLCHAIN") {
        found.push(("RUSTUP_TOOLCHAIN".to_owned(), toolchain));
    }
    for (variable, value) in [
        ("CARGO_NET_OFFLINE", "true"),
        ("CARGO_TERM_COLOR", "never"),
        ("RUSTUP_AUTO_INSTALL", "0"),
        ("RUST_BACKTRACE", "1"),
        // Errors that carry a trace would print it into what tests compare.
        ("RUST_LIB_BACKTRACE", "0"),
    ] {
        found.push((variable.to_owned(), value.to_owned()));
    }
    found
}

/// True when cargo's configuration puts the build folder outside the tree.
pub(super) fn target_dir_outside(project: &dyn Project) -> bool {
    let own = [".cargo/config.toml", ".cargo/config"].iter().find_map(|path| project.text(path));
    let machine = cargo_home().and_then(|home| {
        ["config.toml", "config"].iter().find_map(|name| std::fs::read_to_string(home.join(name)).ok())
    });
    let of = |text: String| -> Option<PathBuf> {
        let config: toml::Table = text.parse().ok()?;
        Some(PathBuf::from(config.get("build")?.as_table()?.get("target-dir")?.as_str()?))
    };
    match own.and_then(of).or_else(|| machine.and_then(of)) {
        Some(folder) => folder.is_absolute() || folder.starts_with(".."),
        None => false,
    }
}

/// The first words of `cargo … --version`, which also shows that cargo starts here.
///
/// # Errors
/// [`LangError::RunnerMissing`].
pub(super) fn version(root: &Path, arguments: &[&str]) -> Result<String, LangError> {
    if command::find_program("cargo").is_none() {
        return Err(LangError::RunnerMissing {
            what: "`cargo` was not found on the PATH".to_owned(),
            way_out: "install a Rust toolchain, or set `command` under [test] in failfirst.toml".to_owned(),
        });
    }
    let said = Command::new("cargo")
        .args(arguments)
        .current_dir(root)
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stdin(Stdio::null())
        .output();
    let said = match said {
        Ok(said) if said.status.success() => said,
        Ok(said) => {
            let stderr = String::from_utf8_lossy(&said.stderr).trim().to_owned();
            return Err(LangError::RunnerMissing {
                what: format!("`cargo {}` failed: {stderr}", arguments.join(" ")),
                way_out: "install what it asks for".to_owned(),
            });
        }
        Err(error) => {
            return Err(LangError::RunnerMissing {
                what: format!("`cargo` cannot be started: {error}"),
                way_out: "install a Rust toolchain".to_owned(),
            });
        }
    };
    let text = String::from_utf8_lossy(&said.stdout);
    Ok(text.lines().next().unwrap_or_default().split(" (").next().unwrap_or_default().trim().to_owned())
}
