//! A test that reaches for the network.

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{call, is_string, string_value};

/// The rule.
pub(super) struct Network;

impl Rule for Network {
    fn id(&self) -> &'static str {
        "network"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test reach for a machine elsewhere?"
    }

    fn look(&self, view: &View<'_>, _scene: &Scene<'_>) -> Vec<Hit> {
        view.nodes()
            .filter(|node| is_string(*node) && is_elsewhere(string_value(*node, view.text)))
            .filter_map(|node| {
                let list = node.parent()?;
                let call = call(list.parent()?, view.text)?;
                let client = [
                    "requests.",
                    "httpx.",
                    "urllib.",
                    "aiohttp.",
                    "http.",
                    "https.",
                    "axios",
                    "fetch",
                    "net.",
                    "reqwest::",
                ];
                client
                    .iter()
                    .any(|name| {
                        call.callee == *name
                            || call.callee.starts_with(name) && name.ends_with(['.', ':', 's'])
                    })
                    .then(|| {
                        Hit::at(call.node, view, Weight::Note, "the test reaches for a machine elsewhere")
                    })
            })
            .collect()
    }
}

fn is_elsewhere(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://")) else {
        return false;
    };
    let host = rest.split(['/', ':', '?']).next().unwrap_or(rest);
    !host.is_empty()
        && !["localhost", "127.0.0.1", "0.0.0.0", "["].iter().any(|local| host.starts_with(local))
}
