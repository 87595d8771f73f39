//! How a project starts its tests, read from the scripts of its package.json.

use std::path::Path;

use serde_json::{Map, Value};

use super::dialect::{DIALECTS, Dialect};

/// A command line of a project that starts a known test runner, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) dialect: &'static dyn Dialect,
    /// Variables set in front of the command.
    pub(super) env: Vec<(String, String)>,
    /// What stands before the runner: `node --experimental-vm-modules`, `tsx`.
    pub(super) before: Vec<String>,
    /// The runner's program as written; `None` for node:test, which has none of its own.
    pub(super) program: Option<String>,
    /// Sub-command of a wrapper (`test` of `react-scripts test`).
    pub(super) command: Vec<String>,
    /// Options worth keeping.
    pub(super) options: Vec<String>,
    /// The files or patterns that it selects.
    pub(super) specs: Vec<String>,
    /// The configuration file that it names, where the runner's adapter passes one of its own.
    pub(super) config: Option<String>,
    /// The names of all its options, also of those that are not kept.
    pub(super) stated: Vec<String>,
    /// The script in which it was found.
    pub(super) script: Option<String>,
}

/// A test program that failfirst cannot read.
pub(super) const UNREADABLE: [&str; 14] = [
    "ava",
    "tap",
    "tape",
    "uvu",
    "jasmine",
    "karma",
    "qunit",
    "lab",
    "cypress",
    "playwright",
    "bun",
    "deno",
    "wtr",
    "zora",
];

impl Launch {
    /// The runner alone, without anything of the project's own.
    pub(super) fn plain(dialect: &'static dyn Dialect) -> Self {
        Self {
            dialect,
            env: Vec::new(),
            before: Vec::new(),
            program: None,
            command: Vec::new(),
            options: Vec::new(),
            specs: Vec::new(),
            config: None,
            stated: Vec::new(),
            script: None,
        }
    }

    /// The runner that the test scripts start; `wanted` skips all others.
    pub(super) fn of_scripts(
        scripts: &Map<String, Value>,
        wanted: Option<&'static dyn Dialect>,
    ) -> Option<Self> {
        let mut names: Vec<&String> = scripts.keys().filter(|name| is_test_script(name)).collect();
        names.sort_by_key(|name| (name.as_str() != "test", !name.starts_with("test")));
        names.into_iter().find_map(|name| {
            let launch = of_script(scripts, name, 0)?;
            let wanted = wanted.is_none_or(|wanted| wanted.name() == launch.dialect.name());
            wanted.then(|| Self { script: Some(name.clone()), ..launch })
        })
    }

    /// The runner that a command line starts.
    pub(super) fn of_words(words: &[String], scripts: &Map<String, Value>) -> Option<Self> {
        of_command(words, scripts, 0)
    }
}

/// The name of a test program in the scripts that failfirst cannot read.
pub(super) fn unreadable(scripts: &Map<String, Value>) -> Option<&'static str> {
    let text = scripts.get("test")?.as_str()?;
    let words: Vec<&str> = text.split_whitespace().collect();
    UNREADABLE.into_iter().find(|name| words.contains(name))
}

fn is_test_script(name: &str) -> bool {
    let skipped = ["watch", "lint", "types", "typecheck", "browser", "e2e", "update", "debug", "bench"];
    (name == "test"
        || name == "tests"
        || name == "unit"
        || name == "specs"
        || name.starts_with("test:")
        || name.starts_with("test-")
        || name.starts_with("unit:"))
        && !skipped.iter().any(|part| name.contains(part))
}

fn of_script(scripts: &Map<String, Value>, name: &str, depth: u8) -> Option<Launch> {
    let text = scripts.get(name)?.as_str()?;
    let words = shell_words::split(&spaced(text)).ok()?;
    words
        .split(|word| matches!(word.as_str(), "&&" | "||" | ";" | "|" | "&"))
        .find_map(|command| of_command(command, scripts, depth + 1))
}

