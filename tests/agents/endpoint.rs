//! A scripted model endpoint that speaks the real wire formats: Anthropic Messages, OpenAI Chat
//! Completions and Responses, Gemini generateContent, each whole or as a stream.
//!
//! The model in it has one idea, whatever program asks: run the shell command that the script has for
//! the stage, then say the script's last words. It offers the command through whichever tool the
//! program brings. Token counts are made up and the same for every call: 1000 read, 100 written.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What the model does for a prompt.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    /// A text that stands in the prompts of the stage and in no other's.
    pub(crate) prompt_holds: &'static str,
    /// What it runs.
    pub(crate) command: String,
    /// What it says at the end.
    pub(crate) says: String,
}

/// How the endpoint misbehaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// It does not.
    None,
    /// It refuses the key, and repeats it.
    Unauthorised,
    /// It is busy, and says for how long.
    Busy,
    /// It breaks.
    Broken,
    /// It stops in the midst of a stream.
    CutStream,
    /// It answers with what is no JSON.
    NoJson,
    /// Its answer has 10 MB.
    Huge,
    /// It never says its last word: the same command for ever.
    Endless,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// The endpoint; it serves until the process ends.
pub(crate) struct Endpoint {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Endpoint {
    pub(crate) fn start(moves: Vec<Move>, fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, moves) = (seen.clone(), Arc::new(moves));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, moves) = (log.clone(), moves.clone());
                // A client that breaks off is what some tests are about.
                std::thread::spawn(move || drop(serve(stream, &moves, fault, &log)));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

fn serve(stream: TcpStream, moves: &[Move], fault: Fault, log: &Mutex<Vec<Seen>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut head = String::new();
        while reader.read_line(&mut head)? > 2 {}
        if head.is_empty() {
            return Ok(());
        }
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        log.lock().expect("no panic").push(Seen { path: path.clone(), headers: head, body: body.clone() });
        let key = "sk-test-0123456789abcdef";
        let failed = |status: &str, extra: &str, message: &str| {
            let body =
                json!({"type": "error", "error": {"type": "error", "code": "error", "message": message}})
                    .to_string();
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{extra}content-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let answer = match fault {
            Fault::Unauthorised => {
                failed("401 Unauthorized", "", &format!("incorrect API key provided: {key}"))
            }
            Fault::Busy => failed("429 Too Many Requests", "retry-after: 1\r\n", "slow down"),
            Fault::Broken => failed("500 Internal Server Error", "", "oops"),
            Fault::NoJson => {
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n<html>!"
                    .to_owned()
            }
            Fault::None | Fault::CutStream | Fault::Huge | Fault::Endless => {
                let request: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
                let (kind, mut text) = reply(&path, &request, moves, fault);
                if fault == Fault::Huge {
                    text = format!("{}{text}", " ".repeat(10 << 20));
                }
                if fault == Fault::CutStream {
                    let half: String = text.chars().take(text.len() / 3).collect();
                    let head = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
                        text.len()
                    );
                    stream.write_all(head.as_bytes())?;
                    return stream.write_all(half.as_bytes());
                }
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{text}",
                    text.len()
                )
            }
        };
        stream.write_all(answer.as_bytes())?;
    }
}

/// What the model does next.
enum Next {
    Call { tool: String, arguments: Value },
    Say(String),
}

/// Tools that run a shell command, and the argument that takes it.
const SHELLS: [(&str, &str); 7] = [
    ("Bash", "command"),
    ("bash", "command"),
    ("run_shell_command", "command"),
    ("exec_command", "cmd"),
    ("shell_command", "command"),
    ("shell", "command"),
    ("run", "command"),
];

fn next(request: &Value, moves: &[Move], fault: Fault) -> Next {
    let text = request.to_string();
    let Some(found) = moves.iter().find(|one| text.contains(one.prompt_holds)) else {
        return Next::Say("failfirst".to_owned());
    };
    let tools = tools(request);
    let shell = SHELLS.iter().find(|(name, _)| tools.iter().any(|tool| tool == name));
    let Some((name, argument)) = shell else { return Next::Say("failfirst".to_owned()) };
    let results =
        ["\"tool_result\"", "\"role\":\"tool\"", "\"function_call_output\"", "\"functionResponse\""];
    let done = results.iter().map(|mark| text.matches(mark).count()).sum::<usize>();
    let call = |command: &str| {
        let command = if *name == "shell" { json!(["bash", "-lc", command]) } else { json!(command) };
        let arguments = json!({*argument: command, "description": "work on the case"});
        Next::Call { tool: (*name).to_owned(), arguments }
    };
    // A program without last words hands in by a command of its own.
    let mini = text.contains("COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT");
    match done {
        0 => call(&found.command),
        _ if fault == Fault::Endless => call("true"),
        1 if mini => {
            let reply = text.split("into the file `").nth(1).and_then(|rest| rest.split('`').next());
            let file = reply.expect("the prompt names the reply's file");
            call(&format!("cat >{file} <<'REPLY'\n{}\nREPLY", found.says))
        }
        _ if mini => call("echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"),
        _ => Next::Say(found.says.clone()),
    }
}

