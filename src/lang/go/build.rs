//! Packages that could not be built: what the compiler, the linker and `go` itself say.

use std::sync::LazyLock;

use regex::Regex;

use super::failure::clip;
use super::places::Places;
use crate::git::RepoPath;
use crate::lang::{Cause, Failure, Frame, Phase, Place};

/// Something that stopped a build.
#[derive(Clone, Debug)]
pub(super) struct Diagnostic {
    /// The import path of the package it was reported for; empty where none was named.
    pub(super) package: String,
    /// The file of the repository that it points at.
    pub(super) path: Option<RepoPath>,
    /// What it means for the tests of the package.
    pub(super) failure: Failure,
}

/// Reads the messages of `go`, which are lines of plain text in every version.
pub(super) fn diagnostics<'a>(
    lines: impl IntoIterator<Item = &'a str>,
    places: &Places<'_>,
) -> Vec<Diagnostic> {
    static AT: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^(?:vet: )?(\S.*?\.go):(\d+)(?::\d+)?: (.*)$").expect("a fixed pattern")
    });
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut package = String::new();
    for line in lines {
        let line = line.trim_end();
        if let Some(header) = line.strip_prefix("# ") {
            package = package_of(header, &package);
            continue;
        }
        let noise = line.is_empty()
            || line.ends_with(": too many errors")
            || ["go: downloading ", "go: finding ", "FAIL", "ok  \t", "?   \t", "exit status "]
                .iter()
                .any(|start| line.starts_with(start));
        if noise {
            continue;
        }
        if line.starts_with(['\t', ' ']) {
            if let Some(last) = found.last_mut() {
                last.failure.message = format!("{}\n{}", last.failure.message, line.trim());
                last.failure.excerpt = clip(&format!("{}\n{line}", last.failure.excerpt));
            }
            continue;
        }
        let (place, message) = match AT.captures(line) {
            Some(parts) => (Some((places.of(&parts[1]), parts[2].parse().unwrap_or(0))), parts[3].to_owned()),
            None => (None, line.to_owned()),
        };
        let frames: Vec<Frame> =
            place.into_iter().map(|(place, line)| Frame { place, line, function: None }).collect();
        let path = match frames.first().map(|frame| &frame.place) {
            Some(Place::Tree(path)) => Some(path.clone()),
            _ => None,
        };
        found.push(Diagnostic {
            package: package.clone(),
            path,
            failure: Failure {
                phase: Phase::Load,
                // Set once all lines of the message are known.
                cause: Cause::Raised,
                exception: "build error".to_owned(),
                message,
                frames,
                excerpt: line.to_owned(),
            },
        });
    }
    for one in &mut found {
        one.failure.cause = cause(one, places);
    }
    found
}

/// The package of a header: `p`, `p [p.test]`, `p_test [p.test]`, or vet's `[p]`.
fn package_of(header: &str, before: &str) -> String {
    if let Some(name) = header.strip_prefix('[') {
        let name = name.trim_end_matches(']');
        return if name.is_empty() { before.to_owned() } else { plain(name).to_owned() };
    }
    match header.split_once(" [") {
        Some((_, test)) => plain(test.trim_end_matches(']')).to_owned(),
        None => plain(header.split(' ').next().unwrap_or(header)).to_owned(),
    }
}

fn plain(name: &str) -> &str {
    name.split(' ').next().unwrap_or(name).trim_end_matches(".test")
}

fn cause(one: &Diagnostic, places: &Places<'_>) -> Cause {
    let message = &one.failure.message;
    let what = || message.lines().next().unwrap_or(message).to_owned();
    if let Some(import) = missing_import(message) {
        let own = places.modules.iter().any(|module| module.folder_of(import).is_some());
        return if own {
            Cause::Unresolved { symbol: import.to_owned() }
        } else {
            Cause::Infrastructure { what: what() }
        };
    }
    match &one.path {
        Some(path) if path.file_name().ends_with("_test.go") => unresolved(message)
            .map_or_else(|| Cause::Broken { what: what() }, |symbol| Cause::Unresolved { symbol }),
        // A test file can make production fail to build, by declaring its names or shadowing
        // built-in ones: that shows no bug, so it must not pass for an error that production raised.
        Some(path) => Cause::Infrastructure { what: format!("{path} does not build: {}", what()) },
        None if ["directory not found", "no Go files in", "matched no packages", "exclude all Go files"]
            .iter()
            .any(|text| message.contains(text)) =>
        {
            Cause::Broken { what: what() }
        }
        None => Cause::Infrastructure { what: what() },
    }
}

