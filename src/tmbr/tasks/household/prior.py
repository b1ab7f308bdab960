"""What a player can know beforehand: in what kinds of places things of a kind are found.

For the generated houses it is common sense; for ALFWorld it is counted on the train games, never on the
games that are played for a score.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from tmbr.environments.household import Game
from tmbr.environments.household.furniture import KINDS, LAMPS, homes
from tmbr.environments.household.scene import numbered

#: Likelihood, up to a factor, that a thing of the first kind is in one place of the second kind.
Prior = Mapping[str, Mapping[str, float]]


def common_sense() -> Prior:
    """The weights by which the generated houses are furnished."""
    return {kind: homes(kind) for kind in (*sorted(KINDS), *sorted(LAMPS))}


def counted(games: Iterable[Game]) -> Prior:
    """How often a place of each kind held a thing of each kind at the start of these games."""
    places: Counter[str] = Counter()
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for game in games:
        names = numbered(receptacle.id for receptacle in game.scene.receptacles)
        kinds = {key: name.rsplit(" ", 1)[0] for key, name in names.items()}
        places.update(kinds.values())
        for thing in game.scene.things:
            held[thing.type].update(kinds[place] for place in thing.inside if place in kinds)
    return {
        thing: {place: round(count / places[place], 4) for place, count in sorted(found.items())}
        for thing, found in sorted(held.items())
    }


def cached(path: Path, games: Iterable[Game]) -> Prior:
    """`counted`, kept in a file, because reading thousands of games takes half a minute."""
    try:
        prior: Prior = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        prior = counted(games)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(".part")
        aside.write_text(json.dumps(prior), "utf-8")
        aside.replace(path)
    return prior
