//! K0: does the change touch only what it may?
//!
//! Reads the change as modes and object ids; runs nothing.

use unicode_normalization::UnicodeNormalization as _;

use super::Gate;
use super::overlay::Item;
use super::trial::{Authorship, Trial};
use super::verdict::{Check, Evidence, GateReport, Outcome};
use crate::config::Rule;
use crate::git::{Change, Entry, Mode, RepoPath};
use crate::lab::{LabError, Request};
use crate::lang::Role;
use crate::lang::protected::Class;

/// The gate.
pub struct Scope;

/// What was found at a path.
struct Finding {
    path: RepoPath,
    what: String,
    outcome: Outcome,
}

impl Gate for Scope {
    fn check(&self) -> Check {
        Check::K0
    }

    fn plan(&self, _trial: &Trial<'_>) -> Result<Vec<Request>, LabError> {
        Ok(Vec::new())
    }

    fn judge(&self, trial: &Trial<'_>) -> Result<GateReport, LabError> {
        let mut findings = Vec::new();
        sealed_bytes(trial, &mut findings)?;
        let whole = trial.store().diff(trial.start, trial.head)?;
        findings.extend(trial.strays.iter().map(|path| Finding {
            path: path.clone(),
            what: "was changed together with the test, whose author may write nothing but tests".to_owned(),
            outcome: Outcome::Fail,
        }));
        odd_entries(trial, &whole, &mut findings);
        collisions(trial, &whole, &mut findings);
        protected_files(trial, &whole, &mut findings)?;
        other_tests(trial, &mut findings);
        let evidence = findings
            .iter()
            .map(|finding| Evidence::Path { path: finding.path.clone(), what: finding.what.clone() });
        let evidence: Vec<_> = evidence.collect();
        let worst = |outcome| findings.iter().find(|finding| finding.outcome == outcome);
        if let Some(first) = worst(Outcome::Fail) {
            let more = match findings.len() {
                1 => String::new(),
                n => format!(" (and {} more)", n - 1),
            };
            let reason = format!("out of scope: {} {}{more}", first.path, first.what);
            return Ok(GateReport::new(Check::K0, Outcome::Fail, reason).evidence(evidence));
        }
        if let Some(answer) = nothing_in_production(trial)? {
            return Ok(answer.evidence(evidence));
        }
        if let Some(first) = worst(Outcome::Human) {
            let reason = format!("a person must look at this: {} {}", first.path, first.what);
            return Ok(GateReport::new(Check::K0, Outcome::Human, reason).evidence(evidence));
        }
        let (tests, production) = (trial.test.items.len(), trial.change.production.len());
        let reason = format!(
            "{production} production {} changed, {tests} test {} sealed, nothing protected touched",
            if production == 1 { "file" } else { "files" },
            if tests == 1 { "file" } else { "files" },
        );
        Ok(GateReport::new(Check::K0, Outcome::Pass, reason))
    }
}

