"""Our worlds in other people's frames: Gymnasium, and TRL's `environment_factory`.

Both give the task's score as reward, at the end of an episode only. They are for training and play;
measuring is `tmbr.rollout`'s, where a strategy cannot read a score.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from tmbr.core.errors import ActionError, ConfigError
from tmbr.core.protocols import Session, Task
from tmbr.core.types import Action, Completion, Sample, Step

if TYPE_CHECKING:
    from gymnasium import Env

#: Longest text that Gymnasium's spaces admit.
LONGEST = 100_000


class Episode:
    """One live episode of a task, and its score so far."""

    def __init__(self, task: Task, sample: Sample) -> None:
        self.task, self.sample = task, sample
        self.session: Session = task.open(sample)
        self.steps: list[Step] = []

    def step(self, action: Action | None) -> Step:
        self.steps.append(self.session.step(action))
        return self.steps[-1]

    def score(self) -> float:
        return self.task.score(self.sample, self.session, self.steps).value


def gymnasium_env(task: Task, split: str = "train") -> Env[str, str]:
    """A text environment (Towers et al., 2024): observations and actions are strings.

    `reset(options={"sample": n})` takes the n-th sample of the split, otherwise one is drawn by the
    seed. An action is what a model writes in the task's form; one that cannot be read costs a turn.
    The reward is the task's score when the episode ends, else 0. `truncated`: the limit of rounds came.
    Raises ConfigError when Gymnasium is not installed.
    """
    try:
        import gymnasium
        from gymnasium.spaces import Text
    except ModuleNotFoundError:
        raise ConfigError("this adapter needs gymnasium: pip install 'tmbr[gym]'") from None
    charset = "\n\t" + "".join(map(chr, range(32, 0x3000)))
    samples = task.samples(split)

    class TextEnv(gymnasium.Env[str, str]):
        metadata: dict[str, Any] = {"render_modes": ["ansi"]}  # noqa: RUF012 (Gymnasium's own)
        render_mode = "ansi"
        observation_space = Text(LONGEST, min_length=0, charset=charset)
        action_space = Text(LONGEST, min_length=0, charset=charset)
        episode: Episode | None = None

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[str, dict[str, Any]]:
            super().reset(seed=seed)
            self.close()
            drawn = int(self.np_random.integers(len(samples)))
            self.episode = Episode(task, samples[(options or {}).get("sample", drawn)])
            told = {"sample": self.episode.sample.id, "tools": list(self.episode.session.tools)}
            return self._shown(), told

        def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
            assert self.episode is not None, "call reset() first"
            step = self.episode.step(_read(task, action))
            limit = step.status == "task limit reached"
            reward = self.episode.score() if step.done else 0.0
            told = {"status": step.status, "admissible": step.admissible}
            return self._shown(), reward, step.done and not limit, limit, told

        def render(self) -> str:
            return self._shown()

        def close(self) -> None:
            if self.episode is not None:
                self.episode.session.close()
                self.episode = None

        def _shown(self) -> str:
            """What was last seen, cut to the space; letters beyond it are replaced."""
            assert self.episode is not None
            told = self.episode.steps[-1] if self.episode.steps else self.episode.session
            return "".join(c if c in kept else "?" for c in told.observation[:LONGEST])

    kept = set(charset)
    return TextEnv()


def trl_environment(task: Task, split: str = "train") -> type:
    """A class for `GRPOTrainer(environment_factory=…)`: the task's tools are its methods.

    Its `reset(sample)` takes the number that `trl_rows` puts into each row, and `get_reward` is the
    task's score. An answer that a task reads from plain text is no call, and cannot be given here.
    Raises ConfigError for a form without tools.
    """
    samples = task.samples(split)
    tools = task.open(samples[0]).tools
    if not tools:
        raise ConfigError(f"{task.name}: this form has no tools; use form: agentbench")

    def reset(self: Any, sample: int = 0, **_: Any) -> str:
        if (before := self.__dict__.get("episode")) is not None:
            before.session.close()
        self.episode = Episode(task, samples[sample])
        return str(self.episode.session.observation)

    def get_reward(self: Any) -> float:
        return float(self.episode.score())

    methods = {told["function"]["name"]: _method(told["function"]) for told in tools}
    return type("Environment", (), {"reset": reset, "get_reward": get_reward, **methods})


def trl_rows(task: Task, split: str, count: int) -> list[dict[str, Any]]:
    """Rows for the trainer's data set: the prompt without the first observation, and the sample."""
    rows = []
    for index, sample in enumerate(task.samples(split)[:count]):
        messages = task.messages(sample, "")
        prompt = [{"role": message.role, "content": message.content} for message in messages]
        rows.append({"prompt": prompt, "sample": index})
    return rows


def _read(task: Task, text: str) -> Action | None:
    try:
        return task.parse(Completion(text))
    except ActionError:
        return None


_HINTS: Mapping[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}


def _method(told: Mapping[str, Any]) -> Callable[..., str]:
    """A tool as a method, with the signature and docstring from which TRL reads its schema."""
    properties = told["parameters"].get("properties", {})
    hints = {key: _HINTS.get(schema["type"], list[str]) for key, schema in properties.items()}

    def call(self: Any, **arguments: Any) -> str:
        action = Action(told["name"], {key: _text(value) for key, value in arguments.items()})
        return str(self.episode.step(action).observation)

    call.__name__ = call.__qualname__ = told["name"]
    call.__doc__ = _docstring(told["description"], properties)
    call.__annotations__ = {**hints, "return": str}
    kinds = [
        Parameter(key, Parameter.POSITIONAL_OR_KEYWORD, annotation=hint) for key, hint in hints.items()
    ]
    call.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *kinds], return_annotation=str
    )
    return call


def _docstring(description: str, properties: Mapping[str, Any]) -> str:
    told: Sequence[str] = [
        f"    {key}: {schema.get('description', key)}" for key, schema in properties.items()
    ]
    return "\n".join([description, "", "Args:", *told]) if told else description


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
