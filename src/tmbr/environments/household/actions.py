"""What can be done in a state, by command, and what each deed makes of the state.

Texts and rules are those of ALFWorld's `alfred.twl2` and `alfred.pddl`; where one looks odd, a comment
names its origin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from . import words

if TYPE_CHECKING:
    from .engine import State

#: An admissible deed: the function that does it and the two indices it is done with.
Offer = tuple[Callable[["State", int, int], tuple["State", str]], int, int]
Groups = tuple[tuple[int, ...], ...]


def offers(state: State) -> dict[str, Offer]:
    """What can be done without going anywhere, by command."""
    found: dict[str, Offer] = {"look": (_look, 0, 0), "inventory": (_inventory, 0, 0)}
    if state.layout.version == "move":
        found["help"] = (_help, 0, 0)
    for place in state.layout.here[state.at]:
        _offer_place(state, place, found)
    if state.held >= 0:
        _offer_held(state, state.held, found)
    return found


def go(state: State, place: int) -> tuple[State, str]:
    """To a receptacle; its location is what the older text names."""
    layout = state.layout
    after = replace(state, at=layout.at[place])
    arrived = layout.locations[after.at] if layout.version == "put" else layout.receptacles[place]
    return after, f"You arrive at {arrived}. {_seen(after, place)}"


def looked(state: State) -> str:
    """What `look` answers.

    On the floor lies what was taken from a receptacle here and put into another one here: the query
    wants the planner's explicit `not inReceptacle`, which only `PickupObject` writes. In the middle of
    the room the query is bound to the agent's location, so nothing is seen.
    """
    layout = state.layout
    here = layout.here[state.at]
    if not here:
        return words.around([])
    floor = [layout.things[t] for t in state.lying[state.at] for r in here if (t, r) in state.left]
    return words.facing([layout.receptacles[r] for r in here], floor)


def _offer_place(state: State, place: int, found: dict[str, Offer]) -> None:
    """What can be done with a receptacle at the agent's location and with the things in it."""
    layout = state.layout
    name = layout.receptacles[place]
    found[f"examine {name}"] = (_examine_place, place, 0)
    if place in layout.openable:
        if place in state.opened:
            found[f"close {name}"] = (_close, place, 0)
        else:
            found[f"open {name}"] = (_open, place, 0)
    empty_handed = state.held < 0 and _reachable(state, place)
    for thing in state.contents[place]:
        if empty_handed and layout.scene.things[thing].pickupable:
            found[f"take {layout.things[thing]} from {name}"] = (_take, thing, place)
        if layout.scene.things[thing].toggleable:  # even inside something closed
            found[f"use {layout.things[thing]}"] = (_use, thing, place)


def _offer_held(state: State, thing: int, found: dict[str, Offer]) -> None:
    """What can be done with the thing in the hand. Only that thing can be examined.

    (`examineObject` names a type `location,`, comma included: its clause for things in sight is dead.)
    """
    layout, what = state.layout, state.layout.scene.things[thing]
    name = layout.things[thing]
    found[f"examine {name}"] = (_examine_thing, thing, 0)
    for place in layout.here[state.at]:
        where = layout.receptacles[place]
        if thing in layout.fits[place] and _reachable(state, place):
            put = f"put {name} in/on {where}" if layout.version == "put" else f"move {name} to {where}"
            found[put] = (_put, thing, place)
        if what.cleanable and place in layout.basins:
            found[f"clean {name} with {where}"] = (_clean, thing, place)
        if what.heatable and place in layout.microwaves:  # open or closed
            found[f"heat {name} with {where}"] = (_heat, thing, place)
        if what.coolable and place in layout.fridges:
            found[f"cool {name} with {where}"] = (_cool, thing, place)
    if thing in layout.knives:
        for other in state.lying[state.at]:
            if layout.scene.things[other].sliceable:
                found[f"slice {layout.things[other]} with {name}"] = (_slice, other, thing)


def _open(state: State, place: int, _: int) -> tuple[State, str]:
    after = replace(state, opened=state.opened | {place})
    return after, f"You open the {state.layout.receptacles[place]}. {_seen(after, place)}"


