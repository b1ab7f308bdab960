"""A computer with a shell that forks: layers of an overlay file system, and bubblewrap around it."""

from .backends import VARIABLE, Backend, backend, describe
from .cgroups import Limits
from .computer import Computer
from .login import Output, Result

__all__ = ["VARIABLE", "Backend", "Computer", "Limits", "Output", "Result", "backend", "describe"]
