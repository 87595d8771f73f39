//! GitHub's own description of its API: requests and answers are checked against it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::http::{Answer, Request};

const SCHEMAS: &str = "#/components/schemas/";

/// Where `scripts/test-tools/github` puts the descriptions.
pub(crate) fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/github");
    assert!(
        folder.join("openapi.json").is_file(),
        "GitHub's description is absent; install it with scripts/test-tools/github"
    );
    folder
}

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let text = std::fs::read(folder().join("openapi.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
});

/// What is wrong with an exchange; nothing where it is right.
pub(crate) fn problems(request: &Request, answer: &Answer) -> Vec<String> {
    let method = request.method.to_ascii_lowercase();
    let named = format!("{} {}", request.method, request.path);
    let Some(template) = template(&request.path, &method) else {
        return vec![format!("{named}: GitHub describes no such request")];
    };
    let operation = &DESCRIPTION["paths"][&template][&method];
    let place = format!("/paths/{}/{method}", template.replace('~', "~0").replace('/', "~1"));
    let mut found = Vec::new();
    for name in request.query.keys() {
        if !operation["query"].as_array().unwrap().iter().any(|one| one["name"] == **name) {
            found.push(format!("{named}: there is no parameter `{name}`"));
        }
    }
    if operation["body"].is_null() {
        if !request.body.is_null() {
            found.push(format!("{named}: there is no request body"));
        }
    } else {
        found.extend(
            violations(&format!("{place}/body"), &request.body)
                .into_iter()
                .map(|what| format!("{named}, request: {what}")),
        );
        let known = properties(&operation["body"]);
        for name in request.body.as_object().into_iter().flat_map(Map::keys) {
            if !known.contains(name) {
                found.push(format!("{named}, request: there is no field `{name}`"));
            }
        }
    }
    let status = answer.status.to_string();
    match operation["responses"].get(&status) {
        // What every request may get, whether or not it is described for this one.
        None if matches!(answer.status, 304 | 401 | 403 | 404 | 409 | 422 | 429 | 500..=599) => {}
        None => found.push(format!("{named}: GitHub describes no answer {status}")),
        Some(Value::Null) => {}
        Some(_) if answer.status == 304 => {}
        Some(_) => {
            let what = violations(&format!("{place}/responses/{status}"), &answer.body);
            found.extend(what.into_iter().map(|what| format!("{named}, answer {status}: {what}")));
        }
    }
    found
}

fn properties(schema: &Value) -> Vec<String> {
    let schema = follow(schema);
    let own = schema["properties"].as_object().into_iter().flat_map(|fields| fields.keys().cloned());
    let parts = ["allOf", "oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    own.chain(parts.flat_map(properties)).collect()
}

fn follow(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(target) => DESCRIPTION.pointer(&target[1..]).unwrap(),
        None => schema,
    }
}

/// Validators by the place of their schema: making one takes longer than using it.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

fn violations(pointer: &str, value: &Value) -> Vec<String> {
    let mut known = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let validator = known.entry(pointer.to_owned()).or_insert_with(|| Arc::new(validator(pointer))).clone();
    drop(known);
    validator
        .iter_errors(value)
        .map(|error| format!("{} at {}", cut(&error.to_string()), error.instance_path))
        .collect()
}

/// The schema at a place with all that it refers to, and nothing else of the description.
fn validator(pointer: &str) -> Validator {
    let start = DESCRIPTION.pointer(pointer).unwrap();
    let mut needed: BTreeMap<String, Value> = BTreeMap::new();
    let mut open = vec![start];
    while let Some(node) = open.pop() {
        match node {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => {
                if let Some(name) =
                    fields.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix(SCHEMAS))
                    && !needed.contains_key(name)
                {
                    let found = &DESCRIPTION["components"]["schemas"][name];
                    needed.insert(name.to_owned(), found.clone());
                    open.push(found);
                }
                open.extend(fields.values());
            }
            _ => {}
        }
    }
    let schema = json!({ "allOf": [start], "components": { "schemas": needed } });
    jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .build(&schema)
        .unwrap_or_else(|error| panic!("{pointer}: {error}"))
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}

/// The description's path for a path; literal parts go before parameters.
fn template(path: &str, method: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let paths = DESCRIPTION["paths"].as_object().unwrap();
    let fits = |template: &str| {
        let wanted: Vec<&str> = template.split('/').collect();
        let same = |(want, is): (&&str, &&str)| want == is || want.starts_with('{');
        let rest_is_free = matches!(wanted.last(), Some(&"{ref}" | &"{path}"));
        (wanted.len() == parts.len() || rest_is_free && parts.len() > wanted.len())
            && wanted.iter().zip(&parts).all(same)
    };
    let mut found: Vec<&String> = paths
        .iter()
        .filter(|(template, item)| fits(template) && !item[method].is_null())
        .map(|(name, _)| name)
        .collect();
    found.sort_by_key(|template| (template.split('/').count() != parts.len(), template.matches('{').count()));
    found.first().map(|template| (*template).clone())
}

/// A value that the schema of this name allows, with these fields instead.
pub(crate) fn shape(name: &str, fields: Value) -> Value {
    let mut value = sample(&DESCRIPTION["components"]["schemas"][name], 0);
    merge(&mut value, fields);
    value
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn sample(schema: &Value, depth: usize) -> Value {
    let schema = follow(schema);
    if let Some(first) = schema["enum"].as_array().and_then(|list| list.first()) {
        return first.clone();
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(list) = schema[key].as_array() {
            let null = list.iter().find(|one| one["type"] == "null");
            return sample(null.unwrap_or(&list[0]), depth + 1);
        }
    }
    if let Some(list) = schema["allOf"].as_array() {
        let mut all = json!({});
        for one in list {
            merge(&mut all, sample(one, depth + 1));
        }
        return all;
    }
    assert!(depth < 40, "a schema without an end");
    match schema["type"].as_str() {
        Some("string") => match schema["pattern"].as_str() {
            Some(_) => "0000000000000000000000000000000000000000".into(),
            None if schema["format"] == "date-time" => "2026-01-01T00:00:00Z".into(),
            None => "x".into(),
        },
        Some("integer" | "number") => schema["minimum"].as_i64().unwrap_or(1).max(1).into(),
        Some("boolean") => false.into(),
        Some("array") => json!([]),
        Some("null") => Value::Null,
        _ => {
            let mut out = Map::new();
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                out.insert(name.to_owned(), sample(&schema["properties"][name], depth + 1));
            }
            Value::Object(out)
        }
    }
}
