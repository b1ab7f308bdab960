"""One statement of MySQL's, whatever it is, to a plan for SQLite."""

from __future__ import annotations

import re
from typing import Any

from sqlglot import exp

from . import collation, definitions, writes
from .about import USER, VARIABLES
from .catalog import DATABASE, Catalog
from .dialect import into_variables, parse
from .errors import SqlError, syntax_error
from .plan import Plan
from .schema_tables import COLLATION, Cell, constant, create_statement, databases, describe
from .scope import Output, Query, Scope, Source
from .selects import Compiler
from .sqlite_text import quote, volatile

_REPLACE = re.compile(r"(\s*)replace(\s+into\b)", re.IGNORECASE)
_RENAME = re.compile(
    r"\s*rename\s+table\s+(?:`([^`]+)`|(\w+))\s+to\s+(?:`([^`]+)`|(\w+))\s*;?\s*$", re.IGNORECASE
)
#: SHOW's other words, and DESCRIBE of one column, as sqlglot reads them.
_SPELLINGS = [
    (re.compile(pattern, re.IGNORECASE), written)
    for pattern, written in (
        (r"\A(\s*show\s+(?:full\s+)?)fields\b", r"\1columns"),
        (r"\A(\s*show\s+)keys\b", r"\1index"),
        (r"\A(\s*show\s+(?:full\s+)?(?:columns|tables|index))\s+in\b", r"\1 from"),
        (r"\A\s*(?:describe|desc)\s+(`[^`]+`|\w+)\s+`?([\w%]+)`?\s*;?\s*\Z",
         r"show columns from \1 like '\2'"),
        (r"\A\s*(?:describe|desc)\s+(`[^`]+`|\w+)\s+('[^'\\]*')\s*;?\s*\Z",
         r"show columns from \1 like \2"),
    )
]  # fmt: skip
_NOT_TABLES = re.compile(
    r"\A\s*(?:describe|desc)\s+(?:select|insert|update|delete|with|table)\b", re.IGNORECASE
)


def compile_statement(sql: str, catalog: Catalog) -> Plan:
    """Raises SqlError, as MySQL would refuse the statement before it runs."""
    if found := _RENAME.match(sql):
        return definitions.rename(found[1] or found[2], found[3] or found[4], catalog)
    replacing = _REPLACE.match(sql) is not None
    if replacing:
        sql = _REPLACE.sub(r"\1INSERT \2", sql, count=1)
    sql, names = into_variables(sql)
    tree = parse(_spelled(sql))
    if isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery | exp.Paren):
        return _select(tree, sql, catalog, names)
    if isinstance(tree, exp.Insert):
        return writes.insert(tree, sql, catalog, replacing)
    if isinstance(tree, exp.Update):
        return writes.update(tree, sql, catalog)
    if isinstance(tree, exp.Delete):
        return writes.delete(tree, sql, catalog)
    if isinstance(tree, exp.Create):
        return definitions.create(tree, sql, catalog)
    if isinstance(tree, exp.Drop):
        return definitions.drop(tree, catalog)
    if isinstance(tree, exp.Alter):
        return definitions.alter(tree, sql, catalog)
    if isinstance(tree, exp.TruncateTable):
        return definitions.truncate(tree, catalog)
    return _other(tree, sql, catalog)


def _spelled(sql: str) -> str:
    if not _NOT_TABLES.match(sql):
        for pattern, written in _SPELLINGS:
            sql = pattern.sub(written, sql, count=1)
    return sql


def _select(tree: Any, sql: str, catalog: Catalog, names: list[str]) -> Plan:
    """A query; names: the variables that take its row instead of being shown it."""
    compiler = Compiler(sql, catalog)
    query = compiler.query(tree)
    recursive = compiler.recursive is not None
    if not names:
        return Plan(query=query, recursive=recursive, assigns=compiler.assigns)
    if len(names) != len(query.columns):
        raise SqlError(1222)
    given = [f"{volatile('assign', quote(name), f'c{i}')} AS c{i}" for i, name in enumerate(names)]
    taken = Query(f"SELECT {','.join(given)} FROM ({query.sql})", query.columns)
    return Plan(query=taken, recursive=recursive, silent=True, single=True, assigns=True)


def _set(tree: Any, sql: str, catalog: Catalog) -> Plan:
    """SET of the session's own variables; the server's stay as they are."""
    compiler, scope = Compiler(sql, catalog), Scope()
    given: list[Output] = []
    for item in tree.expressions:
        if isinstance(item.this, exp.EQ | exp.PropertyEQ) and isinstance(item.this.this, exp.Parameter):
            node = exp.PropertyEQ(this=item.this.this, expression=item.this.expression)
            made = compiler.emit(node, scope)
            given.append(Output("", f"{made.sql} AS c{len(given)}", made.kind))
    if not given:
        return Plan(catalog=catalog)
    query = Query(f"SELECT {','.join(one.sql for one in given)}", tuple(given))
    return Plan(query=query, silent=True, assigns=True)


