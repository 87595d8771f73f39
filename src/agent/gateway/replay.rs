//! Recorded exchanges, served again in the place of a provider.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Surface;
use crate::agent::Stage;
use crate::record::{Digest, Event, Record, RecordError};

/// The exchanges of a record.
pub struct Recorded {
    waiting: Mutex<Vec<Answer>>,
}

/// A recorded answer.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Answer {
    stage: Stage,
    attempt: u32,
    surface: String,
    request: Digest,
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Recorded {
    /// Those of the record in a folder. What the gateway refused itself is left out: it is refused again.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn read(folder: &Path) -> Result<Self, RecordError> {
        let mut waiting = Vec::new();
        for entry in Record::read(folder)? {
            let Event::Exchange { exchange } = entry.event else { continue };
            if exchange.refused.is_none() {
                waiting.push(Answer {
                    body: Record::load(folder, &exchange.response)?,
                    stage: exchange.stage,
                    attempt: exchange.attempt,
                    surface: exchange.surface,
                    request: exchange.request,
                    status: exchange.status,
                    content_type: exchange.content_type,
                });
            }
        }
        Ok(Self { waiting: Mutex::new(waiting) })
    }

    /// The answer to a request: that to the very same one, else the next of its kind in the attempt. Programs
    /// put times and random names into their requests, so few are the very same.
    pub(super) fn take(
        &self,
        stage: Stage,
        attempt: u32,
        surface: Surface,
        request: &[u8],
    ) -> Option<Answer> {
        let digest = Digest::of(request);
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |answer: &&Answer| {
            answer.stage == stage && answer.attempt == attempt && answer.surface == surface.name()
        };
        let same = waiting.iter().position(|answer| fits(&answer) && answer.request == digest);
        let index = same.or_else(|| waiting.iter().position(|answer| fits(&answer)))?;
        Some(waiting.remove(index))
    }
}
