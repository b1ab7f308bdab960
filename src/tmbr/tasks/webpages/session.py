"""Two kinds of episodes: one recorded step after gold history, and a visit to a live site.

A recorded step is played by AgentBench's rules (src/server/tasks/mind2web/task.py): each turn asks for
one of five candidates, and the winner meets the next ones. There the history is reset before each
question; here a conversation goes on, and each question is whole in itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from tmbr.core.types import Action, Step
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
from tmbr.tasks.session import TurnSession
from tmbr.tasks.webpages.forms import Choice, Form, choice_of
from tmbr.tasks.webpages.question import Question, place

#: Turns of a visit; the longest straight way takes 15.
ROUNDS = 40
#: Of a recorded step no more questions are asked than candidates can be, and then some.
QUESTIONS = 50
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


class StepSession(TurnSession[Form]):
    """One recorded step; a fork shares everything, because all of it is immutable."""

    __slots__ = ("_choices", "recorded", "rounds")
    limit = QUESTIONS

    def __init__(self, recorded: Recorded, form: Form) -> None:
        self.recorded = recorded
        self.rounds = recorded.pool
        asked, self._choices = recorded.question(self.rounds)
        super().__init__(form, str(asked))

    @property
    def chosen(self) -> Chosen | None:
        """What was chosen, once nothing more is asked."""
        return self.rounds.outcome if self._step.done else None

    def _turn(self, action: Action | None) -> Step:
        """Answer one question; a turn without a readable answer is "none of the above" upstream."""
        choice = Choice() if action is None else choice_of(action)
        at = place(choice.answer, self._choices)
        if not self.recorded.pool.over:  # of a pool of one nothing is asked, and nothing counts
            won = None if at is None else Chosen(self._choices[at], choice.action)
            self.rounds = self.rounds.answer(won)
        fits = None if action is None else at is not None or choice.answer == Choice().answer
        return self._end(fits) if self.rounds.over else self._next(fits)

    def _next(self, fits: bool | None) -> Step:
        asked, self._choices = self.recorded.question(self.rounds)
        return self._told(str(asked), admissible=fits)

    def _end(self, fits: bool | None) -> Step:
        if self.rounds.outcome is None:
            return self._told("Nothing was chosen.", "agent invalid action", fits)
        return self._told("The choice is made.", "completed", fits)

    def ends(self, action: Action) -> bool:
        """An answer after which at most one candidate is left."""
        at = place(choice_of(action).answer, self._choices)
        won = None if at is None else Chosen(self._choices[at], "")
        return self._step.done or self.rounds.over or self.rounds.answer(won).over

    def state_key(self) -> str:
        return f"{self.rounds}/{self._step.done}"


class VisitSession(TurnSession[Form]):
    """A visit to a live site; a fork shares everything, because all of it is immutable."""

    __slots__ = ("_choices", "_history", "_malformed", "state", "visit")
    limit = ROUNDS

    def __init__(self, visit: Visit, form: Form) -> None:
        self.visit = visit
        self.state: State = visit.site.start()
        self._malformed = 0
        self._history: tuple[str, ...] = ()
        self._choices: tuple[str, ...] = ()
        super().__init__(form, self._ask())

    @property
    def reached(self) -> bool:
        """Whether what was asked for, and nothing else, was committed."""
        return self.state.outcome == self.visit.outcome

    def _malformed_turn(self) -> Step:
        self._malformed += 1
        failed = self._malformed >= REPEATS
        asked = f"{self._form.no_action}\n{self._ask()}"
        return self._told(asked, "agent validation failed" if failed else None)

    def _turn(self, action: Action | None) -> Step:
        if action is None:
            return self._malformed_turn()
        self._malformed = 0
        choice = choice_of(action)
        at = place(choice.answer, self._choices)
        if at is None:
            offered = choice.answer == Choice().answer
            return self._asked("" if offered else f"There is no choice {choice.answer}.", offered)
        control = self.state.page.controls[self._choices[at]]
        answer = act(self.state, self._choices[at], choice.operation, choice.value)
        self.state = answer.state
        if not answer.refused:
            done = in_words(control, self.state.filled.get(control.field, ""))
            self._history = (*self._history, done)[-TOLD_ACTIONS:]
        if self.state.outcome is not None:
            return self._told(self.visit.site.theme.thanks, "completed", True)
        return self._asked(answer.refused, not answer.refused)

    def _asked(self, refused: str, admissible: bool) -> Step:
        """The next question, below what was refused."""
        asked = f"{refused}\n{self._ask()}" if refused else self._ask()
        return self._told(asked, admissible=admissible)

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

    def state_key(self) -> str:
        return f"{self.state.key}/{self._rounds}/{self._malformed}"
