//! Which tests of T replicate the bug?
//!
//! All tests of T's files run on base + T and on the fix. Those that are red for an accepted reason
//! on the one and green on the other are the replication tests; tests that are red on both sides
//! are listed, not judged, and the rest counts under K12.

use super::class::{hangs_in_production, of_case};
use super::trial::{Trial, Variant};
use super::verdict::FailureClass;
use crate::git::RepoPath;
use crate::lab::LabError;
use crate::lang::{Case, Status, TestId};

/// A test of T's files on both sides.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Which test.
    pub id: TestId,
    /// On base + T.
    pub red: Option<Case>,
    /// The class of its failure there.
    pub class: Option<FailureClass>,
    /// Where in production it hung there, if it did.
    pub hang: Option<String>,
    /// On the fix.
    pub green: bool,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Every test that either side reported.
    pub candidates: Vec<Candidate>,
}

impl Discovery {
    /// Looks at both sides. The two runs are made in random order.
    ///
    /// # Errors
    /// The lab failed.
    pub fn make(trial: &Trial<'_>) -> Result<Self, LabError> {
        let requests = [Variant::BaseTest, Variant::Fixed].map(|variant| trial.files_request(variant));
        trial.lab.run_all(&requests)?;
        let [red_run, green_run] = &requests;
        let (red_run, green_run) = (trial.lab.run(red_run)?, trial.lab.run(green_run)?);
        let mut ids: Vec<(TestId, Option<RepoPath>)> = Vec::new();
        for case in red_run.reading.cases.iter().chain(&green_run.reading.cases) {
            if !ids.iter().any(|(id, _)| *id == case.id) {
                ids.push((case.id.clone(), case.file.clone()));
            }
        }
        let context = trial.context(trial.base_test);
        let candidates = ids.into_iter().map(|(id, file)| {
            let red = trial.case_of(&red_run, &id, file.as_ref());
            let failed = red.as_ref().filter(|case| case.status == Status::Failed);
            Candidate {
                class: failed.map(|case| of_case(case, &context)),
                hang: failed.and_then(|case| hangs_in_production(case.failure.as_ref()?, &context)),
                green: green_run.reading.case(&id).is_some_and(|case| case.status == Status::Passed),
                id,
                red,
            }
        });
        Ok(Self { candidates: candidates.collect() })
    }

    /// The replication tests: red for an accepted reason and green on the fix; where the fix turns
    /// none green, all that are red, so that the green gate says what is wrong.
    pub fn replication_tests(&self) -> Vec<TestId> {
        let red = |candidate: &&Candidate| candidate.is_red();
        let both: Vec<_> = self.candidates.iter().filter(red).filter(|candidate| candidate.green).collect();
        let chosen = if both.is_empty() { self.candidates.iter().filter(red).collect() } else { both };
        chosen.into_iter().map(|candidate| candidate.id.clone()).collect()
    }

    /// Tests that are red on both sides although others are not.
    pub fn red_on_both_sides(&self) -> Vec<&Candidate> {
        let chosen = self.replication_tests();
        self.candidates
            .iter()
            .filter(|one| one.class.is_some() && !one.green && !chosen.contains(&one.id))
            .collect()
    }
}

impl Candidate {
    /// True when it failed on base + T for an accepted reason, or hung in production code.
    pub fn is_red(&self) -> bool {
        self.class.is_some_and(FailureClass::is_red) || self.hang.is_some()
    }
}
