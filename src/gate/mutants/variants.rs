//! The variants in which mutants run.
//!
//! Where nothing is built each mutant is a tree of its own. In compiled languages all of them stand in one
//! tree behind a switch: a variable with a random name that each run sets to another random value. Code
//! under test can find neither in its source before the run, and one build serves all. A mutant that the
//! compiler refuses is found by the lines of its messages, or by halving, and left out. What cannot stand
//! behind a switch (constants, patterns outside of bodies, functions for the compiler) is built alone, a few
//! at most.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;

use super::super::altered::Composer;
use super::super::answer::{Answer, answer};
use super::super::touched::TouchedFile;
use super::super::trial::Trial;
use super::choose::Mutant;
use crate::git::{Edit, RepoPath, TreeId};
use crate::lab::{LabError, Request, TestRun, nonce};
use crate::lang::surgery::{OtherBody, insert};

/// Builds for single mutants, at most.
const MOST_ALONE: usize = 5;
const MUTANT: &str = "fix with a small change + test";
const SWITCHED: &str = "fix with all small changes switched off + test";

/// What is to be run.
#[derive(Default)]
pub(super) struct Variants {
    /// A run for each mutant, by its number.
    pub(super) requests: Vec<(usize, Request)>,
    /// How many cannot be built.
    pub(super) unviable: usize,
    /// How many would need a build of their own, beyond those that are made.
    pub(super) untried: usize,
    /// How long the tests take where all changes are switched off.
    pub(super) green: Option<Duration>,
    /// How many runs were needed to get here, and how long they took.
    pub(super) runs: u32,
    pub(super) took: Duration,
}

/// The lines of a variant that belong to a mutant.
struct Place {
    mutant: usize,
    path: RepoPath,
    lines: (u32, u32),
    /// The value of the switch.
    value: String,
}

impl Variants {
    /// The variants of the mutants.
    ///
    /// # Errors
    /// One cannot be composed, or the lab failed.
    pub(super) fn make(trial: &Trial<'_>, mutants: &[Mutant]) -> Result<Self, LabError> {
        let files = &trial.altered()?.files;
        let maker = Maker { trial, mutants, composer: Composer { trial, files } };
        let mut variants = Self::default();
        let surgery = trial.lab.language().surgery();
        // The question whether anything can stand behind a switch is one about the language.
        let built = surgery.behind_switch("", "", "", &[]).is_some();
        let (together, mut alone): (Vec<_>, Vec<_>) =
            (0..mutants.len()).partition(|at| built && mutants[*at].body.is_some());
        if built && alone.len() > MOST_ALONE {
            variants.untried = alone.split_off(MOST_ALONE).len();
        }
        for mutant in alone {
            let request = trial.request_on(maker.alone(mutant)?, MUTANT, trial.chosen(), 1);
            variants.requests.push((mutant, request));
        }
        if !together.is_empty() {
            maker.settle(together, &mut variants)?;
        }
        Ok(variants)
    }
}

struct Maker<'a> {
    trial: &'a Trial<'a>,
    mutants: &'a [Mutant],
    composer: Composer<'a>,
}

