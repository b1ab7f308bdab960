"""The commands, one function each, in a file for each stage; add yours where its stage stands.

A function only reads its arguments into a config and calls the stage, which it imports inside, so that
`tmbr --help` loads no stage at all. Its docstring is its help and ends with an example.
"""

from tmbr.cli.commands import teacher, data, tuning, reasoning, evaluation, inspection  # noqa: F401, I001