fn tools(request: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for tool in request["tools"].as_array().into_iter().flatten() {
        let named = [&tool["name"], &tool["function"]["name"]];
        names.extend(named.iter().filter_map(|name| name.as_str()).map(str::to_owned));
        for inner in tool["functionDeclarations"].as_array().into_iter().flatten() {
            names.extend(inner["name"].as_str().map(str::to_owned));
        }
    }
    names
}

/// The type and the text of an answer.
fn reply(path: &str, request: &Value, moves: &[Move], fault: Fault) -> (&'static str, String) {
    const SSE: &str = "text/event-stream";
    const JSON: &str = "application/json";
    let stream = request["stream"] == true;
    let model = request["model"].as_str().unwrap_or("mock-1").to_owned();
    if path.contains("count_tokens") || path.contains(":countTokens") {
        return (JSON, json!({"input_tokens": 1000, "totalTokens": 1000}).to_string());
    }
    if path.contains("/messages") {
        let (text, block, stop) = match next(request, moves, fault) {
            Next::Say(text) => (text.clone(), json!({"type": "text", "text": text}), "end_turn"),
            Next::Call { tool, arguments } => {
                let id = format!("toolu_{:024}", request["messages"].as_array().map_or(0, Vec::len));
                (
                    arguments.to_string(),
                    json!({"type": "tool_use", "id": id, "name": tool, "input": arguments}),
                    "tool_use",
                )
            }
        };
        let usage = json!({"input_tokens": 1000, "output_tokens": 100});
        if !stream {
            let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [block],
                "stop_reason": stop, "stop_sequence": null, "usage": usage});
            return (JSON, message.to_string());
        }
        let is_tool = block["type"] == "tool_use";
        let (start, delta) = if is_tool {
            let mut start = block.clone();
            start["input"] = json!({});
            (start, json!({"type": "input_json_delta", "partial_json": text}))
        } else {
            (json!({"type": "text", "text": ""}), json!({"type": "text_delta", "text": text}))
        };
        let events = [
            json!({"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": model,
                "content": [], "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 1000, "output_tokens": 1}}}),
            json!({"type": "content_block_start", "index": 0, "content_block": start}),
            json!({"type": "content_block_delta", "index": 0, "delta": delta}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 100}}),
            json!({"type": "message_stop"}),
        ];
        return (SSE, named_events(&events));
    }
    if path.contains("/chat/completions") {
        let (message, finish) = match next(request, moves, fault) {
            Next::Say(text) => (json!({"role": "assistant", "content": text}), "stop"),
            Next::Call { tool, arguments } => {
                let call = json!({"index": 0, "id": format!("call_{}", request["messages"].as_array().map_or(0, Vec::len)),
                    "type": "function", "function": {"name": tool, "arguments": arguments.to_string()}});
                (json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls")
            }
        };
        let usage = json!({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100});
        let whole = |kind: &str, choices: Value, usage: &Value| json!({"id": "chatcmpl-1", "object": kind, "created": 1, "model": model, "choices": choices, "usage": usage});
        if !stream {
            let choices = json!([{"index": 0, "message": message, "finish_reason": finish}]);
            return (JSON, whole("chat.completion", choices, &usage).to_string());
        }
        let kind = "chat.completion.chunk";
        let chunks = [
            whole(kind, json!([{"index": 0, "delta": message, "finish_reason": null}]), &Value::Null),
            whole(kind, json!([{"index": 0, "delta": {}, "finish_reason": finish}]), &Value::Null),
            whole(kind, json!([]), &usage),
        ];
        let text: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        return (SSE, format!("{text}data: [DONE]\n\n"));
    }
    if path.contains("/responses") {
        let item = match next(request, moves, fault) {
            Next::Say(text) => {
                json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": text, "annotations": []}]})
            }
            Next::Call { tool, arguments } => {
                let id = format!("call_{}", request["input"].as_array().map_or(0, Vec::len));
                json!({"id": format!("fc_{id}"), "type": "function_call", "status": "completed", "call_id": id, "name": tool,
                    "arguments": arguments.to_string()})
            }
        };
        let usage = json!({"input_tokens": 1000, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 100,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1100});
        let response = |status: &str, output: Value, usage: &Value| {
            json!({"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": model, "output": output,
                "usage": usage, "error": null})
        };
        if !stream {
            return (JSON, response("completed", json!([item]), &usage).to_string());
        }
        let events = [
            json!({"type": "response.created", "sequence_number": 0, "response": response("in_progress", json!([]), &Value::Null)}),
            json!({"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": item}),
            json!({"type": "response.output_item.done", "sequence_number": 2, "output_index": 0, "item": item}),
            json!({"type": "response.completed", "sequence_number": 3, "response": response("completed", json!([item]), &usage)}),
        ];
        return (SSE, named_events(&events));
    }
    if path.contains(":generateContent") || path.contains(":streamGenerateContent") {
        let part = match next(request, moves, fault) {
            Next::Say(text) => json!({"text": text}),
            Next::Call { tool, arguments } => json!({"functionCall": {"name": tool, "args": arguments}}),
        };
        let answer = json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100}, "modelVersion": model});
        return match path.contains("alt=sse") {
            true => (SSE, format!("data: {answer}\n\n")),
            false if path.contains(":stream") => (JSON, format!("[{answer}]")),
            false => (JSON, answer.to_string()),
        };
    }
    (JSON, json!({"data": [], "models": [], "object": "list"}).to_string())
}

fn named_events(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()))
        .collect()
}
