//! Which part of a manifest a change touches: how tests run, what is depended on, or neither.

use toml::{Table, Value};

use super::super::SettingChange;

/// What differs between two versions of a `Cargo.toml`, the gravest first.
pub(super) fn changed(old: Option<&str>, new: Option<&str>) -> Option<SettingChange> {
    let read = |text: Option<&str>| text.map_or(Ok(Table::new()), str::parse::<Table>);
    let (Ok(old), Ok(new)) = (read(old), read(new)) else {
        return Some(SettingChange::Runner("cannot be read as a manifest".to_owned()));
    };
    let runner = runner_settings(&old, &new);
    if !runner.is_empty() {
        return Some(SettingChange::Runner(format!("changes `{}`", runner.join("`, `"))));
    }
    let dependencies = dependency_settings(&old, &new);
    (!dependencies.is_empty())
        .then(|| SettingChange::Dependencies(format!("changes `{}`", dependencies.join("`, `"))))
}

fn runner_settings(old: &Table, new: &Table) -> Vec<String> {
    let mut found = Vec::new();
    let mut differs = |path: &[&str]| {
        if at(old, path) != at(new, path) {
            found.push(path.join("."));
        }
    };
    for key in ["test", "profile", "patch", "replace", "cargo-features"] {
        differs(&[key]);
    }
    for key in ["autotests", "autobins", "autolib", "build", "links"] {
        differs(&["package", key]);
    }
    for key in ["members", "exclude", "default-members"] {
        differs(&["workspace", key]);
    }
    differs(&["features", "default"]);
    for key in ["name", "path", "test", "doctest", "harness", "proc-macro", "required-features"] {
        differs(&["lib", key]);
    }
    if bins(old) != bins(new) {
        found.push("bin".to_owned());
    }
    found
}

/// The programs without what does not bear on tests.
fn bins(manifest: &Table) -> Vec<Table> {
    let bins = manifest.get("bin").and_then(Value::as_array).into_iter().flatten();
    bins.filter_map(Value::as_table)
        .map(|bin| {
            let mut bin = bin.clone();
            bin.retain(|key, _| matches!(key, "name" | "path" | "test" | "harness" | "required-features"));
            bin
        })
        .collect()
}

fn dependency_settings(old: &Table, new: &Table) -> Vec<String> {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    collect_dependencies(old, "", &mut before);
    collect_dependencies(new, "", &mut after);
    let mut found: Vec<String> = before
        .iter()
        .filter(|entry| !after.contains(entry))
        .chain(after.iter().filter(|entry| !before.contains(entry)))
        .map(|(name, _)| name.clone())
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Every entry below a table whose name ends in `dependencies`, as `(path, value)`.
fn collect_dependencies<'table>(
    table: &'table Table,
    prefix: &str,
    found: &mut Vec<(String, &'table Value)>,
) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        let path = format!("{prefix}{key}");
        if key.ends_with("dependencies") {
            found.extend(inner.iter().map(|(name, value)| (format!("{path}.{name}"), value)));
        } else if matches!(key.as_str(), "target" | "workspace") || prefix.starts_with("target.") {
            collect_dependencies(inner, &format!("{path}."), found);
        }
    }
}

fn at<'table>(table: &'table Table, path: &[&str]) -> Option<&'table Value> {
    let (last, parents) = path.split_last()?;
    let mut table = table;
    for key in parents {
        table = table.get(*key)?.as_table()?;
    }
    table.get(*last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n[dependencies]\nserde = \"1\"\n";

    fn with(extra: &str) -> Option<SettingChange> {
        changed(Some(BASE), Some(&format!("{BASE}{extra}")))
    }

    fn runner(what: &str) -> Option<SettingChange> {
        Some(SettingChange::Runner(format!("changes `{what}`")))
    }

    #[test]
    fn what_steers_the_test_run_is_told_from_dependencies_and_the_rest() {
        assert_eq!(with("[[test]]\nname = \"x\"\nharness = false\n"), runner("test"));
        assert_eq!(with("[profile.test]\noverflow-checks = false\n"), runner("profile"));
        assert_eq!(with("[patch.crates-io]\nserde = { path = \"x\" }\n"), runner("patch"));
        assert_eq!(with("[lib]\ntest = false\n"), runner("lib.test"));
        assert_eq!(with("[[bin]]\nname = \"b\"\npath = \"x.rs\"\n"), runner("bin"));
        let auto = BASE.replace("version", "autotests = false\nversion");
        assert_eq!(changed(Some(BASE), Some(&auto)), runner("package.autotests"));
        let build = BASE.replace("version", "build = \"b.rs\"\nversion");
        assert_eq!(changed(Some(BASE), Some(&build)), runner("package.build"));
        assert_eq!(
            with("rand = \"0.8\"\n[target.'cfg(unix)'.dev-dependencies]\nlibc = \"1\"\n"),
            Some(SettingChange::Dependencies(
                "changes `dependencies.rand`, `target.cfg(unix).dev-dependencies.libc`".to_owned()
            ))
        );
        assert_eq!(changed(Some(BASE), Some(&BASE.replace("0.1.0", "0.2.0"))), None);
        assert_eq!(with("[package.metadata.docs.rs]\nall-features = true\n"), None);
        assert_eq!(with("[lints.rust]\nunsafe_code = \"deny\"\n"), None);
        assert!(matches!(changed(Some(BASE), Some("[package")), Some(SettingChange::Runner(_))));
        assert_eq!(changed(Some(BASE), Some(&format!("# note\n{BASE}"))), None);
    }
}
