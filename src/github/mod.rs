//! GitHub, at the two ends of a run: an event starts it, its result is published.
//!
//! [`event`] and [`command`] read what happened, [`authorise`] decides who may start what, [`fetch`]
//! reads issues and pull requests, [`bundle`] carries results from job to job, [`plan`] compares what
//! should be on GitHub with what is ([`remote`]) and lists the writes, [`publish`] carries them out.
//! Everything that decides is pure; [`client`] is the only one that talks.

pub mod authorise;
pub mod bundle;
pub mod client;
pub mod command;
pub mod diff;
pub mod endpoint;
pub mod event;
pub mod fetch;
pub mod join;
pub mod plan;
pub mod prove;
pub mod publish;
mod queries;
pub mod remote;
pub mod runner;
pub mod secrets;
pub mod step;
mod transport;

/// What the names of failfirst's branches start with.
pub const BRANCH_PREFIX: &str = "failfirst/";