def _close(state: State, place: int, _: int) -> tuple[State, str]:
    after = replace(state, opened=state.opened - {place})
    return after, f"You close the {state.layout.receptacles[place]}."


def _take(state: State, thing: int, place: int) -> tuple[State, str]:
    layout = state.layout
    after = replace(
        state,
        held=thing,
        contents=_without(state.contents, place, thing),
        lying=_without(state.lying, state.at, thing),
        left=state.left | {(thing, place)},
    )
    return after, f"You pick up the {layout.things[thing]} from the {layout.receptacles[place]}."


def _put(state: State, thing: int, place: int) -> tuple[State, str]:
    layout = state.layout
    after = replace(
        state,
        held=-1,
        contents=_with(state.contents, place, thing),
        lying=_with(state.lying, state.at, thing),
        left=state.left - {(thing, place)},
    )
    what, where = layout.things[thing], layout.receptacles[place]
    if layout.version == "put":
        return after, f"You put the {what} in/on the {where}."
    return after, f"You move the {what} to the {where}."


def _clean(state: State, thing: int, place: int) -> tuple[State, str]:
    return replace(state, clean=state.clean | {thing}), _treated(state, "clean", thing, place)


def _heat(state: State, thing: int, place: int) -> tuple[State, str]:
    after = replace(state, hot=state.hot | {thing}, cool=state.cool - {thing})
    return after, _treated(state, "heat", thing, place)


def _cool(state: State, thing: int, place: int) -> tuple[State, str]:
    after = replace(state, cool=state.cool | {thing}, hot=state.hot - {thing})
    return after, _treated(state, "cool", thing, place)


def _treated(state: State, verb: str, thing: int, place: int) -> str:
    return f"You {verb} the {state.layout.things[thing]} using the {state.layout.receptacles[place]}."


def _slice(state: State, thing: int, knife: int) -> tuple[State, str]:
    names = state.layout.things
    after = replace(state, sliced=state.sliced | {thing})
    return after, f"You sliced the {names[thing]} with the {names[knife]}."


def _use(state: State, thing: int, _: int) -> tuple[State, str]:
    # `isToggled` is never taken back, so a lamp is only ever turned on.
    after = replace(state, toggled=state.toggled | {thing})
    return after, f"You turn on the {state.layout.things[thing]}."


def _look(state: State, _: int, __: int) -> tuple[State, str]:
    return state, looked(state)


def _inventory(state: State, _: int, __: int) -> tuple[State, str]:
    if state.held < 0:
        return state, "You are not carrying anything."
    return state, f"You are carrying: a {state.layout.things[state.held]}."


def _help(state: State, _: int, __: int) -> tuple[State, str]:
    return state, words.HELP


def _examine_place(state: State, place: int, _: int) -> tuple[State, str]:
    return state, _seen(state, place)


def _examine_thing(state: State, thing: int, _: int) -> tuple[State, str]:
    layout, what = state.layout, state.layout.scene.things[thing]
    name = layout.things[thing]
    if what.container:
        return state, words.carried(name, [layout.things[t] for t in layout.contents[thing]])
    return state, words.examined(
        name,
        hot=thing in state.hot,
        cool=thing in state.cool,
        clean=thing in state.clean,
        sliced=thing in state.sliced,
        on=what.toggleable and thing in state.toggled,
    )


def _seen(state: State, place: int) -> str:
    """What a receptacle shows of itself."""
    layout = state.layout
    things = [layout.things[t] for t in state.contents[place]]
    opened = place in state.opened if place in layout.openable else None
    return words.inside(layout.receptacles[place], opened, things)


def _reachable(state: State, place: int) -> bool:
    return place not in state.layout.openable or place in state.opened


def _with(groups: Groups, key: int, value: int) -> Groups:
    group = tuple(sorted({*groups[key], value}))
    return (*groups[:key], group, *groups[key + 1 :])


def _without(groups: Groups, key: int, value: int) -> Groups:
    group = tuple(item for item in groups[key] if item != value)
    return (*groups[:key], group, *groups[key + 1 :])
