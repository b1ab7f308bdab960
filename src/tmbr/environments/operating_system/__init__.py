"""A computer with a shell that forks: layers of an overlay file system, and bubblewrap around it."""

from .backends import Backend, backend, describe
from .cgroups import Limits
from .computer import Computer
from .sandbox import Output, Result

__all__ = ["Backend", "Computer", "Limits", "Output", "Result", "backend", "describe"]
