//! One exchange: a request is admitted, answered, passed on as it comes, counted and recorded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::lease::Holder;
use super::refusal::{self, Reason};
use super::routes::{self, Route};
use super::scrub::Scrubber;
use super::server::{Exchange, Inner, Source};
use super::usage::Reader;
use super::{Provider, Surface, Usage};

pub(super) type Failure = Box<dyn std::error::Error + Send + Sync>;
pub(super) type Answer = Response<BoxBody<Bytes, Failure>>;

/// The longest request, and how much of a response is kept for the record.
const LARGEST_REQUEST: usize = 64 << 20;
const LARGEST_RECORDED: usize = 64 << 20;
/// How long a provider may be silent.
const SILENCE: Duration = Duration::from_secs(600);

/// Headers of a client that are passed on; all others say more than a provider must know, or hold tokens.
const PASSED_ON: [&str; 7] = [
    "accept",
    "anthropic-beta",
    "anthropic-version",
    "content-type",
    "openai-beta",
    "user-agent",
    "x-goog-api-client",
];

/// Headers of a provider that are passed back, besides those of limits.
const PASSED_BACK: [&str; 5] =
    ["content-type", "request-id", "retry-after", "retry-after-ms", "x-request-id"];
const LIMITS: [&str; 2] = ["anthropic-ratelimit-", "x-ratelimit-"];

/// A request that may pass.
struct Asked {
    holder: Arc<Holder>,
    route: Route,
    model: String,
    headers: HeaderMap,
    query: Option<String>,
    body: Bytes,
    began: Instant,
}

/// Answers a request.
pub(super) async fn answer(inner: Arc<Inner>, request: Request<Incoming>) -> Answer {
    let provider = routes::provider(request.uri().path());
    let refuse = |reason: Reason, text: &str| own(provider, reason, text);
    let Some(holder) = token(request.headers(), request.uri().query()).and_then(|token| inner.holder(&token))
    else {
        return refuse(Reason::Stranger, "this is not the token of an attempt under way");
    };
    let Some(route) = routes::route(request.method().as_str(), request.uri().path()) else {
        let text = format!(
            "the gateway serves calls of a model only, not {} {}",
            request.method(),
            request.uri().path()
        );
        return refuse(Reason::NotServed, &text);
    };
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return refuse(Reason::BadRequest, &format!("the request cannot be read: {error}")),
    };
    let mut asked = Asked {
        holder,
        model: route.model.clone().unwrap_or_default(),
        route,
        headers: parts.headers,
        query: routes::query(parts.uri.query()),
        body,
        began: Instant::now(),
    };
    if asked.route.surface.is_a_call() {
        if let Err(text) = asked.understand() {
            return refuse(Reason::BadRequest, &text);
        }
        if let Err(text) = inner.ledger.admit(asked.holder.stage, &asked.model) {
            return over_budget(&inner, asked, &text);
        }
    }
    let _open = inner.open();
    let mut ended = asked.holder.ended.subscribe();
    tokio::select! {
        answer = pass(inner, asked) => answer,
        _ = ended.wait_for(|ended| *ended) => refuse(Reason::Stranger, "the attempt has ended"),
    }
}

impl Asked {
    /// Finds the model, and asks for the numbers that a stream of Chat Completions tells only when asked.
    fn understand(&mut self) -> Result<(), String> {
        let mut value: Value =
            serde_json::from_slice(&self.body).map_err(|error| format!("the request is no JSON: {error}"))?;
        if self.route.model.is_none() {
            let model = value.get("model").and_then(Value::as_str);
            model.ok_or("the request names no model")?.clone_into(&mut self.model);
        }
        if self.route.surface == Surface::Chat && value.get("stream") == Some(&json!(true)) {
            let options = value.as_object_mut().ok_or("the request is no object")?;
            let options = options.entry("stream_options").or_insert(json!({}));
            if options.get("include_usage") != Some(&json!(true)) {
                *options = json!({"include_usage": true});
                self.body = serde_json::to_vec(&value).map_err(|error| error.to_string())?.into();
            }
        }
        Ok(())
    }

    fn exchange(&self, status: u16, content_type: &str) -> Exchange {
        Exchange {
            stage: self.holder.stage,
            attempt: self.holder.attempt,
            provider: self.route.provider,
            surface: self.route.surface,
            model: self.model.clone(),
            status,
            content_type: content_type.to_owned(),
            request: self.body.to_vec(),
            response: Vec::new(),
            usage: Usage::default(),
            usd: None,
            seconds: 0.0,
            cut: None,
            refused: None,
        }
    }
}

