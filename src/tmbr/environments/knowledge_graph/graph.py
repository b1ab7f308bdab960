"""A knowledge graph that answers SPARQL: the protocol, and the embedded graph (pyoxigraph)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from tmbr.core.errors import ConfigError

from .dialect import ROW, nested, standard
from .program import NAMESPACE, QueryError

if TYPE_CHECKING:
    from pyoxigraph import Store

#: Subject and predicate without the namespace; the object likewise when it is text, else a literal.
Fact = tuple[str, str, str | int | float]
#: Rows that one query may pass through on its way: what bounds its time and memory.
ROWS = 500_000


class Graph(Protocol):
    """Who knows. Shared by all episodes, which only read."""

    def select(self, query: str) -> list[str]:
        """The values of the one variable that a Freebase-style query selects, without the namespace.

        Raises QueryError when the query is at fault, EnvironmentFault when the graph is.
        """
        ...


class MemoryGraph:
    """The facts in memory, indexed for any pattern. Raises ConfigError without pyoxigraph."""

    def __init__(self, facts: Iterable[Fact], rows: int = ROWS) -> None:
        try:
            from pyoxigraph import Literal, NamedNode, Quad, Store
        except ImportError as error:
            raise ConfigError(
                "the knowledge graph needs pyoxigraph; install it with `pip install tmbr[kg]`"
            ) from error
        named: dict[str, NamedNode] = {}

        def node(name: str) -> NamedNode:
            if name not in named:
                named[name] = NamedNode(NAMESPACE + name)
            return named[name]

        def value(given: str | int | float) -> Any:
            return node(given) if isinstance(given, str) else Literal(given)

        self._store: Store = Store()
        self._rows = rows
        self._store.bulk_extend(Quad(node(s), node(p), value(o)) for s, p, o in facts)

    def __len__(self) -> int:
        return len(self._store)

    def select(self, query: str) -> list[str]:
        from pyoxigraph import Literal, NamedNode, QuerySolutions

        left = self._rows
        true = Literal(True)

        def row(_: object) -> Literal | None:
            nonlocal left
            left -= 1
            return true if left >= 0 else None

        try:
            text = nested(standard(query))
            found = self._store.query(text, custom_functions={NamedNode(ROW): row})
        except (SyntaxError, ValueError) as error:
            raise QueryError(f"the query is not well formed ({error})") from error
        if not isinstance(found, QuerySolutions) or len(found.variables) != 1:
            raise QueryError("the query does not select one variable")
        values = [plain(str(solution[0].value)) for solution in found if solution[0] is not None]
        if left < 0:
            raise QueryError(f"the query passes through more than {self._rows} rows")
        return values


def plain(value: str) -> str:
    """A value as AgentBench reads it: without the namespace and without Freebase's time zone."""
    return value.replace(NAMESPACE, "").replace("-08:00", "")
