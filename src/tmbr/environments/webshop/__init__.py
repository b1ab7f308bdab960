"""A web shop: WebShop's pages, search engine and reward, with states that fork for nothing."""

from .generate import FAMILIES, GENERATOR, Catalogue, ask
from .goals import NO_LIMIT, Goal, goal_of, human, reward, synthetic
from .index import Index
from .nouns import TAGGER
from .product import Product, Review
from .shop import Shop, State

__all__ = [
    "FAMILIES",
    "GENERATOR",
    "NO_LIMIT",
    "TAGGER",
    "Catalogue",
    "Goal",
    "Index",
    "Product",
    "Review",
    "Shop",
    "State",
    "ask",
    "goal_of",
    "human",
    "reward",
    "synthetic",
]
