//! What models cost: a table in a data file, which settings can correct.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Usage;

/// What a model costs, in USD per million tokens.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Tokens that it reads.
    pub input: f64,
    /// Tokens that it writes.
    pub output: f64,
    /// Tokens from the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Tokens into the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    /// What holds for calls that read much. Default: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<Long>,
}

/// What a model costs for calls that read much, in USD per million tokens.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Long {
    /// The number of tokens read above which it holds.
    pub above: u64,
    /// Tokens that it reads.
    pub input: f64,
    /// Tokens that it writes.
    pub output: f64,
    /// Tokens from the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Tokens into the provider's cache. Default: as `input`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
}

impl Price {
    /// What a call cost, in USD.
    pub fn of(&self, usage: &Usage) -> f64 {
        let long = self.long.filter(|long| usage.read() > long.above);
        let (input, output, read, write) = match long {
            Some(long) => (long.input, long.output, long.cache_read, long.cache_write),
            None => (self.input, self.output, self.cache_read, self.cache_write),
        };
        let part = |tokens: u64, price: f64| tokens as f64 * price.max(0.0) / 1e6;
        part(usage.input, input)
            + part(usage.output, output)
            + part(usage.cache_read, read.unwrap_or(input))
            + part(usage.cache_write, write.unwrap_or(input))
    }
}

/// Prices by the model's name.
#[derive(Clone, PartialEq, Debug)]
pub struct Prices(BTreeMap<String, Price>);

impl Default for Prices {
    fn default() -> Self {
        Self(toml::from_str(include_str!("prices.toml")).expect("the table is tested"))
    }
}

impl Prices {
    /// The table with corrections.
    #[must_use]
    pub fn with(mut self, own: &BTreeMap<String, Price>) -> Self {
        self.0.extend(own.iter().map(|(name, price)| (name.clone(), *price)));
        self
    }

    /// The price of a model. Names are not guessed: only a date, `-latest` and the name of a
    /// reseller's folder are looked past.
    pub fn of(&self, model: &str) -> Option<&Price> {
        let bare = model.rsplit('/').next().unwrap_or(model);
        let undated = without_date(bare);
        [model, bare, undated].into_iter().find_map(|name| self.0.get(name))
    }
}

fn without_date(name: &str) -> &str {
    let name = name.strip_suffix("-latest").unwrap_or(name);
    let dated = |length: usize| {
        let cut = name.len().checked_sub(length + 1)?;
        let date = name.get(cut..)?.strip_prefix(['-', '@'])?;
        let digits = date.bytes().filter(u8::is_ascii_digit).count();
        (digits == 8 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')).then(|| &name[..cut])
    };
    dated(8).or_else(|| dated(10)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_its_name_and_never_guessed() {
        let prices = Prices::default();
        for name in
            ["claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5@20250929"]
        {
            assert_eq!(prices.of(name).map(|price| price.output), Some(15.0), "{name}");
        }
        assert_eq!(prices.of("gpt-4o-2024-08-06").map(|price| price.input), Some(2.5));
        assert_eq!(prices.of("gpt-5-ultra"), None);
        assert_eq!(prices.of("mock-1"), None);
    }

    #[test]
    fn every_kind_of_token_has_its_price_and_long_calls_their_own() {
        let prices = Prices::default();
        let price = prices.of("claude-sonnet-4-5").unwrap();
        let short =
            Usage { input: 1000, output: 100, cache_read: 10_000, cache_write: 2000, estimated: false };
        assert!((price.of(&short) - (0.003 + 0.0015 + 0.003 + 0.0075)).abs() < 1e-9);
        let long = Usage { input: 300_000, ..Usage::default() };
        assert!((price.of(&long) - 1.8).abs() < 1e-9);
    }

    #[test]
    fn settings_correct_the_table() {
        let own: BTreeMap<String, Price> =
            toml::from_str("\"mock-1\" = { input = 1.0, output = 2.0 }").unwrap();
        assert_eq!(Prices::default().with(&own).of("mock-1").map(|price| price.output), Some(2.0));
    }
}
