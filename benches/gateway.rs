//! What the gateway adds: time to the first byte and throughput, side by side with a direct connection.
//!
//! `scripts/bench` runs it. An upstream on loopback answers small calls at once and large ones with a
//! stream of 10 MB in events of 1 KiB; the same client asks it directly and through the gateway's port,
//! in turns, so that a busy machine slows both alike. The stream comes once at 3 MB a second, a
//! thousand times faster than models write, and once as fast as loopback carries it, which no
//! provider's line does: there a second hop can only show what a byte costs.

#![expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use failfirst::agent::Stage;
use failfirst::agent::gateway::{
    Budget, Gateway, Keys, Lease, Ledger, Prices, Provider, Settings, Upstreams,
};

const EVENTS: usize = 10 * 1024;
const KEY: &str = "sk-bench-0123456789abcdef";

fn main() {
    let upstream = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = upstream.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in upstream.incoming().flatten() {
            std::thread::spawn(move || drop(serve(stream)));
        }
    });
    let variable = |name: &str| match name {
        "ANTHROPIC_API_KEY" => Some(KEY.to_owned()),
        "ANTHROPIC_BASE_URL" => Some(format!("http://127.0.0.1:{port}")),
        _ => None,
    };
    let keys = Keys::from_variables(&variable).expect("a key");
    let ledger = Arc::new(Ledger::new(Budget::default(), Prices::default()));
    let gateway = Gateway::open(Settings {
        upstreams: Upstreams::new(&keys, &variable).expect("an address"),
        recorded: None,
        ledger,
        sink: Arc::new(drop),
    })
    .expect("a gateway");
    let lease: Lease = gateway.lease(Stage::Analyst, 1);
    let address = lease.address(Provider::Anthropic);
    let (host, path) = address.trim_start_matches("http://").split_once('/').expect("a path");
    let ways = [
        ("direct", format!("127.0.0.1:{port}"), String::new()),
        ("gateway", host.to_owned(), format!("/{path}")),
    ];
    for (model, rounds, what) in [
        ("small", 300, "first byte"),
        ("paced", 6, "10 MB stream at 3 MB/s"),
        ("large", 15, "10 MB stream, unpaced"),
    ] {
        let mut took = [Vec::new(), Vec::new()];
        let mut clients: Vec<Client> = ways.iter().map(|(_, host, _)| Client::new(host)).collect();
        for round in 0..rounds {
            for (way, (_, _, prefix)) in ways.iter().enumerate() {
                let (first, whole) = clients[way].ask(prefix, model, lease.token());
                // The first round opens connections.
                if round > 0 {
                    took[way].push(if model == "small" { first } else { whole });
                }
            }
        }
        let [direct, gateway] = took.map(median);
        let added = (gateway.as_secs_f64() - direct.as_secs_f64()) * 1e3;
        let percent = (gateway.as_secs_f64() / direct.as_secs_f64() - 1.0) * 100.0;
        println!("{what}: direct {direct:.2?}, gateway {gateway:.2?}, added {added:.2} ms ({percent:+.1} %)");
    }
}

fn median(mut took: Vec<Duration>) -> Duration {
    took.sort();
    took[took.len() / 2]
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn new(host: &str) -> Self {
        let stream = TcpStream::connect(host).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self(BufReader::new(stream))
    }

    /// The times to the first byte and to the last.
    fn ask(&mut self, prefix: &str, model: &str, token: &str) -> (Duration, Duration) {
        let body = format!("{{\"model\":\"{model}\",\"stream\":true}}");
        let request = format!(
            "POST {prefix}/v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let began = Instant::now();
        self.0.get_mut().write_all(request.as_bytes()).expect("sent");
        let mut status = String::new();
        self.0.read_line(&mut status).expect("an answer");
        assert!(status.contains("200"), "{status}");
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).expect("a header");
        }
        let mut first = None;
        let mut rest = Vec::new();
        loop {
            line.clear();
            self.0.read_line(&mut line).expect("a chunk");
            let size = usize::from_str_radix(line.trim(), 16).expect("a size");
            rest.resize(size + 2, 0);
            self.0.read_exact(&mut rest).expect("a chunk");
            first.get_or_insert_with(|| began.elapsed());
            if size == 0 {
                return (first.expect("a byte"), began.elapsed());
            }
        }
    }
}

fn serve(stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 {}
        if head.is_empty() {
            return Ok(());
        }
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        let events = if body.contains("small") { 1 } else { EVENTS };
        let began = Instant::now();
        stream.write_all(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        )?;
        let event = format!("data: {{\"text\":\"{}\"}}\n\n", "x".repeat(1024 - 20));
        let chunk = format!("{:x}\r\n{event}\r\n", event.len()).repeat(16.min(events));
        for piece in 0..events.div_ceil(16) {
            if body.contains("paced") {
                let due = Duration::from_secs(10) / 3 * u32::try_from(piece).unwrap_or(0) / 640;
                std::thread::sleep(due.saturating_sub(began.elapsed()));
            }
            stream.write_all(chunk.as_bytes())?;
        }
        stream.write_all(b"0\r\n\r\n")?;
    }
}
