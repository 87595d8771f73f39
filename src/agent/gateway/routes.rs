//! Which requests pass: calls of a model and what clients ask before them, nothing else.

use super::Provider;

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surface {
    /// Anthropic Messages.
    Messages,
    /// OpenAI Chat Completions.
    Chat,
    /// OpenAI Responses.
    Responses,
    /// Gemini `generateContent`.
    Generate,
    /// Gemini `streamGenerateContent`.
    StreamGenerate,
    /// Counting tokens; costs nothing.
    CountTokens,
    /// The list of models; costs nothing.
    Models,
}

impl Surface {
    /// Its name in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Chat => "chat-completions",
            Self::Responses => "responses",
            Self::Generate => "generate-content",
            Self::StreamGenerate => "stream-generate-content",
            Self::CountTokens => "count-tokens",
            Self::Models => "models",
        }
    }

    /// True when a model works, which is counted and costs.
    pub(super) fn is_a_call(self) -> bool {
        !matches!(self, Self::CountTokens | Self::Models)
    }
}

/// A request that passes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Route {
    pub(super) provider: Provider,
    pub(super) surface: Surface,
    /// What follows the provider's address.
    pub(super) path: String,
    /// The model, where the path names it.
    pub(super) model: Option<String>,
}

/// The provider whose part of the gateway a path lies in.
pub(super) fn provider(path: &str) -> Option<Provider> {
    let first = path.strip_prefix('/')?.split('/').next()?;
    Provider::named(first)
}

/// The route of a request; `None` for what does not pass.
pub(super) fn route(method: &str, path: &str) -> Option<Route> {
    let provider = provider(path)?;
    let rest = path.strip_prefix(provider.mount())?;
    let parts: Vec<&str> = rest.strip_prefix('/')?.split('/').collect();
    if parts.iter().any(|part| !is_plain(part)) {
        return None;
    }
    let (surface, model) = match (provider, method, parts.as_slice()) {
        (Provider::Anthropic, "POST", ["v1", "messages"]) => (Surface::Messages, None),
        (Provider::Anthropic, "POST", ["v1", "messages", "count_tokens"]) => (Surface::CountTokens, None),
        (Provider::Anthropic, "GET", ["v1", "models"] | ["v1", "models", _]) => (Surface::Models, None),
        (Provider::OpenAi, "POST", ["chat", "completions"]) => (Surface::Chat, None),
        (Provider::OpenAi, "POST", ["responses"]) => (Surface::Responses, None),
        (Provider::OpenAi, "GET", ["models"] | ["models", _]) => (Surface::Models, None),
        (Provider::Gemini, "GET", [version, "models"] | [version, "models", _]) if is_version(version) => {
            (Surface::Models, None)
        }
        (Provider::Gemini, "POST", [version, "models", call]) if is_version(version) => {
            let (model, verb) = call.split_once(':')?;
            let surface = match verb {
                "generateContent" => Surface::Generate,
                "streamGenerateContent" => Surface::StreamGenerate,
                "countTokens" => Surface::CountTokens,
                _ => return None,
            };
            (surface, Some(model.to_owned()))
        }
        _ => return None,
    };
    Some(Route { provider, surface, path: rest.to_owned(), model })
}

fn is_version(part: &str) -> bool {
    matches!(part, "v1" | "v1beta" | "v1alpha")
}

/// Neither empty nor a step upwards nor an escape that an upstream could decode into one.
fn is_plain(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@".contains(c);
    !part.is_empty() && !part.starts_with('.') && part.chars().all(plain)
}

/// The query that is passed on: everything but a key.
pub(super) fn query(query: Option<&str>) -> Option<String> {
    let kept: Vec<&str> = query?.split('&').filter(|pair| !pair.starts_with("key=")).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_model_pass() {
        let found = |method, path| route(method, path).map(|route| (route.surface, route.path));
        for (path, surface, rest) in [
            ("/anthropic/v1/messages", Surface::Messages, "/v1/messages"),
            ("/openai/v1/chat/completions", Surface::Chat, "/chat/completions"),
            ("/openai/v1/responses", Surface::Responses, "/responses"),
            (
                "/gemini/v1beta/models/g-2.5:generateContent",
                Surface::Generate,
                "/v1beta/models/g-2.5:generateContent",
            ),
        ] {
            assert_eq!(found("POST", path), Some((surface, rest.to_owned())), "{path}");
        }
        assert_eq!(
            route("POST", "/gemini/v1/models/g:streamGenerateContent").unwrap().model.as_deref(),
            Some("g")
        );
    }

    #[test]
    fn nothing_else_passes() {
        for (method, path) in [
            ("GET", "/anthropic/v1/messages"),
            ("POST", "/anthropic/v1/files"),
            ("POST", "/anthropic/v1/organizations/api_keys"),
            ("GET", "/openai/v1/models/../files"),
            ("GET", "/openai/v1/models/%2e%2e"),
            ("POST", "/openai/v1/files"),
            ("POST", "/gemini/v1beta/models/g:embedContent"),
            ("POST", "/gemini/upload/v1beta/files"),
            ("POST", "/"),
            ("GET", "http://example.org/"),
        ] {
            assert_eq!(route(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn a_key_in_the_query_stays_here() {
        assert_eq!(query(Some("alt=sse&key=x")).as_deref(), Some("alt=sse"));
        assert_eq!(query(Some("key=x")), None);
    }
}
