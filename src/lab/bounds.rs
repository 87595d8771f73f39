//! What bounds a command of an agent besides its time: a way to end it early, and its one way out.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

/// The one way out of a namespace without network: a loopback port that leads to a Unix socket.
///
/// A small process inside listens on the port and passes connections on; outside a namespace
/// somebody listens on the same port already, so an address holds everywhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Relay {
    /// The socket. The folder that holds it appears in the namespace, read-only, and should hold nothing else.
    pub socket: PathBuf,
    /// The port on 127.0.0.1.
    pub port: u16,
}

/// A way to end a command early.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Mutex<Option<(Instant, String)>>>);

impl Stop {
    /// The command is to end at that moment; the earliest moment counts.
    pub fn at(&self, moment: Instant, why: impl Into<String>) {
        let mut due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if due.as_ref().is_none_or(|(known, _)| moment < *known) {
            *due = Some((moment, why.into()));
        }
    }

    /// Why the command has to end now, where it has to.
    pub fn due(&self) -> Option<String> {
        let due = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        due.as_ref().filter(|(moment, _)| Instant::now() >= *moment).map(|(_, why)| why.clone())
    }
}

/// What bounds a command of an agent.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// Its one way out.
    pub relay: Option<Relay>,
    /// A way to end it early.
    pub stop: Stop,
}