/// Nothing that was sealed may differ in the tree that the change leads to.
fn sealed_bytes(trial: &Trial<'_>, findings: &mut Vec<Finding>) -> Result<(), LabError> {
    let store = trial.store();
    let mut refuse = |path: &RepoPath, what: &str| {
        findings.push(Finding { path: path.clone(), what: what.to_owned(), outcome: Outcome::Fail });
    };
    for item in &trial.test.items {
        let now = store.entry(trial.head, item.path())?;
        match (item, now) {
            (Item::File(path, _), None) => refuse(path, "is the sealed test and was removed or renamed"),
            (Item::File(path, sealed), Some(now)) if *sealed != now => {
                refuse(path, "is the sealed test and was edited after it was sealed");
            }
            (Item::Gone(path), Some(_)) => refuse(path, "was removed by the sealed test and is back"),
            (Item::Inline { path, items, .. }, now) => {
                let text = match now {
                    Some(Entry { oid, .. }) => String::from_utf8(store.blob(oid)?).unwrap_or_default(),
                    None => String::new(),
                };
                let inline = trial.roles.language().inline_tests(path, &text);
                if inline.map(|inline| inline.items.join("\n")).as_ref() != Some(items) {
                    refuse(path, "holds sealed test items, and they were edited after they were sealed");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Links, submodules and modes.
fn odd_entries(trial: &Trial<'_>, whole: &[Change], findings: &mut Vec<Finding>) {
    for Change { path, old, new } in whole {
        let mode = |entry: &Option<Entry>| entry.map(|entry| entry.mode);
        let outcome = if trial.authorship == Authorship::Sealed { Outcome::Fail } else { Outcome::Human };
        let mut add = |what: &str, outcome| {
            findings.push(Finding { path: path.clone(), what: what.to_owned(), outcome });
        };
        let test_side = trial.test.at(path).is_some();
        match (mode(old), mode(new)) {
            (_, Some(Mode::Symlink)) => {
                add("is a symbolic link", if test_side { Outcome::Fail } else { outcome });
            }
            (_, Some(Mode::Submodule)) => add("is a submodule", outcome),
            (Some(Mode::Submodule), _) => add("was a submodule", outcome),
            (Some(Mode::File), Some(Mode::Executable)) => add("became executable", Outcome::Human),
            _ => {}
        }
    }
}

/// Two paths that are one file on some systems.
fn collisions(trial: &Trial<'_>, whole: &[Change], findings: &mut Vec<Finding>) {
    let fold = |path: &RepoPath| path.as_str().nfc().collect::<String>().to_lowercase();
    let added: Vec<_> = whole.iter().filter(|change| change.old.is_none()).collect();
    if added.is_empty() {
        return;
    }
    let removed = |path: &RepoPath| whole.iter().any(|change| change.path == *path && change.new.is_none());
    // Pairs that the base has already are not the change's doing.
    let present = trial.lab.base_paths().iter().filter(|path| !removed(path));
    let sealed = trial.test.paths();
    let mut known: std::collections::HashMap<_, _> =
        present.chain(&sealed).map(|path| (fold(path), path)).collect();
    for change in added {
        let path = &change.path;
        let other = known.insert(fold(path), path);
        if let Some(other) = other
            && other != path
        {
            let what = format!("differs from {other} only in case or in its Unicode form");
            findings.push(Finding { path: path.clone(), what, outcome: Outcome::Fail });
        }
    }
}

/// Files that steer the run, the dependencies, CI, git or agents.
fn protected_files(trial: &Trial<'_>, whole: &[Change], findings: &mut Vec<Finding>) -> Result<(), LabError> {
    let store = trial.store();
    let text = |entry: Option<Entry>| -> Result<Option<String>, LabError> {
        match entry {
            Some(entry) if entry.mode != Mode::Submodule => {
                Ok(String::from_utf8(store.blob(entry.oid)?).ok())
            }
            _ => Ok(None),
        }
    };
    for Change { path, old, new } in whole {
        let language = trial.roles.language();
        let (class, what) = match trial.roles.of(path) {
            Role::Protected(class) => {
                // Test and fix arrive together: a fixture that only the new test uses is part of it.
                let both = (text(*old)?, text(*new)?);
                if trial.test.at(path).is_some()
                    && language.only_adds_fixtures(path, both.0.as_deref(), both.1.as_deref())
                {
                    continue;
                }
                (class, format!("is {}", class.describe()))
            }
            _ => match language.runner_settings_changed(path, text(*old)?.as_deref(), text(*new)?.as_deref())
            {
                Some(crate::lang::SettingChange::Runner(what)) => (Class::Runner, what),
                Some(crate::lang::SettingChange::Dependencies(what)) => (Class::Dependencies, what),
                None => continue,
            },
        };
        let outcome = match (trial.authorship, trial.settings.protected.rule(class)) {
            // A dependency bump can be the fix; only a person can tell.
            (Authorship::Together, _) | (_, Rule::Human) => Outcome::Human,
            (Authorship::Sealed, Rule::Refuse) => Outcome::Fail,
        };
        findings.push(Finding { path: path.clone(), what, outcome });
    }
    Ok(())
}

/// Test-side changes beside T: a fixer may make them, a person must see them.
fn other_tests(trial: &Trial<'_>, findings: &mut Vec<Finding>) {
    for (change, role) in &trial.change.other {
        let what = match role {
            Role::Test => "is another test file and was changed beside the sealed test",
            Role::TestSupport => "is a helper or data of tests and was changed beside the sealed test",
            _ => continue,
        };
        findings.push(Finding { path: change.path.clone(), what: what.to_owned(), outcome: Outcome::Human });
    }
}

/// A change that, comments and layout set aside, leaves production as it was.
fn nothing_in_production(trial: &Trial<'_>) -> Result<Option<GateReport>, LabError> {
    let refuse = |reason: &str| Ok(Some(GateReport::new(Check::K0, Outcome::Fail, reason)));
    if trial.change.production.is_empty() {
        if trial.change.other.iter().any(|(_, role)| *role != Role::Docs) {
            // K3 shows what it is worth: without production hunks base + H + T is the fix itself.
            return Ok(None);
        }
        return refuse("nothing in production changed: the change holds only tests and prose");
    }
    for Change { path, old, new } in &trial.change.production {
        let (Some(old), Some(new)) = (old, new) else { return Ok(None) };
        if old.mode != new.mode {
            return Ok(None);
        }
        let read = |entry: &Entry| trial.store().blob(entry.oid).map(|bytes| String::from_utf8(bytes).ok());
        let (Some(old), Some(new)) = (read(old)?, read(new)?) else { return Ok(None) };
        let language = trial.roles.language();
        match (language.essence(path, &old), language.essence(path, &new)) {
            (Some(old), Some(new)) if old == new => {}
            _ => return Ok(None),
        }
    }
    refuse("nothing in production changed: only comments, docstrings or layout differ")
}
