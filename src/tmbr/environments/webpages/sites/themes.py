"""Four kinds of sites as data: a shop, a booking site, an office's forms, a library's catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: A list's option that is no choice yet.
OPEN = "choose"


@dataclass(frozen=True, slots=True)
class Field:
    """Something to fill in. options: of a list, the first is its default; empty for a text.

    kind `checkbox` is off by default. needed: the page refuses to go on without it.
    """

    label: str
    kind: Literal["textbox", "combobox", "checkbox"] = "textbox"
    options: tuple[str, ...] = ()
    needed: bool = True

    @property
    def default(self) -> str:
        return self.options[0] if self.options else ""

    @property
    def open(self) -> bool:
        """Whether it must be filled in before the page leads on."""
        return self.needed and self.default in ("", OPEN)


@dataclass(frozen=True, slots=True)
class Screen:
    """A page of fields, and the button that leads on from it."""

    title: str
    fields: tuple[Field, ...]
    advance: str


@dataclass(frozen=True, slots=True)
class Theme:
    """What a kind of site says and asks.

    search: the first page's fields; the first of them is what is searched for, and an empty one makes
    the first page list everything. item: what is chosen for an item. kept: title of the list where
    chosen items are kept, with the button that leads on, or None where there is no such list. rush: a
    button on the item's page that commits at once. details: pages before the review. nouns: what items
    are, each with its possible qualities. unit: what a price is for, None where there are no prices.
    by_place: what is searched for is where an item is, not its name.
    """

    name: str
    domain: str
    subdomain: str
    verb: str
    title: str
    search: Screen
    item: Screen
    kept: tuple[str, str] | None
    rush: str
    details: tuple[Screen, ...]
    commit: str
    thanks: str
    nouns: Mapping[str, tuple[str, ...]]
    unit: str | None
    asides: tuple[str, ...]
    by_place: bool = False

    @property
    def details_fields(self) -> tuple[Field, ...]:
        return tuple(field for screen in self.details for field in screen.fields)


def _list(label: str, *options: str) -> Field:
    return Field(label, "combobox", options)


def _tick(label: str) -> Field:
    return Field(label, "checkbox", needed=False)


_NAME, _EMAIL, _PHONE = Field("Full name"), Field("Email"), Field("Phone")

SHOP = Theme(
    name="shop",
    domain="Shopping",
    subdomain="Fashion",
    verb="Buy",
    title="Outfitters",
    search=Screen("Find what you need", (Field("Product"),), "Search"),
    item=Screen(
        "Choose your article",
        (_list("Size", OPEN, "small", "medium", "large"), _list("Quantity", "1", "2", "3", "4")),
        "Add to basket",
    ),
    kept=("Your basket", "Go to checkout"),
    rush="Buy now",
    details=(
        Screen("Your address", (_NAME, Field("Street")), "Continue to delivery"),
        Screen(
            "Delivery",
            (_list("Delivery", "standard", "express", "collect in store"), _tick("Gift wrap")),
            "Continue to review",
        ),
    ),
    commit="Place order",
    thanks="Thank you. Your order was placed.",
    nouns={
        "rain jacket": ("black", "navy", "olive", "red"),
        "wool jumper": ("black", "cream", "green", "grey"),
        "hiking boots": ("black", "brown", "grey", "tan"),
        "linen shirt": ("blue", "pink", "white", "yellow"),
        "running shorts": ("black", "blue", "orange", "white"),
    },
    unit="",
    asides=("Gift cards", "Size guide", "Stores"),
)

BOOKING = Theme(
    name="booking",
    domain="Travel",
    subdomain="Hotel",
    verb="Book",
    title="Stays",
    search=Screen(
        "Where do you want to go?",
        (
            Field("Place"),
            _list("Arrival", "any day", "Monday", "Wednesday", "Friday", "Saturday"),
            _list("Nights", "1", "2", "3", "5", "7"),
            _list("Guests", "1", "2", "3", "4"),
        ),
        "Find rooms",
    ),
    item=Screen(
        "Choose your room",
        (_list("Room", OPEN, "single", "double", "family"), _tick("Late arrival")),
        "Reserve this room",
    ),
    kept=("Your stay", "Go to your details"),
    rush="Book at once",
    details=(Screen("Your details", (_NAME, _EMAIL), "Continue to review"),),
    commit="Confirm booking",
    thanks="Thank you. Your booking was made.",
    nouns=dict.fromkeys(
        ("guest house", "hotel", "inn", "hostel"),
        ("breakfast", "garden", "parking", "pool", "sauna"),
    ),
    unit=" a night",
    asides=("Travel insurance", "Group trips", "Reviews"),
    by_place=True,
)

OFFICE = Theme(
    name="office",
    domain="Service",
    subdomain="Government",
    verb="Send in",
    title="Town office",
    search=Screen("Our forms", (), ""),
    item=Screen("About this form", (), "Start the form"),
    kept=None,
    rush="",
    details=(
        Screen("About you", (_NAME, _EMAIL, _PHONE), "Continue to your request"),
        Screen(
            "Your request",
            (
                _list("Reply by", "letter", "email", "phone"),
                _list("Urgency", "normal", "high"),
                Field("Reference"),
                _tick("Reduced fee"),
            ),
            "Continue to review",
        ),
    ),
    commit="Send form",
    thanks="Thank you. Your form was sent.",
    nouns=dict.fromkeys(
        ("parking form", "waste form", "market form", "garden form", "street form"),
        ("application", "complaint", "renewal", "withdrawal"),
    ),
    unit=None,
    asides=("Opening hours", "Council meetings", "News"),
)

LIBRARY = Theme(
    name="library",
    domain="Info",
    subdomain="Library",
    verb="Reserve",
    title="Library",
    search=Screen(
        "Search the catalogue",
        (Field("Title"),),
        "Search catalogue",
    ),
    item=Screen(
        "Choose a copy",
        (_list("Branch", OPEN, "central", "harbour", "north", "university"),),
        "Add to my list",
    ),
    kept=("My list", "Request my list"),
    rush="Order a new copy",
    details=(
        Screen(
            "Reader",
            (Field("Card number"), _list("Notice by", "post", "email", "text message")),
            "Continue to review",
        ),
    ),
    commit="Place hold",
    thanks="Thank you. Your hold was placed.",
    nouns=dict.fromkeys(
        ("atlas", "cookbook", "history", "biography", "guide"),
        ("audio book", "hardback", "large print", "paperback"),
    ),
    unit=None,
    asides=("Reading groups", "Renew a loan", "New arrivals"),
)

THEMES = (SHOP, BOOKING, OFFICE, LIBRARY)
