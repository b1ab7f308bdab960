"""`report.html`: what an evaluation found, in one file that needs nothing else.

No request leaves the page: style and script are inlined, and its Content-Security-Policy allows
nothing but these two, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from tmbr.core.errors import ConfigError, DataError
from tmbr.core.files import write_whole
from tmbr.core.trace import Trace
from tmbr.viewer import figures, text, tree
from tmbr.viewer.choose import Choose, asked, side_by_side
from tmbr.viewer.planes import planes, strategy_of
from tmbr.viewer.templates import template


def report(
    summary: Mapping[str, Any], traces: Iterable[Trace], out: Path, choose: Choose = side_by_side
) -> Path:
    """Write the page to `out` and return it.

    summary: `rows` as in `summary.json`, and where there are any `comparisons` (`a`, `b`, `difference`
    and its `ci95` as shares, `failures_gone`) and `versions` (name to version).
    choose: which episodes are shown, and in what order; see `tmbr.viewer.choose`.

    Raises DataError when the summary is not of that form, ConfigError when `out` cannot be written;
    an older page stays whole until the new one is complete.
    """
    page = render(summary, list(traces), choose)
    try:
        write_whole(out, page)
    except OSError as error:
        raise ConfigError(f"cannot write the report to {out}: {error.strerror}") from error
    return out


def render(summary: Mapping[str, Any], traces: Sequence[Trace], choose: Choose = side_by_side) -> str:
    """The page as text; see `report`."""
    rows = summary.get("rows", [])
    if not rows and not traces:
        raise DataError("the summary has no 'rows': run `tmbr eval` first")
    beside = files("tmbr.viewer")
    style, script = (
        Markup(beside.joinpath(f"report.{kind}").read_text("utf-8")) for kind in ("css", "js")
    )
    drawn, ticks = figures.differences(summary.get("comparisons", []))
    groups = figures.groups(rows)
    chosen = choose(traces)
    return template("report.html.jinja").render(
        style=style,
        script=script,
        policy=policy(style, script),
        groups=groups,
        planes=planes(groups),
        statuses=figures.STATUSES,
        differences=drawn,
        ticks=ticks,
        title=", ".join(_distinct([*(row["task"] for row in rows), *(t.run.task for t in traces)])),
        facts=_facts(rows, traces, summary.get("versions", {})),
        samples=_samples(chosen, rows),
        strategies=_distinct(trace.run.strategy for trace in chosen),
        chosen=len(chosen),
        total=len(traces),
    )


def policy(style: str, script: str, forms: str = "'none'") -> str:
    """A Content-Security-Policy under which the page can only show itself; forms go to `forms`."""

    def source(inlined: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(inlined.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {source(style)}; script-src {source(script)}; "
        f"base-uri 'none'; form-action {forms}"
    )


def _facts(
    rows: Sequence[Mapping[str, Any]], traces: Sequence[Trace], versions: Mapping[str, str]
) -> dict[str, list[str]]:
    """What was run: term to values, terms without values left out."""
    runs = [trace.run for trace in traces]
    facts = {
        "Data": _distinct(f"{row['data']} ({row['split']})" for row in rows),
        "Model": _distinct(row["model"] for row in rows),
        "Adapter": _distinct(run.adapter for run in runs if run.adapter),
        "Strategy": _distinct(map(strategy_of, rows)),
        "Budget": _distinct(row["strategy"].rpartition(" @ ")[2] for row in rows if "of" in row),
        "Episodes": [f"{sum(row['n'] for row in rows):,} in {text.plural(len(rows), 'cell')}"],
        "Seed": _distinct(str(run.seed) for run in runs),
        "Task version": _distinct(run.version for run in runs if run.version),
        "Software": [f"{name} {version}" for name, version in versions.items()],
    }
    return {term: values for term, values in facts.items() if values}


def _samples(chosen: Sequence[Trace], rows: Sequence[Mapping[str, Any]]) -> list[list[tree.Episode]]:
    """Episodes of the same sample and seed together, those of one sample in the order of the rows."""
    order = {(row["model"], row["strategy"]): at for at, row in reversed([*enumerate(rows)])}
    found: dict[Hashable, list[tree.Episode]] = {}
    for trace in chosen:
        found.setdefault(asked(trace), []).append(tree.episode(trace))
    for episodes in found.values():
        episodes.sort(key=lambda e: order.get((e.trace.run.model, e.trace.run.strategy), len(rows)))
    return list(found.values())


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))
