"""The review in a terminal: the same decisions by single letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from tmbr.teacher.review import Case, Decision, Decisions
from tmbr.viewer.text import visible

HELP = """\
  y        keep                  j, k     the next one, the one before
  n        drop                  m TEXT   note
  c N      cut after turn N      p        the prompt
  q        leave; the same command goes on here"""


class Review:
    """Shows one trajectory after another, first those without a verdict."""

    def __init__(
        self, found: Sequence[Case], decisions: Decisions, console: Console | None = None
    ) -> None:
        self.found, self.decisions = found, decisions
        self.console = console or Console(highlight=False)
        self.at = decisions.first_open(found) or 0

    def run(self, ask: Callable[[str], str]) -> None:
        """Ask for lines until `q`, or the end of the input."""
        self._say(HELP, "dim")
        self._show()
        try:
            while (line := ask("y n c m j k p q> ").strip()) != "q":
                self._line(line)
        except (EOFError, KeyboardInterrupt):
            self.console.print()

    def _line(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        case = self.found[self.at]
        before = self.decisions.latest.get(case.id, Decision(case.id))
        if word in ("y", "n"):
            self._decide(replace(before, verdict="keep" if word == "y" else "drop", at=None))
        elif word == "c":
            self._cut(before, rest)
        elif word == "m":
            self.decisions.decide(replace(before, note=rest.strip()))
            self._say(f"noted: {rest.strip()}")
        elif word in ("j", "k"):
            self.at = min(max(self.at + (1 if word == "j" else -1), 0), len(self.found) - 1)
            self._show()
        elif word == "p":
            self._turns(case, prompt=True)
        else:
            self._say(HELP, "dim")

    def _cut(self, before: Decision, told: str) -> None:
        cuts = {str(at): at for at in sorted(self.found[self.at].cuts())}
        if told.strip() in cuts:
            self._decide(replace(before, verdict="cut", at=cuts[told.strip()]))
        else:
            self._say(f"cut after which turn? There are: {', '.join(cuts) or 'none'}", "yellow")

    def _decide(self, decision: Decision) -> None:
        self.decisions.decide(decision)
        after = self.decisions.first_open(self.found, self.at)
        if after is None:
            self._say("All are decided on; q leaves.", "bold green")
        else:
            self.at = after
            self._show()

    def _show(self) -> None:
        case = self.found[self.at]
        self._say(f"{self.at + 1} of {len(self.found)}: {case.title}", "bold")
        self._say(" · ".join(case.facts), "dim")
        self._turns(case, prompt=False)
        decision = self.decisions.latest.get(case.id)
        if decision is not None:
            where = "" if decision.at is None else f" after {decision.at}"
            note = f"; note: {decision.note}" if decision.note else ""
            self._say(f"decided: {decision.verdict or 'nothing'}{where}{note}", "green")

    def _turns(self, case: Case, prompt: bool) -> None:
        """The turns before the first answer, or those from it on."""
        answers = (at for at, turn in enumerate(case.turns) if turn.trains or turn.at is not None)
        first = next(answers, 0)
        for turn in case.turns[:first] if prompt else case.turns[first:]:
            message = turn.message
            answered = message.role == "assistant"
            number = f"{turn.at} " if answered and turn.at is not None else ""
            mark = f" ({turn.mark})" if turn.mark else ""
            self._say(f"{number}{message.role}{mark}", "cyan" if answered else "dim")
            calls = [f"→ {call.name} {call.arguments}" for call in message.tool_calls]
            self._say("\n".join(filter(None, [message.content, *calls])), "" if answered else "dim")

    def _say(self, text: str, style: str = "") -> None:
        self.console.print(Text(str(visible(text)), style))
