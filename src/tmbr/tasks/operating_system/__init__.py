"""The operating system (AgentBench's OS interaction): questions and jobs at a shell."""

from tmbr.tasks.operating_system.task import OperatingSystem

__all__ = ["OperatingSystem"]
