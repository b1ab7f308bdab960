"""The review over HTTP, in a browser, and in a terminal."""

from __future__ import annotations

import http.client
import io
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
from rich.console import Console

from tests.cli.test_eval import start
from tests.support import traces
from tests.support.browser import Browser
from tmbr.cli import run
from tmbr.cli.review_page import ReviewServer
from tmbr.cli.review_terminal import Review
from tmbr.core.rows import Row, Turn, read_rows, write_rows
from tmbr.core.store import TraceStore
from tmbr.core.types import Message
from tmbr.teacher.review import Decision, Decisions, cases

HOSTILE = "</p><script>alert(1)</script><img src=x onerror=alert(1)>\u202eeval\x1b[2J"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    turns = (
        Turn(Message("user", "Look.")),
        Turn(Message("assistant", HOSTILE), 1.0),
        Turn(Message("user", "And?")),
        Turn(Message("assistant", "Done."), 1.0),
    )
    path = tmp_path / "rows.jsonl"
    write_rows(path, [Row(f"r{number}", turns) for number in range(3)])
    return path


@pytest.fixture
def server(rows: Path) -> Iterator[ReviewServer]:
    path = rows.with_name("decisions.jsonl")
    with Decisions(path) as decisions, ReviewServer(cases(rows), decisions) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: ReviewServer, path: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, str]:
    """A request below the token, or of an absolute path."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    whole = path if path.startswith("/") else address.path + path
    body = None if form is None else urlencode(form)
    connection.request("GET" if form is None else "POST", whole, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def goes(server: ReviewServer, answer: tuple[int, http.client.HTTPMessage, str]) -> str:
    """The page to which an answer leads."""
    assert answer[0] == 303
    return answer[1]["Location"].removeprefix(urlsplit(server.url).path)


def test_decisions_lead_from_one_to_the_next_and_are_kept(server: ReviewServer, rows: Path) -> None:
    assert goes(server, ask(server, "")) == "1"
    assert goes(server, ask(server, "1", {"verdict": "keep", "note": "good"})) == "2"
    assert goes(server, ask(server, "3", {"cut": "1", "note": ""})) == "2"
    assert goes(server, ask(server, "2", {"verdict": "note", "note": "hm"})) == "2"
    assert goes(server, ask(server, "")) == "2"
    assert goes(server, ask(server, "2", {"verdict": "drop", "note": "hm"})) == "2"  # none is left
    found, latest = server.found, server.decisions.latest
    assert [(latest[case.id].verdict, latest[case.id].at, latest[case.id].note) for case in found] == [
        ("keep", None, "good"),
        ("drop", None, "hm"),
        ("cut", 1, ""),
    ]
    assert len(rows.with_name("decisions.jsonl").read_text().splitlines()) == 5
    _, _, page = ask(server, "3")
    assert re.findall(r'class="turn (\w+)( left)?"', page) == [
        ("assistant", ""),
        ("user", ""),
        ("assistant", " left"),
    ]


def test_a_cut_that_is_no_longer_there_can_be_decided_anew(server: ReviewServer) -> None:
    server.decisions.decide(Decision(server.found[0].id, "cut", 7))  # of an episode played anew
    status, _, page = ask(server, "1")
    assert status == 200
    assert " left" not in "".join(re.findall(r'class="turn [\w ]+"', page))
    assert goes(server, ask(server, "1", {"cut": "1"})) == "2"


def test_what_models_wrote_is_shown_and_never_runs(server: ReviewServer) -> None:
    status, headers, page = ask(server, "1")
    assert status == 200
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "⟨U+202E⟩eval⟨U+001B⟩" in page
    assert page.count("<script>") == 1
    assert "onerror=alert(1)>" not in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self'" in policy
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/", "/1", "/wrong/1", "0", "4", "x", "1/2", "../1"])
def test_nothing_is_told_without_the_token_or_of_what_is_not_there(
    server: ReviewServer, path: str
) -> None:
    assert ask(server, path)[0] == 404
    assert ask(server, path, {"verdict": "keep"})[0] == 404
    assert not server.decisions.latest


def test_other_names_and_senseless_forms_are_refused(server: ReviewServer) -> None:
    assert ask(server, "1", Host="evil.example")[0] == 404  # a name that was bound to this machine anew
    assert ask(server, "1", {"verdict": "keep"}, Host="evil.example")[0] == 404
    for form in (
        {},
        {"verdict": "cut"},
        {"verdict": "maybe"},
        {"cut": "0"},
        {"cut": "²"},
        {"cut": "9" * 5000},
        {"cut": "-1"},
    ):
        assert ask(server, "1", form)[0] == 400
    assert ask(server, "1", {"note": "x" * 70_000})[0] == 400
    assert ask(server, "", {"verdict": "keep"})[0] == 400
    assert not server.decisions.latest
    assert server.server_address[0] == "127.0.0.1"


def test_keys_decide_in_a_browser(server: ReviewServer, tmp_path: Path) -> None:
    with Browser(tmp_path) as browser:
        browser.open(f"{server.url}1")
        browser.press("j", "j", "k", "c")  # the first answer stays
        browser.press("m", *"yes", "Escape", "y")  # letters of a note decide nothing
        browser.press("h", "l", "n")
        assert browser.wait("document.querySelector('.tally').innerText").startswith("1 kept")
        assert browser.complaints == []
    latest, found = server.decisions.latest, server.found
    assert [(latest[case.id].verdict, latest[case.id].at, latest[case.id].note) for case in found] == [
        ("cut", 1, ""),
        ("keep", None, "yes"),
        ("drop", None, ""),
    ]


def terminal(path: Path, *lines: str) -> tuple[str, Decisions]:
    console = Console(file=io.StringIO(), width=100)
    said = iter(lines)

    def ask(_: str) -> str:
        try:
            return next(said)
        except StopIteration:
            raise EOFError from None

    with Decisions(path.with_name("decisions.jsonl")) as decisions:
        Review(cases(path), decisions, console).run(ask)
    return console.file.getvalue(), decisions  # type: ignore[attr-defined]


def test_the_same_by_letters_in_a_terminal(rows: Path) -> None:
    said, decisions = terminal(rows, "m looks odd", "c", "c 1", "?", "y", "j", "k", "p", "q", "n")
    assert "\x1b" not in said
    assert "1 of 3: r0" in said
    assert "cut after which turn? There are: 1, 3" in said
    assert [(decided.verdict, decided.at, decided.note) for decided in decisions.latest.values()] == [
        ("cut", 1, "looks odd"),
        ("keep", None, ""),
    ]
    said, decisions = terminal(rows, "n", "k")
    assert "3 of 3: r2" in said
    assert "All are decided on; q leaves." in said
    assert "decided: keep" in said


def test_rows_that_cannot_be_reviewed_are_told(rows: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with rows.open("a") as file:
        file.write('{"messages": []}\n' * 5)
    with Decisions(rows.with_name("rows.decisions.jsonl")) as decisions:
        decisions.decide(Decision(cases(rows)[0].id, "keep"))
    assert run(["data", "review", str(rows), "--apply", str(rows.with_name("out.jsonl"))]) == 0
    told = capsys.readouterr().err
    assert f"5 bad rows, the first 3; `tmbr data validate {rows}` names each" in told
    assert f"{rows}:4: messages: is empty" in told


def test_the_command_reviews_and_applies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "traces.jsonl", tmp_path / "out.jsonl"
    with TraceStore(path) as store:
        for trace in (traces.react(), traces.multibranch()):
            store.append(trace, 0.1)
    assert run(["data", "review", str(path), "--apply", str(out)]) == 2
    assert "nothing has been kept" in capsys.readouterr().err
    process = start("data", "review", str(path))
    asked, complaint = process.communicate("y\nq\n", timeout=60)
    assert (process.returncode, complaint) == (0, "")
    assert "1 kept, 0 cut, 0 dropped, 1 open" in asked
    assert (tmp_path / "traces.decisions.jsonl").exists()
    assert run(["data", "review", str(path), "--apply", str(out), "--to", "messages"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: 1 written")
    assert "1 not decided on yet" in said.err
    assert len(read_rows(out)) == 1


def test_ctrl_c_ends_the_page_and_says_what_was_decided(tmp_path: Path) -> None:
    path = tmp_path / "traces.jsonl"
    with TraceStore(path) as store:
        store.append(traces.react(), 0.1)
    process = start("data", "review", str(path), "--page")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("review: http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (0, "\n")  # behind the ^C
    assert said.strip() == "0 kept, 0 cut, 0 dropped, 1 open"
