"""The knowledge graph: AgentBench's seven tools over an embedded graph or a SPARQL endpoint."""

from .endpoint import Endpoint
from .generate import FAMILIES, GENERATOR, World, generate
from .gold import Call, read_calls, why_not
from .graph import Fact, Graph, MemoryGraph
from .induce import Vocabulary, induce
from .program import And, Arg, Count, Join, Program, QueryError
from .questions import KINDS, Question, ask
from .schema import ONTOLOGY
from .tools import TOOLS, Knowledge, Ontology, State, Variable

__all__ = [
    "FAMILIES",
    "GENERATOR",
    "KINDS",
    "ONTOLOGY",
    "TOOLS",
    "And",
    "Arg",
    "Call",
    "Count",
    "Endpoint",
    "Fact",
    "Graph",
    "Join",
    "Knowledge",
    "MemoryGraph",
    "Ontology",
    "Program",
    "QueryError",
    "Question",
    "State",
    "Variable",
    "Vocabulary",
    "World",
    "ask",
    "generate",
    "induce",
    "read_calls",
    "why_not",
]
