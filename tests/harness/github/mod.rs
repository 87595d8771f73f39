//! A GitHub with a memory and with the platform's rules, for whole stories.
//!
//! It knows one repository, which is a real git repository. Every exchange is compared with GitHub's own
//! description of its API. Rules: who may do what, sizes, reviews of one's own pull request, comments
//! outside the diff, annotations, drafts, label and branch races, pages, entity tags, rate limits.

mod contract;
mod graphql;
mod http;
mod rest;
mod world;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use self::http::{Answer, Request};
pub(crate) use contract::folder as contract_folder;
use failfirst::github::client::{Client, Pace, Server};
use git2::Repository;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
pub(crate) use world::{Comment, Fault, Issue, Kind, Pull, Settings, Token, World};

/// The name of the repository.
pub(crate) const REPOSITORY: &str = "acme/hotel";
/// A token of GitHub Actions, with all that publishing needs.
pub(crate) const ACTIONS: &str = "ghs_actions0token";
/// The same with reading only.
pub(crate) const READER: &str = "ghs_reader0token";
/// A person's token.
pub(crate) const PERSON: &str = "ghp_person0token";

/// The fake, which serves as long as it lives.
pub(crate) struct GitHub {
    world: Arc<Mutex<World>>,
    /// The address of the REST API.
    pub(crate) api: String,
    _folder: tempfile::TempDir,
}

fn token(login: &str, kind: Kind, level: &str) -> Token {
    let names = ["contents", "issues", "pull_requests", "checks", "statuses"];
    let mut permissions: BTreeMap<String, String> =
        names.iter().map(|name| ((*name).to_owned(), level.to_owned())).collect();
    permissions.insert("metadata".into(), "read".into());
    Token { login: login.to_owned(), kind, permissions, limit: 1000 }
}

impl GitHub {
    /// With the branches of a local repository, and issue 7.
    pub(crate) fn start(source: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join("hotel.git");
        Repository::init_bare(&git).unwrap();
        let from = git2::Repository::open(source).unwrap();
        let mut remote = from.remote_anonymous(git.to_str().unwrap()).unwrap();
        remote.push(&["refs/heads/main:refs/heads/main"], None).unwrap();
        let mut issues = BTreeMap::new();
        issues.insert(
            7,
            Issue {
                title: "The total is wrong".into(),
                body: "`total([1, 2, 3])` is 5, but it should be 6.".into(),
                author: "guest".into(),
                open: true,
                labels: vec!["failfirst".into()],
                comments: Vec::new(),
                pull: None,
            },
        );
        let tokens = [
            (ACTIONS, token("github-actions[bot]", Kind::App, "write")),
            (READER, token("github-actions[bot]", Kind::App, "read")),
            (PERSON, token("ada", Kind::Person, "write")),
        ];
        let people = [("ada", "write", "maintain"), ("eve", "read", "read"), ("boss", "admin", "admin")];
        let world = World {
            name: REPOSITORY.into(),
            default_branch: "main".into(),
            settings: Settings {
                actions_may_open_pulls: true,
                drafts: true,
                archived: false,
                content_per_minute: 80,
            },
            tokens: tokens.into_iter().map(|(name, token)| (name.to_owned(), token)).collect(),
            people: people
                .into_iter()
                .map(|(who, one, two)| (who.into(), (one.into(), two.into())))
                .collect(),
            issues,
            labels: BTreeSet::new(),
            checks: Vec::new(),
            statuses: Vec::new(),
            log: Vec::new(),
            problems: Vec::new(),
            graphql: Vec::new(),
            faults: VecDeque::new(),
            writes: 0,
            victim: None,
            created: VecDeque::new(),
            git,
            clock: 0,
            next: 1000,
        };
        let world = Arc::new(Mutex::new(world));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://{}/api/v3", listener.local_addr().unwrap());
        let served = Arc::clone(&world);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let world = Arc::clone(&served);
                std::thread::spawn(move || serve(&world, &stream));
            }
        });
        Self { world, api, _folder: folder }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The addresses of this server, as an enterprise server has them.
    pub(crate) fn server(&self) -> Server {
        let root = self.api.trim_end_matches("/api/v3");
        Server { api: self.api.clone(), graphql: format!("{root}/api/graphql"), web: root.to_owned() }
    }

    /// A client that does not dawdle.
    pub(crate) fn client(&self, token: &str) -> Client {
        let short = Duration::from_millis(20);
        let pace = Pace {
            write: Duration::ZERO,
            secondary: short,
            patience: Duration::from_secs(5),
            retry: short,
            timeout: Duration::from_secs(5),
        };
        Client::new(self.server(), Some(token.to_owned()), pace).unwrap()
    }

    /// What goes wrong at the n-th write from now.
    pub(crate) fn fault(&self, at: usize, fault: Fault) {
        let mut world = self.world();
        let at = world.writes + at;
        world.faults.push_back((at, fault));
    }

    /// Everything that stands there, to compare before and after.
    pub(crate) fn standing(&self) -> String {
        let world = self.world();
        let refs: Vec<String> = world
            .repository()
            .references()
            .unwrap()
            .map(|one| one.unwrap())
            .map(|one| format!("{:?} {:?}", one.name(), one.target()))
            .collect();
        format!("{:#?}\n{:#?}\n{:#?}\n{refs:#?}", world.issues, world.checks, world.statuses)
    }

    /// How many requests and writes there were since `from`.
    pub(crate) fn count(&self, from: usize) -> (usize, usize) {
        let world = self.world();
        let some = &world.log[from..];
        (some.len(), some.iter().filter(|one| one.write).count())
    }

    /// Every exchange so far kept to GitHub's description.
    #[track_caller]
    pub(crate) fn assert_contract(&self) {
        let world = self.world();
        assert!(world.problems.is_empty(), "{:#?}", world.problems);
        if world.graphql.is_empty() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("graphql.jsonl");
        let lines: Vec<String> = world.graphql.iter().map(Value::to_string).collect();
        std::fs::write(&file, lines.join("\n")).unwrap();
        let output = std::process::Command::new("node")
            .args(["contract.mjs", "check"])
            .arg(&file)
            .current_dir(contract::folder())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
    }
}

