"""The database task: samples, prompt, parsing, score, and the teachers that can play it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import ClassVar

from tmbr.core.errors import EnvironmentFault
from tmbr.core.protocols import Session
from tmbr.core.types import Message, Sample, Score, Step
from tmbr.environments.database import Database, Embedded, Server, SqlError, Table, fingerprint, quoted
from tmbr.tasks.base import GENERATED, FormTask, split_seed
from tmbr.tasks.database import data as files
from tmbr.tasks.database.expert import asked, decide
from tmbr.tasks.database.forms import COMMIT, FORMS, RUN, Form
from tmbr.tasks.database.generate import GENERATOR, Problem, generate
from tmbr.tasks.database.scoring import matches
from tmbr.tasks.database.session import ROUNDS, DatabaseSession

#: Samples of each generated split.
SIZES = {"train": 20_000, "validation": 500, "test": 500}
#: Share of a learner's errors that are an admissible look without a reason.
ASTRAY = 0.3
_QUOTED = re.compile(r"`([^`]+)`")
#: Names a MySQL server, mysql://USER:PASSWORD@HOST:PORT.
VARIABLE = "TMBR_MYSQL"
#: Raise it when prompt, rules or wording change: it is part of every episode's resume key.
VERSION = "1"


class DatabaseTask(FormTask[Form]):
    """data: `generated`, or one of the benchmark's files. form: `text` or `agentbench`. server: the URL
    of a MySQL server that answers instead of the embedded one; by default what TMBR_MYSQL says."""

    name, called, rounds = "database", "database", ROUNDS
    sources: ClassVar[tuple[str, ...]] = (GENERATED, *files.SPLITS)
    forms = FORMS
    sizes = SIZES

    def __init__(
        self,
        data: str = GENERATED,
        form: str = "text",
        root: Path | None = None,
        server: str | None = None,
    ) -> None:
        super().__init__(data, form, root)
        self._server = server or os.environ.get(VARIABLE)
        backend = "server" if self._server else "embedded"
        self.version = f"{VERSION}/{GENERATOR}/{form}/{backend}"

    def samples(self, split: str) -> Sequence[Sample]:
        """All samples of a split; generated ones are made when they are asked for.

        Raises ConfigError for an unknown split, DataError for files that are missing or broken.
        """
        if self.data != GENERATED:
            return files.samples(self.data, self.root)
        return self.generated(split, _generated)

    def tables(self, sample: Sample) -> list[Table]:
        """The tables that a sample starts with."""
        if "seed" in sample.setup:
            return [_problem(sample.setup["seed"]).table]
        return files.tables(sample, self.root)

    def open(self, sample: Sample) -> Session:
        """Raises EnvironmentFault where MySQL cannot make the sample's tables (DBBench has such)."""
        if "seed" in sample.setup:
            table = _problem(sample.setup["seed"]).table
            told = asked(table.name, table.columns, sample.instruction)
        else:
            told = f"{sample.setup['told']}\nRequest: {sample.instruction}".lstrip()
        return DatabaseSession(self._database(sample), self.form, told)

    def _database(self, sample: Sample) -> Database:
        try:
            tables = self.tables(sample)
            return Server.of(self._server, tables) if self._server else Embedded.of(tables)
        except SqlError as error:
            raise EnvironmentFault(f"{sample.id}: its tables cannot be made: {error}") from None

    def score(self, sample: Sample, session: Session, branch: Sequence[Step]) -> Score:  # noqa: ARG002
        """AgentBench's score: 1 when the committed answer, or the changed table, is the right one."""
        if not isinstance(session, DatabaseSession) or session.committed is None:
            return Score(0.0, False, {"type": sample.target["type"]})
        if sample.target["type"] in files.WRITES:
            right = self._written(sample, session.database)
        else:
            right = matches(session.committed, sample.target["label"])
        return Score(float(right), right, {"type": sample.target["type"]})

    def _written(self, sample: Sample, database: Database) -> bool:
        """Whether the tables hash to what the solution leaves."""
        names = sample.target["tables"]
        ours = sorted(fingerprint(database, table, columns) or "gone" for table, columns in names)
        if sample.target.get("md5"):
            return "_".join(ours) == str(sample.target["md5"])
        solved = self._database(sample)
        solved.execute(sample.target["query"])
        theirs = sorted(fingerprint(solved, table, columns) or "" for table, columns in names)
        solved.close()
        return ours == theirs

    def expert(self, messages: Sequence[Message]) -> Message:
        """What the expert answers in this conversation, from what was said in it alone."""
        move = decide(*self.turns(messages))
        return self.form.write(move.thought, move.name, move.argument)

    def mistake(self, messages: Sequence[Message], rng: Random) -> Message:
        """A wrong move that the server accepts and that changes nothing: a look at something else."""
        prompt, turns = self.turns(messages)
        right = decide(prompt, turns)
        table = prompt.partition("The table is called ")[2].partition(". Its columns")[0]
        columns = prompt.partition("Its columns are: ")[2].partition(".\nRequest")[0].split(" | ")
        wrong = [f"SELECT DISTINCT {quoted(column)} FROM {quoted(table)} LIMIT 5" for column in columns]
        wrong += ["SHOW TABLES", f"DESCRIBE {quoted(table)}", f"SELECT COUNT(*) FROM {quoted(table)}"]
        said = {right.argument, *(action.arguments.get("query") for action, _ in turns if action)}
        others = sorted({*wrong} - said)
        return self.form.write("I look at something else.", RUN, rng.choice(others or wrong))

    def slip(self, messages: Sequence[Message], rng: Random) -> Message:
        """A learner's error: the right statement with one name a little wrong, or a look astray."""
        right = decide(*self.turns(messages))
        names = sorted(set(_QUOTED.findall(right.argument)))
        if right.name == COMMIT or not names or rng.random() < ASTRAY:
            return self.mistake(messages, rng)
        wrong = rng.choice(names)
        other = rng.choice((f"{wrong}s", wrong[:-1] or "x", f"the {wrong}"))
        return self.form.write(right.thought, RUN, right.argument.replace(f"`{wrong}`", f"`{other}`"))

    def walkthrough(self, sample: Sample) -> list[Message]:
        """The privileged teacher: the solution's statement, and its answer, as messages."""
        if "seed" in sample.setup:
            query = sample.target.get("query") or _problem(sample.setup["seed"]).query
        else:
            query = files.gold(sample, self.root)
        label = list(sample.target.get("label") or ())
        return [
            self.form.write("I know the way.", RUN, query),
            self.form.write("I know the answer.", COMMIT, json.dumps(label, ensure_ascii=False)),
        ]


@lru_cache(maxsize=100_000)
def _generated(split: str, index: int) -> Sample:
    seed = split_seed(split, index, SIZES)
    problem = _problem(seed)
    target: dict[str, object] = {"type": problem.kind}
    if problem.label is None:
        target["query"] = problem.query
        target["tables"] = [[problem.table.name, list(problem.table.columns)]]
    else:
        target["label"] = list(problem.label)
    setup = {"seed": seed, "generator": GENERATOR}
    return Sample(f"generated-{split}-{index}", "database", split, problem.instruction, setup, target)


@lru_cache(maxsize=512)
def _problem(seed: int) -> Problem:
    return generate(seed)
