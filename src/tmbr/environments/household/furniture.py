"""What the generated houses are furnished with: rooms, places, things, and where things are kept.

The names are those of ALFWorld's text worlds, so that a model tuned here meets known words there; the
weights are our own common sense and come from no data set.
"""

from __future__ import annotations

from dataclasses import dataclass

OPENABLE = frozenset({"cabinet", "drawer", "fridge", "microwave", "safe"})
LAMPS = frozenset({"desklamp", "floorlamp"})


@dataclass(frozen=True, slots=True)
class Room:
    """places: (kind, fewest, most) in a room of this name. lamp: kinds of lamp it may have."""

    name: str
    places: tuple[tuple[str, int, int], ...]
    lamp: str | None = None


ROOMS = (
    Room(
        "kitchen",
        (
            ("sinkbasin", 1, 1),
            ("microwave", 1, 1),
            ("fridge", 1, 1),
            ("countertop", 1, 3),
            ("cabinet", 1, 4),
            ("drawer", 0, 3),
            ("stoveburner", 0, 2),
            ("coffeemachine", 0, 1),
            ("diningtable", 0, 1),
            ("shelf", 0, 2),
            ("garbagecan", 0, 1),
            ("sidetable", 0, 1),
        ),
    ),
    Room(
        "bathroom",
        (
            ("sinkbasin", 1, 2),
            ("toilet", 1, 1),
            ("bathtubbasin", 0, 1),
            ("countertop", 0, 1),
            ("cabinet", 1, 4),
            ("drawer", 0, 3),
            ("shelf", 0, 2),
            ("garbagecan", 1, 1),
            ("cart", 0, 1),
            ("toiletpaperhanger", 0, 1),
        ),
    ),
    Room(
        "bedroom",
        (
            ("bed", 1, 1),
            ("desk", 0, 2),
            ("dresser", 0, 1),
            ("drawer", 1, 4),
            ("sidetable", 0, 2),
            ("shelf", 0, 3),
            ("armchair", 0, 1),
            ("garbagecan", 0, 1),
            ("safe", 0, 1),
            ("laundryhamper", 0, 1),
        ),
        lamp="desklamp",
    ),
    Room(
        "living room",
        (
            ("sofa", 1, 1),
            ("armchair", 0, 2),
            ("coffeetable", 0, 2),
            ("sidetable", 0, 2),
            ("diningtable", 0, 1),
            ("tvstand", 0, 1),
            ("shelf", 0, 3),
            ("drawer", 0, 3),
            ("cabinet", 0, 2),
            ("dresser", 0, 1),
            ("ottoman", 0, 1),
            ("garbagecan", 0, 1),
            ("safe", 0, 1),
        ),
        lamp="floorlamp",
    ),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """homes: place kind -> weight, written `place weight …`. can: letters of what can be done with it:
    h(eat), c(ool), w(ash), s(lice)."""

    homes: str
    can: str = ""


_FOOD = "fridge 5 countertop 4 diningtable 3 microwave 2 sinkbasin 2 garbagecan 1 sidetable 1"
_DISH = "cabinet 5 countertop 4 diningtable 3 fridge 2 sinkbasin 2 microwave 1 shelf 1"
_CUTLERY = "drawer 5 countertop 4 diningtable 3 sinkbasin 2 sidetable 1"
_SPICE = "cabinet 4 countertop 4 drawer 2 diningtable 2 shelf 1 sidetable 1"
_WASH = "cabinet 4 toilet 3 countertop 3 drawer 2 shelf 2 garbagecan 1 sinkbasin 1 cart 2"
_SMALL = (
    "drawer 4 sidetable 3 dresser 3 desk 3 shelf 2 coffeetable 2 sofa 1 armchair 1 ottoman 1 safe 1"
)
_DECOR = "shelf 5 coffeetable 3 dresser 2 sidetable 2 tvstand 2 diningtable 2 desk 1 cabinet 1 safe 1"
_PAPER = "desk 4 shelf 3 drawer 3 sidetable 3 dresser 2 diningtable 1 coffeetable 1 garbagecan 1"
_SEAT = "sofa 4 coffeetable 3 armchair 3 sidetable 2 bed 2 diningtable 2 desk 2 ottoman 2 dresser 1"

KINDS: dict[str, Kind] = {
    "apple": Kind(_FOOD, "hcws"),
    "tomato": Kind(_FOOD, "hcws"),
    "potato": Kind(_FOOD, "hcws"),
    "egg": Kind(_FOOD, "hcw"),
    "lettuce": Kind("fridge 5 countertop 4 diningtable 3 sinkbasin 1 garbagecan 1", "cws"),
    "bread": Kind("countertop 5 fridge 3 diningtable 3 microwave 1 garbagecan 1", "hcs"),
    "mug": Kind(_DISH + " coffeemachine 4 desk 2", "hcw"),
    "cup": Kind(_DISH, "hcw"),
    "plate": Kind(_DISH, "hcw"),
    "bowl": Kind(_DISH + " desk 1 dresser 1", "cw"),
    "pan": Kind("stoveburner 5 countertop 3 cabinet 2 fridge 1 diningtable 1 sinkbasin 1", "cw"),
    "pot": Kind("stoveburner 5 countertop 2 cabinet 2 fridge 1 diningtable 1 sinkbasin 1", "cw"),
    "kettle": Kind("stoveburner 4 countertop 3 cabinet 3 shelf 1", "w"),
    "winebottle": Kind("countertop 4 cabinet 3 diningtable 3 fridge 2 garbagecan 1 shelf 1", "c"),
    "glassbottle": Kind("cabinet 4 countertop 3 shelf 1 sinkbasin 1 garbagecan 1 fridge 1"),
    "fork": Kind(_CUTLERY, "w"),
    "spoon": Kind(_CUTLERY, "w"),
    "spatula": Kind(_CUTLERY, "w"),
    "ladle": Kind(_CUTLERY + " cabinet 2", "w"),
    "knife": Kind(_CUTLERY, "w"),
    "butterknife": Kind(_CUTLERY, "w"),
    "saltshaker": Kind(_SPICE),
    "peppershaker": Kind(_SPICE),
    "dishsponge": Kind("countertop 4 sinkbasin 3 cabinet 3 drawer 2 shelf 1 cart 1", "w"),
    "soapbottle": Kind(_WASH),
    "spraybottle": Kind(_WASH),
    "soapbar": Kind(_WASH + " bathtubbasin 3", "w"),
    "cloth": Kind("cabinet 3 bathtubbasin 3 drawer 3 countertop 2 laundryhamper 2 shelf 1", "w"),
    "toiletpaper": Kind("toiletpaperhanger 4 toilet 4 cabinet 3 countertop 2 drawer 2 shelf 1 cart 2"),
    "candle": Kind("countertop 3 toilet 3 shelf 3 drawer 2 cabinet 2 coffeetable 2 sidetable 1 cart 2"),
    "tissuebox": Kind("shelf 4 coffeetable 3 sidetable 3 drawer 2 toilet 1 cart 1 dresser 1 cabinet 1"),
    "book": Kind("bed 4 shelf 4 desk 4 sidetable 2 drawer 2 dresser 2 sofa 1 coffeetable 1 armchair 1"),
    "cd": Kind("drawer 4 desk 3 shelf 3 sidetable 2 dresser 2 garbagecan 1 safe 1"),
    "keychain": Kind(_SMALL),
    "creditcard": Kind(_SMALL),
    "cellphone": Kind(_SMALL + " bed 4"),
    "watch": Kind(_SMALL + " tvstand 1"),
    "pen": Kind(_PAPER),
    "pencil": Kind(_PAPER),
    "alarmclock": Kind("desk 4 sidetable 4 dresser 3 shelf 3"),
    "laptop": Kind("desk 4 bed 4 sofa 2 coffeetable 2 diningtable 2 dresser 1 armchair 1"),
    "pillow": Kind("bed 5 sofa 4 armchair 2 ottoman 1"),
    "vase": Kind(_DECOR),
    "statue": Kind(_DECOR),
    "newspaper": Kind(_SEAT + " garbagecan 1 drawer 1"),
    "box": Kind(_SEAT + " cabinet 1"),
    "remotecontrol": Kind(_SEAT + " tvstand 3 drawer 1"),
    "wateringcan": Kind("coffeetable 3 shelf 3 sidetable 2 desk 1 dresser 1 cabinet 1"),
}


def homes(kind: str) -> dict[str, float]:
    """Where things of this kind are kept: place kind -> weight. A lamp stands on a table."""
    if kind == "desklamp":
        return {"desk": 4.0, "sidetable": 4.0, "dresser": 2.0, "shelf": 1.0}
    if kind == "floorlamp":
        return {"sidetable": 4.0, "coffeetable": 3.0, "tvstand": 2.0, "diningtable": 2.0, "shelf": 1.0}
    words = KINDS[kind].homes.split()
    return {place: float(weight) for place, weight in zip(words[::2], words[1::2], strict=True)}