impl World {
    /// A comment by anybody.
    pub(crate) fn comment(&mut self, issue: u64, author: &str, body: &str) -> Comment {
        let (id, now) = (self.id(), self.now());
        let comment = Comment {
            id,
            author: author.into(),
            body: body.into(),
            created_at: now.clone(),
            updated_at: now,
        };
        self.issues.get_mut(&issue).unwrap().comments.push(comment.clone());
        comment
    }
}

fn serve(world: &Mutex<World>, stream: &TcpStream) {
    let Some(mut request) = http::read(stream) else { return };
    let mut world = world.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let graphql = request.path == "/api/graphql";
    let Some(path) =
        request.path.strip_prefix("/api/v3").map(str::to_owned).or_else(|| graphql.then(String::new))
    else {
        http::write(stream, &Answer::error(404, "Not Found"));
        return;
    };
    if !graphql {
        request.path = path;
    }
    let write = if graphql { graphql::is_write(&request) } else { request.method != "GET" };
    let mut fault = None;
    if write {
        world.writes += 1;
        let now = world.writes;
        if let Some(at) = world.faults.iter().position(|(at, _)| *at == now) {
            fault = world.faults.remove(at).map(|(_, fault)| fault);
        }
    }
    let answer = respond(&mut world, &request, graphql, write, fault);
    let (method, path) = (request.method.clone(), request.path.clone());
    if !graphql && answer.status != 304 && world.tokens.len() > 1 {
        let found = contract::problems(&request, &answer);
        world.problems.extend(found);
    }
    world.log.push(world::Exchange {
        method,
        path,
        status: answer.status,
        write,
        body: request.body.clone(),
    });
    match fault {
        Some(Fault::LoseAnswer) => {}
        Some(Fault::Kill) => {
            let victim = world.victim.expect("somebody to kill");
            nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(victim as i32),
                nix::sys::signal::Signal::SIGKILL,
            )
            .unwrap();
        }
        Some(Fault::BadGateway) => http::write(stream, &Answer::error(502, "Server Error")),
        _ => http::write(stream, &answer),
    }
}

fn respond(world: &mut World, request: &Request, graphql: bool, write: bool, fault: Option<Fault>) -> Answer {
    match fault {
        Some(Fault::Limit(after)) => {
            let answer = Answer::error(
                403,
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
            );
            return match after {
                Some(seconds) => answer.header("retry-after", seconds.to_string()),
                None => answer,
            };
        }
        Some(Fault::StealLabels) => {
            for issue in world.issues.values_mut() {
                issue.labels.retain(|name| !name.starts_with("failfirst:"));
            }
        }
        Some(Fault::Push) => world.push("failfirst/issue-7"),
        Some(Fault::UsedUp) => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            return Answer::error(403, "API rate limit exceeded for installation.")
                .header("x-ratelimit-remaining", "0")
                .header("x-ratelimit-reset", now.to_string());
        }
        _ => {}
    }
    let given = request.headers.get("authorization").and_then(|text| text.strip_prefix("Bearer "));
    let token = match given {
        None => None,
        Some(given) => match world.tokens.get(given).cloned() {
            Some(token) => Some(token),
            None => return Answer::error(401, "Bad credentials"),
        },
    };
    if let Some(token) = &token
        && world.log.len() as u32 >= token.limit
    {
        return Answer::error(429, "API rate limit exceeded for installation.")
            .header("x-ratelimit-remaining", "0");
    }
    if write {
        while world.created.front().is_some_and(|at| at.elapsed() > Duration::from_secs(60)) {
            world.created.pop_front();
        }
        if world.created.len() >= world.settings.content_per_minute {
            return Answer::error(
                403,
                "You have exceeded a secondary rate limit and have been temporarily blocked from content creation.",
            );
        }
        world.created.push_back(Instant::now());
        if world.settings.archived {
            return Answer::error(403, "Repository was archived so is read-only.");
        }
    }
    let answer = if graphql {
        graphql::answer(world, request, token.as_ref())
    } else {
        rest::answer(world, request, token.as_ref())
    };
    if request.method != "GET" || answer.status != 200 {
        return answer;
    }
    let digest = Sha256::digest(answer.body.to_string().as_bytes());
    let etag =
        format!("W/\"{}\"", digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>());
    if request.headers.get("if-none-match") == Some(&etag) {
        return Answer::of(304, Value::Null).header("etag", etag);
    }
    answer.header("etag", etag)
}
