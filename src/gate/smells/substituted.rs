//! Names that the test replaces: mocks, patches, stubs.

use tree_sitter::Node;

use super::scene::{Scene, View};
use super::{Hit, Rule, Side, Weight};
use crate::git::RepoPath;
use crate::lang::grammar::{Call, Grammar, ancestors, call, descendants, is_string, squeezed, string_value};

/// The rule.
pub(super) struct Substituted;

/// Parts of names by which a test keeps the world outside away: time, chance, network, streams.
const OUTSIDE: [&str; 26] = [
    "sleep",
    "time",
    "now",
    "today",
    "clock",
    "monotonic",
    "perf_counter",
    "random",
    "uuid",
    "request",
    "fetch",
    "urlopen",
    "connect",
    "socket",
    "getenv",
    "environ",
    "stdin",
    "stdout",
    "stderr",
    "open",
    "datetime",
    "isatty",
    "platform",
    "print",
    "console",
    "exit",
];

/// Something that the test replaces.
struct Substitute<'t> {
    node: Node<'t>,
    /// The last part of what is replaced; for a module its name.
    name: String,
    /// What it belongs to, as it is written: `shop.cart`, `os`; empty where nothing is.
    owner: String,
    /// The module's file, where a module is replaced as a whole.
    module: Option<RepoPath>,
}

impl Rule for Substituted {
    fn id(&self) -> &'static str {
        "substituted"
    }

    fn side(&self) -> Side {
        Side::Test
    }

    fn question(&self) -> &'static str {
        "Does the test replace what the fix changes or uses?"
    }

    fn look(&self, view: &View<'_>, scene: &Scene<'_>) -> Vec<Hit> {
        let imports = Imports::of(view);
        let found: Vec<Substitute<'_>> = match view.grammar {
            Grammar::Python => in_python(view, &imports),
            Grammar::Go => in_go(view, scene),
            Grammar::Rust => Vec::new(),
            _ => in_script(view, &imports, scene),
        };
        found.into_iter().map(|one| weigh(&one, view, scene, &imports)).collect()
    }
}

fn weigh<'a>(one: &Substitute<'a>, view: &View<'a>, scene: &Scene<'_>, imports: &Imports) -> Hit {
    let name = &one.name;
    if let Some(module) = &one.module {
        let (weight, what) = if scene.changed_paths.contains(module) {
            (Weight::Human, format!("the test replaces {module}, which the fix changes"))
        } else {
            (Weight::Note, format!("the test replaces {module}"))
        };
        return Hit::at(one.node, view, weight, what);
    }
    let ours = imports.is_ours(&one.owner, view.grammar, scene);
    let outside = || {
        let lower = name.to_lowercase();
        OUTSIDE.iter().any(|word| lower.contains(word))
    };
    let (weight, what) = if ours && scene.changed.contains(name) {
        (Weight::Human, format!("the test replaces {name}, which the fix changes"))
    } else if ours && scene.used.contains(name) && !outside() && scene.defines(view.grammar, name) {
        (Weight::Human, format!("the test replaces {name}, which the fix uses"))
    } else {
        (Weight::Note, format!("the test replaces {name}"))
    };
    Hit::at(one.node, view, weight, what)
}

/// What a file imports: the bound names and the modules that they come from.
struct Imports {
    names: Vec<(String, String)>,
    path: RepoPath,
}

