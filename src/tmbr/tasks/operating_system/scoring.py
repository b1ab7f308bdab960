"""AgentBench's verdict on an OS episode: an expected answer, or a chain of checks.

Each check of a chain is given the answer and what the checks before it printed; it passes with exit
status 0. `None` stands for the sample's own solution (AgentBench src/server/tasks/os_interaction).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tmbr.environments.operating_system import Computer

#: What a check may print, and so what the next is given.
_LONGEST = 100_000
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([KMGTP]?)(?:B|Byte)?\s*")


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _bytes(text: str) -> float:
    """A number of bytes with its unit. Raises ValueError.

    AgentBench's own reads whole numbers alone, so that the `4.0K` which its solutions print is never
    right; here it is a size.
    """
    found = _SIZE.fullmatch(text[:_LONGEST])
    if not found:
        raise ValueError(f"{text[:20]!r} is no size")
    return float(found[1]) * 1024.0 ** " KMGTP".index(found[2] or " ")


#: The checkers that AgentBench's samples name: (answer, what was printed before) -> whether it passes.
#: Those that read numbers raise ValueError where there is none.
CHECKERS: dict[str, Callable[[str, str], bool]] = {
    "integer-match": lambda answer, found: int(answer) == int(found),
    "string-match": lambda answer, found: _lines(answer) == _lines(found),
    "containing": lambda answer, found: _lines(found) in _lines(answer),
    "in": lambda answer, found: _lines(answer) in _lines(found),
    "size-match": lambda answer, found: _bytes(answer) == _bytes(found),
}


def judge(target: Mapping[str, Any], answer: str | None, computer: Computer) -> bool:
    """Whether the episode is solved. answer: None when it was finished without one. Checks run on the
    computer as the agent left it, and may change it."""
    if "match" in target:
        return _matches(target["match"], answer)
    given = [str(answer)]
    for script in target["check"]:
        language, code = script if script is not None else target["example"]
        if language == "checker":
            if not passes(code, *given[:2]):
                return False
            given.append("")
            continue
        result = computer.execute(command(language, code, given))
        if result.status != 0:
            return False
        given.append(result.output[:_LONGEST])
    return True


def command(language: str, code: str, given: Sequence[str] = ()) -> list[str]:
    """The command that runs a script with arguments."""
    if language == "python":
        return ["python3", "-c", code, *given]
    if language in ("c", "c++"):
        build = f'd=$(mktemp -d) && printf %s "$1" | g++ -x {language} -o "$d/a" -'
        build += ' && shift && exec "$d/a" "$@"'
        return ["bash", "-c", build, "--", code, *given]
    return ["bash", "-c", code, *(("--", *given) if given else ())]


def passes(checker: str, answer: str, found: str = "") -> bool:
    """Whether one of `CHECKERS` accepts an answer, given what was printed before it."""
    try:
        return CHECKERS[checker](answer, found)
    except ValueError:
        return False


def _matches(match: Mapping[str, Any], answer: str | None) -> bool:
    if answer is None:
        return False
    told = answer.strip() if match.get("strip") else answer
    if "answer" in match:
        return bool(told == match["answer"])
    return re.search(match["regex"], told) is not None
