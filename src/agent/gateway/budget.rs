//! What a run may use, what it has used, and the refusal when that is all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Prices, Usage};
use crate::agent::Stage;
use crate::report::Cost;

/// What may be used at the most; `None` is no limit.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Limits {
    /// Money, in USD.
    pub usd: Option<f64>,
    /// Tokens, read and written.
    pub tokens: Option<u64>,
    /// Calls of a model.
    pub requests: Option<u64>,
    /// Wall clock; of a stage, the time in which its agent works.
    pub time: Option<Duration>,
}

/// The limits of a run and of its stages.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Budget {
    /// Of all stages together.
    pub run: Limits,
    /// Of single stages, with all their attempts.
    pub stages: BTreeMap<Stage, Limits>,
}

/// Whose limit it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    Run,
    Stage(Stage),
}

impl Whose {
    fn setting(self, key: &str) -> String {
        match self {
            Self::Run => format!("`{key}` under [budget]"),
            Self::Stage(stage) => format!("`{key}` under [budget.{stage}]"),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Run => "the run".to_owned(),
            Self::Stage(stage) => format!("the {stage}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Spent {
    usd: f64,
    /// True when a call could not be priced.
    unpriced: bool,
    read: u64,
    written: u64,
    requests: u64,
    time: Duration,
}

/// Keeps count of a run.
pub struct Ledger {
    budget: Budget,
    prices: Prices,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    run: Spent,
    stages: BTreeMap<Stage, Spent>,
    /// The attempt under way.
    working: Option<(Stage, Instant)>,
    /// Why no call is let through any more.
    over: Option<String>,
}

impl Ledger {
    /// An empty one; the clock starts.
    pub fn new(budget: Budget, prices: Prices) -> Self {
        Self { budget, prices, began: Instant::now(), state: Mutex::default() }
    }

    /// Lets a call of a model through, or says why not.
    ///
    /// # Errors
    /// The refusal, worded for the agent and for the report.
    pub fn admit(&self, stage: Stage, model: &str) -> Result<(), String> {
        if let Some(over) = self.over(stage) {
            return Err(over);
        }
        let limits = [Some(&self.budget.run), self.budget.stages.get(&stage)];
        let counts_money = limits.iter().flatten().any(|limits| limits.usd.is_some());
        if counts_money && self.prices.of(model).is_none() {
            let text = format!(
                "no price is known for the model \"{model}\", so a budget in USD cannot be kept; set [prices.\"{model}\"] in failfirst.toml, or limit tokens instead"
            );
            return Err(self.lock().over.get_or_insert(text).clone());
        }
        let mut state = self.lock();
        state.run.requests += 1;
        state.stages.entry(stage).or_default().requests += 1;
        Ok(())
    }

    /// Books a call; its price in USD comes back, where one is known.
    pub fn charge(&self, stage: Stage, model: &str, usage: &Usage) -> Option<f64> {
        let usd = self.prices.of(model).map(|price| price.of(usage));
        let mut state = self.lock();
        let State { run, stages, .. } = &mut *state;
        for spent in [run, stages.entry(stage).or_default()] {
            spent.usd += usd.unwrap_or_default();
            spent.unpriced |= usd.is_none() && usage.total() > 0;
            spent.read = spent.read.saturating_add(usage.read());
            spent.written = spent.written.saturating_add(usage.output);
        }
        usd
    }

    /// Why the stage may not go on, where that is so. The first reason stays the reason.
    pub fn over(&self, stage: Stage) -> Option<String> {
        let mut state = self.lock();
        if state.over.is_none() {
            let own = state.spent(stage);
            let run = Spent { time: self.began.elapsed(), ..state.run };
            let stage_limits = self.budget.stages.get(&stage);
            state.over = exhausted(Whose::Run, &self.budget.run, &run)
                .or_else(|| stage_limits.and_then(|limits| exhausted(Whose::Stage(stage), limits, &own)));
        }
        state.over.clone()
    }

    /// Why no call was let through, where one was refused or a limit was found to be reached.
    pub fn exceeded(&self) -> Option<String> {
        self.lock().over.clone()
    }

    /// How long the stage may still work; `None` without a limit.
    pub fn time_left(&self, stage: Stage) -> Option<Duration> {
        let own = self.lock().spent(stage).time;
        let run = self.budget.run.time.map(|most| most.saturating_sub(self.began.elapsed()));
        let stage = self.budget.stages.get(&stage).and_then(|limits| limits.time);
        let stage = stage.map(|most| most.saturating_sub(own));
        [run, stage].into_iter().flatten().min()
    }

    /// An attempt of a stage begins.
    pub(super) fn begin(&self, stage: Stage) {
        self.lock().working = Some((stage, Instant::now()));
    }

    /// The attempt under way ends.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        if let Some((stage, since)) = state.working.take() {
            state.stages.entry(stage).or_default().time += since.elapsed();
        }
    }

    /// What was used so far; `None` where no model was called.
    pub fn cost(&self) -> Option<Cost> {
        let run = self.lock().run;
        (run.requests > 0).then(|| Cost {
            usd: (!run.unpriced).then_some(run.usd),
            input_tokens: run.read,
            output_tokens: run.written,
            requests: run.requests,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a stage used, with the attempt under way.
    fn spent(&self, stage: Stage) -> Spent {
        let mut own = self.stages.get(&stage).copied().unwrap_or_default();
        if let Some((working, since)) = self.working
            && working == stage
        {
            own.time += since.elapsed();
        }
        own
    }
}

fn exhausted(whose: Whose, limits: &Limits, spent: &Spent) -> Option<String> {
    let name = whose.name();
    let said = |what: String, key: &str| {
        Some(format!("the budget of {name} is used up: {what} ({})", whose.setting(key)))
    };
    if let Some(most) = limits.usd
        && spent.usd >= most
    {
        return said(format!("{:.4} of {most} USD", spent.usd), "usd");
    }
    if let Some(most) = limits.tokens
        && spent.read.saturating_add(spent.written) >= most
    {
        return said(format!("{} of {most} tokens", spent.read.saturating_add(spent.written)), "tokens");
    }
    if let Some(most) = limits.requests
        && spent.requests >= most
    {
        return said(format!("{} of {most} requests", spent.requests), "requests");
    }
    if let Some(most) = limits.time
        && spent.time >= most
    {
        return said(format!("{}s of {}s", spent.time.as_secs(), most.as_secs()), "time");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(run: Limits, fixer: Limits) -> Ledger {
        let budget = Budget { run, stages: [(Stage::Fixer, fixer)].into() };
        Ledger::new(budget, Prices::default())
    }

    const CALL: Usage =
        Usage { input: 1_000_000, output: 0, cache_read: 0, cache_write: 0, estimated: false };

    #[test]
    fn money_ends_it() {
        let ledger = ledger(Limits { usd: Some(10.0), ..Limits::default() }, Limits::default());
        for _ in 0..2 {
            ledger.admit(Stage::Analyst, "claude-sonnet-4-5").unwrap();
            ledger.charge(Stage::Analyst, "claude-sonnet-4-5", &CALL);
        }
        let refusal = ledger.admit(Stage::Fixer, "claude-sonnet-4-5").unwrap_err();
        assert!(
            refusal.contains("the budget of the run is used up: 12.0000 of 10 USD (`usd` under [budget])"),
            "{refusal}"
        );
        assert_eq!(ledger.cost().unwrap().requests, 2);
        assert_eq!(ledger.exceeded(), Some(refusal));
    }

    #[test]
    fn a_stage_has_limits_of_its_own() {
        let ledger =
            ledger(Limits::default(), Limits { tokens: Some(10), requests: Some(1), ..Limits::default() });
        ledger.admit(Stage::Analyst, "m").unwrap();
        ledger.charge(Stage::Analyst, "m", &CALL);
        assert_eq!(ledger.over(Stage::Analyst), None);
        ledger.admit(Stage::Fixer, "m").unwrap();
        assert!(
            ledger
                .admit(Stage::Fixer, "m")
                .unwrap_err()
                .contains("1 of 1 requests (`requests` under [budget.fixer])")
        );
        assert_eq!(ledger.cost().unwrap().usd, None, "no price is known for m");
    }

    #[test]
    fn a_budget_in_money_lets_no_unpriced_model_through() {
        let ledger = ledger(Limits { usd: Some(5.0), ..Limits::default() }, Limits::default());
        assert!(ledger.admit(Stage::Fixer, "mock-1").unwrap_err().contains("set [prices.\"mock-1\"]"));
        assert_eq!(ledger.cost(), None);
    }

    #[test]
    fn time_runs_for_the_run_and_while_a_stage_works() {
        let short = Limits { time: Some(Duration::from_millis(30)), ..Limits::default() };
        let ledger = ledger(Limits::default(), short);
        std::thread::sleep(Duration::from_millis(40));
        assert_eq!(ledger.over(Stage::Fixer), None);
        ledger.begin(Stage::Fixer);
        std::thread::sleep(Duration::from_millis(40));
        ledger.end();
        assert!(ledger.over(Stage::Fixer).unwrap().contains("[budget.fixer]"));
        assert_eq!(ledger.time_left(Stage::Fixer), Some(Duration::ZERO));
        assert_eq!(ledger.time_left(Stage::Analyst), None);
    }
}
