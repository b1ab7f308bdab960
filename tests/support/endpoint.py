"""A scripted OpenAI-compatible server: each request meets the next behaviour, the last one for ever."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


class Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        behaviour = self.endpoint.next(body, self.headers.get("Authorization", ""))
        try:
            behaviour(self, body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client has hung up

    def send(
        self, status: int, text: str, headers: dict[str, str] | None = None, length: int | None = None
    ) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        return


Behaviour = Callable[[Handler, Body], None]


@dataclass(slots=True)
class Endpoint:
    """What is to come, and what has been asked: bodies, arrival times, authorisation headers."""

    script: list[Behaviour]
    url: str = ""
    asked: list[Body] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    most_at_once: int = 0
    at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, body: Body, key: str) -> Behaviour:
        with self.lock:
            behaviour = self.script[min(len(self.asked), len(self.script) - 1)]
            self.asked.append(body)
            self.times.append(time.monotonic())
            self.keys.append(key)
        return behaviour


@contextmanager
def serving(*script: Behaviour) -> Iterator[Endpoint]:
    endpoint = Endpoint(list(script))
    handler = type("Scripted", (Handler,), {"endpoint": endpoint})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    endpoint.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield endpoint
    finally:
        server.shutdown()
        server.server_close()


def answer(texts: Sequence[str], **message: Any) -> str:
    choices = [
        {
            "index": i,
            "finish_reason": "tool_calls" if "tool_calls" in message else "stop",
            "message": {"role": "assistant", "content": text, **message},
            "logprobs": {
                "content": [{"token": text, "logprob": -0.5, "bytes": [], "top_logprobs": []}]
            },
        }
        for i, text in enumerate(texts)
    ]
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 3 * len(texts),
        "total_tokens": 10 + 3 * len(texts),
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    whole = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
    return json.dumps(whole | {"choices": choices, "usage": usage})


def ok(handler: Handler, body: Body) -> None:
    """n different answers."""
    handler.send(200, answer([f"answer {i}" for i in range(body.get("n", 1))]))


def tops(first: dict[str, float], said: str = "") -> Behaviour:
    """Tells the probabilities of the first token; without any, no log-probabilities at all."""

    def behaviour(handler: Handler, body: Body) -> None:  # noqa: ARG001
        whole = json.loads(answer([said or next(iter(first))]))
        likely = [{"token": t, "logprob": math.log(p), "bytes": []} for t, p in first.items()]
        told = {"content": [{**likely[0], "top_logprobs": likely}]} if likely else None
        whole["choices"][0]["logprobs"] = told
        handler.send(200, json.dumps(whole))

    return behaviour


def one(handler: Handler, body: Body) -> None:
    """Ignores n; the answer tells the seed."""
    handler.send(200, answer([f"seed {body['seed']}"]))


def calling(handler: Handler, body: Body) -> None:  # noqa: ARG001
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "take_action", "arguments": '{"action": "look"}'},
    }
    handler.send(200, answer([""], tool_calls=[call]))


def says(status: int, text: str, headers: dict[str, str] | None = None) -> Behaviour:
    def behaviour(handler: Handler, body: Body) -> None:  # noqa: ARG001
        handler.send(status, text, headers)

    return behaviour


def refuses(status: int, message: str, headers: dict[str, str] | None = None) -> Behaviour:
    return says(status, json.dumps({"error": {"message": message, "type": "t", "code": None}}), headers)


def cut(handler: Handler, body: Body) -> None:  # noqa: ARG001
    """Ends in the middle of what it announced."""
    text = answer(["answer"])
    handler.send(200, text[: len(text) // 2], length=len(text))
    handler.close_connection = True


def nothing(handler: Handler, body: Body) -> None:  # noqa: ARG001
    """Hangs up without a word."""
    handler.close_connection = True


def late(seconds: float) -> Behaviour:
    def behaviour(handler: Handler, body: Body) -> None:
        with handler.endpoint.lock:
            handler.endpoint.at_once += 1
            handler.endpoint.most_at_once = max(handler.endpoint.most_at_once, handler.endpoint.at_once)
        time.sleep(seconds)
        with handler.endpoint.lock:
            handler.endpoint.at_once -= 1
        ok(handler, body)

    return behaviour
