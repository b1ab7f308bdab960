"""General text that the project makes itself: small true stories, facts, sums and instructions.

It keeps the base from being a household parrot, and is what tuning may forget.
"""

from __future__ import annotations

from random import Random

from drills import Turns

from tmbr.environments.household.furniture import KINDS, homes

# fmt: off
NAMES = [
    "Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jana", "Kai", "Lea", "Max",
    "Nora", "Otto", "Pia", "Rosa", "Sam", "Tara", "Uli",
]
ADJECTIVES = [
    "small", "big", "old", "new", "red", "blue", "green", "quiet", "bright", "heavy", "light",
    "round", "warm", "cold", "clean", "broken",
]
WEATHER = ["rain", "snow", "wind", "sun", "fog", "thunder"]
TIMES = ["morning", "evening", "night", "noon", "monday", "friday", "summer", "winter"]
ANIMALS = ["cat", "dog", "bird", "fish", "horse", "mouse", "fox", "bear", "bee", "cow"]
COUNTS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
]
# fmt: on


def story(rng: Random) -> str:
    who, other = rng.sample(NAMES, 2)
    thing = rng.choice(sorted(KINDS))
    where = rng.choice(sorted(homes(thing)))
    look, time = rng.choice(ADJECTIVES), rng.choice(TIMES)
    return rng.choice(
        (
            f"In the {time}, {who} looked for a {thing}. {other} said: it is at the {where}. "
            f"{who} went to the {where} and found the {look} {thing}.",
            f"{who} has a {look} {thing}. {other} has none. {who} gives the {thing} to {other}. "
            f"Now {other} has the {thing}, and {who} has none.",
            f"There was {rng.choice(WEATHER)} all {time}. {who} stayed at home with a "
            f"{rng.choice(ANIMALS)}, and {other} put the {thing} back on the {where}.",
            f"{who} is older than {other}. So {other} is younger than {who}.",
        )
    )


def fact(rng: Random) -> str:
    thing = rng.choice(sorted(KINDS))
    can = KINDS[thing].can
    kept = sorted(homes(thing), key=lambda place: -homes(thing)[place])
    facts = [f"A {thing} is most often kept at a {kept[0]}, sometimes at a {rng.choice(kept)}."]
    facts += ["To heat a thing, use the microwave."] if "h" in can else []
    facts += [f"A {thing} gets cool in the fridge."] if "c" in can else []
    facts += [f"A dirty {thing} gets clean in the sinkbasin."] if "w" in can else []
    facts += [f"A {thing} can be cut with a knife."] if "s" in can else []
    facts.append("What is closed must be opened before one can see what is in it.")
    return rng.choice(facts)


def question(rng: Random) -> Turns:
    a, b = rng.randint(0, 12), rng.randint(0, 12)
    who = rng.choice(NAMES)
    words = rng.sample(ADJECTIVES, 4)
    index = rng.randrange(3)
    low, high = sorted((a, b))
    return rng.choice(
        (
            [("user", f"What is {a} plus {b}?"), ("assistant", f"Answer: {a + b}.")],
            [("user", f"Which is more, {low} or {high}?"), ("assistant", f"Answer: {high}.")],
            [("user", f"Write {a} as a word."), ("assistant", f"Answer: {COUNTS[a]}.")],
            [("user", f"Say hello to {who}."), ("assistant", f"Answer: Hello {who}!")],
            [
                ("user", f"Which word follows {words[index]} in: {' '.join(words)}?"),
                ("assistant", f"Answer: {words[index + 1]}."),
            ],
            [("user", f"Repeat: {' '.join(words)}."), ("assistant", f"Answer: {' '.join(words)}.")],
            [
                ("user", f"Reverse: {' '.join(words)}."),
                ("assistant", f"Answer: {' '.join(reversed(words))}."),
            ],
        )
    )


def prose(rng: Random) -> Turns:
    """A question with its answer, or some sentences on their own (role `text`)."""
    if rng.random() < 0.5:
        return question(rng)
    return [("text", " ".join(rng.choice((story, fact))(rng) for _ in range(rng.randint(1, 4))))]
