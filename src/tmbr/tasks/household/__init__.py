"""The household (ALFWorld): find things, treat them, put them where they belong."""

from tmbr.tasks.household.task import Household

__all__ = ["Household"]
