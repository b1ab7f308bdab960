"""The database: MySQL's answers from SQLite in the process, or from a real server; both fork."""

from .embedded import Embedded
from .errors import SqlError
from .results import Result
from .server import Server
from .tables import Database, Table, fingerprint, quoted

__all__ = ["Database", "Embedded", "Result", "Server", "SqlError", "Table", "fingerprint", "quoted"]