fn over_budget(inner: &Inner, asked: Asked, text: &str) -> Answer {
    if asked.holder.refused(text) {
        let body = refusal::body(Some(asked.route.provider), Reason::OverBudget, text).to_string();
        let mut exchange = asked.exchange(Reason::OverBudget.status(), "application/json");
        exchange.response = body.into_bytes();
        exchange.refused = Some(text.to_owned());
        inner.keep(exchange);
    }
    own(Some(asked.route.provider), Reason::OverBudget, text)
}

/// Lets the provider answer, or the record.
async fn pass(inner: Arc<Inner>, asked: Asked) -> Answer {
    let (provider, stage) = (asked.route.provider, asked.holder.stage);
    let upstreams = match &inner.source {
        Source::Live { upstreams, .. } => upstreams,
        Source::Recorded(recorded) => {
            let found = recorded.take(stage, asked.holder.attempt, asked.route.surface, &asked.body);
            let Some(found) = found else {
                return failed(
                    &inner,
                    &asked,
                    "the record holds no further exchange of this kind for the attempt",
                );
            };
            let mut pump = Pump::new(inner, asked, found.status, &found.content_type, Scrubber::new(None));
            let bytes = pump.take(&found.body);
            pump.finish(None);
            let mut answer = Response::new(full(bytes));
            set_head(&mut answer, found.status, &found.content_type);
            return answer;
        }
    };
    let upstream = match upstreams.of(provider) {
        Ok(upstream) => upstream,
        Err(error) => return failed(&inner, &asked, &error.to_string()),
    };
    let Source::Live { client, .. } = &inner.source else { return failed(&inner, &asked, "no client") };
    let mut request = client
        .request(
            if asked.body.is_empty() { reqwest::Method::GET } else { reqwest::Method::POST },
            upstream.url(&asked.route.path, asked.query.as_deref()),
        )
        .header("accept-encoding", "identity");
    for name in PASSED_ON {
        for value in asked.headers.get_all(name) {
            request = request.header(name, value);
        }
    }
    if let Some((name, value)) = upstream.header(provider) {
        request = request.header(name, value);
    }
    if !asked.body.is_empty() {
        request = request.body(asked.body.clone());
    }
    let scrubber = Scrubber::new(upstream.key());
    let response = match tokio::time::timeout(SILENCE, request.send()).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            let text = scrubber.text(&format!("the provider cannot be reached: {}", chain(&error)));
            return failed(&inner, &asked, &text);
        }
        Err(_) => return failed(&inner, &asked, "the provider did not answer within ten minutes"),
    };
    let status = response.status().as_u16();
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !matches!(header("content-encoding"), "" | "identity") {
        return failed(&inner, &asked, "the provider sent a compressed answer, which was not asked for");
    }
    if response.status().is_redirection() {
        return failed(&inner, &asked, "the provider redirects, which would take the key elsewhere");
    }
    let content_type = header("content-type").to_owned();
    let headers = back(response.headers(), &scrubber);
    let (sender, body) = Channel::<Bytes, Failure>::new(16);
    let ended = asked.holder.ended.subscribe();
    let pump = Pump::new(inner, asked, status, &content_type, scrubber);
    tokio::spawn(pump.run(response, sender, ended));
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    *answer.headers_mut() = headers;
    answer
}

/// Passes a response on while it comes.
struct Pump {
    inner: Arc<Inner>,
    holder: Arc<Holder>,
    exchange: Exchange,
    scrubber: Scrubber,
    reader: Reader,
    is_a_call: bool,
    began: Instant,
    _open: super::server::Open,
}

impl Pump {
    fn new(inner: Arc<Inner>, asked: Asked, status: u16, content_type: &str, scrubber: Scrubber) -> Self {
        let mut exchange = asked.exchange(status, content_type);
        exchange.request = scrubber.bytes(&exchange.request);
        Self {
            _open: inner.open(),
            reader: Reader::new(asked.route.surface, content_type),
            is_a_call: asked.route.surface.is_a_call(),
            began: asked.began,
            holder: asked.holder,
            inner,
            exchange,
            scrubber,
        }
    }

