//! What an exception says about why a test failed.

use std::sync::LazyLock;

use regex::Regex;

use super::report::ErrorData;
use super::roles;
use crate::lang::protected::Class;
use crate::lang::{Cause, Frame, Phase, Place, Role};

/// Linux error numbers of a machine without network, without room, or without an answer.
const SURROUNDINGS: [i64; 8] = [28, 100, 101, 110, 112, 113, 122, 23];

static LOOKUP: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        "(?i)temporary failure in name resolution|name or service not known|failed to resolve|network is unreachable|nodename nor servname",
    )
});
static CANNOT_IMPORT: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^cannot import name '([^']+)' from (?:partially initialized module )?'([^']+)'")
});
static NO_MODULE: LazyLock<Regex> = LazyLock::new(|| regex(r"^No module named '([^']+)'"));
static NOT_DEFINED: LazyLock<Regex> = LazyLock::new(|| regex(r"^name '([^']+)' is not defined"));
static ON_MODULE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^(?:partially initialized )?module '([^']+)' has no attribute '([^']+)'"));
/// As `monkeypatch.setattr` and `mock.patch` word it.
static ON_TARGET: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"^<(?:module|class) '([^']+)'[^>]*> (?:does not have the attribute|has no attribute) '([^']+)'")
});
static ON_CLASS: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^type object '([^']+)' has no attribute '([^']+)'"));
static ON_INSTANCE: LazyLock<Regex> =
    LazyLock::new(|| regex(r"^'([^']+)' object has no attribute '([^']+)'"));
static KEYWORD: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:[\w.<>]*?)([\w<>]+)\(\) got (?:an unexpected keyword argument|some positional-only arguments passed as keyword arguments:|multiple values for argument) '([^']+)'",
    )
});
static ARITY: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"^(?:[\w.<>]*?)([\w<>]+)\(\) (?:takes (?:no|at most|at least|exactly|from|\d+)\b.*argument|missing \d+ required)",
    )
});
static NO_ARGUMENTS: LazyLock<Regex> = LazyLock::new(|| regex(r"^([\w.]+)\(\) takes no arguments$"));

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant")
}

/// The cause of `error`. `frames` is its stack; `own` tells whether the tree holds a module.
pub(super) fn cause(error: &ErrorData, frames: &[Frame], phase: Phase, own: &dyn Fn(&str) -> bool) -> Cause {
    let is = |name: &str| error.kind == name || error.bases.iter().any(|base| base == name);
    let message = error.message.trim_start();
    if let Some(name) = &error.fixture {
        return Cause::Broken { what: format!("fixture '{name}' not found") };
    }
    if error.kind == "Failed" && is("OutcomeException") || error.kind == "CollectError" {
        return outcome(message, phase);
    }
    if is("AssertionError") {
        return Cause::Assertion;
    }
    if is("SyntaxError") {
        let place = match frames.last().map(|frame| (&frame.place, frame.line)) {
            Some((Place::Tree(path), line)) => format!(" in {path} line {line}"),
            _ => String::new(),
        };
        return Cause::Broken { what: format!("{}{place}: {}", error.kind, first_line(message)) };
    }
    if is("UsageError") || is("PytestCollectionWarning") {
        return Cause::Broken { what: first_line(message) };
    }
    if is("ImportError") {
        return import(error, message, frames, own);
    }
    let from_test = last_is_test(frames);
    if is("NameError") && error.kind != "UnboundLocalError" && from_test {
        let name = error.name.clone().or_else(|| captured(&NOT_DEFINED, message, 1));
        return name.map_or(Cause::Raised, |symbol| Cause::Unresolved { symbol });
    }
    if is("AttributeError") && from_test {
        return attribute(error, message, own);
    }
    if is("TypeError")
        && from_test
        && let Some(symbol) = arity(message)
    {
        return Cause::Unresolved { symbol };
    }
    if let Some(what) = surroundings(error, message) {
        return Cause::Infrastructure { what };
    }
    Cause::Raised
}

/// `pytest.fail`, a missed `pytest.raises`, and what pytest itself reports that way.
fn outcome(message: &str, phase: Phase) -> Cause {
    let line = first_line(message);
    if line.starts_with("Timeout >") || line.starts_with("Timeout (>") {
        return Cause::TimedOut;
    }
    if line.starts_with("async def functions are not natively supported") {
        let what =
            "async tests need a plugin of pytest (such as pytest-asyncio or anyio) that is not installed";
        return Cause::Infrastructure { what: what.to_owned() };
    }
    if phase == Phase::Load || line.starts_with("Fixture \"") && line.contains("called directly") {
        return Cause::Broken { what: line };
    }
    Cause::Assertion
}

