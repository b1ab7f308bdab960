"""The knowledge graph as a task."""

from .task import KnowledgeGraph

__all__ = ["KnowledgeGraph"]
