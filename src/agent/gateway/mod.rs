//! The gateway: a reverse proxy between the agents of one run and the providers of models.
//!
//! It holds the keys, so that no agent does: an agent gets an address on loopback and a token that is
//! worth nothing elsewhere and ends with its attempt ([`Lease`]). Only calls of a model pass
//! (`routes`); every exchange is counted (`usage`, `prices`), held against the budget
//! ([`Ledger`]) and written to the record; a recorded exchange can be served again ([`Recorded`]).
//! Programs that a sandbox keeps from the network reach it through a Unix socket that is bound into
//! their namespace; see [`crate::lab::Relay`].

mod budget;
mod exchange;
mod lease;
mod prices;
mod provider;
mod refusal;
mod replay;
mod routes;
mod scrub;
mod server;
mod upstream;
mod usage;

pub use budget::{Budget, Ledger, Limits};
pub use lease::Lease;
pub use prices::{Price, Prices};
pub use provider::Provider;
pub use replay::Recorded;
pub use routes::Surface;
pub use server::{Gateway, Settings, Sink};
pub use upstream::{Keys, Upstream, Upstreams};
pub use usage::Usage;

/// Why there is no gateway.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It cannot listen.
    #[error("the gateway to the model cannot {doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The address of a provider cannot be used.
    #[error("{variable} is \"{value}\", which is no http or https address")]
    Address {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// A key cannot be read or cannot be sent.
    #[error("{variable}: {what}")]
    Key {
        /// The variable.
        variable: String,
        /// What is wrong; never the key.
        what: String,
    },
    /// A provider is wanted whose key is absent.
    #[error(
        "there is no key for {provider}: set {} or {}_FILE, or {} for a server on this machine",
        .provider.key_variable(), .provider.key_variable(), .provider.upstream_variable()
    )]
    NoKey {
        /// Which provider.
        provider: Provider,
    },
    /// The client for the provider cannot be made.
    #[error("the client for the model's provider cannot be made: {0}")]
    Client(String),
}
