//! How the tests of a package ended, and why.

use std::collections::{BTreeSet, HashMap};

use super::crash::Crash;
use super::failure;
use super::id::{function, is_subtest};
use super::package::PackageRun;
use super::places::Places;
use crate::lang::{Failure, Phase, Status};

/// What the events of a package amount to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The tests that ended, in that order.
    pub(super) ended: Vec<Ended>,
    /// Why no test ran at all.
    pub(super) load: Option<Failure>,
    /// What does not fit together.
    pub(super) disagreements: Vec<String>,
    /// Tests of which only the start was seen.
    open: BTreeSet<String>,
    /// Tests that the end of the binary cut short.
    cut: BTreeSet<String>,
}

/// A test that ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) name: String,
    pub(super) status: Status,
    pub(super) failure: Option<Failure>,
    pub(super) seconds: f64,
}

impl Outcome {
    /// A test that failed.
    pub(super) fn failed(&self) -> Option<&str> {
        self.ended.iter().find(|test| test.status == Status::Failed).map(|test| test.name.as_str())
    }

    /// True while a test that started has no end.
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// True for a test whose end is known.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.ended.iter().any(|test| test.name == name)
    }

    /// True for a test that came to its own end, so that all its subtests had their turn.
    pub(super) fn ended_whole(&self, name: &str) -> bool {
        self.knows(name) && !self.cut.contains(name)
    }
}

/// Judges a package. `killed` says that the lab ended the command.
pub(super) fn of(package: &PackageRun, folder: &str, places: &Places<'_>, killed: bool) -> Outcome {
    let mut outcome = Outcome::default();
    let tests = &package.tests;
    let mut status: Vec<Option<Status>> = tests.iter().map(|test| test.status).collect();
    let mut failures: HashMap<usize, Failure> = HashMap::new();
    for (at, test) in tests.iter().enumerate().filter(|(_, test)| test.status == Some(Status::Failed)) {
        let declared = places.index.file(folder, function(&test.name));
        if let Some(own) = failure::own(&test.printed, package.typed, folder, declared, places) {
            failures.insert(at, own);
        }
    }
    let ended_badly = !package.unbuilt && matches!(package.end, None | Some(Status::Failed));
    let crash = ended_badly.then(|| Crash::parse(&package.tail.lines(), places)).flatten();
    let mut victims: Vec<(usize, Failure)> = Vec::new();
    if let Some(crash) = &crash {
        let hit = hit_by(crash, package, &failures);
        if hit.is_empty() && tests.is_empty() {
            outcome.load = Some(Failure { phase: Phase::Load, ..crash.failure("") });
        } else if hit.is_empty() {
            let message = crash.failure("").message;
            let first = message.lines().next().unwrap_or_default();
            outcome.disagreements.push(format!("the test binary of {} crashed: {first}", package.import));
        }
        victims.extend(hit.into_iter().map(|at| (at, crash.failure(&tests[at].name))));
    } else if ended_badly && !package.closed {
        let running = package.running();
        if killed || package.end.is_none() {
            victims.extend(running.into_iter().map(|at| (at, failure::timed_out(&tests[at].printed))));
        } else if let [at] = running[..] {
            // `os.Exit`, `log.Fatal`: only one test can have been at it.
            victims.push((at, failure::exited(&tests[at].printed)));
        } else if tests.is_empty() {
            let said = package.tail.lines().last().map(|line| format!(": {line}")).unwrap_or_default();
            let message = format!("the test binary of {} exited before its tests{said}", package.import);
            outcome.load = Some(Failure { phase: Phase::Load, message, ..failure::exited(&[]) });
        }
    }
    for (at, failure) in victims {
        let name = &tests[at].name;
        for (outer, test) in tests.iter().enumerate() {
            if outer == at || is_subtest(name, &test.name) {
                status[outer] = Some(Status::Failed);
                outcome.cut.insert(test.name.clone());
                if outer == at {
                    failures.insert(outer, failure.clone());
                } else {
                    failures.entry(outer).or_insert_with(|| failure.clone());
                }
            }
        }
    }
    inherit(package, &status, &mut failures);
    let mut order: Vec<usize> = (0..tests.len()).collect();
    order.sort_by_key(|&at| tests[at].order);
    for at in order {
        let test = &tests[at];
        let Some(status) = status[at] else {
            outcome.open.insert(test.name.clone());
            continue;
        };
        let failure = (status == Status::Failed)
            .then(|| failures.remove(&at).unwrap_or_else(|| failure::silent(&test.printed)));
        outcome.ended.push(Ended { name: test.name.clone(), status, failure, seconds: test.seconds });
    }
    outcome.disagreements.extend(package.contradictions.iter().cloned());
    contradictions(package, &mut outcome);
    outcome
}

/// The tests that a crash ended.
fn hit_by(crash: &Crash, package: &PackageRun, failures: &HashMap<usize, Failure>) -> Vec<usize> {
    let tests = &package.tests;
    let running = package.running();
    if crash.timed_out() {
        let listed = |at: &usize| crash.running.contains(&tests[*at].name);
        let named: Vec<usize> = running.iter().copied().filter(listed).collect();
        return if named.is_empty() { running } else { named };
    }
    // Older toolchains still report a test as failed when it panics; newer ones report its parent.
    let reported = |at: &usize| tests[*at].status == Some(Status::Failed) && !failures.contains_key(at);
    let candidates: Vec<usize> = (0..tests.len()).filter(|at| reported(at) || running.contains(at)).collect();
    let depth = |at: usize| tests[at].name.matches('/').count();
    let named = candidates.iter().copied().filter(|&at| crash.goes_through(&tests[at].name));
    // Of a parent and its subtest the subtest was at it; among equals the one that ran last.
    if let Some(at) = named.max_by_key(|&at| (depth(at), at)) {
        return vec![at];
    }
    // The panic came from a goroutine that tells nothing of its test.
    match (running.as_slice(), package.tail.owner()) {
        ([at], _) => vec![*at],
        (_, Some(at)) if candidates.contains(&at) => vec![at],
        _ => candidates.last().copied().into_iter().collect(),
    }
}

/// Gives a test that failed only because a subtest did the subtest's failure.
fn inherit(package: &PackageRun, status: &[Option<Status>], failures: &mut HashMap<usize, Failure>) {
    let tests = &package.tests;
    for at in 0..tests.len() {
        if status[at] != Some(Status::Failed) || failures.contains_key(&at) {
            continue;
        }
        let inner = (at + 1..tests.len())
            .filter(|&inner| is_subtest(&tests[inner].name, &tests[at].name))
            .find_map(|inner| failures.get(&inner).cloned());
        if let Some(failure) = inner {
            failures.insert(at, failure);
        }
    }
}

fn contradictions(package: &PackageRun, outcome: &mut Outcome) {
    let import = &package.import;
    let mut say = |what: String| outcome.disagreements.push(what);
    let failed = outcome.ended.iter().find(|test| test.status == Status::Failed);
    match (package.end, failed) {
        (Some(Status::Passed), Some(test)) => {
            say(format!("{import} is reported as passed although its {} failed", test.name));
        }
        (Some(Status::Failed), None)
            if !package.unbuilt && outcome.load.is_none() && outcome.open.is_empty() =>
        {
            say(format!("{import} is reported as failed although none of its tests failed"));
        }
        _ => {}
    }
    if package.end == Some(Status::Passed)
        && let Some(name) = outcome.open.first()
    {
        say(format!("{import} is reported as passed although its {name} never ended"));
    }
}
