//! Keys of model providers leave the environment before anything else happens.
//!
//! What is in a process's environment at its start can be read by others of the same user for as
//! long as it lives (`/proc/PID/environ`), whatever it does later. So failfirst starts itself once
//! more without the keys, which reach the new process through memory that has no name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::Context as _;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::agent::gateway::Provider;

/// The hidden first argument that says where the keys are.
const HANDED: &str = "__keys";

/// Keys, by the name of their variable.
#[derive(Default)]
pub(super) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// A key or, for all other names, a variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned().or_else(|| std::env::var(name).ok())
    }
}

/// The arguments without the hidden one, and the keys. Starts the process anew when its environment
/// holds keys and the command works with agents.
pub(super) fn take(arguments: impl Iterator<Item = OsString>) -> anyhow::Result<(Vec<OsString>, Secrets)> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|word| word == HANDED) {
        let number = arguments.get(2).and_then(|word| word.to_str()).unwrap_or_default().to_owned();
        arguments.drain(1..3.min(arguments.len()));
        let number: i32 = number.parse().context("failed to find the keys")?;
        let text = std::fs::read(format!("/proc/self/fd/{number}")).context("failed to read the keys")?;
        nix::unistd::close(number).context("failed to close the keys")?;
        let keys = serde_json::from_slice(&text).context("failed to read the keys")?;
        unreadable()?;
        return Ok((arguments, Secrets(keys)));
    }
    let word = |index: usize| arguments.get(index).and_then(|word| word.to_str()).unwrap_or_default();
    let works_with_agents = word(1) == "run" || (word(1) == "action" && word(2) == "work");
    if !works_with_agents {
        return Ok((arguments, Secrets::default()));
    }
    let keys: BTreeMap<&str, String> = Provider::ALL
        .iter()
        .filter_map(|provider| Some((provider.key_variable(), std::env::var(provider.key_variable()).ok()?)))
        .collect();
    if keys.is_empty() {
        unreadable()?;
        return Ok((arguments, Secrets::default()));
    }
    let memory = memfd_create(c"keys", MFdFlags::empty()).context("failed to make room for the keys")?;
    let mut file = std::fs::File::from(memory);
    file.write_all(&serde_json::to_vec(&keys)?).context("failed to hand on the keys")?;
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).context("failed to hand on the keys")?;
    let mut command =
        Command::new(std::env::current_exe().context("failed to find the failfirst binary itself")?);
    command.arg(HANDED).arg(file.as_raw_fd().to_string()).args(&arguments[1..]);
    for provider in Provider::ALL {
        command.env_remove(provider.key_variable());
    }
    Err(anyhow::Error::new(command.exec()).context("failed to start anew without the keys"))
}

/// Others of the same user may not read this process's memory, which holds keys.
fn unreadable() -> anyhow::Result<()> {
    nix::sys::prctl::set_dumpable(false).context("failed to make the process unreadable")
}
