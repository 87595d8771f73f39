//! `[budget]`: what a run may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TimeLimit;
use crate::agent::Stage;
use crate::agent::gateway::{self, Limits};

/// `[budget]`: what a run may use at the most. A call that begins within the budget is let to its end.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Money for models, in USD, by failfirst's table of list prices and `[prices]`; `--budget-usd`
    /// overrides. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Tokens, read and written. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Calls of models. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// Wall clock of the whole run. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeLimit>,
    /// The analyst's part, in all its attempts.
    pub analyst: StageBudget,
    /// The fixer's part.
    pub fixer: StageBudget,
    /// The reviewer's part.
    pub reviewer: StageBudget,
}

/// `[budget.STAGE]`: what a stage may use at the most.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StageBudget {
    /// Money, in USD. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usd: Option<f64>,
    /// Tokens, read and written. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Calls of models. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<u64>,
    /// The time in which its agent works. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeLimit>,
}

impl StageBudget {
    fn limits(self) -> Limits {
        let time = self.time.map(TimeLimit::get);
        Limits { usd: self.usd, tokens: self.tokens, requests: self.requests, time }
    }
}

impl Budget {
    /// What the gateway keeps; `usd` is the command line's.
    pub fn limits(&self, usd: Option<f64>) -> gateway::Budget {
        let time = self.time.map(TimeLimit::get);
        gateway::Budget {
            run: Limits { usd: usd.or(self.usd), tokens: self.tokens, requests: self.requests, time },
            stages: [
                (Stage::Analyst, self.analyst.limits()),
                (Stage::Fixer, self.fixer.limits()),
                (Stage::Reviewer, self.reviewer.limits()),
            ]
            .into(),
        }
    }

    pub(super) fn contradiction(&self) -> Option<String> {
        let parts = [
            ("budget", self.usd),
            ("budget.analyst", self.analyst.usd),
            ("budget.fixer", self.fixer.usd),
            ("budget.reviewer", self.reviewer.usd),
        ];
        let bad = parts.into_iter().find(|(_, usd)| usd.is_some_and(|usd| !(usd.is_finite() && usd > 0.0)));
        bad.map(|(key, _)| format!("`usd` under [{key}] must be a number above 0"))
    }
}
