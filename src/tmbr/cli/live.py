"""A growing episode as a tree that is drawn anew in place; for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text
from rich.tree import Tree

from tmbr.cli.lines import line
from tmbr.core.trace import Trace
from tmbr.viewer.text import plural
from tmbr.viewer.tree import Turn, episode

_TONES = {"plain": "dim", "fork": "cyan", "bad": "red", "good": "green"}


class LiveTree:
    """Shows a trace while it is entered; what does not fit the screen is cut at its top."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, transient=True, refresh_per_second=8)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, trace: Trace) -> None:
        """Drawn a little later, unless `refresh` is called."""
        self._live.update(_Tail(drawn(trace, head(trace))))

    def refresh(self) -> None:
        self._live.refresh()


def head(trace: Trace) -> int:
    """Where the agent stands: its last turn, or the node at which its candidates were asked."""
    last = len(trace.nodes) - 1
    node = trace.nodes[last]
    if node.kind != "act" or node.parent is None:
        return last
    siblings = [other for other in trace.nodes if other.parent == node.parent and other.kind == "act"]
    return last if len(siblings) == 1 else node.parent


def drawn(trace: Trace, leaf: int | None = None) -> Tree:
    """The branch to `leaf`, by default the committed one, a turn below the other; what was left of a
    turn hangs on it."""
    view = episode(trace, leaf)
    spent = trace.spent
    tree = Tree(
        Text.assemble(
            (line(trace.sample.instruction), "bold"),
            (f"  {plural(spent.steps + spent.steps_on_forks, 'world step')}", "dim"),
            (f", {plural(spent.calls, 'call')}, {spent.usage.total:,} tokens", "dim"),
        ),
        guide_style="dim",
    )
    _path(tree, view.turns)
    for path in view.after:
        _path(tree, path)
    return tree


def _path(tree: Tree, turns: Sequence[Turn]) -> None:
    for turn in turns:
        if turn.gap:
            tree.add(Text(f"… {plural(turn.gap, 'turn')} not shown", style="dim"))
        for left in turn.back:
            _path(tree.add(Text("↩ went another way, then back", style="yellow")), left)
        node = tree.add(_label(turn))
        for left in (*turn.beside, *turn.then):
            _path(node, left)


def _label(turn: Turn) -> Text:
    label = Text.assemble((f"#{turn.node} ", "dim"))
    if turn.kind != "act":
        label.append(f"{turn.kind}: {line(turn.thought)}", "italic")
        return label
    if turn.tool:
        label.append(line(f"{turn.tool} {turn.action}"), "bold")
    else:
        label.append(line(turn.thought))
    for judged in turn.judgements:
        label.append(f"  {judged.value:.2f}", "magenta")
        label.append(f" {line(judged.reason)}" if judged.reason else "", "dim")
    for mark in turn.marks:
        label.append(f"  {mark.text}", _TONES[mark.tone])
    if turn.error:
        label.append(f"  {line(turn.error)}", "red")
        return label
    if turn.tool and turn.thought:
        label.append(f"\n{line(turn.thought)}", "italic dim")
    if turn.observation:
        label.append(f"\n→ {line(turn.observation)}", "dim")
    return label


class _Tail:
    """The last lines of a renderable, as many as the screen has."""

    def __init__(self, of: RenderableType) -> None:
        self._of = of

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        free = options.update(height=None)
        lines = console.render_lines(self._of, free, pad=False)[-max(1, console.height - 1) :]
        for each in lines:
            yield from each
            yield Segment.line()
