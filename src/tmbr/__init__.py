"""tmbr: tuning and multi-branch reasoning for small language models that act."""

__version__ = "0.1.0"
