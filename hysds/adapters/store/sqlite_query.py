"""A `JobQuery` as SQL. All names come from closed sets of `core.searched`; all values are parameters."""

from __future__ import annotations

from dataclasses import dataclass

from hysds.adapters.store import sqlite_leaves
from hysds.core.query import MAX_COUNTED, JobQuery, Span
from hysds.core.searched import Term


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and its parameters."""

    sql: str
    parameters: tuple[int | str, ...]


def page(query: JobQuery) -> Statement:
    """The page's (id, sort value, body), and one row more where another page follows."""
    wanted = _behind(query)
    order, name = _order(query), query.sort.value
    # The bodies are fetched for the page alone, after its rows were chosen.
    return Statement(
        f"SELECT id, {name}, body FROM "  # noqa: S608
        f"(SELECT seq, id, {name} FROM jobs {wanted.sql} ORDER BY {name} {order}, id {order} LIMIT ?) "
        f"JOIN documents USING (seq) ORDER BY {name} {order}, id {order}",
        (*wanted.parameters, query.limit + 1),
    )


def places(query: JobQuery) -> Statement:
    """The page's (id, status, sort value), and one row more where another page follows; no document is read."""
    wanted = _behind(query)
    order, name = _order(query), query.sort.value
    return Statement(
        f"SELECT id, status, {name} FROM jobs {wanted.sql} ORDER BY {name} {order}, id {order} LIMIT ?",  # noqa: S608
        (*wanted.parameters, query.limit + 1),
    )


def total(query: JobQuery) -> Statement:
    """How many match."""
    wanted = _wanted(query)
    return Statement(f"SELECT count(*) FROM jobs {wanted.sql}", wanted.parameters)  # noqa: S608


def counts(query: JobQuery, term: Term) -> Statement:
    """The facet's (value, count)."""
    name = term.value
    wanted = _both(_wanted(query), Statement(f"{name} <> ''", ()))
    return Statement(
        f"SELECT {name}, count(*) FROM jobs {wanted.sql} "  # noqa: S608
        f"GROUP BY {name} ORDER BY count(*) DESC, {name} LIMIT ?",
        (*wanted.parameters, MAX_COUNTED),
    )


def _order(query: JobQuery) -> str:
    return "DESC" if query.descending else "ASC"


def _behind(query: JobQuery) -> Statement:
    """The condition of what matches and comes behind the cursor."""
    wanted, after = _wanted(query), query.after()
    if after is None:
        return wanted
    sign = "<" if query.descending else ">"
    return _both(wanted, Statement(f"({query.sort.value}, id) {sign} (?, ?)", after))


def _wanted(query: JobQuery) -> Statement:
    """The condition of what matches; its sql is empty for all."""
    wanted = Statement("", ())
    for term, values in query.terms().items():
        marks = ", ".join("?" * len(values))
        # The second half says nothing new: it makes the index over jobs that have such a value usable.
        condition = f"{term.value} IN ({marks}) AND {term.value} <> ''"
        wanted = _both(wanted, Statement(condition, tuple(sorted(values))))
    for name, span in (("accepted", query.accepted), ("ended", query.ended)):
        if not span.is_open:
            wanted = _both(wanted, _within(name, span))
    asked = [f'"{word}"' for word in query.words()] + [sqlite_leaves.question(one) for one in query.where]
    if asked:
        found = "seq IN (SELECT rowid FROM full_text WHERE full_text MATCH ?)"
        wanted = _both(wanted, Statement(found, (" AND ".join(asked),)))
    return wanted


def _within(name: str, span: Span) -> Statement:
    statement = Statement(f"{name} > 0", ())
    if span.from_ms is not None:
        statement = _joined(statement, Statement(f"{name} >= ?", (span.from_ms,)))
    if span.to_ms is not None:
        statement = _joined(statement, Statement(f"{name} < ?", (span.to_ms,)))
    return statement


def _both(where: Statement, condition: Statement) -> Statement:
    if where.sql:
        return _joined(where, condition)
    return Statement(f"WHERE {condition.sql}", condition.parameters)


def _joined(left: Statement, right: Statement) -> Statement:
    return Statement(f"{left.sql} AND {right.sql}", (*left.parameters, *right.parameters))
