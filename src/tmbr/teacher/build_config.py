"""All that may be set about making data from traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class SourceConfig(_Settings):
    """A file of data; its path alone is short for itself."""

    path: Path
    """Of traces; of general data in any format that `tmbr data` reads, or `hf:NAME`."""
    weight: float | None = Field(None, gt=0)
    """Its part of the agent data (or of the general data) against the other files; where none has a
    weight, each is as large as it is."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"path": data} if isinstance(data, str | Path) else data


class FiltersConfig(_Settings):
    """What is not learnt from. Each null switches its filter off; the first that objects counts."""

    least_score: float | None = Field(None, ge=0, le=1)
    """Keep episodes of at least this score; null keeps what was solved."""
    most_malformed: float | None = Field(0.5, ge=0, le=1)
    """Largest share of a branch's turns without a readable action. They are never trained anyway."""
    most_inadmissible: float | None = Field(0.5, ge=0, le=1)
    """Largest share of actions that the world refused. They are never trained either."""
    most_repeats: int | None = Field(3, ge=1)
    """How often the same action may have had the same answer."""
    turns: tuple[int, int] | None = (1, 100)
    """Fewest and most turns of a branch."""
    tokens: tuple[int, int] | None = None
    """Fewest and most tokens of its conversation, by `tokenizer`."""
    scripts: tuple[str, ...] | None = None
    """Scripts in which a model may write, as `[LATIN]`: it drops one that falls into another."""
    judge: str | None = None
    """Name of a judge whose values are in the traces; see `least_judged`."""
    least_judged: float = Field(0.5, ge=0, le=1)
    """Smallest mean value that this judge gave the branch."""
    duplicates: Literal["keep", "exact", "near"] = "exact"
    """Of episodes with the same conversation, or with nearly the same path, the first is kept."""
    alike: float = Field(0.9, gt=0, le=1)
    """Near: from this share of equal steps on (Jaccard, estimated by MinHash)."""
    most_per_group: int | None = Field(None, ge=1)
    """Most episodes of one task and difficulty; which ones is the seed's choice."""


class DataConfig(_Settings):
    """Traces and general rows → rows, pairs and values. The traces must be of a train split: the score
    decides what is kept."""

    traces: tuple[SourceConfig, ...] = Field(min_length=1)
    """Files of traces, as `tmbr collect` writes them."""
    general: tuple[SourceConfig, ...] = ()
    """Files of rows in the OpenAI shape: instructions, dialogue, code."""
    step_values: tuple[Path, ...] = ()
    """Files of step values, as `tmbr data values` writes them; they overrule what the outcome tells."""
    filters: FiltersConfig = FiltersConfig.model_validate({})
    """What is not learnt from."""
    detours: Literal["cut", "tell"] = "cut"
    """What the tree went back from: cut, or told as a wrong turn and a short word that mends it."""
    wrong_turn_weight: float = Field(0.0, ge=0)
    """tell: loss of the wrong turn itself; 0 learns only the mending."""
    idle: Literal["cut", "keep"] = "cut"
    """Turns that told nothing new and changed nothing: cut where a replay of the rest, in the world
    opened anew, answers the same and solves the task. Needs the world."""
    form: str = "text"
    """How the task was put to the model (`text`, `agentbench`): for the replay."""
    margin: float = Field(0.5, gt=0, le=1)
    """Least difference of value between the turns of a pair."""
    values: Literal["rollouts", "all"] = "rollouts"
    """values.jsonl: turns of `step_values`; or all whose outcome is known, which is much: each holds
    its whole conversation."""
    agent_share: float | None = Field(None, ge=0, le=1)
    """λ: the agent's share of the data; null takes all rows as they are."""
    mix_by: Literal["rows", "weights"] = "rows"
    """λ as a share of the rows, sampled; or all rows, their loss weighted (the paper's formula)."""
    most_rows: int | None = Field(None, ge=1)
    """Rows at most, all together; for `mix_by: rows`."""
    tokenizer: str | None = None
    """Counts tokens for weights and length: `nano`, a folder or a hub name. Null counts characters."""
    seed: int = 0
    """Of what is sampled, and of the order of rows."""
    out: Path = Path("runs/data")
    """Folder for rows.jsonl, pairs.jsonl, values.jsonl and yields.json."""

    @model_validator(mode="after")
    def _most_of_a_share(self) -> Self:
        if self.most_rows is not None and (self.agent_share is None or self.mix_by != "rows"):
            raise ValueError("most_rows: needs agent_share, and mix_by: rows")
        return self
