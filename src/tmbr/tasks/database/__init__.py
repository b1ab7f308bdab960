"""The database (AgentBench's DBBench): answer a question about a table, or change it as asked."""

from tmbr.tasks.database.task import DatabaseTask

__all__ = ["DatabaseTask"]