/// With spaces around the operators of the shell, so that they become words.
fn spaced(text: &str) -> String {
    let mut quoted = None;
    let mut spaced = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match quoted {
            Some(quote) if letter == quote => quoted = None,
            None if letter == '"' || letter == '\'' => quoted = Some(letter),
            None if letter == ';' => {
                spaced.push_str(" ; ");
                continue;
            }
            _ => {}
        }
        spaced.push(letter);
    }
    spaced
}

fn of_command(words: &[String], scripts: &Map<String, Value>, depth: u8) -> Option<Launch> {
    if depth > 5 {
        return None;
    }
    let mut env = Vec::new();
    let mut at = 0;
    loop {
        let word = words.get(at)?;
        let name = program_name(word);
        if let Some((key, value)) = assignment(word) {
            env.push((key, value));
            at += 1;
            continue;
        }
        match name {
            "cross-env" | "cross-env-shell" | "env" | "npx" | "bunx" | "time" | "exec" | "cross-var" => {
                at += 1
            }
            "c8" | "nyc" | "timeout" | "dotenv" => {
                at += 1;
                while words.get(at).is_some_and(|word| !is_known_program(program_name(word))) {
                    at += 1;
                }
            }
            "npm" | "pnpm" | "yarn" | "bun" => return of_manager(&words[at..], env, scripts, depth),
            "run-s" | "run-p" | "npm-run-all" => {
                return words[at + 1..].iter().find_map(|name| match name.strip_suffix('*') {
                    Some(stem) => scripts
                        .keys()
                        .filter(|key| key.starts_with(stem))
                        .find_map(|key| of_script(scripts, key, depth)),
                    None => of_script(scripts, name, depth),
                });
            }
            _ if word.starts_with('-') && at > 0 => at += 1,
            _ => break,
        }
    }
    let mut launch = of_program(&words[at..])?;
    env.append(&mut launch.env);
    launch.env = env;
    Some(launch)
}

/// `npm test`, `npm run unit -- --grep x`, `pnpm vitest run`.
fn of_manager(
    words: &[String],
    env: Vec<(String, String)>,
    scripts: &Map<String, Value>,
    depth: u8,
) -> Option<Launch> {
    if words.iter().any(|word| {
        matches!(
            word.as_str(),
            "-r" | "--recursive" | "-ws" | "--workspaces" | "workspaces" | "--filter" | "-F"
        )
    }) {
        return None;
    }
    let mut rest = words[1..].iter().skip_while(|word| word.starts_with('-'));
    let first = rest.next()?;
    let (name, rest): (&str, Vec<String>) = match first.as_str() {
        "run" | "run-script" => (rest.find(|word| !word.starts_with('-'))?, rest.cloned().collect()),
        "t" | "tst" => ("test", rest.cloned().collect()),
        "exec" | "dlx" | "x" => {
            let words: Vec<String> = rest.skip_while(|word| word.starts_with('-')).cloned().collect();
            let mut launch = of_command(&words, scripts, depth + 1)?;
            launch.env.splice(0..0, env);
            return Some(launch);
        }
        name => (name, rest.cloned().collect()),
    };
    let mut launch = match of_script(scripts, name, depth) {
        Some(launch) => launch,
        None if scripts.contains_key(name) => return None,
        None => of_program(&words[1..])?,
    };
    if let Some(extra) = rest.iter().position(|word| word == "--") {
        let more = sort(launch.dialect, &rest[extra + 1..]);
        launch.options.extend(more.options);
        launch.specs.extend(more.specs);
        launch.config = more.config.or(launch.config);
        launch.stated.extend(more.stated);
    }
    launch.env.splice(0..0, env);
    Some(launch)
}

