//! Cargo's command lines: the user's words, the selection and the reports.

use super::super::{LangError, Template};
use super::manifest::Package;
use super::targets::{Unit, Workspace};

/// `cargo test` or `cargo nextest run` with the words that the user gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cargo {
    /// Everything up to the subcommand: wrappers, `cargo`, `+toolchain`.
    program: Vec<String>,
    /// The user's options.
    options: Vec<String>,
    /// The user's arguments for the test programs.
    arguments: Vec<String>,
    /// True when the words are those of nextest.
    pub(super) is_nextest: bool,
}

/// Options that take a value as their next word.
const WITH_VALUE: [&str; 26] = [
    "-p",
    "--package",
    "--exclude",
    "--test",
    "--bin",
    "--example",
    "--bench",
    "-F",
    "--features",
    "--profile",
    "--cargo-profile",
    "--target",
    "--target-dir",
    "--manifest-path",
    "--config",
    "--color",
    "--message-format",
    "-j",
    "--jobs",
    "-Z",
    "-E",
    "--retries",
    "--partition",
    "--test-threads",
    "--format",
    "--skip",
];

/// Options that choose packages and targets; the selection brings its own.
const CHOOSES: [&str; 17] = [
    "-p",
    "--package",
    "--workspace",
    "--all",
    "--exclude",
    "--lib",
    "--bins",
    "--bin",
    "--tests",
    "--test",
    "--examples",
    "--example",
    "--benches",
    "--bench",
    "--all-targets",
    "--doc",
    "--manifest-path",
];

/// Options that change what is printed; the reader needs the usual form.
const PRINTS: [&str; 13] = [
    "-q",
    "--quiet",
    "--message-format",
    "--no-run",
    "--no-fail-fast",
    "--fail-fast",
    "--color",
    "--nocapture",
    "--no-capture",
    "--show-output",
    "--format",
    "--exact",
    "--list",
];

/// Options of `cargo nextest run` that `cargo test` shares.
const SHARED: [&str; 16] = [
    "-F",
    "--features",
    "--all-features",
    "--no-default-features",
    "-r",
    "--release",
    "--target",
    "--config",
    "--locked",
    "--frozen",
    "--offline",
    "-Z",
    "--cargo-profile",
    "-j",
    "--jobs",
    "--target-dir",
];

impl Cargo {
    /// The words of a command from `failfirst.toml`, or cargo's own.
    pub(super) fn of(template: Option<&Template>, setting: &'static str) -> Result<Self, LangError> {
        let Some(template) = template else {
            return Ok(Self {
                program: vec!["cargo".to_owned()],
                options: Vec::new(),
                arguments: Vec::new(),
                is_nextest: false,
            });
        };
        let words = template.words();
        let bad = || LangError::BadSetting {
            setting,
            what: format!(
                "`{}` starts neither `cargo test` nor `cargo nextest run`, whose reports failfirst reads; write \
                 the cargo command itself, with its options",
                words.join(" ")
            ),
        };
        let cargo = words.iter().position(|word| word.rsplit('/').next() == Some("cargo")).ok_or_else(bad)?;
        let command =
            (cargo + 1..words.len()).find(|at| !words[*at].starts_with(['+', '-'])).ok_or_else(bad)?;
        let (is_nextest, end) = match words[command].as_str() {
            "test" | "t" => (false, command + 1),
            "nextest" if matches!(words.get(command + 1).map(String::as_str), Some("run" | "r")) => {
                (true, command + 2)
            }
            _ => return Err(bad()),
        };
        let rest: Vec<String> = words[end..].iter().filter(|word| *word != "{tests}").cloned().collect();
        let split = rest.iter().position(|word| word == "--").unwrap_or(rest.len());
        Ok(Self {
            program: words[..command].to_vec(),
            options: rest[..split].to_vec(),
            arguments: rest.get(split + 1..).unwrap_or_default().to_vec(),
            is_nextest,
        })
    }

    /// `cargo test …` over some units of one package.
    pub(super) fn test(&self, package: &Selected<'_>, units: &[&Unit], extra: &[&str]) -> Vec<String> {
        let mut argv = self.program.clone();
        argv.push("test".to_owned());
        argv.extend(self.options_for_test(Keep::WithoutChoice));
        argv.extend(package.options());
        for unit in units {
            let option = unit.option();
            if !argv.windows(option.len()).any(|words| words == option) {
                argv.extend(option);
            }
        }
        argv.extend(extra.iter().map(|word| (*word).to_owned()));
        argv
    }

    /// `cargo test …` over everything that the user's words choose.
    pub(super) fn suite(&self, extra: &[&str]) -> Vec<String> {
        let mut argv = self.program.clone();
        argv.push("test".to_owned());
        argv.extend(self.options_for_test(Keep::All));
        argv.extend(extra.iter().map(|word| (*word).to_owned()));
        argv
    }

