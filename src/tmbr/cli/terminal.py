"""`tmbr play`: a person in any world, who may go back to any state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.panel import Panel
from rich.text import Text
from rich.tree import Tree

from tmbr.cli.tasks import make_task
from tmbr.core.errors import ActionError, ConfigError
from tmbr.core.protocols import Session, Task
from tmbr.core.types import Action, Completion, Message, Sample

HELP = """\
An action is written as the prompt says, without the word `Action:`.
  :undo      back to the state before          :tree    all states, and where you are
  :go N      to state N of the tree            :hint    what the task's expert would do here
  :prompt    what a model is told              :quit    leave"""


@dataclass(slots=True)
class State:
    """One state of the world and how it was reached."""

    session: Session
    parent: int | None
    said: str
    observation: str
    done: bool = False


class Play:
    """One sample, played by hand; every action is done on a fork, so that each state stays."""

    def __init__(self, task: Task, sample: Sample, console: Console) -> None:
        self.task, self.sample, self.console = task, sample, console
        session = task.open(sample)
        self.states = [State(session, None, "start", session.observation)]
        self.at = 0

    def run(self, ask: Callable[[str], str]) -> None:
        """Ask for lines until `:quit` or the end of the input."""
        self._show_state()
        try:
            while (line := ask(f"{self.at}> ").strip()) != ":quit":
                if line:
                    self._line(line)
        except (EOFError, KeyboardInterrupt):
            self.console.print()
        finally:
            for state in self.states:
                state.session.close()

    def _line(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        commands: dict[str, Callable[[], None]] = {
            ":undo": self._undo,
            ":tree": self._tree,
            ":hint": self._hint,
            ":prompt": self._prompt,
            ":help": lambda: self.console.print(HELP, markup=False, highlight=False),
        }
        if word == ":go":
            self._go(rest)
        elif word in commands:
            commands[word]()
        elif word.startswith(":"):
            self.console.print(HELP, markup=False, highlight=False)
        else:
            self._act(line)

    def _act(self, line: str) -> None:
        here = self.states[self.at]
        if here.done:
            self.console.print("The episode is over here; :undo or :go N.", markup=False)
            return
        session = here.session.fork()
        step = session.step(self._parsed(line))
        self.states.append(State(session, self.at, line, step.observation, step.done))
        self.at = len(self.states) - 1
        self._show_state()
        if step.admissible is False:
            self.console.print("(not possible here)", style="yellow")
        if step.done:
            score = self.task.score(self.sample, session, [step])
            told = f"{step.status}: score {score.value:g}"
            self.console.print(told, style="bold green" if score.success else "bold red")

    def _parsed(self, line: str) -> Action | None:
        try:
            return self.task.parse(Completion(line if "Action:" in line else f"Action: {line}"))
        except ActionError as error:
            self.console.print(f"(no action: {error.why})", style="yellow", markup=False)
            return None

    def _undo(self) -> None:
        parent = self.states[self.at].parent
        if parent is None:
            self.console.print("This is the start.")
        else:
            self.at = parent
            self._show_state()

    def _go(self, told: str) -> None:
        if not told.isdigit() or int(told) >= len(self.states):
            self.console.print(f"There are states 0 to {len(self.states) - 1}; see :tree.")
        else:
            self.at = int(told)
            self._show_state()

    def _tree(self) -> None:
        drawn: list[Tree] = []
        for index, state in enumerate(self.states):
            label = Text(f"{index} {state.said}", style="bold" if index == self.at else "")
            above = None if state.parent is None else drawn[state.parent]
            drawn.append(Tree(label) if above is None else above.add(label))
        self.console.print(drawn[0])

    def _hint(self) -> None:
        if not hasattr(self.task, "expert"):
            self.console.print("This task has no expert.")
            return
        said: Message = self.task.expert(self._conversation())
        self.console.print(Text(said.content, style="cyan"))

    def _prompt(self) -> None:
        for message in self._conversation()[:2]:
            self.console.print(Panel(Text(message.content), title=message.role))

    def _conversation(self) -> list[Message]:
        path: list[State] = []
        at: int | None = self.at
        while at is not None:
            path.append(self.states[at])
            at = self.states[at].parent
        start, *later = path[::-1]
        messages = list(self.task.messages(self.sample, start.observation))
        for state in later:
            written = state.said if "Action:" in state.said else f"Action: {state.said}"
            messages += [Message("assistant", written), Message("user", state.observation)]
        return messages

    def _show_state(self) -> None:
        state = self.states[self.at]
        self.console.print(Panel(Text(state.observation), title=f"state {self.at}", title_align="left"))


def play(name: str, data: str, split: str, index: int) -> None:
    """Play one sample in the terminal. Raises ConfigError for one that is not there."""
    task = make_task(name, data, "text")
    samples = task.samples(split)
    if not 0 <= index < len(samples):
        raise ConfigError(f"{name} {data}: sample {index} is not there; {split} has {len(samples)}")
    console = Console()
    console.print(f"{samples[index].instruction}   (:help)", style="bold", markup=False)
    Play(task, samples[index], console).run(input)
