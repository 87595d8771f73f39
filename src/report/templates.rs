//! The embedded templates. Whatever they print is quoted, unless a filter has made it safe.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, HtmlEscape, Output, State, UndefinedBehavior, escape_formatter,
};
use serde::Serialize;

use super::quote::{self, Place};
use super::visible::visible;

const MARKDOWN: &str = "report.md";
const HTML: &str = "report.html";

/// The Markdown text of a page.
pub(super) fn markdown(page: impl Serialize) -> String {
    render(MARKDOWN, page)
}

/// The HTML text of a page.
pub(super) fn html(page: impl Serialize) -> String {
    render(HTML, page)
}

fn render(name: &str, page: impl Serialize) -> String {
    let environment = environment();
    let template = environment.get_template(name).expect("the embedded templates parse (tested)");
    template.render(Value::from(Serde(page))).expect("the embedded templates print every page (tested)")
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Lines that hold only a block tag leave no line behind.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the default delimiters are valid"));
    environment.set_auto_escape_callback(|name| match name {
        HTML => AutoEscape::Html,
        _ => AutoEscape::Custom("markdown".into()),
    });
    environment.set_formatter(formatter);
    environment.add_filter("cell", |text: &str| safe(quote::line(text, Place::Cell)));
    environment.add_filter("code", |text: &str| safe(quote::code(text, Place::Line)));
    environment.add_filter("quotation", |text: &str| safe(quote::quotation(text)));
    environment.add_filter("ticks", |text: &str| safe(ticks(text)));
    environment.add_filter("fence", |text: &str, language: &str| safe(quote::block(text, language)));
    environment
        .add_template(MARKDOWN, include_str!("templates/report.md.j2"))
        .expect("the embedded template parses (tested)");
    environment
        .add_template(HTML, include_str!("templates/report.html.j2"))
        .expect("the embedded template parses (tested)");
    environment
}

/// HTML in which what stands in backticks is code.
fn ticks(text: &str) -> String {
    let text = visible(text);
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, code, after)) = pair(rest) {
        out.push_str(&format!("{}<code>{}</code>", HtmlEscape(before), HtmlEscape(code)));
        rest = after;
    }
    out.push_str(&HtmlEscape(rest).to_string());
    out
}

fn pair(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (code, after) = rest.split_once('`')?;
    (!code.is_empty() && !code.contains('\n')).then_some((before, code, after))
}

fn safe(text: String) -> Value {
    Value::from_safe_string(text)
}

fn formatter(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let escape = state.auto_escape();
    let Some(text) = value.as_str() else {
        // Numbers; nothing else that is no text is ever printed.
        return out.write_str(&value.to_string()).map_err(Error::from);
    };
    if value.is_safe() {
        return out.write_str(text).map_err(Error::from);
    }
    match escape {
        AutoEscape::Html => escape_formatter(out, state, &Value::from(visible(text))),
        AutoEscape::Custom(_) => out.write_str(&quote::line(text, Place::Line)).map_err(Error::from),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "a template that quotes nothing")),
    }
}
