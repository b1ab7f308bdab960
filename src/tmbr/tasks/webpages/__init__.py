"""Web pages (Mind2Web): which element comes next, and what is done with it."""

from .task import WebPages

__all__ = ["WebPages"]
