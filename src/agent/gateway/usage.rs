//! What a call used, from the provider's own fields.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Surface;

/// Tokens of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Read by the model, without what came from or went to a cache.
    pub input: u64,
    /// Written by the model, with what it thought.
    pub output: u64,
    /// Read from the provider's cache.
    #[serde(default)]
    pub cache_read: u64,
    /// Written to the provider's cache.
    #[serde(default)]
    pub cache_write: u64,
    /// True when the provider told nothing and the number is from the length of the texts.
    #[serde(default)]
    pub estimated: bool,
}

/// One token for so many bytes, where a provider tells nothing. Low, so that silence is no discount.
const BYTES_PER_TOKEN: u64 = 3;

/// More than any call uses; a provider that claims more is not believed.
const MOST: u64 = 1 << 32;

impl Usage {
    /// All tokens.
    pub fn total(&self) -> u64 {
        self.read().saturating_add(self.output)
    }

    /// All tokens that the model read.
    pub fn read(&self) -> u64 {
        self.input.saturating_add(self.cache_read).saturating_add(self.cache_write)
    }

    /// From the lengths of request and response, in bytes.
    pub(super) fn estimate(request: usize, response: usize) -> Self {
        let tokens = |bytes: usize| (bytes as u64).div_ceil(BYTES_PER_TOKEN);
        Self { input: tokens(request), output: tokens(response), estimated: true, ..Self::default() }
    }

    /// With the later numbers of a stream, which count from its beginning.
    fn later(self, other: Self) -> Self {
        Self {
            input: self.input.max(other.input),
            output: self.output.max(other.output),
            cache_read: self.cache_read.max(other.cache_read),
            cache_write: self.cache_write.max(other.cache_write),
            estimated: false,
        }
    }
}

/// Reads the usage of a response while it passes.
pub(super) struct Reader {
    surface: Surface,
    /// The line of a stream that is not whole yet, or a whole body.
    pending: Vec<u8>,
    stream: bool,
    found: Option<Usage>,
}

/// A line of a stream or a body that is longer is not searched.
const LONGEST: usize = 32 << 20;

impl Reader {
    pub(super) fn new(surface: Surface, content_type: &str) -> Self {
        let stream = content_type.starts_with("text/event-stream");
        Self { surface, pending: Vec::new(), stream, found: None }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > LONGEST {
            self.pending.clear();
            return;
        }
        if !self.stream {
            self.pending.extend_from_slice(bytes);
            return;
        }
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if self.pending.is_empty() {
                self.line(&rest[..end]);
            } else {
                let mut line = std::mem::take(&mut self.pending);
                line.extend_from_slice(&rest[..end]);
                self.line(&line);
            }
            rest = &rest[end + 1..];
        }
        self.pending.extend_from_slice(rest);
    }

    /// What was found; `None` when the provider told nothing.
    pub(super) fn finish(mut self) -> Option<Usage> {
        let last = std::mem::take(&mut self.pending);
        if self.stream {
            self.line(&last);
        } else if let Ok(value) = serde_json::from_slice::<Value>(&last) {
            // Gemini streams an array where the client does not ask for events.
            match &value {
                Value::Array(items) => items.iter().for_each(|item| self.take(item)),
                other => self.take(other),
            }
        }
        self.found
    }

    fn line(&mut self, line: &[u8]) {
        let Some(data) = line.strip_prefix(b"data:") else { return };
        // Most events are text; only the few with numbers are parsed.
        if super::scrub::find(data, b"sage").is_none() {
            return;
        }
        if let Ok(value) = serde_json::from_slice::<Value>(data) {
            self.take(&value);
        }
    }

    fn take(&mut self, value: &Value) {
        if let Some(usage) = read(self.surface, value) {
            self.found = Some(self.found.unwrap_or_default().later(usage));
        }
    }
}

