//! What a project's scripts make before its tests run: compiled files that git ignores.
//!
//! A stale build from another tree would make a fixed tree look red, or a buggy one green. So what
//! `npm test` builds before it starts the runner is built for every variant too; linters, type
//! checks and other tests that stand there are left out, since no test depends on them.

use serde_json::{Map, Value};

use super::script::{Launch, program_name};

/// Commands for a shell, in order.
pub(super) fn steps(scripts: &Map<String, Value>, launch: &Launch) -> Vec<String> {
    let Some(script) = &launch.script else { return Vec::new() };
    let mut steps = Vec::new();
    let mut walk = Walk { scripts, launch, steps: &mut steps };
    walk.script(script, 0);
    steps.retain(|step| builds(step));
    let mut seen = std::collections::BTreeSet::new();
    steps.retain(|step| seen.insert(step.clone()));
    steps
}

struct Walk<'a> {
    scripts: &'a Map<String, Value>,
    launch: &'a Launch,
    steps: &'a mut Vec<String>,
}

#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    /// The runner starts here.
    Stop,
}

impl Walk<'_> {
    fn script(&mut self, name: &str, depth: u8) -> Next {
        if depth > 6 {
            return Next::GoOn;
        }
        for name in [format!("pre{name}"), name.to_owned(), format!("post{name}")] {
            let Some(text) = self.scripts.get(&name).and_then(Value::as_str) else { continue };
            for command in commands(text) {
                if self.command(&command, depth) == Next::Stop {
                    return Next::Stop;
                }
            }
        }
        Next::GoOn
    }

    fn command(&mut self, command: &str, depth: u8) -> Next {
        let Ok(words) = shell_words::split(command) else { return Next::GoOn };
        for name in called(&words, self.scripts) {
            if self.script(&name, depth + 1) == Next::Stop {
                return Next::Stop;
            }
        }
        if Launch::of_words(&words, &Map::new())
            .is_some_and(|launch| launch.dialect.name() == self.launch.dialect.name())
        {
            return Next::Stop;
        }
        self.steps.push(command.to_owned());
        Next::GoOn
    }
}

/// The scripts that a command runs.
fn called(words: &[String], scripts: &Map<String, Value>) -> Vec<String> {
    let Some(first) = words.first() else { return Vec::new() };
    match first.as_str() {
        "npm" | "pnpm" | "yarn" | "bun" => {
            let name = words[1..]
                .iter()
                .find(|word| !word.starts_with('-') && !matches!(word.as_str(), "run" | "run-script"));
            name.filter(|name| scripts.contains_key(*name)).cloned().into_iter().collect()
        }
        "run-s" | "run-p" | "npm-run-all" => words[1..]
            .iter()
            .flat_map(|name| match name.strip_suffix('*') {
                Some(stem) => scripts.keys().filter(|key| key.starts_with(stem)).cloned().collect(),
                None => vec![name.clone()],
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// True for compilers, bundlers, generators and what clears the way for them.
fn builds(command: &str) -> bool {
    let Ok(words) = shell_words::split(command) else { return false };
    let mut words = words.iter().skip_while(|word| {
        word.contains('=') && !word.starts_with('-') || matches!(word.as_str(), "cross-env" | "env" | "npx")
    });
    let Some(program) = words.next() else { return false };
    let rest: Vec<&str> = words.map(String::as_str).collect();
    match program_name(program) {
        "tsc" | "vue-tsc" => !rest.contains(&"--noEmit"),
        "vite" => rest.first() == Some(&"build"),
        "babel"
        | "rollup"
        | "webpack"
        | "esbuild"
        | "swc"
        | "tsup"
        | "tsdown"
        | "unbuild"
        | "microbundle"
        | "bunchee"
        | "parcel"
        | "pegjs"
        | "peggy"
        | "nearleyc"
        | "jison"
        | "node-gyp"
        | "mkdist"
        | "coffee"
        | "uglifyjs"
        | "terser"
        | "ncc"
        | "zshy"
        | "tshy"
        | "pkgroll"
        | "ipjs"
        | "rimraf"
        | "del-cli"
        | "rm"
        | "mkdir"
        | "mkdirp"
        | "cp"
        | "cpy"
        | "cpx"
        | "copyfiles"
        | "shx"
        | "ts-scripts"
        | "dts-bundle-generator" => rest.first() != Some(&"test"),
        "node" | "tsx" | "ts-node" | "sh" | "bash" => rest.iter().any(|word| {
            ["build", "compile", "generate", "codegen", "bundle", "prepare"]
                .iter()
                .any(|part| word.contains(part))
        }),
        _ => false,
    }
}

/// The commands of a script, one after the other. Pipes stay whole.
fn commands(text: &str) -> Vec<String> {
    let mut commands = vec![String::new()];
    let mut quoted = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match quoted {
            Some(quote) if letter == quote => quoted = None,
            None if letter == '"' || letter == '\'' => quoted = Some(letter),
            None if letter == ';' => {
                commands.push(String::new());
                continue;
            }
            None if (letter == '&' || letter == '|') && letters.peek() == Some(&letter) => {
                letters.next();
                commands.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = commands.last_mut() {
            last.push(letter);
        }
    }
    commands.iter().map(|command| command.trim().to_owned()).filter(|command| !command.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(scripts: Value) -> Vec<String> {
        let scripts = scripts.as_object().unwrap();
        steps(scripts, &Launch::of_scripts(scripts, None).unwrap())
    }

    #[test]
    fn what_is_built_before_the_runner_starts_is_found() {
        let pretest = serde_json::json!({
            "lint": "eslint .", "minify": "uglifyjs a.js -o b.js", "build:browser": "node build-browser && npm run minify",
            "build:node": "babel src -d .", "build": "run-p build:*", "pretest": "npm run build && npm run lint",
            "test": "nyc mocha --require x"
        });
        assert_eq!(of(pretest), ["node build-browser", "uglifyjs a.js -o b.js", "babel src -d ."]);
        let chain = serde_json::json!({
            "test": "rimraf build && tsc -p . && tsc --noEmit && npm run unit && node scripts/build-docs.js",
            "unit": "node --test"
        });
        assert_eq!(of(chain), ["rimraf build", "tsc -p ."]);
        let plain = serde_json::json!({ "build": "tsc", "test": "jest && npm run build" });
        assert_eq!(of(plain), Vec::<String>::new());
    }
}
