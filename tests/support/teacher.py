"""A teacher that is a process: an OpenAI-compatible server that plays all three roles, with faults.

    python -m tests.support.teacher PORT_FILE LOG_FILE [--faults 0.2] [--late 0.6]

It knows what the tasks' own experts and worlds know. What it answers follows from the request alone, so
that concurrency and restarts change nothing; a transport fault meets a request at most twice. Every
fault is written to LOG_FILE: `{"role", "fault", "told"}`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from random import Random
from subprocess import Popen
from typing import Any

from tests.support.endpoint import Body, Handler, cut, nothing
from tests.support.teacher_roles import ASKED, act, ask, play
from tmbr.core.types import derive_seed

Answer = tuple[str, list[dict[str, Any]]]
#: What can befall a request on its way.
TRANSPORT = ("429", "500", "time-out", "cut", "no answer", "wrong JSON", "no choices")
ROLES: dict[str, Callable[[Body, Random, float], tuple[str, Answer, str]]] = {
    "You write tasks": ask,
    "You show an agent": act,
    "You play the world": play,
}


@dataclass(slots=True)
class Teacher:
    """faults: share of requests that meet a fault of the way, and of answers that are at fault."""

    log: Path
    faults: float
    late: float
    met: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, body: Body, key: str) -> Callable[[Handler, Body], None]:  # noqa: ARG002
        mark = derive_seed(json.dumps(body, sort_keys=True))
        with self.lock:
            self.met[mark] += 1
            attempt = self.met[mark]
        way = Random(derive_seed(mark, "way", attempt))
        if attempt <= 2 and way.random() < self.faults:
            return self.transport(way.choice(TRANSPORT), mark)
        return self.answer

    def transport(self, fault: str, mark: int) -> Callable[[Handler, Body], None]:
        self.write("way", fault, str(mark), "")

        def behaviour(handler: Handler, body: Body) -> None:
            match fault:
                case "429":
                    told = json.dumps({"error": {"message": "slow down"}})
                    handler.send(429, told, {"Retry-After": "0.02"})
                case "500":
                    handler.send(500, json.dumps({"error": {"message": "overloaded"}}))
                case "time-out":
                    time.sleep(self.late)
                    nothing(handler, body)
                case "cut":
                    cut(handler, body)
                case "no answer":
                    nothing(handler, body)
                case "wrong JSON":
                    handler.send(200, '{"choices": [{"message": ')
                case _:
                    handler.send(200, json.dumps({"id": "x", "object": "o", "choices": []}))

        return behaviour

    def answer(self, handler: Handler, body: Body) -> None:
        rng = Random(derive_seed(json.dumps(body, sort_keys=True), "content"))
        first = body["messages"][0]["content"]
        role = next(play for start, play in ROLES.items() if first.startswith(start))
        fault, (text, calls), told = role(body, rng, self.faults)
        if fault:
            asked = ASKED.search(first)
            self.write(role.__name__, fault, told, asked["world"] if asked else "")
        message: dict[str, Any] = {"role": "assistant", "content": text}
        if calls:
            message["tool_calls"] = calls
        choice = {"index": 0, "finish_reason": "tool_calls" if calls else "stop", "message": message}
        prompt = len(json.dumps(body["messages"])) // 4
        spoken = len(json.dumps(message)) // 4
        usage = {"prompt_tokens": prompt, "completion_tokens": spoken, "total_tokens": prompt + spoken}
        whole = {"id": "x", "object": "chat.completion", "created": 0, "model": body["model"]}
        handler.send(200, json.dumps(whole | {"choices": [choice], "usage": usage}))

    def write(self, role: str, fault: str, told: str, world: str) -> None:
        line = json.dumps({"role": role, "fault": fault, "told": told, "world": world})
        with self.lock, self.log.open("a") as file:
            file.write(line + "\n")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: object) -> None:
        """A client that was killed hangs up in the middle of a request."""


class TeacherHandler(Handler):
    protocol_version = "HTTP/1.1"  # connections are kept, as real endpoints do


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=Path)
    parser.add_argument("log", type=Path)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--late", type=float, default=0.6)
    told = parser.parse_args()
    teacher = Teacher(told.log, told.faults, told.late)
    handler = type("Teaching", (TeacherHandler,), {"endpoint": teacher})
    server = Server(("127.0.0.1", 0), handler)
    aside = told.port.with_suffix(".part")
    aside.write_text(str(server.server_port))
    aside.replace(told.port)
    server.serve_forever()


@contextmanager
def teaching(folder: Path, faults: float = 0.0, late: float = 0.6) -> Iterator[tuple[str, Path]]:
    """A teacher's process: its URL, and the log of its faults."""
    port, log = folder / "port", folder / "faults.jsonl"
    port.unlink(missing_ok=True)
    log.write_text("")
    command = [sys.executable, "-m", "tests.support.teacher", str(port), str(log)]
    process = Popen([*command, "--faults", str(faults), "--late", str(late)])
    try:
        while not port.exists():
            assert process.poll() is None, "the teacher did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port.read_text()}/v1", log
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