fn import(error: &ErrorData, message: &str, frames: &[Frame], own: &dyn Fn(&str) -> bool) -> Cause {
    // A test that simulates an absent module sets it to None.
    if message.contains("None in sys.modules") {
        return Cause::Raised;
    }
    if let Some(found) = CANNOT_IMPORT.captures(message) {
        let (symbol, module) = (found[1].to_owned(), &found[2]);
        return match (own(module), last_is_production(frames)) {
            // Production that cannot import itself is a defect of production.
            (true, true) => Cause::Raised,
            (true, false) => Cause::Unresolved { symbol },
            (false, _) => Cause::Infrastructure { what: first_line(message) },
        };
    }
    if error.kind == "PackageNotFoundError" {
        return Cause::Infrastructure { what: first_line(message) };
    }
    let module = error.name.clone().or_else(|| captured(&NO_MODULE, message, 1));
    match module {
        Some(module) if own(&module) => {
            if last_is_production(frames) {
                Cause::Raised
            } else {
                Cause::Unresolved { symbol: module }
            }
        }
        Some(module) if error.kind == "ModuleNotFoundError" => {
            Cause::Infrastructure { what: format!("module '{module}' is not installed") }
        }
        // Raised by hand: `raise ImportError("install x")`.
        _ => Cause::Raised,
    }
}

fn attribute(error: &ErrorData, message: &str, own: &dyn Fn(&str) -> bool) -> Cause {
    if let Some(owner) = &error.owner {
        let symbol = error.name.clone().unwrap_or_default();
        return match owner.kind.as_str() {
            "module" => Cause::Unresolved { symbol },
            _ if own(&owner.module) => Cause::Unresolved { symbol: format!("{}.{symbol}", owner.name) },
            _ => Cause::Raised,
        };
    }
    // Before Python 3.10 only the message tells, and not in which module the class is.
    if let Some(found) = ON_MODULE.captures(message).or_else(|| ON_TARGET.captures(message)) {
        return Cause::Unresolved { symbol: found[2].to_owned() };
    }
    let builtin = |name: &str| {
        name.chars().next().is_some_and(char::is_lowercase)
            || matches!(name, "NoneType" | "Popen" | "CompletedProcess" | "PosixPath" | "Mock" | "MagicMock")
    };
    match ON_CLASS.captures(message).or_else(|| ON_INSTANCE.captures(message)) {
        Some(found) if !builtin(&found[1]) => {
            Cause::Unresolved { symbol: format!("{}.{}", &found[1], &found[2]) }
        }
        _ => Cause::Raised,
    }
}

fn arity(message: &str) -> Option<String> {
    captured(&KEYWORD, message, 2)
        .or_else(|| captured(&NO_ARGUMENTS, message, 1))
        .or_else(|| captured(&ARITY, message, 1))
}

fn surroundings(error: &ErrorData, message: &str) -> Option<String> {
    let link = error.chain.iter().find(|link| {
        link.kind == "gaierror" || link.errno.is_some_and(|number| SURROUNDINGS.contains(&number))
    });
    match link {
        Some(link) => Some(format!("{}: {}", link.kind, first_line(message))),
        None if LOOKUP.is_match(message) => Some(first_line(message)),
        None => None,
    }
}

/// The innermost frame in the tree.
fn last(frames: &[Frame]) -> Option<Role> {
    frames.iter().rev().find_map(|frame| match &frame.place {
        Place::Tree(path) => roles::role(path),
        Place::Outside(_) => None,
    })
}

fn last_is_test(frames: &[Frame]) -> bool {
    matches!(last(frames), Some(Role::Test | Role::TestSupport | Role::Protected(Class::Runner)))
}

fn last_is_production(frames: &[Frame]) -> bool {
    last(frames) == Some(Role::Production)
}

fn captured(pattern: &Regex, text: &str, group: usize) -> Option<String> {
    Some(pattern.captures(text)?.get(group)?.as_str().to_owned())
}

fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::RepoPath;

    fn of(kind: &str, bases: &[&str], message: &str, last: &str) -> Cause {
        let error = ErrorData {
            kind: kind.to_owned(),
            bases: bases.iter().map(|base| (*base).to_owned()).collect(),
            message: message.to_owned(),
            ..ErrorData::default()
        };
        let place = Place::Tree(RepoPath::new(last).unwrap());
        let frames = [Frame { place, line: 1, function: None }];
        cause(&error, &frames, Phase::Call, &|module| module.starts_with("shop"))
    }

    fn unresolved(symbol: &str) -> Cause {
        Cause::Unresolved { symbol: symbol.to_owned() }
    }

    const TEST: &str = "tests/test_a.py";
    const CODE: &str = "shop/cart.py";

    #[test]
    fn a_missing_name_of_the_project_is_unresolved() {
        let import = "cannot import name 'total' from 'shop.cart' (/p/shop/cart.py)";
        assert_eq!(of("ImportError", &[], import, TEST), unresolved("total"));
        assert_eq!(
            of("ModuleNotFoundError", &["ImportError"], "No module named 'shop.tax'", TEST),
            unresolved("shop.tax")
        );
        assert_eq!(of("NameError", &[], "name 'totl' is not defined", TEST), unresolved("totl"));
        let attribute = "module 'shop.cart' has no attribute 'total'";
        assert_eq!(of("AttributeError", &[], attribute, TEST), unresolved("total"));
        let target = "<module 'shop.cart' from '/p/shop/cart.py'> does not have the attribute 'total'";
        assert_eq!(of("AttributeError", &[], target, TEST), unresolved("total"));
        let attribute = "'Cart' object has no attribute 'total'";
        assert_eq!(of("AttributeError", &[], attribute, TEST), unresolved("Cart.total"));
        for (message, symbol) in [
            ("add() got an unexpected keyword argument 'tax'", "tax"),
            ("Cart.add() got an unexpected keyword argument 'tax'", "tax"),
            ("Cart.add() takes 2 positional arguments but 3 were given", "add"),
            ("add() takes from 1 to 2 positional arguments but 3 were given", "add"),
            ("Cart.__init__() missing 1 required positional argument: 'tax'", "__init__"),
            ("Cart() takes no arguments", "Cart"),
        ] {
            assert_eq!(of("TypeError", &[], message, TEST), unresolved(symbol), "{message}");
            assert_eq!(of("TypeError", &[], message, CODE), Cause::Raised, "{message}");
        }
    }

    #[test]
    fn the_same_error_inside_production_was_raised_by_it() {
        let import = "cannot import name 'total' from partially initialized module 'shop.cart' (…)";
        assert_eq!(of("ImportError", &[], import, CODE), Cause::Raised);
        assert_eq!(of("NameError", &[], "name 'totl' is not defined", CODE), Cause::Raised);
        let message = "'NoneType' object has no attribute 'total'";
        assert_eq!(of("AttributeError", &[], message, TEST), Cause::Raised);
        assert_eq!(of("TypeError", &[], "unsupported operand type(s) for +", TEST), Cause::Raised);
    }

    #[test]
    fn a_module_that_is_not_installed_is_no_finding() {
        let cause = of("ModuleNotFoundError", &["ImportError"], "No module named 'numpy'", TEST);
        assert_eq!(cause, Cause::Infrastructure { what: "module 'numpy' is not installed".to_owned() });
        let simulated = "import of numpy halted; None in sys.modules";
        assert_eq!(of("ModuleNotFoundError", &["ImportError"], simulated, CODE), Cause::Raised);
    }

    #[test]
    fn words_of_pytest_are_understood() {
        let bases = ["OutcomeException"];
        assert_eq!(of("Failed", &bases, "DID NOT RAISE <class 'ValueError'>", TEST), Cause::Assertion);
        assert_eq!(of("Failed", &bases, "Timeout (>1.0s) from pytest-timeout.", TEST), Cause::TimedOut);
        assert!(matches!(
            of("Failed", &bases, "async def functions are not natively supported.\nYou need", TEST),
            Cause::Infrastructure { .. }
        ));
        assert_eq!(of("MyError", &["AssertionError"], "x", CODE), Cause::Assertion);
    }

    #[test]
    fn an_unreachable_network_is_no_finding() {
        let message = "HTTPConnectionPool(host='example.test'): Failed to resolve 'example.test'";
        assert!(matches!(of("ConnectionError", &["OSError"], message, CODE), Cause::Infrastructure { .. }));
        assert_eq!(of("ConnectionRefusedError", &["OSError"], "Connection refused", CODE), Cause::Raised);
    }
}
