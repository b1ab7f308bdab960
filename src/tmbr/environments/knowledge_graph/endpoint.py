"""A SPARQL endpoint by URL: Virtuoso with Freebase, or whatever speaks SPARQL 1.1 over HTTP in JSON."""

from __future__ import annotations

import base64
import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request

from tmbr.core.errors import ConfigError, EnvironmentFault

from .graph import plain
from .program import QueryError

#: Bytes of an answer; one that is longer is not taken in.
LONGEST = 64 * 2**20
_SAY = "is no http(s) URL; say http://host:port/sparql"
_JSON = "application/sparql-results+json"


class Endpoint:
    """A remote graph. timeout: seconds for a whole answer.

    A user and password in the URL are sent as basic authentication and never shown. Raises ConfigError
    for what is no http(s) URL.
    """

    def __init__(self, url: str, timeout: float = 60.0) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"the SPARQL endpoint's URL {_SAY}") from error
        if parts.scheme not in ("http", "https") or not host:
            raise ConfigError(f"the SPARQL endpoint's URL {_SAY}")
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        self.url = urllib.parse.urlunsplit((parts.scheme, place, parts.path, parts.query, ""))
        self._timeout = timeout
        self._headers = {"Accept": _JSON, "Content-Type": "application/x-www-form-urlencoded"}
        if parts.username is not None:
            user, word = (urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
            told = base64.b64encode(f"{user}:{word}".encode()).decode()
            self._headers["Authorization"] = f"Basic {told}"

    def select(self, query: str) -> list[str]:
        """Raises QueryError when the endpoint rejects the query, EnvironmentFault when it does not
        answer in time, or with anything but a SPARQL result."""
        return self._values(self._answer(query))

    def _answer(self, query: str) -> bytes:
        end = time.monotonic() + self._timeout
        data = urllib.parse.urlencode({"query": query}).encode()
        request = urllib.request.Request(self.url, data, self._headers)
        taken = bytearray()
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as response:
                while part := response.read1(2**16):
                    taken += part
                    if len(taken) > LONGEST:
                        raise self._fault(f"an answer of more than {LONGEST} bytes")
                    if time.monotonic() > end:
                        raise TimeoutError
        except urllib.error.HTTPError as error:
            with error:
                if error.code == http.HTTPStatus.BAD_REQUEST:
                    first = error.read(300).decode(errors="replace").strip().partition("\n")[0]
                    raise QueryError(f"the endpoint rejects the query ({first})") from error
            raise self._fault(f"HTTP {error.code} {error.reason}") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = error.reason if isinstance(error, urllib.error.URLError) else error
            late = isinstance(reason, TimeoutError)
            why = f"no answer in {self._timeout:g} s" if late else str(reason) or type(reason).__name__
            raise self._fault(why) from error
        return bytes(taken)

    def _values(self, answer: bytes) -> list[str]:
        try:
            rows = json.loads(answer)["results"]["bindings"]
            return [plain(value["value"]) for row in rows for (value,) in [row.values()]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise self._fault("its answer is no SPARQL result in JSON") from error

    def _fault(self, why: str) -> EnvironmentFault:
        line = " ".join(why.split())
        return EnvironmentFault(
            f"SPARQL endpoint {self.url}: {line}; check the URL, its user and password, and the server"
        )
