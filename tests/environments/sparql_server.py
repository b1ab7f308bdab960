"""A real SPARQL server over an embedded graph, in Virtuoso's dialect, and some that misbehave."""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tmbr.environments.knowledge_graph import MemoryGraph, QueryError

SECRET = "p@ss:wörd"
#: Path -> the body that is sent in place of a result.
GARBAGE = {
    "/html": b"<html>Welcome to Virtuoso</html>",
    "/empty": b"",
    "/cut": b'{"results": {"bindings": [{"x"',
    "/list": b"[1, 2]",
    "/two": b'{"results": {"bindings": [{"x": {"value": "1"}, "y": {"value": "2"}}]}}',
    "/bare": b'{"results": {"bindings": [{"x": "1"}]}}',
    "/deep": b"[" * 100_000,
    "/bytes": bytes(range(256)),
}


@contextmanager
def serving(graph: MemoryGraph) -> Iterator[str]:
    """The server's base URL; `/sparql` answers, the other paths do it badly."""

    class Handler(_Handler):
        served = graph

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    served: MemoryGraph

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        query = urllib.parse.parse_qs(body)["query"][0]
        path = urllib.parse.urlsplit(self.path).path
        if path in GARBAGE:
            self._send(200, GARBAGE[path])
        elif path == "/slow":
            time.sleep(1.0)
            self._send(200, b"{}")
        elif path == "/drip":
            self._drip()
        elif path == "/endless":
            self._pour()
        elif path == "/broken":
            self._send(500, b"Virtuoso S1T00 Error SR171: Transaction timed out")
        elif path == "/secret" and self.headers["Authorization"] != _basic("reader", SECRET):
            self._send(401, b"who are you?")
        elif path in ("/sparql", "/secret"):
            self._answer(query)
        else:
            self._send(404, b"nothing here")

    def _answer(self, query: str) -> None:
        try:
            values = self.served.select(query)
        except QueryError as error:
            self._send(400, f"Virtuoso 37000 Error SP030: {error}\nin the query".encode())
            return
        rows = [{"x": {"type": "literal", "value": value}} for value in values]
        self._send(200, json.dumps({"head": {"vars": ["x"]}, "results": {"bindings": rows}}).encode())

    def _drip(self) -> None:
        """A byte now and then, so that no single read is late."""
        self.send_response(200)
        self.end_headers()
        for _ in range(40):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def _pour(self) -> None:
        """Until the other side hangs up."""
        self.send_response(200)
        self.end_headers()
        with suppress(ConnectionError):
            while True:
                self.wfile.write(b" " * 2**20)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/sparql-results+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """A client that gave up is no news."""
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            return


def _basic(user: str, word: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{word}".encode()).decode()
