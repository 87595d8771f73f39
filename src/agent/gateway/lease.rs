//! An agent's right to call a model during one attempt.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::server::Inner;
use super::{Ledger, Provider};
use crate::agent::Stage;
use crate::lab::{Bounds, Relay, Stop};

/// How long an agent may go on after its first refusal, to end by itself, and how often it may ask.
const GRACE: Duration = Duration::from_secs(10);
const PATIENCE: u32 = 20;

/// What the gateway knows of an attempt.
pub(super) struct Holder {
    pub(super) stage: Stage,
    pub(super) attempt: u32,
    pub(super) stop: Stop,
    pub(super) ended: watch::Sender<bool>,
    refusals: AtomicU32,
    tally: Mutex<Tally>,
}

#[derive(Default)]
struct Tally {
    good: u32,
    last_failure: Option<String>,
}

impl Holder {
    /// A call was refused for a budget; true for the first.
    pub(super) fn refused(&self, why: &str) -> bool {
        let count = self.refusals.fetch_add(1, Ordering::Relaxed) + 1;
        let grace = if count > PATIENCE { Duration::ZERO } else { GRACE };
        self.stop.at(Instant::now() + grace, why);
        count == 1
    }

    /// A call came to this.
    pub(super) fn count(&self, failure: Option<String>) {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        match failure {
            Some(failure) => tally.last_failure = Some(failure),
            None => tally.good += 1,
        }
    }
}

/// An agent's right to call a model during one attempt. It ends when this is dropped.
pub struct Lease {
    inner: Arc<Inner>,
    holder: Arc<Holder>,
    token: String,
}

impl Lease {
    pub(super) fn new(inner: Arc<Inner>, stage: Stage, attempt: u32) -> Self {
        let token = format!("failfirst-{}", crate::lab::nonce(20));
        let stop = Stop::default();
        inner.ledger.begin(stage);
        if let Some(left) = inner.ledger.time_left(stage) {
            stop.at(Instant::now() + left, "its time is used up");
        }
        let holder = Arc::new(Holder {
            stage,
            attempt,
            stop,
            ended: watch::Sender::new(false),
            refusals: AtomicU32::new(0),
            tally: Mutex::default(),
        });
        inner.admit(&token, &holder);
        Self { inner, holder, token }
    }

    /// What the agent takes for its key. It is worth nothing elsewhere.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// What the agent takes for the provider's address, in the form that the provider's own clients expect.
    pub fn address(&self, provider: Provider) -> String {
        format!("http://127.0.0.1:{}{}", self.inner.port, provider.mount())
    }

    /// What bounds a command of the agent: its way to the gateway, and its end when a budget is used up.
    pub fn bounds(&self) -> Bounds {
        let relay = Relay { socket: self.inner.socket.clone(), port: self.inner.port };
        Bounds { relay: Some(relay), stop: self.holder.stop.clone() }
    }

    /// Why the budget ends the attempt, where it does.
    pub fn over(&self) -> Option<String> {
        self.inner.ledger.over(self.holder.stage)
    }

    /// Why an agent that came to nothing could not have come to anything: no call got an answer. What
    /// the last one got is told.
    pub fn no_answer(&self) -> Option<String> {
        self.inner.settle(Duration::from_secs(5));
        let tally = self.holder.tally.lock().unwrap_or_else(PoisonError::into_inner);
        tally.last_failure.clone().filter(|_| tally.good == 0)
    }

    /// The books of the run.
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.inner.dismiss(&self.token);
        // Nobody may listen, which is as good.
        let _ = self.holder.ended.send(true);
        self.inner.settle(Duration::from_secs(5));
        self.inner.ledger.end();
    }
}