fn of_program(words: &[String]) -> Option<Launch> {
    let name = program_name(words.first()?);
    if let Some(dialect) = by_binary(name) {
        return Some(with_arguments(dialect, Vec::new(), Some(words[0].clone()), Vec::new(), &words[1..]));
    }
    if matches!(name, "react-scripts" | "craco") && words.get(1).is_some_and(|word| word == "test") {
        let jest = by_binary("jest")?;
        return Some(with_arguments(
            jest,
            Vec::new(),
            Some(words[0].clone()),
            vec!["test".to_owned()],
            &words[2..],
        ));
    }
    if !matches!(
        name,
        "node" | "tsx" | "ts-node" | "ts-node-esm" | "babel-node" | "esbuild-register" | "swc-node"
    ) {
        return None;
    }
    let node_test = by_binary("node:test")?;
    let test = words.iter().position(|word| word == "--test" || word == "--test-only");
    let program =
        words.iter().skip(1).position(|word| by_binary(program_name(word)).is_some()).map(|at| at + 1);
    match (test, program) {
        (Some(_), _) => {
            Some(with_arguments(node_test, vec![words[0].clone()], None, Vec::new(), &words[1..]))
        }
        (None, Some(at)) => {
            let dialect = by_binary(program_name(&words[at]))?;
            Some(with_arguments(
                dialect,
                words[..at].to_vec(),
                Some(words[at].clone()),
                Vec::new(),
                &words[at + 1..],
            ))
        }
        (None, None) => None,
    }
}

fn with_arguments(
    dialect: &'static dyn Dialect,
    before: Vec<String>,
    program: Option<String>,
    command: Vec<String>,
    arguments: &[String],
) -> Launch {
    Launch { before, program, command, ..sort(dialect, arguments) }
}

/// Options worth keeping, and the rest.
fn sort(dialect: &'static dyn Dialect, arguments: &[String]) -> Launch {
    let mut sorted = Launch::plain(dialect);
    let mut words = arguments.iter().peekable();
    let mut first = true;
    while let Some(word) = words.next() {
        if word == "--" {
            continue;
        }
        if !word.starts_with('-') || word == "-" {
            let subcommand = first && dialect.subcommands().contains(&word.as_str());
            if !subcommand && !is_redirection(word) {
                sorted.specs.push(word.clone());
            }
            first = false;
            continue;
        }
        let name = word.trim_start_matches('-');
        let (name, inline) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let base = name.strip_prefix("no-").unwrap_or(name);
        let base = base.split('.').next().unwrap_or(base);
        // Reporters add up; a second one does not replace the first.
        if base != "reporter" {
            sorted.stated.push(base.to_owned());
        }
        let value = (inline.is_none() && dialect.valued().contains(&name))
            .then(|| words.next_if(|next| !next.starts_with('-')))
            .flatten();
        if dialect.dropped().contains(&base) {
            if name == "config" {
                sorted.config = inline.map(str::to_owned).or_else(|| value.cloned());
            }
            continue;
        }
        sorted.options.push(word.clone());
        sorted.options.extend(value.cloned());
    }
    sorted
}

fn is_redirection(word: &str) -> bool {
    word.starts_with('>') || word.starts_with("2>") || word.starts_with('<')
}

fn assignment(word: &str) -> Option<(String, String)> {
    let (key, value) = word.split_once('=')?;
    let named = !key.is_empty()
        && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && !key.starts_with(|letter: char| letter.is_ascii_digit());
    // Nothing expands variables here; those that npm scripts refer to are set by the lab or not at all.
    let value: Vec<&str> = value.split_whitespace().filter(|part| !part.contains('$')).collect();
    named.then(|| (key.to_owned(), value.join(" ")))
}

fn is_known_program(name: &str) -> bool {
    by_binary(name).is_some()
        || matches!(
            name,
            "node"
                | "tsx"
                | "ts-node"
                | "npm"
                | "pnpm"
                | "yarn"
                | "npx"
                | "cross-env"
                | "react-scripts"
                | "run-s"
                | "run-p"
        )
}

