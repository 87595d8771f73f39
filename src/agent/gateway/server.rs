//! The server: a thread with two doors, a loopback port and a Unix socket.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;

use super::exchange;
use super::lease::Holder;
use super::{GatewayError, Lease, Ledger, Provider, Recorded, Surface, Upstreams, Usage};
use crate::agent::Stage;

/// An exchange with a provider, for the record.
#[derive(Clone, PartialEq, Debug)]
pub struct Exchange {
    /// For which stage.
    pub stage: Stage,
    /// In which attempt.
    pub attempt: u32,
    /// With whom.
    pub provider: Provider,
    /// What was asked for.
    pub surface: Surface,
    /// Of which model; empty where none is named.
    pub model: String,
    /// The HTTP status.
    pub status: u16,
    /// The type of the answer.
    pub content_type: String,
    /// The request as it was sent, without a key.
    pub request: Vec<u8>,
    /// The answer as it was passed on, without a key.
    pub response: Vec<u8>,
    /// What it used.
    pub usage: Usage,
    /// What it cost, where the price is known.
    pub usd: Option<f64>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why the answer is not whole, where it is not.
    pub cut: Option<String>,
    /// Why it was refused, where it was.
    pub refused: Option<String>,
}

/// Takes exchanges, for the record.
pub type Sink = Arc<dyn Fn(Exchange) + Send + Sync>;

/// What a gateway needs.
pub struct Settings {
    /// Who answers: providers.
    pub upstreams: Upstreams,
    /// Who answers instead: a record.
    pub recorded: Option<Recorded>,
    /// The books.
    pub ledger: Arc<Ledger>,
    /// Where exchanges go.
    pub sink: Sink,
}

pub(super) enum Source {
    Live { upstreams: Upstreams, client: reqwest::Client },
    Recorded(Recorded),
}

pub(super) struct Inner {
    pub(super) source: Source,
    pub(super) ledger: Arc<Ledger>,
    pub(super) port: u16,
    pub(super) socket: PathBuf,
    sink: Sink,
    holders: Mutex<HashMap<String, Arc<Holder>>>,
    open: Arc<AtomicUsize>,
}

/// An exchange under way.
pub(super) struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Inner {
    pub(super) fn open(&self) -> Open {
        self.open.fetch_add(1, Ordering::AcqRel);
        Open(self.open.clone())
    }

    /// Waits until no exchange is under way, but not for ever.
    pub(super) fn settle(&self, most: Duration) {
        let until = Instant::now() + most;
        while self.open.load(Ordering::Acquire) > 0 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Records an exchange, apart from the thread that passes answers on.
    pub(super) fn keep(&self, exchange: Exchange) {
        let (sink, open) = (self.sink.clone(), self.open());
        tokio::task::spawn_blocking(move || {
            sink(exchange);
            drop(open);
        });
    }

    pub(super) fn holder(&self, token: &str) -> Option<Arc<Holder>> {
        self.holders().get(token).cloned()
    }

    pub(super) fn admit(&self, token: &str, holder: &Arc<Holder>) {
        self.holders().insert(token.to_owned(), holder.clone());
    }

    pub(super) fn dismiss(&self, token: &str) {
        self.holders().remove(token);
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<String, Arc<Holder>>> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A gateway that runs until it is dropped.
pub struct Gateway {
    inner: Arc<Inner>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Holds the socket.
    _folder: tempfile::TempDir,
}

impl Gateway {
    /// Opens the doors.
    ///
    /// # Errors
    /// They cannot be opened, or the client for the provider cannot be made.
    pub fn open(settings: Settings) -> Result<Self, GatewayError> {
        let io = |doing: &'static str| move |source| GatewayError::Io { doing, source };
        // A socket's path is short by nature, so it lies in no folder of the user's choice. Only this user may enter.
        let folder =
            tempfile::Builder::new().prefix("ffgw-").tempdir_in("/tmp").map_err(io("make a folder"))?;
        let socket = folder.path().join("model.sock");
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io("start"))?;
        let (tcp, unix) = {
            let _context = runtime.enter();
            let tcp = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(io("open a port"))?;
            tcp.set_nonblocking(true).map_err(io("open a port"))?;
            let tcp = TcpListener::from_std(tcp).map_err(io("open a port"))?;
            (tcp, UnixListener::bind(&socket).map_err(io("open a socket"))?)
        };
        let port = tcp.local_addr().map_err(io("open a port"))?.port();
        let source = match settings.recorded {
            Some(recorded) => Source::Recorded(recorded),
            None => Source::Live { client: client(&settings.upstreams)?, upstreams: settings.upstreams },
        };
        let inner = Arc::new(Inner {
            source,
            ledger: settings.ledger,
            port,
            socket,
            sink: settings.sink,
            holders: Mutex::default(),
            open: Arc::default(),
        });
        let (end, ended) = oneshot::channel();
        let serving = inner.clone();
        let thread = std::thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = serve(serving, tcp, unix) => {}
                        _ = ended => {}
                    }
                });
            })
            .map_err(io("start a thread"))?;
        Ok(Self { inner, end: Some(end), thread: Some(thread), _folder: folder })
    }

    /// The right of an agent to call a model, for one attempt.
    pub fn lease(&self, stage: Stage, attempt: u32) -> Lease {
        Lease::new(self.inner.clone(), stage, attempt)
    }

    /// Whether a provider can be called; a record answers for every one.
    ///
    /// # Errors
    /// [`GatewayError::NoKey`].
    pub fn can_reach(&self, provider: Provider) -> Result<(), GatewayError> {
        match &self.inner.source {
            Source::Live { upstreams, .. } => upstreams.of(provider).map(drop),
            Source::Recorded(_) => Ok(()),
        }
    }

    /// True when a record answers.
    pub fn is_replaying(&self) -> bool {
        matches!(self.inner.source, Source::Recorded(_))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.inner.settle(Duration::from_secs(10));
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn client(upstreams: &Upstreams) -> Result<reqwest::Client, GatewayError> {
    // Somebody may have chosen one already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true);
    if Provider::ALL.iter().filter_map(|provider| upstreams.of(*provider).ok()).all(super::Upstream::is_local)
    {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| GatewayError::Client(error.to_string()))
}

async fn serve(inner: Arc<Inner>, tcp: TcpListener, unix: UnixListener) {
    loop {
        tokio::select! {
            Ok((stream, _)) = tcp.accept() => {
                // Small pieces of a stream are not held back to be joined.
                let _ = stream.set_nodelay(true);
                tokio::spawn(connection(inner.clone(), TokioIo::new(stream)));
            }
            Ok((stream, _)) = unix.accept() => {
                tokio::spawn(connection(inner.clone(), TokioIo::new(stream)));
            }
            else => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection<S>(inner: Arc<Inner>, stream: TokioIo<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let inner = inner.clone();
        async move { Ok::<_, Infallible>(exchange::answer(inner, request).await) }
    });
    // A client that breaks off is no concern of the gateway.
    let _ = http1::Builder::new().serve_connection(stream, service).await;
}
