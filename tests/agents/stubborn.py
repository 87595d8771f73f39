"""An agent for tests: works on a case as an HTTP client of the model, or misbehaves as it is told.

Usage: stubborn.py MODE, with the prompt on standard input.
"""

import json
import os
import pathlib
import subprocess
import sys
import urllib.error
import urllib.request

mode = sys.argv[1]
prompt = sys.stdin.read()
base = os.environ["ANTHROPIC_BASE_URL"]
key = os.environ["ANTHROPIC_API_KEY"]


def call(path="/v1/messages", token=key, body=None, method="POST"):
    body = body or {"model": "mock-1", "max_tokens": 100, "messages": [{"role": "user", "content": prompt}],
                    "tools": [{"name": "bash", "input_schema": {"type": "object"}}]}
    data = json.dumps(body).encode() if method == "POST" else None
    request = urllib.request.Request(base + path, data, method=method, headers={
        "x-api-key": token, "content-type": "application/json", "anthropic-version": "2023-06-01"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def act():
    """Does what the model says, and replies with its last words."""
    status, text = call()
    if status != 200:
        sys.exit(f"the model answered {status}: {text}")
    block = json.loads(text)["content"][0]
    subprocess.run(["bash", "-c", block["input"]["command"]], check=True)
    body = {"model": "mock-1", "max_tokens": 100, "tools": [{"name": "bash", "input_schema": {"type": "object"}}],
            "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": [block]},
                         {"role": "user", "content": [{"type": "tool_result", "tool_use_id": block["id"], "content": "done"}]}]}
    status, text = call(body=body)
    if status != 200:
        sys.exit(f"the model answered {status}: {text}")
    print(json.loads(text)["content"][0]["text"])


def places():
    """Everything that a thief would read."""
    yield "environment", repr(dict(os.environ))
    for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
        for file in ["environ", "cmdline"]:
            try:
                yield f"/proc/{pid}/{file}", pathlib.Path(f"/proc/{pid}/{file}").read_bytes().decode(errors="replace")
            except OSError as error:
                yield f"/proc/{pid}/{file}", str(error)
    if mode == "snoop":
        return
    for folder in [os.environ["HOME"], "/tmp", os.path.dirname(os.path.dirname(os.environ["DESK"]))]:
        for root, _, files in os.walk(folder):
            for file in files:
                if not os.path.isfile(os.path.join(root, file)):
                    continue
                try:
                    yield os.path.join(root, file), pathlib.Path(root, file).read_bytes()[:1_000_000].decode(errors="replace")
                except OSError as error:
                    yield os.path.join(root, file), str(error)
    if os.environ.get("KEY_FILE"):
        try:
            yield "key file", pathlib.Path(os.environ["KEY_FILE"]).read_text()
        except OSError as error:
            yield "key file", str(error)
    yield "models", repr(call("/v1/models", method="GET"))
    yield "elsewhere", repr(call("/v1/organizations/api_keys", body={"a": 1}))
    yield "stranger", repr(call(token="another"))
    yield "answer", repr(call())


if mode == "act":
    act()
elif mode == "endless":
    pathlib.Path("tests/test_partial.py").write_text("# work that was begun\n")
    while True:
        print(call()[0], flush=True)
elif mode == "hang":
    pathlib.Path("tests/test_partial.py").write_text("# work that was begun\n")
    subprocess.run(["sleep", "4321"])
elif mode in ("thief", "snoop"):
    with open(os.environ["DESK"] + "/loot.json", "w") as loot:
        json.dump(dict(places()), loot)
    act()
elif mode == "garbage":
    sys.stdout.buffer.write(b"\x00\xff\x1b[31m garbage ( [ }\n" * 50_000)
elif mode == "exit":
    sys.exit("it went wrong")
elif mode == "flood":
    with open("/tmp/flood", "wb") as flood:
        os.posix_fallocate(flood.fileno(), 0, 5 << 30)
    subprocess.run(["sleep", "60"])