/// The import path of a package that is not there.
fn missing_import(message: &str) -> Option<&str> {
    static MISSING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"(?:no required module provides package|cannot find package|cannot find module providing package|does not contain package|^package) ([^\s;:]+)",
        )
        .expect("a fixed pattern")
    });
    let import = MISSING.captures(message)?.get(1)?.as_str();
    let absent = message
        .starts_with("package ")
        .then(|| message.contains(" is not in ") || message.contains(" not found"));
    absent.unwrap_or(true).then(|| import.trim_matches('"'))
}

/// The name that a test uses and that does not exist, or not in this shape.
fn unresolved(message: &str) -> Option<String> {
    static SHAPES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            // x.Foo undefined (type T has no field or method Foo)
            r"undefined \(type \*?(?:[\w/.-]*\.)?(?P<of>\w+)(?:\[.*\])? has no (?:field or method|method) (?P<name>\w+)",
            r"undefined: (?P<name>[\w.]+)",
            r"^(?P<name>[\w.]+) undefined",
            r"unknown field '?(?P<name>\w+)'? in struct literal(?: of type \*?(?:[\w/.-]*\.)?(?P<of>\w+))?",
            r"(?:not enough|too many) arguments in call to (?P<name>[\w.]+)",
            r"(?:not enough|too many) type arguments|got \d+ (?:type )?arguments but",
            r"assignment mismatch: .* but (?P<name>[\w.]+)(?:\(.*\))? returns? ",
            r"does not implement .*\(missing method (?P<name>\w+)\)",
            r"as .* in argument to (?P<name>[\w.]+)",
            r"^cannot use (?P<name>[A-Za-z_][\w.]*)",
            r"^(?P<name>[\w.]+)\(.*\) \(no value\) used as value",
            r"^multiple-value (?P<name>[\w.]+)\(",
            r"^invalid operation: (?P<name>[A-Za-z_][\w.]*).*(?:mismatched types|operator .* not defined)",
            r"name (?P<name>\w+) not exported by package",
        ]
        .iter()
        .map(|pattern| Regex::new(pattern).expect("a fixed pattern"))
        .collect()
    });
    let message = message.replace('\n', " ");
    SHAPES.iter().find_map(|shape| {
        let parts = shape.captures(&message)?;
        let name = parts.name("name").map_or("", |name| name.as_str());
        Some(match parts.name("of") {
            Some(of) => format!("{}.{name}", of.as_str()),
            None => name.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_names_are_read_from_every_shape() {
        for (message, symbol) in [
            ("undefined: Foo", "Foo"),
            ("undefined: cart.Total", "cart.Total"),
            ("x.Foo undefined (type T has no field or method Foo)", "T.Foo"),
            (
                "c.total undefined (type *cart.Cart has no field or method total, but does have Total)",
                "Cart.total",
            ),
            ("unknown field 'Bar' in struct literal of type T", "T.Bar"),
            ("unknown field Bar in struct literal of type cart.T", "T.Bar"),
            ("not enough arguments in call to F\nhave (number)\nwant ([]int, int)", "F"),
            ("too many arguments in call to c.Add\nhave (number)", "c.Add"),
            ("assignment mismatch: 3 variables but two returns 2 values", "two"),
            ("assignment mismatch: 2 variables but cart.New() returns 1 value", "cart.New"),
            ("cannot use 4 (untyped int constant) as string value in argument to g", "g"),
            ("cannot use g(\"\") (value of type int) as type string in variable declaration", "g"),
            (
                "cannot use T{} (value of type T) as I value in variable declaration: T does not implement I (missing method M)",
                "M",
            ),
            ("invalid operation: g(\"\") == \"x\" (mismatched types int and untyped string)", "g"),
            ("f() (no value) used as value", "f"),
        ] {
            assert_eq!(unresolved(message).as_deref(), Some(symbol), "{message}");
        }
        for message in [
            "missing condition in if statement",
            "\"os\" imported and not used",
            "F redeclared in this block",
        ] {
            assert_eq!(unresolved(message), None, "{message}");
        }
    }

    #[test]
    fn missing_packages_are_named() {
        for (message, import) in [
            (
                "no required module provides package github.com/x/y; to add it:\ngo get github.com/x/y",
                "github.com/x/y",
            ),
            ("package nostd is not in GOROOT (/usr/lib/go/src/nostd)", "nostd"),
            ("package slices is not in std", "slices"),
            ("main module (x) does not contain package x/y", "x/y"),
        ] {
            assert_eq!(missing_import(message), Some(import), "{message}");
        }
        assert_eq!(missing_import("package a; expected package b"), None);
    }

    #[test]
    fn headers_name_the_package_under_test() {
        for header in ["e/m", "e/m [e/m.test]", "e/m_test [e/m.test]", "[e/m]", "e/m.test"] {
            assert_eq!(package_of(header, ""), "e/m", "{header}");
        }
    }
}
