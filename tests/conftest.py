"""Settings of all tests."""

from hypothesis import settings

# A busy machine is no failure: speed is measured in benchmarks, never in tests.
settings.register_profile("tmbr", deadline=None)
settings.load_profile("tmbr")