impl Maker<'_> {
    fn alone(&self, mutant: usize) -> Result<TreeId, LabError> {
        let mutant = &self.mutants[mutant];
        let edit = self.composer.put(&self.composer.files[mutant.file], &mutant.text)?;
        self.composer.tree(self.trial.fixed, &[edit])
    }

    /// Builds a group behind one switch; where that fails without those that the compiler complains
    /// about, or in halves.
    fn settle(&self, group: Vec<usize>, variants: &mut Variants) -> Result<(), LabError> {
        let mut open = vec![group];
        while let Some(group) = open.pop() {
            // A function's name as well as a variable's.
            let switch = format!("s{}", nonce(6));
            let Some((tree, places)) = self.behind(&switch, &group)? else {
                variants.untried += group.len();
                continue;
            };
            let off = self.trial.request_on(tree, SWITCHED, self.trial.chosen(), 1);
            let (new, took) = self.trial.lab.run_all(std::slice::from_ref(&off))?;
            variants.runs += new;
            variants.took += took;
            let run = self.trial.lab.run(&off)?;
            match answer(self.trial, &run) {
                Answer::Green => {
                    let took: Duration = run.outputs.iter().map(|output| output.took).sum();
                    variants.green = Some(variants.green.map_or(took, |other| other.max(took)));
                    for Place { mutant, value, .. } in places {
                        let mut request = self.trial.request_on(tree, MUTANT, self.trial.chosen(), 1);
                        request.env = BTreeMap::from([(switch.clone(), value)]);
                        variants.requests.push((mutant, request));
                    }
                }
                _ if group.len() == 1 => variants.unviable += 1,
                _ => {
                    let blamed = blamed(&run, &places);
                    let mut rest = group;
                    if blamed.is_empty() {
                        let other = rest.split_off(rest.len() / 2);
                        open.push(other);
                    } else {
                        rest.retain(|mutant| !blamed.contains(mutant));
                        variants.unviable += blamed.len();
                    }
                    if !rest.is_empty() {
                        open.push(rest);
                    }
                }
            }
        }
        Ok(())
    }

    /// The tree with a group behind a switch, and where each of it stands.
    fn behind(&self, switch: &str, group: &[usize]) -> Result<Option<(TreeId, Vec<Place>)>, LabError> {
        let surgery = self.trial.lab.language().surgery();
        let (mut edits, mut places): (Vec<Edit>, Vec<Place>) = (Vec::new(), Vec::new());
        for (at, file) in self.composer.files.iter().enumerate() {
            let Some(fixed) = &file.fixed else { continue };
            let own: Vec<usize> =
                group.iter().copied().filter(|mutant| self.mutants[*mutant].file == at).collect();
            let bodies: Vec<OtherBody<'_>> =
                own.iter().filter_map(|mutant| self.other_body(file, *mutant)).collect();
            if bodies.is_empty() {
                continue;
            }
            // Names must not be told twice in a package of several files.
            let name = if at == 0 { switch.to_owned() } else { format!("{switch}x{at}") };
            let Some(insertions) = surgery.behind_switch(fixed, &name, switch, &bodies) else {
                return Ok(None);
            };
            let branches = insertions.clone();
            let text = insert(fixed, insertions);
            for (mutant, body) in own.iter().zip(&bodies) {
                let branch = branches.iter().find(|one| one.text.contains(&body.value));
                let Some((start, branch)) = branch.and_then(|one| Some((text.find(&one.text)?, one))) else {
                    return Err(LabError::Internal("a mutant that was put in is not there".to_owned()));
                };
                let line =
                    |at: usize| u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(u32::MAX);
                places.push(Place {
                    mutant: *mutant,
                    path: file.path.clone(),
                    lines: (line(start), line(start + branch.text.len())),
                    value: body.value.clone(),
                });
            }
            edits.push(self.composer.put(file, &text)?);
        }
        Ok(Some((self.composer.tree(self.trial.fixed, &edits)?, places)))
    }

    fn other_body<'f>(&self, file: &'f TouchedFile, mutant: usize) -> Option<OtherBody<'f>> {
        let (function, body) = self.mutants[mutant].body.clone()?;
        Some(OtherBody { function: &file.functions.get(function)?.function, value: nonce(8), body })
    }
}

static LINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([^\s:"'()\[\]]+):(\d+)"#).expect("a valid pattern"));

/// The mutants on whose lines something is said to be wrong.
fn blamed(run: &TestRun, places: &[Place]) -> Vec<usize> {
    let mut text = String::new();
    for failure in &run.reading.load_failures {
        text.push_str(&format!("{}\n{}\n", failure.failure.message, failure.failure.excerpt));
    }
    for output in &run.outputs {
        text.push_str(&format!("{}\n{}\n", output.stdout, output.stderr));
    }
    let mut found = Vec::new();
    for named in LINE.captures_iter(&text) {
        let path = named[1].trim_start_matches("./");
        let Ok(line) = named[2].parse::<u32>() else { continue };
        for place in places {
            let known = place.path.as_str();
            let is_file = known == path || known.ends_with(&format!("/{path}"));
            if is_file && (place.lines.0..=place.lines.1).contains(&line) && !found.contains(&place.mutant) {
                found.push(place.mutant);
            }
        }
    }
    found
}
