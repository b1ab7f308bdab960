"""A real headless browser, driven over its own pipe: pages opened, keys pressed, questions asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
)
SECONDS = 20.0


class Browser:
    """One tab. complaints: what the page logged or threw. Skips the test where there is no Chromium."""

    def __init__(self, folder: Path) -> None:
        if BROWSER is None:
            pytest.skip("no Chromium here: install chromium to see pages in a browser")
        self.complaints: list[str] = []
        self._asked = 0
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        # Chromium reads 3 and writes 4, wherever the pipes' ends happen to be here.
        ends = f'exec 8<&{commands} 9>&{answers}; exec "$@" 3<&8 4>&9'
        profile = f"--user-data-dir={folder / 'profile'}"
        self._process = subprocess.Popen(
            ["bash", "-c", ends, "bash", BROWSER, *FLAGS, "--remote-debugging-pipe", profile],
            pass_fds=(commands, answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._held = b""
        target = self._ask("Target.createTarget", {"url": "about:blank"}, None)["targetId"]
        attach = {"targetId": target, "flatten": True}
        self._session = self._ask("Target.attachToTarget", attach, None)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._tell(f"{domain}.enable")

    def open(self, url: str) -> None:
        self._tell("Page.navigate", url=url)
        self._loaded()

    def press(self, *keys: str) -> None:
        """Keys one after another, each once the page that the one before led to is there."""
        for key in keys:
            text = {"text": key} if len(key) == 1 else {}
            self._tell("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
            self._tell("Input.dispatchKeyEvent", type="keyUp", key=key)
            self._loaded()

    def wait(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        return self._tell("Runtime.evaluate", expression=expression)["result"].get("value")

    def _loaded(self) -> None:
        time.sleep(0.15)  # a navigation begins after the key's handler has returned
        end = time.monotonic() + SECONDS
        while self.wait("document.readyState") != "complete":
            assert time.monotonic() < end, "the page did not load"
            time.sleep(0.05)

    def _tell(self, method: str, **parameters: Any) -> Any:
        return self._ask(method, parameters, self._session)

    def _ask(self, method: str, parameters: dict[str, Any], session: str | None) -> Any:
        self._asked += 1
        told = {"id": self._asked, "method": method, "params": parameters}
        if session is not None:
            told["sessionId"] = session
        os.write(self._commands, json.dumps(told).encode() + b"\0")
        while (answer := self._next()).get("id") != self._asked:
            if answer.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.complaints.append(json.dumps(answer["params"]))
        return answer.get("result", {"result": {}})

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._held:
            read = os.read(self._answers, 1 << 16)
            assert read, "the browser ended"
            self._held += read
        line, _, self._held = self._held.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)