/// `jest` of `./node_modules/jest/bin/jest.js`.
pub(super) fn program_name(word: &str) -> &str {
    let name = Path::new(word).file_name().and_then(|name| name.to_str()).unwrap_or(word);
    [".js", ".mjs", ".cjs", ".cmd"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

fn by_binary(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS.iter().copied().find(|dialect| dialect.name() == name || dialect.binaries().contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(scripts: Value) -> Option<Launch> {
        Launch::of_scripts(scripts.as_object().unwrap(), None)
    }

    fn test(script: &str) -> Launch {
        launch(serde_json::json!({ "test": script })).unwrap_or_else(|| panic!("{script}"))
    }

    #[test]
    fn options_are_kept_and_the_selection_is_told_apart() {
        let mocha = test(
            "cross-env NODE_ENV=test nyc --reporter=lcov mocha --require ts-node/register -t 5000 --bail 'test/**/*.ts' --retries 3",
        );
        assert_eq!(mocha.dialect.name(), "mocha");
        assert_eq!(mocha.env, [("NODE_ENV".to_owned(), "test".to_owned())]);
        assert_eq!(mocha.options, ["--require", "ts-node/register", "-t", "5000"]);
        assert_eq!(mocha.specs, ["test/**/*.ts"]);

        let node = test("tsc && node --import tsx --test-reporter=spec --test-only --test test/*.test.ts");
        assert_eq!((node.dialect.name(), node.before.as_slice()), ("node:test", &["node".to_owned()][..]));
        assert_eq!(node.options, ["--import", "tsx"]);
        assert_eq!(node.specs, ["test/*.test.ts"]);

        let jest = test(
            "NODE_OPTIONS=--experimental-vm-modules jest --config jest.unit.js --coverage --watchAll=false",
        );
        assert_eq!(jest.options, ["--config", "jest.unit.js"]);
        assert_eq!(jest.env, [("NODE_OPTIONS".to_owned(), "--experimental-vm-modules".to_owned())]);

        let vitest = test("pnpm lint; vitest run --typecheck --coverage.enabled --dir src");
        assert_eq!(vitest.options, ["--dir", "src"]);
        assert!(vitest.specs.is_empty());
    }

    #[test]
    fn runners_are_found_behind_wrappers() {
        let jest = test("node --experimental-vm-modules node_modules/jest/bin/jest.js test");
        assert_eq!(jest.before, ["node", "--experimental-vm-modules"]);
        assert_eq!(jest.program.as_deref(), Some("node_modules/jest/bin/jest.js"));
        assert_eq!(test("react-scripts test").command, ["test"]);
        assert_eq!(test("npx -y mocha").dialect.name(), "mocha");
        assert_eq!(test("c8 --check-coverage --lines 100 node --test").dialect.name(), "node:test");
        let scripts = serde_json::json!({
            "test": "npm run lint && npm run test:unit -- --timeout 9", "lint": "eslint .", "test:unit": "mocha test"
        });
        let mocha = launch(scripts).unwrap();
        assert_eq!(
            (mocha.options.join(" "), mocha.specs.join(" ")),
            ("--timeout 9".to_owned(), "test".to_owned())
        );
        let indirect =
            serde_json::json!({ "test": "run-s test:*", "test:lint": "x", "test:unit": "yarn vitest --run" });
        assert_eq!(launch(indirect).unwrap().dialect.name(), "vitest");
    }

    #[test]
    fn what_starts_no_known_runner_is_left_alone() {
        for script in [
            "ts-scripts test",
            "eslint .",
            "turbo run test",
            "npm test --workspaces",
            "npm test",
            "node test.js",
        ] {
            assert!(launch(serde_json::json!({ "test": script })).is_none(), "{script}");
        }
        let scripts = serde_json::json!({ "test": "c8 ava" });
        assert_eq!(unreadable(scripts.as_object().unwrap()), Some("ava"));
    }
}
