"""A real `transformers serve`, which loads any checkpoint that a request names by its folder."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import running

SERVE = (sys.executable, "-m", "transformers.cli.transformers", "serve", "--device", "cpu")


@contextmanager
def serving(folder: Path, port: int = 0) -> Iterator[str]:
    """Its address; its log lies in `folder`. port: 0 takes a free one."""

    def ready(port: int) -> None:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()

    with running(lambda port: (*SERVE, "--port", str(port)), folder / "log", ready, port) as port:
        yield f"http://127.0.0.1:{port}/v1"
