"""Two kinds of episodes: one recorded step after gold history, and a visit to a live site.

A recorded step is played by AgentBench's rules (src/server/tasks/mind2web/task.py): each turn asks for
one of five candidates, and the winner meets the next ones. There the history is reset before each
question; here a conversation goes on, and each question is whole in itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tmbr.core.types import Action, Status, Step, Tool
from tmbr.environments.webpages import (
    TOLD_ACTIONS,
    Chosen,
    Page,
    Rounds,
    WebStep,
    WebTask,
    excerpt,
    whole,
)
from tmbr.environments.webpages.sites import State, Visit, act, in_words
from tmbr.tasks.webpages.forms import Choice, Form, choice_of
from tmbr.tasks.webpages.question import Question, place

#: Turns of a visit; the longest straight way takes 15.
ROUNDS = 40
#: So many turns in a row without a readable action end a visit.
REPEATS = 3
#: Choices that have a letter.
LETTERS = 25


@dataclass(frozen=True, slots=True)
class Recorded:
    """A step that is asked for: what all its episodes share.

    pool: candidates at first. ranker: who drew the pool up, `scores` or `bm25`.
    """

    task: WebTask
    number: int
    page: Page
    pool: Rounds
    ranker: str

    @property
    def step(self) -> WebStep:
        return self.task.steps[self.number]

    @property
    def reachable(self) -> bool:
        """Whether the pool has a right element at all."""
        return any(one.id in self.pool.pool for one in self.step.positives)

    def question(self, rounds: Rounds) -> tuple[Question, tuple[str, ...]]:
        """What is asked about the next five, and their ids in the order of the choices."""
        told, choices = excerpt(self.page, rounds.batch)
        history = self.task.history(self.number)
        return Question(told, self.task.instruction, history, tuple(choices.values())), tuple(choices)


class StepSession:
    """One recorded step; a fork shares everything, because all of it is immutable."""

    __slots__ = ("_choices", "_form", "_step", "recorded", "rounds")

    def __init__(self, recorded: Recorded, form: Form) -> None:
        self.recorded = recorded
        self.rounds = recorded.pool
        self._form = form
        asked, self._choices = recorded.question(self.rounds)
        self._step = Step(str(asked))

    @property
    def observation(self) -> str:
        return self._step.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self._form.tools

    @property
    def chosen(self) -> Chosen | None:
        """What was chosen, once nothing more is asked."""
        return self.rounds.outcome if self._step.done else None

    def step(self, action: Action | None) -> Step:
        """Answer one question; a turn without a readable answer is "none of the above" upstream."""
        if self._step.done:
            return Step("The episode is over.", True, self._step.status)
        choice = Choice() if action is None else choice_of(action)
        at = place(choice.answer, self._choices)
        if not self.recorded.pool.over:  # of a pool of one nothing is asked, and nothing counts
            won = None if at is None else Chosen(self._choices[at], choice.action)
            self.rounds = self.rounds.answer(won)
        fits = None if action is None else at is not None or choice.answer == Choice().answer
        self._step = self._end(fits) if self.rounds.over else self._next(fits)
        return self._step

    def _next(self, fits: bool | None) -> Step:
        asked, self._choices = self.recorded.question(self.rounds)
        return Step(str(asked), admissible=fits)

    def _end(self, fits: bool | None) -> Step:
        if self.rounds.outcome is None:
            return Step("Nothing was chosen.", True, "agent invalid action", admissible=fits)
        return Step("The choice is made.", True, "completed", admissible=fits)

    def ends(self, action: Action) -> bool:
        """An answer after which at most one candidate is left."""
        at = place(choice_of(action).answer, self._choices)
        won = None if at is None else Chosen(self._choices[at], "")
        return self._step.done or self.rounds.over or self.rounds.answer(won).over

    def fork(self) -> StepSession:
        copy = StepSession.__new__(StepSession)
        copy.recorded, copy.rounds = self.recorded, self.rounds
        copy._choices, copy._form, copy._step = self._choices, self._form, self._step
        return copy

    def state_key(self) -> str:
        return f"{self.rounds}/{self._step.done}"

    def close(self) -> None:
        """Nothing is held that a garbage collector would not take."""


class VisitSession:
    """A visit to a live site; a fork shares everything, because all of it is immutable."""

    __slots__ = ("_choices", "_form", "_history", "_malformed", "_rounds", "_step", "state", "visit")

    def __init__(self, visit: Visit, form: Form) -> None:
        self.visit = visit
        self.state: State = visit.site.start()
        self._form = form
        self._rounds = 0
        self._malformed = 0
        self._history: tuple[str, ...] = ()
        self._choices: tuple[str, ...] = ()
        self._step = Step(self._ask())

    @property
    def observation(self) -> str:
        return self._step.observation

    @property
    def tools(self) -> Sequence[Tool]:
        return self._form.tools

    @property
    def reached(self) -> bool:
        """Whether what was asked for, and nothing else, was committed."""
        return self.state.outcome == self.visit.outcome

    def step(self, action: Action | None) -> Step:
        """Play one round. After the end the world only repeats that it is over."""
        if self._step.done:
            return Step("The episode is over.", True, self._step.status)
        self._rounds += 1
        self._step = self._malformed_turn() if action is None else self._turn(choice_of(action))
        return self._step

    def _malformed_turn(self) -> Step:
        self._malformed += 1
        failed = self._malformed >= REPEATS
        status: Status | None = "agent validation failed" if failed else self._limit()
        return Step(f"{self._form.no_action}\n{self._ask()}", status is not None, status)

    def _turn(self, choice: Choice) -> Step:
        self._malformed = 0
        at = place(choice.answer, self._choices)
        if at is None:
            offered = choice.answer == Choice().answer
            return self._told("" if offered else f"There is no choice {choice.answer}.", offered)
        control = self.state.page.controls[self._choices[at]]
        answer = act(self.state, self._choices[at], choice.operation, choice.value)
        self.state = answer.state
        if not answer.refused:
            done = in_words(control, self.state.filled.get(control.field, ""))
            self._history = (*self._history, done)[-TOLD_ACTIONS:]
        if self.state.outcome is not None:
            return Step(self.visit.site.theme.thanks, True, "completed", admissible=True)
        return self._told(answer.refused, not answer.refused)

    def _told(self, refused: str, admissible: bool) -> Step:
        asked = f"{refused}\n{self._ask()}" if refused else self._ask()
        status = self._limit()
        return Step(asked, status is not None, status, admissible=admissible)

    def _limit(self) -> Status | None:
        return "task limit reached" if self._rounds >= ROUNDS else None

    def _ask(self) -> str:
        page = self.state.page
        told, choices = whole(page.cleaned, list(page.controls)[:LETTERS])
        self._choices = tuple(choices)
        return str(Question(told, self.visit.instruction, self._history, tuple(choices.values())))

    def ends(self, action: Action) -> bool:
        """A click on what commits, right or wrong."""
        choice = choice_of(action)
        at = place(choice.answer, self._choices)
        if self._step.done:
            return True
        return (
            at is not None
            and self.state.page.controls[self._choices[at]].commits
            and act(self.state, self._choices[at], choice.operation, "").state.outcome is not None
        )

    def fork(self) -> VisitSession:
        copy = VisitSession.__new__(VisitSession)
        copy.visit, copy.state = self.visit, self.state
        copy._choices, copy._form, copy._step = self._choices, self._form, self._step
        copy._history, copy._rounds, copy._malformed = self._history, self._rounds, self._malformed
        return copy

    def state_key(self) -> str:
        return f"{self.state.key}/{self._rounds}/{self._malformed}"

    def close(self) -> None:
        """Nothing is held that a garbage collector would not take."""
