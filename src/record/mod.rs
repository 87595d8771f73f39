//! The record: what a run leaves behind, as an append-only log of events and a store of blobs.
//!
//! `events.jsonl` holds one [`Entry`] a line, each with the hash of the line before it, so that a
//! change of the past shows. Long texts (prompts, replies, patches) are blobs, named by their
//! hash. A last line that was torn by a crash is dropped; anything else that is wrong is an error.
//! [`RunRecord`] is what reports are made from.

mod event;
mod store;
mod view;

pub use event::{Ending, Entry, Event, ExchangeRecord, Failure, LeftFile, Outcome, Refusal, Refuser};
pub use store::{Digest, Record, RecordError, default_folder};
pub use view::{AttemptEnd, AttemptRecord, RunRecord, SealedRecord};
