"""Freebase-style SPARQL, as Virtuoso takes it, made into SPARQL 1.1 that is answered in bounded time.

Virtuoso allows `OR`, `SELECT COUNT DISTINCT ?x`, a regex over an IRI, and dots at will in a prefixed
name; the standard does not. And a chain of hops in one flat pattern counts every way through the graph:
nested and made distinct hop by hop, it visits sets instead.
"""

from __future__ import annotations

import re

#: A function that is called with every row of every set on the way: who answers may count them.
ROW = "urn:tmbr:row"
_TOKEN = re.compile(
    r"""(?P<keep>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|<[^<>\s]*>|[?$]\w+)
      |(?P<prefix>PREFIX\s+(?P<declared>\w*):\s*<(?P<namespace>[^<>\s]*)>)
      |COUNT\s+DISTINCT\s+(?P<counted>\?\w+)
      |(?P<either>\bOR\b)
      |regex\((?P<matched>\?\w+)
      |(?P<name>(?P<label>\w*):(?P<local>\w[\w.-]*\w|\w))""",
    re.VERBOSE | re.IGNORECASE,
)
_TRIPLE = re.compile(r"(\?\w+|<[^<>\s]*>) (<[^<>\s]*>) (\?\w+|<[^<>\s]*>) \.")
Triple = tuple[str, str, str]


def standard(query: str) -> str:
    """The same query in SPARQL 1.1. Whatever else it holds stays as it is."""
    spaces: dict[str, str] = {}

    def token(found: re.Match[str]) -> str:
        if found["prefix"]:
            spaces[found["declared"]] = found["namespace"]
            return found[0]
        if found["counted"]:
            return f"(COUNT(DISTINCT {found['counted']}) AS ?count)"
        if found["either"]:
            return "||"
        if found["matched"]:
            return f"regex(str({found['matched']})"
        if found["name"] and found["label"] in spaces:
            return f"<{spaces[found['label']]}{found['local']}>"
        return found[0]

    return _TOKEN.sub(token, query)


def nested(query: str) -> str:
    """The same standard query, every run of triples nested around its `?x`."""
    done: list[str] = []
    run: list[Triple] = []
    for line in [*query.split("\n"), ""]:
        found = _TRIPLE.fullmatch(line)
        if found:
            run.append((found[1], found[2], found[3]))
            continue
        if run:
            waiting = list(dict.fromkeys(run))
            done += _around("?x", waiting)
            done += [" ".join((*triple, ".")) for triple in waiting]
            run = []
        done.append(line)
    return "\n".join(done[:-1])


def _around(variable: str, waiting: list[Triple]) -> list[str]:
    """The pattern of all that hangs on a variable; takes what it uses from `waiting`.

    A hop from another variable becomes a query of its own, that tells the distinct values it leads to
    and, where a superlative is decided behind it, the values that decide.
    """
    mine = [triple for triple in waiting if variable in (triple[0], triple[2])]
    for triple in mine:
        waiting.remove(triple)
    lines: list[str] = []
    for subject, predicate, value in mine:
        hop = f"{subject} {predicate} {value} ."
        other = value if subject == variable else subject
        behind = _around(other, waiting) if other.startswith("?") and other != "?sk0" else []
        if behind:
            told = f"{variable} ?sk0" if any("?sk0" in line for line in behind) else variable
            hop = f"{{SELECT DISTINCT {told} WHERE {{ {' '.join(behind)} {hop} }}}}"
        lines.append(hop)
    return [*lines, f"FILTER (<{ROW}>({variable}))"] if mine else []
