//! The way to a server: TLS, proxies from the environment, time limits. No retries, no redirects.
//!
//! octocrab's own client is not used for this: it repeats writes, has no time limits unless they are
//! set, and knows no proxies. Requests still go through an [`Octocrab`] built upon this transport.

use std::convert::Infallible;
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};

const CONNECT: Duration = Duration::from_secs(10);

/// A client that reaches `api`, through a proxy where `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY` say so.
///
/// # Errors
/// A fragment: no certificates on this machine, or `proxies` names no address.
pub(super) fn open(api: &Uri, proxies: &Matcher) -> Result<Octocrab, String> {
    let mut plain = HttpConnector::new();
    plain.set_connect_timeout(Some(CONNECT));
    plain.enforce_http(false);
    let Some(proxy) = proxies.intercept(api) else {
        return Ok(finish(secure(plain)?));
    };
    let mut tunnel = Tunnel::new(proxy.uri().clone(), plain);
    if let Some(auth) = proxy.basic_auth() {
        tunnel = tunnel.with_auth(auth.clone());
    }
    Ok(finish(secure(tunnel)?))
}

fn secure<C>(connector: C) -> Result<HttpsConnector<C>, String> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(provider)
        .map_err(|error| format!("no certificates are installed on this machine ({error})"))?;
    Ok(builder.https_or_http().enable_http1().wrap_connector(connector))
}

fn finish<C: Connect + Clone + Send + Sync + 'static>(connector: C) -> Octocrab {
    let client: Client<_, octocrab::OctoBody> = Client::builder(TokioExecutor::new()).build(connector);
    let built: Result<_, Infallible> =
        OctocrabBuilder::new_empty().with_service(client).with_auth(AuthState::None).build();
    match built {
        Ok(octocrab) => octocrab,
        Err(never) => match never {},
    }
}