def _other(tree: Any, sql: str, catalog: Catalog) -> Plan:
    if isinstance(tree, exp.Show):
        return _show(tree, sql, catalog)
    if isinstance(tree, exp.Describe):
        if isinstance(tree.this, exp.Table):
            return _rows("Field Type Null Key Default Extra", describe(catalog.table(tree.this.name)))
        return _explain(tree.this, sql, catalog)
    if isinstance(tree, exp.Use):
        if tree.this.name in databases():
            return Plan(catalog=catalog)
        raise SqlError(1044, tree.this.name)
    if isinstance(tree, exp.Set):
        return _set(tree, sql, catalog)
    if isinstance(tree, exp.Transaction | exp.Commit | exp.Rollback):
        return Plan(catalog=catalog)  # every statement is committed at once
    if isinstance(tree, exp.Grant | exp.Revoke | exp.Kill | exp.LoadData):
        raise SqlError(1227, "SUPER")
    if isinstance(tree, exp.Command) and tree.name.upper() in ("LOCK TABLES", "UNLOCK TABLES", "FLUSH"):
        return Plan(catalog=catalog)
    raise syntax_error(sql, len(sql) - len(sql.lstrip()))


def _rows(names: str, rows: list[list[Cell]]) -> Plan:
    return Plan(query=constant(names.split(), rows))


def _explain(tree: Any, sql: str, catalog: Catalog) -> Plan:
    """A plan as for tables without an index: each is read whole."""
    if not isinstance(tree, exp.Select):
        raise syntax_error(sql, 0)
    Compiler(sql, catalog).query(tree)
    tables: list[str | None] = [table.alias_or_name for table in tree.find_all(exp.Table)] or [None]
    note = "Using where" if tree.args.get("where") else None if tables[0] else "No tables used"
    rows: list[list[Cell]] = [
        [1, "SIMPLE", name, None, "ALL" if name else None, None, None, None, None, None, None, note]
        for name in tables
    ]
    names = "id select_type table partitions type possible_keys key key_len ref rows filtered Extra"
    return _rows(names, rows)


def _show(tree: Any, sql: str, catalog: Catalog) -> Plan:
    if tree.args.get("where") is not None:
        return _chosen(tree, sql, catalog)
    if (database := tree.args.get("db")) is not None and database.name not in databases():
        raise SqlError(1049, database.name)
    what = tree.name.upper()
    target, full = tree.args.get("target"), bool(tree.args.get("full"))
    like = tree.args.get("like")
    if what == "TABLES":
        names = sorted(catalog.tables)
        rows: list[list[Cell]] = [
            [name, "VIEW" if catalog.tables[name].view else "BASE TABLE"] if full else [name]
            for name in names
        ]
        return _rows(f"Tables_in_{DATABASE} Table_type" if full else f"Tables_in_{DATABASE}",
                     _like(rows, like))  # fmt: skip
    if what == "DATABASES":
        return _rows("Database", _like([[name] for name in sorted(databases())], like))
    if what in ("COLUMNS", "FIELDS"):
        rows = describe(catalog.table(target.name))
        if full:
            rows = [
                [r[0], r[1], COLLATION if str(r[1]).endswith(("text", "char")) else None, *r[2:],
                 "select,insert,update,references", ""]
                for r in rows
            ]  # fmt: skip
            return _rows("Field Type Collation Null Key Default Extra Privileges Comment",
                         _like(rows, like))  # fmt: skip
        return _rows("Field Type Null Key Default Extra", _like(rows, like))
    if what == "CREATE TABLE":
        table = catalog.table(target.name)
        return _rows("Table Create", [[table.name, create_statement(table)]])
    if what == "TABLE STATUS":
        rows = [[t.name, None if t.view else "InnoDB", 10, "Dynamic"] for t in catalog.tables.values()]
        return _rows("Name Engine Version Row_format", _like(sorted(rows, key=str), like))
    if what in ("INDEX", "INDEXES", "KEYS"):
        table = catalog.table(target.name)
        rows = [[table.name, 0, "PRIMARY" if c.key == "PRI" else c.name, 1, c.name]
                for c in table.columns if c.key]  # fmt: skip
        return _rows("Table Non_unique Key_name Seq_in_index Column_name", rows)
    if what in ("WARNINGS", "ERRORS"):
        return _rows("Level Code Message", [])
    if what == "GRANTS":
        return _rows("Grants", [[f"GRANT ALL PRIVILEGES ON `{DATABASE}`.* TO `{USER}`"]])
    if what == "VARIABLES":
        said: list[list[Cell]] = [
            [name, sql.strip("'")] for name, (sql, _) in sorted(VARIABLES.items())
        ]
        return _rows("Variable_name Value", _like(said, like))
    if what in ("STATUS", "ENGINES", "PLUGINS", "PROCESSLIST", "EVENTS", "TRIGGERS"):
        return _rows("Variable_name Value", [])
    raise syntax_error(sql, sql.lower().find("show") + 5)


def _chosen(tree: Any, sql: str, catalog: Catalog) -> Plan:
    """SHOW … WHERE: a condition on the columns that are shown."""
    where = tree.args.pop("where")
    query = _show(tree, sql, catalog).query
    assert query is not None
    test = Compiler(sql, catalog).true(where.this, Scope(sources=[Source("", query.columns)]))
    return Plan(query=Query(f"SELECT * FROM ({query.sql}) WHERE {test}", query.columns))


def _like(rows: list[list[Cell]], pattern: Any) -> list[list[Cell]]:
    """Rows whose first cell is LIKE a pattern."""
    if pattern is None:
        return rows
    return [row for row in rows if collation.like(str(row[0]), pattern.name)]
