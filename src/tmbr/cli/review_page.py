"""The review as a page: a server of this machine's own, for whoever has the address with its token.

What models wrote is hostile, and so are other pages in the same browser: nothing is shown unescaped or
runs, and requests that do not carry the token or come under another name are not answered.
"""

from __future__ import annotations

import re
import secrets
import sys
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from tmbr.core.errors import ConfigError
from tmbr.teacher.review import VERDICTS, Case, Decision, Decisions
from tmbr.viewer.review import Line, Page, render

HOST = "127.0.0.1"
PATH = re.compile(r"/(?P<token>[\w-]+)/(?P<number>\d{0,9})", re.ASCII)
#: Bytes of a form at most, and letters of a note.
FORM, NOTE = 64_000, 4000


class ReviewServer(ThreadingHTTPServer):
    """Serves `url`; port 0 takes a free one. Raises ConfigError when the port is taken."""

    daemon_threads = True

    def __init__(self, found: Sequence[Case], decisions: Decisions, port: int = 0) -> None:
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise ConfigError(f"port {port} of {HOST} cannot be used ({error.strerror})") from None
        self.found, self.decisions = found, decisions
        self.token = secrets.token_urlsafe(24)
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.server_port}/{self.token}/"


def serve(found: Sequence[Case], decisions: Decisions, port: int) -> None:
    """Serve until Ctrl-C."""
    with ReviewServer(found, decisions, port) as server:
        try:
            print(f"review: {server.url} (Ctrl-C ends it; every decision is kept at once)", flush=True)
            server.serve_forever()
        except KeyboardInterrupt:
            print(file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    server: ReviewServer
    server_version, sys_version = "tmbr", ""

    def do_GET(self) -> None:
        with self.server.lock:
            index = self._index()
            if index is None:
                return
            if index < 0:
                self._go(self.server.decisions.first_open(self.server.found) or 0)
            else:
                told, policy = render(page(self.server.found, index, self.server.decisions))
                self._answer(HTTPStatus.OK, told.encode(), {"Content-Security-Policy": policy})

    def do_POST(self) -> None:
        with self.server.lock:
            index = self._index()
            if index is None:
                return
            length = self.headers.get("Content-Length", "")
            if index < 0 or not length.isdigit() or int(length) > FORM:
                self._answer(HTTPStatus.BAD_REQUEST)
                return
            form = parse_qs(
                self.rfile.read(int(length)).decode(errors="replace"), keep_blank_values=True
            )
            decision = decided(
                self.server.found[index],
                self.server.decisions,
                {key: told[0] for key, told in form.items()},
            )
            if decision is None:
                self._answer(HTTPStatus.BAD_REQUEST)
                return
            self.server.decisions.decide(decision)
            after = self.server.decisions.first_open(self.server.found, index)
            self._go(index if "note" in form.get("verdict", ()) or after is None else after)

    def _index(self) -> int | None:
        """Which trajectory is asked for, -1 for none; whoever may not ask is told nothing."""
        names = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        asked = PATH.fullmatch(self.path)
        if (
            asked
            and secrets.compare_digest(asked["token"], self.server.token)
            and self.headers.get("Host") in names
        ):
            if not asked["number"]:
                return -1
            if 0 < int(asked["number"]) <= len(self.server.found):
                return int(asked["number"]) - 1
        self._answer(HTTPStatus.NOT_FOUND)
        return None

    def _go(self, index: int) -> None:
        self._answer(HTTPStatus.SEE_OTHER, headers={"Location": f"/{self.server.token}/{index + 1}"})

    def _answer(
        self, status: HTTPStatus, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        safe = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Opener-Policy": "same-origin",
        }
        for name, value in {**safe, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the address holds the token."""


def decided(case: Case, decisions: Decisions, form: dict[str, str]) -> Decision | None:
    """What a form says of a trajectory, None where it makes no sense."""
    before = decisions.latest.get(case.id, Decision(case.id))
    note = form.get("note", before.note)[:NOTE].strip()
    cut, told = form.get("cut"), form.get("verdict")
    if cut is not None:
        at = next((at for at in case.cuts() if str(at) == cut), None)
        return None if at is None else Decision(case.id, "cut", at, note)
    if told == "note":
        return Decision(case.id, before.verdict, before.at, note)
    for verdict in VERDICTS:
        if verdict == told and verdict != "cut":
            return Decision(case.id, verdict, None, note)
    return None


def page(found: Sequence[Case], index: int, decisions: Decisions) -> Page:
    """One trajectory as the page shows it."""
    case = found[index]
    decision = decisions.latest.get(case.id, Decision(case.id))
    order = [turn.at for turn in case.turns]
    end = len(order) - 1
    if decision.verdict == "cut":  # the turn itself stays, with what was answered to it
        end = max((at for at, cut in enumerate(order) if cut == decision.at), default=end)
    lines = [
        Line(turn.message, turn.at, turn.trains, turn.mark, left=number > end)
        for number, turn in enumerate(case.turns)
    ]
    answers = (number for number, turn in enumerate(case.turns) if turn.trains or turn.at is not None)
    first = next(answers, 0)
    return Page(
        title=case.title,
        facts=case.facts,
        prompt=lines[:first],
        lines=lines[first:],
        number=index + 1,
        total=len(found),
        counts=decisions.counts(found),
        verdict=decision.verdict,
        note=decision.note,
        back=index or None,
        on=index + 2 if index + 1 < len(found) else None,
    )
