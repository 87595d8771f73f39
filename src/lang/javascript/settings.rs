//! Which part of a package.json a change concerns.

use serde_json::{Map, Value};

use super::super::SettingChange;
use crate::git::RepoPath;

const RUNNER: [&str; 9] = ["jest", "mocha", "vitest", "type", "imports", "nyc", "c8", "babel", "ava"];
const DEPENDENCIES: [&str; 10] = [
    "dependencies",
    "devDependencies",
    "peerDependencies",
    "optionalDependencies",
    "bundledDependencies",
    "bundleDependencies",
    "overrides",
    "resolutions",
    "pnpm",
    "workspaces",
];

/// What a change of a package.json changes about the run, if anything. The configuration of the
/// runner weighs more than dependencies where both change.
pub(super) fn changed(path: &RepoPath, old: Option<&str>, new: Option<&str>) -> Option<SettingChange> {
    if path.file_name() != "package.json" {
        return None;
    }
    let (old, new) = match (parsed(old), parsed(new)) {
        (Some(old), Some(new)) => (old, new),
        // What Node cannot read changes everything about the run.
        _ => return (old != new).then(|| SettingChange::Runner("is no JSON object".to_owned())),
    };
    for key in RUNNER {
        if old.get(key) != new.get(key) {
            return Some(SettingChange::Runner(format!("changes `{key}`")));
        }
    }
    let empty = Map::new();
    let scripts = |value: &Map<String, Value>| match value.get("scripts") {
        Some(Value::Object(scripts)) => scripts.clone(),
        _ => empty.clone(),
    };
    let (before, after) = (scripts(&old), scripts(&new));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    for name in names {
        if runs_with_tests(name) && before.get(name) != after.get(name) {
            return Some(SettingChange::Runner(format!("changes `scripts.{name}`")));
        }
    }
    DEPENDENCIES
        .iter()
        .find(|key| old.get(**key) != new.get(**key))
        .map(|key| SettingChange::Dependencies(format!("changes `{key}`")))
}

/// `test`, `test:unit`, `pretest`, and what npm runs by itself at installation.
fn runs_with_tests(name: &str) -> bool {
    name.contains("test")
        || name.starts_with("unit")
        || matches!(name, "prepare" | "preinstall" | "install" | "postinstall" | "specs")
}

fn parsed(text: Option<&str>) -> Option<Map<String, Value>> {
    match text {
        None => Some(Map::new()),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(old: &str, new: &str) -> Option<SettingChange> {
        changed(&RepoPath::new("package.json").unwrap(), Some(old), Some(new))
    }

    #[test]
    fn changes_are_told_apart_by_key() {
        let runner = |what: &str| Some(SettingChange::Runner(format!("changes {what}")));
        assert_eq!(change(r#"{"jest":{}}"#, r#"{"jest":{"moduleNameMapper":{"a":"b"}}}"#), runner("`jest`"));
        assert_eq!(change("{}", r##"{"imports":{"#a":"./b.js"}}"##), runner("`imports`"));
        assert_eq!(
            change(r#"{"scripts":{"test":"a"}}"#, r#"{"scripts":{"test":"b"}}"#),
            runner("`scripts.test`")
        );
        assert_eq!(
            change(r#"{"dependencies":{"a":"1"}}"#, r#"{"dependencies":{"a":"2"}}"#),
            Some(SettingChange::Dependencies("changes `dependencies`".to_owned()))
        );
        assert_eq!(change(r#"{"version":"1","main":"a"}"#, r#"{"version":"2","main":"b"}"#), None);
        assert!(matches!(change("{}", "{"), Some(SettingChange::Runner(_))));
        let other = RepoPath::new("src/data.json").unwrap();
        assert_eq!(changed(&other, Some("{}"), Some(r#"{"jest":1}"#)), None);
    }
}
