//! Gates: each answers one question about a change by running code, and believes nobody.

pub mod verdict;
