"""What the household says, word for word as the grammar `alfred.twl2` of ALFWorld prints it."""

from __future__ import annotations

from collections.abc import Sequence

WELCOME = "-= Welcome to TextWorld, ALFRED! =-"
NOTHING_HAPPENS = "Nothing happens."

#: Only the text version `move` has the command; the stray spaces are the original's.
HELP = """Available commands:
  look:                             look around your current location
  inventory:                        check your current inventory
  go to (receptacle):               move to a receptacle
  open (receptacle):                open a receptacle
  close (receptacle):               close a receptacle
  take (object) from (receptacle):  take an object from a receptacle
  move (object) to (receptacle):  place an object in or on a receptacle
  examine (something):              examine a receptacle or an object
  use (object):                     use an object
  heat (object) with (receptacle):  heat an object using a receptacle
  clean (object) with (receptacle): clean an object using a receptacle
  cool (object) with (receptacle):  cool an object using a receptacle
  slice (object) with (object):     slice an object using a sharp object
"""


def listed(items: Sequence[str]) -> str:
    """`nothing`, `x`, `x, and y` or `x, y, and z`."""
    if not items:
        return "nothing"
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])}, and {items[-1]}"


def indefinite(names: Sequence[str]) -> str:
    """The list with the only article that the grammar knows (`a apple 1`)."""
    return listed([f"a {name}" for name in names])


def inside(place: str, opened: bool | None, things: Sequence[str]) -> str:
    """What is in or on a receptacle. opened: None where it has no door."""
    if opened is None:
        return f"On the {place}, you see {indefinite(things)}."
    if opened:
        return f"The {place} is open. In it, you see {indefinite(things)}."
    return f"The {place} is closed."


def around(places: Sequence[str]) -> str:
    """The view from where no receptacle is near."""
    return f"You are in the middle of a room. Looking quickly around you, you see {indefinite(places)}."


def facing(places: Sequence[str], floor: Sequence[str]) -> str:
    """The view from a receptacle."""
    return f"You are facing the {listed(places)}. Next to it, you see {indefinite(floor)}."


def examined(name: str, *, hot: bool, cool: bool, clean: bool, sliced: bool, on: bool) -> str:
    """A thing in the hand, unless it is a container (`carried`)."""
    warmth = "hot" if hot else "cool" if cool else ""
    if warmth and clean:
        return f"This is a {warmth} and clean {'sliced ' * sliced}{name}."
    if sliced and (warmth or clean):
        return f"This is a {warmth or 'clean'} sliced {name}."
    if warmth or clean:
        return f"This is a {'cold' if warmth == 'cool' else warmth or 'clean'} {name}."
    if on:
        return f"This {name} is on."
    return f"This is a sliced {name}." if sliced else f"There's nothing special about {name}."


def carried(name: str, things: Sequence[str]) -> str:
    """A container in the hand."""
    return f"This is a normal {name}. In it, you see {indefinite(things)}."
