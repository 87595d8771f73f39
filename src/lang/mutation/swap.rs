//! Operators that all languages share, and calls that only tell people something.

use super::Operator::{Arithmetic, Boolean, Boundary, Relational};
use super::Swap;

/// What the token of an operator can be swapped for.
pub(super) fn common(token: &str) -> &'static [Swap] {
    match token {
        "==" => &[("!=", Relational)],
        "!=" => &[("==", Relational)],
        "<" => &[(">=", Relational), ("<=", Boundary)],
        "<=" => &[(">", Relational), ("<", Boundary)],
        ">" => &[("<=", Relational), (">=", Boundary)],
        ">=" => &[("<", Relational), (">", Boundary)],
        "&&" => &[("||", Boolean)],
        "||" => &[("&&", Boolean)],
        "+" => &[("-", Arithmetic)],
        "-" => &[("+", Arithmetic)],
        "*" => &[("/", Arithmetic)],
        "/" => &[("*", Arithmetic)],
        "%" => &[("*", Arithmetic)],
        "<<" => &[(">>", Arithmetic)],
        ">>" => &[("<<", Arithmetic)],
        "&" => &[("|", Arithmetic)],
        "|" => &[("&", Arithmetic)],
        "^" => &[("&", Arithmetic)],
        "+=" => &[("-=", Arithmetic)],
        "-=" => &[("+=", Arithmetic)],
        "*=" => &[("/=", Arithmetic)],
        "/=" => &[("*=", Arithmetic)],
        "%=" => &[("*=", Arithmetic)],
        "<<=" => &[(">>=", Arithmetic)],
        ">>=" => &[("<<=", Arithmetic)],
        "&=" => &[("|=", Arithmetic)],
        "|=" => &[("&=", Arithmetic)],
        "^=" => &[("&=", Arithmetic)],
        "++" => &[("--", Arithmetic)],
        "--" => &[("++", Arithmetic)],
        _ => &[],
    }
}

/// True where an operation with this right side is the same after a swap (`x + 0`, `x * 1`).
pub(super) fn is_idle(token: &str, right: &str) -> bool {
    match token.trim_end_matches('=') {
        "+" | "-" | "<<" | ">>" => matches!(right, "0" | "0.0"),
        "*" | "/" | "//" => matches!(right, "1" | "1.0"),
        _ => false,
    }
}

/// True for a function that only tells people something: prints and logs, by custom of their names.
pub(in crate::lang) fn is_talk(callee: &str) -> bool {
    const VOICES: [&str; 9] =
        ["console", "log", "logger", "logging", "slog", "tracing", "warnings", "klog", "glog"];
    const WORDS: [&str; 11] = [
        "print", "println", "eprintln", "eprint", "pprint", "dbg", "trace", "debug", "info", "warn", "error",
    ];
    let parts: Vec<String> = callee
        .trim_end_matches('!')
        .split(['.', ':'])
        .filter(|part| !part.is_empty())
        .map(|part| part.trim_matches('_').to_ascii_lowercase())
        .collect();
    let Some((last, before)) = parts.split_last() else { return false };
    // `log.Fatal` and `log.Panic` end the program.
    let ends = ["fatal", "panic", "exit"].iter().any(|word| last.starts_with(word));
    let voice = |part: &String| VOICES.contains(&part.as_str());
    let printed = ["print", "fprint"].iter().any(|word| last.starts_with(word));
    (!ends && before.iter().any(voice))
        || (before.is_empty() && WORDS.contains(&last.as_str()))
        || (before.len() == 1 && before[0] == "fmt" && printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_swap_leads_to_another_operator_that_is_known() {
        for token in
            ["==", "!=", "<", "<=", ">", ">=", "&&", "||", "+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^"]
        {
            let swaps = common(token);
            assert!(!swaps.is_empty(), "{token}");
            assert!(swaps.iter().all(|(other, _)| *other != token && !common(other).is_empty()), "{token}");
        }
        assert!(common("=").is_empty());
    }

    #[test]
    fn what_only_tells_people_something_is_known_by_its_name() {
        for talk in [
            "print",
            "self._logger.warning",
            "console.log",
            "log.Printf",
            "fmt.Println",
            "tracing::info!",
            "warn!",
        ] {
            assert!(is_talk(talk), "{talk}");
        }
        for other in ["math.log", "log.Fatal", "fmt.Sprintf", "send", "catalog.add", "self.info"] {
            assert!(!is_talk(other), "{other}");
        }
    }
}
