"""The command line: `commands/` has one function per command, which imports its stage inside;
`arguments.py` reads what they share.

Whatever a user can mend is one line on stderr and exit code 2; a bug is one line that names the file
with the traceback, and exit code 1; an interrupted run says how to go on, exit code 130.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from tmbr.core.errors import TmbrError

#: What a user can mend: a disk that is full, a place that cannot be written or is of another kind.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS}
_DISK |= {errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOENT}
#: Loggers, and how begins what they say on a machine without a GPU, which there is nothing to do about.
_LOGGERS = ("DeepSpeed", "bitsandbytes.backends.cpu.ops")
_NOISE = ("Setting accelerator to CPU", "Failed to load CPU gemm_4bit_forward")


def main() -> None:
    """Entry point of the `tmbr` script."""
    # Read by OpenMP when torch is loaded: threads that spin while they wait are several times slower
    # as soon as anything else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Libraries report their use to a hub, in a thread of its own; nobody was asked.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str], app: typer.Typer | None = None) -> int:
    """Run one command line, by default of the whole tree, and return its exit code."""
    if app is None:
        from tmbr.cli import commands  # noqa: F401 (they hang themselves on the tree)
        from tmbr.cli.app import app as whole

        app = whole
    command = typer.main.get_command(app)
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_speaks)
    try:
        code = command.main(list(arguments) or ["--help"], prog_name="tmbr", standalone_mode=False)
    except TyperException as error:
        message = error.format_message()
        known = "Did you mean" in message or "Possible options" in message
        return _fail(message if known else f"{message} See `tmbr --help`.", 2)
    except TmbrError as error:
        return _fail(str(error), 2)
    except typer.Abort:
        return _fail("interrupted; the same command goes on where it stopped", 130)
    except OSError as error:
        if error.errno in _DISK:
            return _fail(f"{error.filename or 'the disk'}: {error.strerror}", 2)
        return _unexpected(error)
    except Exception as error:
        return _unexpected(error)
    return code if isinstance(code, int) else 0


def _speaks(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(_NOISE)


def _unexpected(error: Exception) -> int:
    return _fail(f"unexpected {type(error).__name__}: {error}; the traceback is in {_log()}", 1)


def _fail(message: str, code: int) -> int:
    print("tmbr:", " ".join(message.split()), file=sys.stderr)
    return code


def _log() -> str:
    """Write the traceback of the error at hand to a file and return its path."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile("w", prefix="tmbr-", suffix=".log", delete=False) as file:
        traceback.print_exc(file=file)
    return file.name
