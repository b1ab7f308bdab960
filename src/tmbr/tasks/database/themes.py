"""What our own tables are about, and the words that fill them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

#: key: unlike in every row. group: few values. number, thousands (written `12,345`), year: as they say.
ColumnKind = Literal["key", "group", "number", "thousands", "year"]


@dataclass(frozen=True, slots=True)
class Theme:
    """names: of the table. columns: (name, kind), the key first. groups: values by column."""

    names: tuple[str, ...]
    columns: tuple[tuple[str, ColumnKind], ...]
    groups: dict[str, tuple[str, ...]]


THEMES = (
    Theme(
        ("League Clubs", "club_register", "Clubs of the Season"),
        (("Club", "key"), ("City", "group"), ("Founded", "year"), ("Stadium capacity", "thousands"),
         ("Points", "number")),
        {"City": ("Northport", "Ashford", "Veld", "Lorna", "Kingsbay")},
    ),
    Theme(
        ("Film Catalogue", "films", "Films by Studio"),
        (("Title", "key"), ("Director", "group"), ("Year", "year"), ("Audience", "thousands"),
         ("Length (min)", "number")),
        {"Director": ("Ines Calder", "Tom Arkwright", "Noor Sayed", "Pia Holm")},
    ),
    Theme(
        ("Mountain Register", "peaks", "Peaks and Ranges"),
        (("Peak", "key"), ("Range", "group"), ("Height m", "thousands"), ("First ascent", "year"),
         ("Huts", "number")),
        {"Range": ("Grey Teeth", "Osmund Hills", "High Saddle", "Lake Range")},
    ),
    Theme(
        ("Ship List", "ships", "Ships Built at the Yard"),
        (("Ship", "key"), ("Type", "group"), ("Tonnage", "thousands"), ("Launched", "year"),
         ("Crew", "number")),
        {"Type": ("Freighter", "Tanker", "Ferry", "Trawler", "Icebreaker")},
    ),
    Theme(
        ("Album Chart", "albums", "Best-selling Albums"),
        (("Album", "key"), ("Artist", "group"), ("Label", "group"), ("Copies", "thousands"),
         ("Weeks at No. 1", "number")),
        {"Artist": ("The Lanterns", "Mara Voss", "Coal Choir", "Delta Six"),
         "Label": ("Bluebird", "Arc", "Harbour")},
    ),
    Theme(
        ("Station Statistics", "stations", "Stations of the Network"),
        (("Station", "key"), ("Line", "group"), ("Opened", "year"), ("Passengers/day", "thousands"),
         ("Platforms", "number")),
        {"Line": ("Red", "Green", "Circle", "Coast")},
    ),
    Theme(
        ("Election Results", "districts", "Districts and Members"),
        (("District", "key"), ("Party", "group"), ("First elected", "year"), ("Votes", "thousands"),
         ("Margin", "number")),
        {"Party": ("Reform", "Union", "Green League", "Independent")},
    ),
    Theme(
        ("Library Holdings", "books", "Books on Loan"),
        (("Book", "key"), ("Subject", "group"), ("Printed", "year"), ("Pages", "number"),
         ("Loans", "number")),
        {"Subject": ("History", "Botany", "Chess", "Sailing", "Law")},
    ),
)  # fmt: skip
_STARTS = (
    "Al", "Bren", "Cor", "Dun", "El", "Far", "Gil", "Hol", "Iv", "Jor", "Kel", "Lun", "Mer", "Nor",
    "Os", "Per", "Quil", "Ros", "Sal", "Tor", "Ul", "Ver", "Wyn", "Yar", "Zel",
)  # fmt: skip
_MIDDLES = ("a", "e", "i", "o", "an", "er", "in", "or", "ess", "und")
_ENDS = ("by", "dale", "ford", "mere", "ton", "wick", "stad", "ra", "nis", "gate", "holm", "'s Rest")


def proper_name(rng: Random) -> str:
    return rng.choice(_STARTS) + rng.choice(_MIDDLES) + rng.choice(_ENDS)
