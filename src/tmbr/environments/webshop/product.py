"""What is sold: a product with all that its pages show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Options = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Review:
    """title, body: what the buyer wrote. score: stars, 0 to 5."""

    title: str
    body: str
    score: float


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    tag: the price as it is shown, of which `price` is one drawn value when it is a range. options: for
    each option its values, all in lower case. attributes: what the title and text do not always say.
    category, query, kind: the shop's department, the search that found it, and the path of categories,
    joined by `›`; by these the type of two products is compared.
    """

    id: str
    title: str
    description: str
    bullets: tuple[str, ...]
    tag: str
    price: float
    options: Options
    attributes: tuple[str, ...]
    category: str
    query: str
    kind: str
    reviews: tuple[Review, ...] = ()
    rating: str = "N.A."

    @property
    def text(self) -> str:
        """What the search engine indexes: title, description, first bullet and options."""
        told = ", and ".join(f"{name}: {', '.join(values)}" for name, values in self.options.items())
        first = self.bullets[0] if self.bullets else ""
        return " ".join([self.title, self.description, first, told]).lower()