impl Imports {
    fn of(view: &View<'_>) -> Self {
        let mut names = Vec::new();
        for node in view.nodes() {
            match node.kind() {
                "import_from_statement" => {
                    let module = node
                        .child_by_field_name("module_name")
                        .map(|module| view.text(module))
                        .unwrap_or_default();
                    let mut cursor = node.walk();
                    for name in node.children_by_field_name("name", &mut cursor) {
                        let bound = name.child_by_field_name("alias").unwrap_or(name);
                        names.push((view.text(bound).to_owned(), module.to_owned()));
                    }
                }
                "import_statement" if view.grammar == Grammar::Python => {
                    let mut cursor = node.walk();
                    for name in node.children_by_field_name("name", &mut cursor) {
                        let module = name.child_by_field_name("name").unwrap_or(name);
                        let bound = name.child_by_field_name("alias").map_or_else(
                            || view.text(module).split('.').next().unwrap_or_default().to_owned(),
                            |alias| view.text(alias).to_owned(),
                        );
                        names.push((bound, view.text(module).to_owned()));
                    }
                }
                "import_statement" => {
                    let source =
                        node.child_by_field_name("source").map(|source| string_value(source, view.text));
                    let bound = descendants(node).filter(|inner| inner.kind() == "identifier");
                    names.extend(
                        bound.map(|name| (view.text(name).to_owned(), source.unwrap_or_default().to_owned())),
                    );
                }
                "variable_declarator" => {
                    let value = node.child_by_field_name("value");
                    let required = value.into_iter().flat_map(descendants).find_map(|inner| {
                        let call = call(inner, view.text).filter(|call| call.callee == "require")?;
                        Some(string_value(*call.arguments.first()?, view.text).to_owned())
                    });
                    if let (Some(module), Some(bound)) = (required, node.child_by_field_name("name")) {
                        let bound = descendants(bound).filter(|inner| {
                            matches!(inner.kind(), "identifier" | "shorthand_property_identifier_pattern")
                        });
                        names.extend(bound.map(|name| (view.text(name).to_owned(), module.clone())));
                    }
                }
                _ => {}
            }
        }
        Self { names, path: view.path.clone() }
    }

    fn module_of(&self, name: &str) -> Option<&str> {
        self.names.iter().find(|(bound, _)| bound == name).map(|(_, module)| module.as_str())
    }

    /// True unless what is replaced belongs to a module that is not the project's.
    fn is_ours(&self, owner: &str, grammar: Grammar, scene: &Scene<'_>) -> bool {
        let first = owner.split(['.', '(', '[']).next().unwrap_or(owner);
        if matches!(
            first,
            "self" | "this" | "global" | "globalThis" | "window" | "process" | "console" | "builtins"
        ) {
            return false;
        }
        match (grammar, self.module_of(first)) {
            (Grammar::Python, Some(module)) => is_python_module(module, scene),
            (Grammar::Python, None) if owner.contains('.') => is_python_module(owner, scene),
            (_, Some(module)) => module.starts_with('.') || resolve(&self.path, module, scene).is_some(),
            _ => true,
        }
    }
}

/// True when the project has the first part of a dotted name as a module or package.
fn is_python_module(module: &str, scene: &Scene<'_>) -> bool {
    let first = module.split('.').next().unwrap_or(module);
    first.is_empty()
        || scene.production.iter().any(|path| {
            let inner = path.as_str().strip_prefix("src/").unwrap_or(path.as_str());
            inner == format!("{first}.py") || inner.starts_with(&format!("{first}/"))
        })
}

/// The production file that a relative module name means.
fn resolve(from: &RepoPath, module: &str, scene: &Scene<'_>) -> Option<RepoPath> {
    if !module.starts_with('.') {
        return None;
    }
    let mut parts: Vec<&str> = from.folders().collect();
    for part in module.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    let wanted = parts.join("/");
    let bare = |text: &str| {
        let (stem, ending) = text.rsplit_once('.').unwrap_or((text, ""));
        if matches!(ending, "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx") {
            stem.to_owned()
        } else {
            text.to_owned()
        }
    };
    let wanted = bare(&wanted);
    scene
        .production
        .iter()
        .find(|path| {
            let known = bare(path.as_str());
            known == wanted || known == format!("{wanted}/index")
        })
        .cloned()
}

fn in_python<'a>(view: &View<'a>, imports: &Imports) -> Vec<Substitute<'a>> {
    let mut found = Vec::new();
    for call in view.calls() {
        let first = call.arguments.first().copied();
        let dotted = |node: Node<'a>| {
            let target = is_string(node).then(|| string_value(node, view.text))?;
            let (owner, name) = target.rsplit_once('.')?;
            Some(Substitute { node: call.node, name: name.to_owned(), owner: owner.to_owned(), module: None })
        };
        let of_object = || {
            let name = call.arguments.get(1).filter(|name| is_string(**name))?;
            Some(Substitute {
                node: call.node,
                name: string_value(*name, view.text).to_owned(),
                owner: squeezed(first?, view.text),
                module: None,
            })
        };
        match call.callee.as_str() {
            "patch" | "mock.patch" | "unittest.mock.patch" | "mocker.patch" => {
                found.extend(first.and_then(dotted))
            }
            callee if callee.ends_with("patch.object") => found.extend(of_object()),
            "monkeypatch.setattr" | "mp.setattr" => found.extend(first.and_then(dotted).or_else(of_object)),
            "setattr" => {
                found.extend(of_object().filter(|one| {
                    imports.module_of(one.owner.split('.').next().unwrap_or_default()).is_some()
                }))
            }
            _ => {}
        }
    }
    found.extend(assigned(view, imports, "assignment", "attribute", "attribute"));
    found
}