fn read(surface: Surface, value: &Value) -> Option<Usage> {
    let number =
        |value: &Value, path: &str| value.pointer(path).and_then(Value::as_u64).unwrap_or(0).min(MOST);
    match surface {
        Surface::Messages => {
            let usage = value.pointer("/message/usage").or_else(|| value.get("usage"))?.as_object()?;
            let usage = Value::Object(usage.clone());
            Some(Usage {
                input: number(&usage, "/input_tokens"),
                output: number(&usage, "/output_tokens"),
                cache_read: number(&usage, "/cache_read_input_tokens"),
                cache_write: number(&usage, "/cache_creation_input_tokens"),
                estimated: false,
            })
        }
        Surface::Chat => {
            let usage = value.get("usage").filter(|usage| usage.is_object())?;
            let cached = number(usage, "/prompt_tokens_details/cached_tokens");
            Some(Usage {
                input: number(usage, "/prompt_tokens").saturating_sub(cached),
                output: number(usage, "/completion_tokens"),
                cache_read: cached,
                ..Usage::default()
            })
        }
        Surface::Responses => {
            let usage = value.pointer("/response/usage").or_else(|| value.get("usage"));
            let usage = usage.filter(|usage| usage.is_object())?;
            let cached = number(usage, "/input_tokens_details/cached_tokens");
            Some(Usage {
                input: number(usage, "/input_tokens").saturating_sub(cached),
                output: number(usage, "/output_tokens"),
                cache_read: cached,
                ..Usage::default()
            })
        }
        Surface::Generate | Surface::StreamGenerate => {
            let usage = value.get("usageMetadata").filter(|usage| usage.is_object())?;
            let cached = number(usage, "/cachedContentTokenCount");
            let read = number(usage, "/promptTokenCount") + number(usage, "/toolUsePromptTokenCount");
            Some(Usage {
                input: read.saturating_sub(cached),
                output: number(usage, "/candidatesTokenCount") + number(usage, "/thoughtsTokenCount"),
                cache_read: cached,
                ..Usage::default()
            })
        }
        Surface::CountTokens | Surface::Models => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(surface: Surface, kind: &str, text: &str) -> Option<[u64; 4]> {
        let mut reader = Reader::new(surface, kind);
        // Torn anywhere.
        for piece in text.as_bytes().chunks(7) {
            reader.feed(piece);
        }
        reader.finish().map(|usage| [usage.input, usage.output, usage.cache_read, usage.cache_write])
    }

    #[test]
    fn every_wire_tells_its_usage() {
        let sse = "text/event-stream; charset=utf-8";
        let messages = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\
            \"cache_read_input_tokens\":5,\"cache_creation_input_tokens\":2,\"output_tokens\":1}}}\n\n\
            data: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":30}}\n\n";
        assert_eq!(found(Surface::Messages, sse, messages), Some([10, 30, 5, 2]));
        let chat = "data: {\"choices\":[],\"usage\":null}\n\ndata: {\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4,\
            \"prompt_tokens_details\":{\"cached_tokens\":3}}}\n\ndata: [DONE]\n\n";
        assert_eq!(found(Surface::Chat, sse, chat), Some([6, 4, 3, 0]));
        let responses = "data: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":8,\"output_tokens\":2,\
            \"input_tokens_details\":{\"cached_tokens\":8}}}}\n";
        assert_eq!(found(Surface::Responses, sse, responses), Some([0, 2, 8, 0]));
        let gemini = "{\"usageMetadata\":{\"promptTokenCount\":7,\"candidatesTokenCount\":1,\"thoughtsTokenCount\":2}}";
        assert_eq!(found(Surface::Generate, "application/json", gemini), Some([7, 3, 0, 0]));
        assert_eq!(
            found(Surface::StreamGenerate, "application/json", &format!("[{gemini}]")),
            Some([7, 3, 0, 0])
        );
    }

    #[test]
    fn a_provider_that_tells_nothing_is_estimated_by_the_caller() {
        assert_eq!(found(Surface::Chat, "application/json", "{\"choices\":[]}"), None);
        assert_eq!(found(Surface::Chat, "application/json", "not json"), None);
        assert_eq!(Usage::estimate(300, 30).total(), 110);
    }
}
