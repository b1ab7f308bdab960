"""The candidate score file: a pickle, read without trusting it.

It holds `scores` and `ranks`, each from `ANNOTATION_ACTION` to node id to a number. Nothing is made of
it but dictionaries, lists, texts and numbers; NumPy's numbers become plain ones.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tmbr.core.errors import DataError, no_file

#: Step -> node id -> rank, the most likely candidate first, from 0.
Ranks = Mapping[str, Mapping[str, int]]
_MEND = "get Mind2Web's scores_all_data.pkl again, or remove it: BM25 then ranks the candidates"


def read_ranks(path: Path) -> Ranks:
    """The ranks of a score file.

    Raises DataError when it is missing or truncated, holds another thing, or wants anything to be
    loaded or called that is not plain data.
    """
    try:
        with path.open("rb") as file:
            held = _Plain(file).load()
    except FileNotFoundError as error:
        raise DataError(f"{no_file(path)}; {_MEND}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {_MEND}") from error
    except Exception as error:  # a broken pickle raises whatever its bytes happen to ask for
        raise DataError(f"{path}: no plain pickle ({error}); {_MEND}") from error
    ranks = held.get("ranks") if isinstance(held, dict) else None
    if not isinstance(ranks, dict) or not isinstance(held.get("scores"), dict):
        raise DataError(f"{path}: holds no scores and ranks; {_MEND}")
    for step, ranked in ranks.items():
        if (
            not isinstance(step, str)
            or not isinstance(ranked, dict)
            or not all(map(_fits, *_columns(ranked)))
        ):
            raise DataError(
                f"{path}: the ranks of {str(step)[:80]!r} are no numbers by node id; {_MEND}"
            )
    return ranks


def write_scores(path: Path, scores: Mapping[str, Mapping[str, float]]) -> None:
    """The same file, from scores: the highest has rank 0."""
    ranks = {
        step: {node: rank for rank, node in enumerate(sorted(found, key=lambda key: -found[key]))}
        for step, found in scores.items()
    }
    plain = {step: dict(found) for step, found in scores.items()}
    path.write_bytes(pickle.dumps({"scores": plain, "ranks": ranks}))


def _columns(ranked: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(ranked), list(ranked.values())


def _fits(node: Any, rank: Any) -> bool:
    return isinstance(node, str) and isinstance(rank, int) and rank >= 0


class _Plain(pickle.Unpickler):
    """Names a pickle may ask for stand for functions of ours; all others are refused."""

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        made = _NAMES.get((module, name))
        if made is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no plain data")
        return made


class _Kind:
    """NumPy's type of a number, as its pickle tells it; the state that follows is not needed."""

    def __init__(self, code: str, *_: object) -> None:
        self.code = code

    def __setstate__(self, _: object) -> None: ...


_FORMATS = {"f2": "<e", "f4": "<f", "f8": "<d", "i4": "<i", "i8": "<q", "u4": "<I", "u8": "<Q"}


def _number(kind: _Kind, held: bytes) -> float | int:
    found: tuple[float | int] = struct.unpack(_FORMATS[kind.code], held)
    return found[0]


def _bytes(text: str, *_: object) -> bytes:
    """How the older protocols write bytes; with Latin-1, whatever codec they name."""
    return text.encode("latin-1")


def _dictionary(*_: object) -> dict[Any, Any]:
    return {}


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "defaultdict"): _dictionary,
    ("collections", "OrderedDict"): _dictionary,
    ("builtins", "dict"): _dictionary,
    ("__builtin__", "dict"): _dictionary,
    ("_codecs", "encode"): _bytes,
    ("numpy", "dtype"): _Kind,
    ("numpy.core.multiarray", "scalar"): _number,
    ("numpy._core.multiarray", "scalar"): _number,
}