fn in_script<'a>(view: &View<'a>, imports: &Imports, scene: &Scene<'_>) -> Vec<Substitute<'a>> {
    let mut found = Vec::new();
    for call in view.calls() {
        let (owner, method) = call.callee.rsplit_once('.').unwrap_or(("", &call.callee));
        let mocker = matches!(owner, "jest" | "vi" | "mock" | "t.mock" | "sinon" | "td" | "sandbox");
        if mocker && matches!(method, "mock" | "doMock" | "unstable_mockModule" | "module" | "setMock") {
            found.extend(whole_module(&call, view, scene));
        } else if mocker && matches!(method, "spyOn" | "method" | "stub" | "replace" | "replaceProperty") {
            let Some(name) = call.arguments.get(1).filter(|name| is_string(**name)) else { continue };
            let replaced = match method {
                // A spy alone calls through.
                "spyOn" => ancestors(call.node).take(2).any(|above| {
                    above.kind() == "member_expression"
                        && above
                            .child_by_field_name("property")
                            .is_some_and(|name| view.text(name).starts_with("mock"))
                }),
                "method" | "replace" => call.arguments.len() > 2,
                _ => true,
            };
            if replaced {
                found.push(Substitute {
                    node: call.node,
                    name: string_value(*name, view.text).to_owned(),
                    owner: call
                        .arguments
                        .first()
                        .map(|owner| squeezed(*owner, view.text))
                        .unwrap_or_default(),
                    module: None,
                });
            }
        }
    }
    found.extend(assigned(view, imports, "assignment_expression", "member_expression", "property"));
    found
}

/// Members of imported modules that are assigned to. The kinds of an assignment and of a member, and the field with
/// a member's name, are the grammar's.
fn assigned<'a>(
    view: &View<'a>,
    imports: &Imports,
    assignment: &str,
    member: &str,
    field: &str,
) -> Vec<Substitute<'a>> {
    let target = |node: Node<'a>| {
        let left = node.child_by_field_name("left").filter(|left| left.kind() == member)?;
        let owner = squeezed(left.child_by_field_name("object")?, view.text);
        imports.module_of(owner.split('.').next().unwrap_or_default())?;
        let name = view.text(left.child_by_field_name(field)?).to_owned();
        Some(Substitute { node, name, owner, module: None })
    };
    view.nodes().filter(|node| node.kind() == assignment).filter_map(target).collect()
}

/// `jest.mock('./cart')`, unless it keeps the real module and replaces parts of it.
fn whole_module<'a>(call: &Call<'a>, view: &View<'a>, scene: &Scene<'_>) -> Option<Substitute<'a>> {
    let first = *call.arguments.first()?;
    let path = descendants(first).find(|node| is_string(*node))?;
    let path = string_value(path, view.text);
    let keeps = call.arguments.get(1).is_some_and(|factory| {
        let text = view.text(*factory);
        ["requireActual", "importActual", "importOriginal"].iter().any(|word| text.contains(word))
    });
    let module = resolve(view.path, path, scene).filter(|_| !keeps)?;
    Some(Substitute { node: call.node, name: path.to_owned(), owner: String::new(), module: Some(module) })
}

/// Package-level variables that the test assigns: `now = func() …`.
fn in_go<'a>(view: &View<'a>, scene: &Scene<'_>) -> Vec<Substitute<'a>> {
    let assignments = view.nodes().filter(|node| node.kind() == "assignment_statement");
    assignments
        .filter_map(|node| {
            let left = node.child_by_field_name("left").filter(|left| left.named_child_count() == 1)?;
            let name = left.named_child(0).filter(|name| name.kind() == "identifier")?;
            let function = node.child_by_field_name("right")?.named_child(0)?;
            let name = view.text(name);
            let replaces = function.kind() == "func_literal" && scene.defines(Grammar::Go, name);
            replaces.then(|| Substitute { node, name: name.to_owned(), owner: String::new(), module: None })
        })
        .collect()
}
