"""What an environment that a model plays gets wrong against the real world, turn by turn.

Each played world is told the real history of an expert's episode, and its next answer is compared with
the real one: the scripted teacher's with faults, and nano's, as it is and tuned to be an environment.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.support import teacher_worlds as worlds
from tests.support.teacher import teaching

from tmbr.cli.tasks import make_task
from tmbr.core.rows import Row, Turn, write_rows
from tmbr.core.types import Action, Completion, Context, Message, Sample, Step, derive_seed
from tmbr.teacher.askers import make_asker
from tmbr.teacher.simulation import CLASSES, PLAYING, Comparison, read_answer, told_environment

TASKS = ("household", "database", "webshop")
#: Share of the scripted environment's answers that are at fault.
FAULTS = 0.2


@dataclass(frozen=True, slots=True)
class Played:
    """An expert's episode. told: the environment's prompt. known: all that it tells of the world.

    turns: what the agent wrote, the action in it, what the real world answered.
    """

    told: str
    known: str
    turns: list[tuple[str, Action, Step]]


def _played(name: str, seed: int) -> Played:
    task: Any = make_task(name, "generated", "text")
    asker, rng = make_asker(name, task), Random(seed)
    content = asker.content(seed)
    said = worlds.question(name, content.text, rng.choice(content.categories), rng)
    question = asker.read(content, said)
    sample = Sample("q", name, "train", question.instruction, question.setup, question.target)
    session = task.open(sample)
    messages, turns, over = task.messages(sample, session.observation), [], False
    first = messages[-1].content
    while not over:
        act = task.expert(messages)
        action = task.parse(Completion(act.content))
        real = session.step(action)
        turns.append((act.content, action, real))
        messages += [act, Message("user", real.observation)]
        over = real.done
    told = told_environment(content.text, sample.instruction, first)
    return Played(told, f"{content.text}\n{first}", turns)


def _truth(real: Step) -> str:
    return json.dumps({"observation": real.observation, "solved": real.done})


def played_worlds() -> Any:
    """Turn by turn: the scripted environment with faults, and nano, as it is and tuned to be one."""
    from tmbr.models.local import LocalModel
    from tmbr.models.remote import RemoteModel

    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, teaching(Path(folder), FAULTS) as (url, _):
        for name in TASKS:
            model = RemoteModel("teacher", url, timeout=5, backoff=0.01, attempts=8)
            label = f"scripted, {FAULTS:.0%} of its answers at fault: {name}"
            found[label] = asyncio.run(_compared(model, name, 30))
    nano = str(Path(__file__).parent.parent / "src" / "tmbr" / "assets" / "nano")
    with tempfile.TemporaryDirectory() as folder:
        tuned, updates = _tuned_environment(nano, Path(folder))
        for label, path in (("nano", nano), (f"nano, {updates} updates as environment", tuned)):
            model = LocalModel.load(path)
            found[f"{label}: household"] = asyncio.run(_compared(model, "household", 20))
    return found


def _tuned_environment(nano: str, folder: Path, episodes: int = 400) -> tuple[str, int]:
    """Nano tuned on what the real world answered, in houses that are not measured."""
    from tmbr.tuning import sft
    from tmbr.tuning.config import SftConfig

    def rows() -> Iterator[Row]:
        for seed in range(1000, 1000 + episodes):
            played = _played("household", seed)
            turns = [Turn(Message("system", played.told))]
            for act, _, real in played.turns:
                turns.append(Turn(Message("user", act)))
                turns.append(Turn(Message("assistant", _truth(real)), loss=1.0))
            yield Row(str(seed), tuple(turns))

    write_rows(folder / "rows.jsonl", rows())
    config = SftConfig(
        model=nano,
        method="full",
        optimizer="muon",
        learning_rate=1.5e-3,
        epochs=2,
        batch_size=4,
        max_minutes=30,
        dtype="fp32",
    )
    result = sft.run(config, folder / "rows.jsonl", folder / "run")
    return str(folder / "run" / result.folder), result.updates


async def _compared(model: Any, name: str, episodes: int) -> dict[str, Any]:
    """Each next answer of a played world after the real history, along the expert's episodes."""
    counts = Counter[str]()
    for seed in range(episodes):
        episode = _played(name, seed)
        played, compared = Context(Message("system", episode.told)), Comparison(episode.known)
        for act, action, real in episode.turns:
            asked = played.then(Message("user", act))
            heard = (await model.complete(asked, (), 1, PLAYING, derive_seed(name, seed)))[0]
            step, readable = read_answer(heard.text)
            counts[compared.difference(action, real, step, readable) or "right"] += 1
            played = asked.then(Message("assistant", _truth(real)))
    await model.aclose()
    turns = counts.total()
    shares = {kind: round(counts[kind] / turns, 4) for kind in ("right", *CLASSES) if counts[kind]}
    return {"episodes": episodes, "turns": turns, **shares}
