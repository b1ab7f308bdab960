"""A seeded catalogue of our own, and goals on it: any size, each product made by itself."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import overload

from tmbr.core.types import derive_seed

from .goals import NO_LIMIT, Goal, goal_of
from .goods import KINDS, Kind
from .product import Product, Review

#: Part of every sample's digest; raise it when the same seed gives another catalogue or goal.
GENERATOR = "1"
#: Catalogues whose seeds differ modulo this share no brand, no title and no id.
FAMILIES = 3
_SYLLABLES = ("ba", "co", "da", "el", "fi", "go", "ha", "ju", "ka", "lo", "mi", "na", "or", "pe", "qui")
_ENDINGS = (("ton", "via", "mark"), ("era", "lux", "field"), ("nova", "haus", "wick"))
_AUDIENCES = ("for women", "for men", "for everyday use", "for travel", "for gifts", "for home", "")
_PRAISE = ("well made", "better than expected", "good value", "nice but the box was dented", "as shown")
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Coprime to 36 ** 8, so that ids are all different and in no order.
_STRIDE = 1_727_893_421_767
_BULLETS = ("{a}: you will notice it from the first day.", "This one is {a}.", "Made to be {a}.")
_WORDINGS = (
    "find me {attributes} {name}{options}{price}",
    "i am looking for {name} with these properties: {attributes}{options}{price}",
    "i need {name}. please make sure of the following: {attributes}{options}{price}",
)


class Catalogue(Sequence[Product]):
    """The products of a seed, made when they are asked for. Equal seeds give equal products."""

    def __init__(self, seed: int, size: int) -> None:
        self.seed = seed
        self._places = range(size)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> Product: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Product]: ...

    def __getitem__(self, place: int | slice) -> Product | Sequence[Product]:
        if isinstance(place, slice):
            return [_product(self.seed, at) for at in self._places[place]]
        return _product(self.seed, self._places[place])


def ask(catalogue: Catalogue, seed: int) -> Goal:
    """A goal that a product of the catalogue meets in full: attributes, options, mostly a limit."""
    rng = Random(derive_seed("goal", catalogue.seed, seed))
    product = catalogue[rng.randrange(len(catalogue))]
    attributes = rng.sample(product.attributes, rng.randint(1, min(3, len(product.attributes))))
    options = {name: rng.choice(values) for name, values in product.options.items()}
    limit = NO_LIMIT if rng.random() < 0.25 else 10.0 * (product.price // 10 + rng.randint(1, 3))
    told = ", and ".join(f"{name}: {value}" for name, value in options.items())
    sentence = rng.choice(_WORDINGS).format(
        name=product.query,
        attributes=", ".join(attributes),
        options=f" with {told}" if told else "",
        price="" if limit == NO_LIMIT else f", and price lower than {limit:.2f} dollars",
    )
    return goal_of(product, sentence, attributes, options, limit)


def _product(seed: int, place: int) -> Product:
    rng = Random(derive_seed("product", seed, place))
    kind = KINDS[rng.randrange(len(KINDS))]
    attributes = rng.sample(kind.can, rng.randint(3, min(6, len(kind.can))))
    shown = rng.randint(2, 3)
    price, tag = _price(rng, kind)
    return Product(
        id=_id(seed, place),
        title=_title(rng, seed, kind, attributes[:shown]),
        description=_description(rng, kind, attributes[-1]),
        bullets=tuple(rng.choice(_BULLETS).format(a=a) for a in attributes[shown:-1]) or ("As shown.",),
        tag=tag,
        price=price,
        options={name: _some(rng, values) for name, values in kind.options.items()},
        attributes=tuple(attributes),
        category=kind.category,
        query=kind.name,
        kind=kind.path,
        reviews=_reviews(rng),
        rating=f"{rng.uniform(2.5, 5):.1f}",
    )


def _id(seed: int, place: int) -> str:
    """Ten characters: a letter for the family, eight for the place, one for the rest of the seed."""
    number = place * _STRIDE % 36**8
    digits = "".join(_DIGITS[number // 36**power % 36] for power in range(8))
    return f"{'GHJ'[seed % FAMILIES]}{digits}{_DIGITS[seed // FAMILIES % 36]}"


def _title(rng: Random, seed: int, kind: Kind, attributes: Sequence[str]) -> str:
    syllables = "".join(rng.choices(_SYLLABLES, k=rng.randint(1, 2)))
    brand = (syllables + rng.choice(_ENDINGS[seed % FAMILIES])).capitalize()
    told = " ".join(attribute.title() for attribute in attributes)
    model = f"{rng.choice('ABCDEFGHKLMNPRSTVX')}{rng.randint(10, 9999)}"
    return f"{brand} {told} {kind.name.title()} {rng.choice(_AUDIENCES)}, {model}".replace(" ,", ",")


def _description(rng: Random, kind: Kind, attribute: str) -> str:
    start = rng.choice(
        ("Our {name} are loved by many.", "These {name} are new this year.", "{name} we like.")
    )
    end = rng.choice(("They are {a} as well.", "What is more, {a}.", "A word on quality: {a}."))
    told = f"{start.format(name=kind.name)} {end.format(a=attribute)}"
    return told[0].upper() + told[1:]


def _price(rng: Random, kind: Kind) -> tuple[float, str]:
    least, most = kind.prices
    low = rng.randint(least * 100, most * 100) / 100
    if rng.random() < 0.85:
        return low, f"${low}"
    high = round(low * rng.uniform(1.05, 1.6), 2)
    return rng.uniform(low, high), f"${low} to ${high}"


def _some(rng: Random, values: Sequence[str]) -> tuple[str, ...]:
    """Some of the values, in their order."""
    kept = set(rng.sample(values, rng.randint(2, len(values))))
    return tuple(value for value in values if value in kept)


def _reviews(rng: Random) -> tuple[Review, ...]:
    said = rng.sample(_PRAISE, rng.randint(0, 2))
    return tuple(Review(words, f"I bought it in spring: {words}.", rng.randint(2, 5)) for words in said)