    async fn run(
        mut self,
        mut response: reqwest::Response,
        mut sender: Sender<Bytes, Failure>,
        mut ended: tokio::sync::watch::Receiver<bool>,
    ) {
        let cut = loop {
            let piece = tokio::select! {
                piece = tokio::time::timeout(SILENCE, response.chunk()) => piece,
                _ = ended.wait_for(|ended| *ended) => break Some("the attempt ended".to_owned()),
            };
            match piece {
                Ok(Ok(Some(bytes))) => {
                    let bytes = self.take(&bytes);
                    if !bytes.is_empty() && sender.send_data(bytes).await.is_err() {
                        break Some("the agent left".to_owned());
                    }
                }
                Ok(Ok(None)) => break None,
                Ok(Err(error)) => {
                    break Some(self.scrubber.text(&format!("the provider broke off: {}", chain(&error))));
                }
                Err(_) => break Some("the provider was silent for ten minutes".to_owned()),
            }
        };
        let rest = self.scrubber.finish();
        self.keep(&rest);
        if !rest.is_empty() {
            // Whoever left does not want it.
            let _ = sender.send_data(rest.into()).await;
        }
        match &cut {
            Some(why) => sender.abort(why.clone().into()),
            None => drop(sender),
        }
        self.finish(cut);
    }

    /// A piece, counted and clean.
    fn take(&mut self, bytes: &[u8]) -> Bytes {
        self.reader.feed(bytes);
        let clean = self.scrubber.pass(bytes);
        self.keep(&clean);
        clean.into()
    }

    fn keep(&mut self, clean: &[u8]) {
        let room = LARGEST_RECORDED.saturating_sub(self.exchange.response.len());
        self.exchange.response.extend_from_slice(&clean[..clean.len().min(room)]);
    }

    /// The call is over: it is booked and recorded.
    fn finish(self, cut: Option<String>) {
        let Self { inner, holder, mut exchange, reader, is_a_call, began, .. } = self;
        let good = (200..300).contains(&exchange.status);
        if is_a_call {
            let found = reader.finish();
            let estimate = || Usage::estimate(exchange.request.len(), exchange.response.len());
            exchange.usage = found.or_else(|| good.then(estimate)).unwrap_or_default();
            exchange.usd = inner.ledger.charge(exchange.stage, &exchange.model, &exchange.usage);
            let failure = if !good {
                Some(format!("the provider answered {}{}", exchange.status, message(&exchange.response)))
            } else {
                cut.clone().filter(|why| why.starts_with("the provider"))
            };
            holder.count(failure);
        }
        exchange.seconds = began.elapsed().as_secs_f64();
        exchange.cut = cut;
        inner.keep(exchange);
    }
}

/// No answer came; the agent is told, and the record.
fn failed(inner: &Inner, asked: &Asked, text: &str) -> Answer {
    let body = refusal::body(Some(asked.route.provider), Reason::Upstream, text).to_string();
    if asked.route.surface.is_a_call() {
        asked.holder.count(Some(text.to_owned()));
    }
    let mut exchange = asked.exchange(Reason::Upstream.status(), "application/json");
    exchange.response = body.into_bytes();
    exchange.seconds = asked.began.elapsed().as_secs_f64();
    exchange.cut = Some(text.to_owned());
    inner.keep(exchange);
    own(Some(asked.route.provider), Reason::Upstream, text)
}

fn own(provider: Option<Provider>, reason: Reason, text: &str) -> Answer {
    let mut answer = Response::new(full(Bytes::from(refusal::body(provider, reason, text).to_string())));
    set_head(&mut answer, reason.status(), "application/json");
    answer
}

fn full(bytes: Bytes) -> BoxBody<Bytes, Failure> {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

fn set_head(answer: &mut Answer, status: u16, content_type: &str) {
    *answer.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        answer.headers_mut().insert(hyper::header::CONTENT_TYPE, value);
    }
}

/// The token that a client sends in the place of its key.
fn token(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
    let in_query = || query?.split('&').find_map(|pair| pair.strip_prefix("key=")).map(str::to_owned);
    header("x-api-key").or(bearer).or_else(|| header("x-goog-api-key")).or_else(in_query)
}

fn back(headers: &reqwest::header::HeaderMap, scrubber: &Scrubber) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for (name, value) in headers {
        let known = PASSED_BACK.contains(&name.as_str())
            || LIMITS.iter().any(|prefix| name.as_str().starts_with(prefix));
        let clean = value.to_str().ok().and_then(|value| HeaderValue::from_str(&scrubber.text(value)).ok());
        if let (true, Some(value)) = (known, clean) {
            kept.append(HeaderName::clone(name), value);
        }
    }
    kept
}

/// What a provider's error says, for people.
fn message(body: &[u8]) -> String {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let value = match value {
        Some(Value::Array(mut items)) if !items.is_empty() => Some(items.swap_remove(0)),
        other => other,
    };
    let text = value.as_ref().and_then(|value| value.pointer("/error/message")).and_then(Value::as_str);
    text.map(|text| format!(": {}", text.chars().take(300).collect::<String>())).unwrap_or_default()
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