    /// `cargo nextest run …`, for units of one package or (`None`) for all that the words choose.
    pub(super) fn nextest(
        &self,
        selected: Option<(&Selected<'_>, &[&Unit])>,
        extra: &[String],
    ) -> Vec<String> {
        let keep = if selected.is_some() { Keep::WithoutChoice } else { Keep::All };
        let options = if self.is_nextest {
            kept(&self.options, keep, &["-E", "--retries", "--partition", "--profile", "-P"])
        } else {
            kept(&self.options, keep, &[])
                .into_iter()
                .map(|word| if word == "--profile" { "--cargo-profile".to_owned() } else { word })
                .collect()
        };
        let mut argv = self.program.clone();
        argv.extend(["nextest".to_owned(), "run".to_owned()]);
        argv.extend(options);
        if let Some((package, units)) = selected {
            argv.extend(package.options());
            for unit in units {
                argv.extend(unit.option());
            }
        }
        argv.extend(extra.iter().cloned());
        argv
    }

    /// The profile that the user's nextest words name.
    pub(super) fn nextest_profile(&self) -> Option<&str> {
        if !self.is_nextest {
            return None;
        }
        self.options.iter().enumerate().find_map(|(at, word)| {
            word.strip_prefix("--profile=").or_else(|| {
                matches!(word.as_str(), "--profile" | "-P")
                    .then(|| self.options.get(at + 1).map(String::as_str))
                    .flatten()
            })
        })
    }

    /// The arguments for a libtest program: the user's, then ours.
    pub(super) fn arguments(&self, ours: &[String], threads: Option<u32>) -> Vec<String> {
        let user = if self.is_nextest { Vec::new() } else { kept(&self.arguments, Keep::All, &[]) };
        let mut arguments = vec!["--".to_owned()];
        // A name of the user's would widen the selection: test programs run all that match any.
        arguments.extend(without_names(&user));
        if let Some(threads) = threads
            && !user.iter().any(|word| word.starts_with("--test-threads"))
        {
            arguments.push(format!("--test-threads={threads}"));
        }
        arguments.extend_from_slice(ours);
        if arguments.len() == 1 { Vec::new() } else { arguments }
    }

    fn options_for_test(&self, keep: Keep) -> Vec<String> {
        if !self.is_nextest {
            return kept(&self.options, keep, &[]);
        }
        let mut words = Vec::new();
        each_option(&self.options, |name, option| {
            if SHARED.contains(&name) || (keep == Keep::All && CHOOSES.contains(&name)) {
                words.extend(option.iter().map(|word| word.replacen("--cargo-profile", "--profile", 1)));
            }
        });
        words
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    All,
    WithoutChoice,
}

/// The words without those that print, those in `drop` and, where asked, those that choose.
fn kept(words: &[String], keep: Keep, drop: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    each_option(words, |name, option| {
        let dropped = PRINTS.contains(&name)
            || drop.contains(&name)
            || (keep == Keep::WithoutChoice && (CHOOSES.contains(&name) || !name.starts_with('-')));
        if !dropped {
            found.extend_from_slice(option);
        }
    });
    found
}

fn without_names(words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    each_option(words, |name, option| {
        if name.starts_with('-') {
            found.extend_from_slice(option);
        }
    });
    found
}

/// Calls `see` with each option's name and its words (`--features x`, `--features=x`, `-p x`).
fn each_option(words: &[String], mut see: impl FnMut(&str, &[String])) {
    let mut at = 0;
    while at < words.len() {
        let word = words[at].as_str();
        let name = word.split_once('=').map_or(word, |(name, _)| name);
        let takes = WITH_VALUE.contains(&word) || word == "-P";
        let end = if takes { (at + 2).min(words.len()) } else { at + 1 };
        see(name, &words[at..end]);
        at = end;
    }
}

/// A package as cargo's options name it.
pub(super) struct Selected<'a> {
    package: &'a Package,
}

impl<'a> Selected<'a> {
    pub(super) fn new(workspace: &'a Workspace, package: usize) -> Self {
        Self { package: &workspace.packages[package] }
    }

    /// The manifest's path where it lies deeper, which also serves packages that are no members of
    /// the workspace. At the root cargo takes the root's package by itself unless the workspace has
    /// default members; a name is avoided, since a dependency may bear the same.
    fn options(&self) -> Vec<String> {
        let Package { name, folder, home, has_default_members, .. } = self.package;
        if folder == home {
            return if *has_default_members { vec!["-p".to_owned(), name.clone()] } else { Vec::new() };
        }
        let inner = folder.strip_prefix(home.as_str()).unwrap_or(folder).trim_start_matches('/');
        vec!["--manifest-path".to_owned(), format!("{inner}/Cargo.toml")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cargo(text: &str) -> Cargo {
        Cargo::of(Some(&Template::parse(text).unwrap()), "command").unwrap()
    }

    #[test]
    fn the_users_words_stay_and_those_that_choose_or_print_go() {
        let cargo = cargo(
            "nice cargo +nightly test --all-features --workspace -q --profile fast {tests} -- --nocapture slow --skip net",
        );
        assert_eq!(
            cargo.suite(&["--no-run"]).join(" "),
            "nice cargo +nightly test --all-features --workspace --profile fast --no-run"
        );
        assert_eq!(cargo.options_for_test(Keep::WithoutChoice).join(" "), "--all-features --profile fast");
        assert_eq!(
            cargo.arguments(&["--exact".to_owned(), "a::b".to_owned()], Some(1)).join(" "),
            "-- --skip net --test-threads=1 --exact a::b"
        );
    }

    #[test]
    fn nextest_words_are_translated_for_cargo() {
        let cargo = cargo(
            "cargo nextest run --profile ci --cargo-profile fast --features=a -E 'test(x)' --retries 2",
        );
        assert!(cargo.is_nextest);
        assert_eq!(cargo.nextest_profile(), Some("ci"));
        assert_eq!(cargo.suite(&[]).join(" "), "cargo test --profile fast --features=a");
        assert_eq!(cargo.nextest(None, &[]).join(" "), "cargo nextest run --cargo-profile fast --features=a");
    }

    #[test]
    fn a_command_that_is_not_cargos_is_refused_with_the_way_out() {
        let template = Template::parse("make test {tests}").unwrap();
        let error = Cargo::of(Some(&template), "command").unwrap_err().to_string();
        assert!(error.contains("`make test {tests}` starts neither"), "{error}");
    }
}
