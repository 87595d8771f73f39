//! A test that reads production source instead of running it.

use std::collections::BTreeSet;

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::lang::grammar::{Call, Grammar, ancestors, descendants, is_string, string_value};

/// The rule.
pub(super) struct ReadsSource;

impl Rule for ReadsSource {
    fn id(&self) -> &'static str {
        "reads-source"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test read the text of production source?"
    }

    fn look(&self, view: &View<'_>, scene: &Scene<'_>) -> Vec<Hit> {
        let paths = names_of_source(view, scene);
        let nested = view.nodes().filter_map(|node| {
            let file = in_macro(node, view).and_then(|name| changed_file(name, scene))?;
            let what = format!("the test reads the text of {file}, which the fix changes");
            Some(Hit::at(node, view, Weight::Human, what))
        });
        let calls = view.calls().filter_map(|call| {
            if let Some(what) = introspects(&call, view, scene) {
                return Some(Hit::at(call.node, view, what.0, what.1));
            }
            if !reads(&call, view.grammar) {
                return None;
            }
            // The name stands in the call itself, or in a variable that the call uses.
            let file = descendants(call.node).find_map(|node| {
                if is_string(node) {
                    return changed_file(string_value(node, view.text), scene);
                }
                let name = view.text(node);
                (node.kind() == "identifier")
                    .then(|| paths.iter().find(|(known, _)| known == name))
                    .flatten()
                    .map(|(_, file)| file.clone())
            })?;
            let what = format!("the test reads the text of {file}, which the fix changes");
            Some(Hit::at(call.node, view, Weight::Human, what))
        });
        calls.chain(nested).collect()
    }
}

/// The file of `include_str!("…")` among the arguments of another macro of Rust, which are mere tokens.
fn in_macro<'a>(node: Node<'_>, view: &View<'a>) -> Option<&'a str> {
    let inner =
        node.kind() == "identifier" && node.parent().is_some_and(|above| above.kind() == "token_tree");
    if !inner || !matches!(view.text(node), "include_str" | "include_bytes") {
        return None;
    }
    let tokens = node.next_named_sibling().filter(|next| next.kind() == "token_tree")?;
    Some(string_value(tokens.named_child(0)?, view.text))
}

/// The file that the fix changes and that a name of a file ends with.
fn changed_file(name: &str, scene: &Scene<'_>) -> Option<String> {
    let name = name.trim_start_matches("./").trim_start_matches("../").trim_start_matches("../");
    if !name.contains('.') || name.len() < 4 {
        return None;
    }
    let known = scene.changed_paths.iter().find(|path| {
        Grammar::of(path).is_some()
            && (path.as_str() == name
                || path.as_str().ends_with(&format!("/{name}"))
                || name.ends_with(&format!("/{path}")))
    })?;
    // A fixture of the same name is another file.
    let unique = scene.production.iter().filter(|path| path.file_name() == known.file_name()).count() == 1;
    (unique || name.contains('/')).then(|| known.to_string())
}

/// Variables that hold the name of a source file that the fix changes.
fn names_of_source(view: &View<'_>, scene: &Scene<'_>) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for node in view.nodes().filter(|node| is_string(*node)) {
        let Some(file) = changed_file(string_value(node, view.text), scene) else { continue };
        let bound = ancestors(node).take(8).find(|above| {
            matches!(
                above.kind(),
                "assignment" | "variable_declarator" | "let_declaration" | "short_var_declaration"
            )
        });
        let name = bound.and_then(|bound| {
            ["left", "name", "pattern"].iter().find_map(|field| bound.child_by_field_name(field))
        });
        if let Some(name) = name {
            let name: Node<'_> =
                if name.kind() == "expression_list" { name.child(0).unwrap_or(name) } else { name };
            found.insert((view.text(name).to_owned(), file));
        }
    }
    found
}

/// True for calls that give the text of a file.
fn reads(call: &Call<'_>, grammar: Grammar) -> bool {
    match grammar {
        Grammar::Python => {
            matches!(call.callee.as_str(), "open" | "io.open" | "codecs.open")
                || matches!(call.name(), "read_text" | "read_bytes" | "open" | "getlines")
        }
        Grammar::Rust => {
            matches!(call.callee.as_str(), "include_str!" | "include_bytes!")
                || matches!(call.name(), "read_to_string") && call.callee.contains("fs")
        }
        Grammar::Go => {
            matches!(call.callee.as_str(), "os.ReadFile" | "ioutil.ReadFile" | "os.Open" | "parser.ParseFile")
        }
        _ => matches!(call.name(), "readFileSync" | "readFile" | "createReadStream"),
    }
}

/// `inspect.getsource(f)`, `f.toString()`.
fn introspects(call: &Call<'_>, view: &View<'_>, scene: &Scene<'_>) -> Option<(Weight, String)> {
    let subject = match view.grammar {
        Grammar::Python => match call.callee.as_str() {
            "inspect.getsource" | "inspect.getsourcelines" | "getsource" | "getsourcelines" => {
                view.text(*call.arguments.first()?).to_owned()
            }
            _ => return None,
        },
        grammar if grammar.is_script() => {
            let subject = call.callee.strip_suffix(".toString")?.to_owned();
            let name = subject.rsplit('.').next().unwrap_or(&subject);
            // Only of a function that is changed is it known that its text is what is asked for.
            return (call.arguments.is_empty() && scene.changed.contains(name)).then(|| {
                (Weight::Human, format!("the test reads the source text of {name}, which the fix changes"))
            });
        }
        _ => return None,
    };
    let name = subject.rsplit('.').next().unwrap_or(&subject).to_owned();
    let stem = |path: &crate::git::RepoPath| path.file_name().trim_end_matches(".py").to_owned();
    if scene.changed.contains(&name) || scene.changed_paths.iter().any(|path| stem(path) == name) {
        Some((Weight::Human, format!("the test reads the source text of {name}, which the fix changes")))
    } else {
        Some((Weight::Note, "the test reads source text".to_owned()))
    }
}
