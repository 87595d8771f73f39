//! The process inside a namespace that passes connections on to the gateway's socket.
//!
//! Process 1 opens the port, so it is open before the agent starts, and gives it to this process as
//! standard input. It runs with the agent's own few rights and ends with the namespace.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::lab::Relay;

/// The hidden first argument of the process.
pub(crate) const RELAY: &str = "__sandbox-relay";

/// Starts it; called by process 1.
pub(super) fn start(relay: &Relay) -> anyhow::Result<Child> {
    let port =
        TcpListener::bind((Ipv4Addr::LOCALHOST, relay.port)).context("failed to open the relay's port")?;
    Command::new("/proc/self/exe")
        .arg(RELAY)
        .arg(&relay.socket)
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(port)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("failed to start the relay")
}

/// What the process does.
pub(super) fn serve(socket: &Path) -> anyhow::Result<i32> {
    let port = io::stdin().as_fd().try_clone_to_owned().context("failed to take over the port")?;
    for connection in TcpListener::from(port).incoming() {
        let Ok(inner) = connection else { continue };
        let Ok(outer) = UnixStream::connect(socket) else { continue };
        // What cannot be passed on is closed, which the client understands.
        let _ = pass(inner, outer);
    }
    Ok(0)
}

fn pass(inner: TcpStream, outer: UnixStream) -> io::Result<()> {
    inner.set_nodelay(true)?;
    let (mut from_inner, mut to_outer) = (inner.try_clone()?, outer.try_clone()?);
    let (mut from_outer, mut to_inner) = (outer, inner);
    std::thread::Builder::new().spawn(move || {
        let _ = io::copy(&mut from_inner, &mut to_outer);
        let _ = to_outer.shutdown(Shutdown::Write);
    })?;
    std::thread::Builder::new().spawn(move || {
        let _ = io::copy(&mut from_outer, &mut to_inner);
        let _ = to_inner.shutdown(Shutdown::Both);
    })?;
    Ok(())
}
