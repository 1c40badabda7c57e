"""Conditions on documents, in the part of Elasticsearch's query language that HySDS's rules use.

`bool match_all match_none term terms match match_phrase range exists prefix wildcard ids constant_score`. A condition
is carried out on one document at once, with no store and no index; `core.condition_values` says how values are
compared. All that is wrong with one is said at once, by JSON path; what is not in this part is refused, never ignored.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hysds.core import condition_values, json_text, moments
from hysds.core.condition_values import Document
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.where import NO_RANGE

MAX_DEPTH = 20
MAX_CLAUSES = 1_000
"""Queries within one condition, and values within one `terms`."""

Test = Callable[[Document], bool]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Condition:
    """A question that a document answers with yes or no."""

    query: Mapping[str, Any]
    """As it was given."""
    _test: Test = field(repr=False, compare=False)

    def holds(self, document: Document) -> bool:
        """Whether a document is meant. Its own time (`@timestamp`) is *now*."""
        return self._test(document)


def condition(query: object) -> Condition:
    """The condition that a query is; `{"query": {…}}` is the query inside.

    Raises: InvalidSpec with every complaint.
    """
    if isinstance(query, Mapping) and set(query) == {"query"}:
        query = query["query"]
    reading = _Reading()
    test = reading.query(query, "$", 0)
    if reading.complaints:
        raise InvalidSpec(tuple(reading.complaints))
    assert isinstance(query, Mapping)
    return Condition(query, test)


def _never(document: Document) -> bool:
    return False


def _always(document: Document) -> bool:
    return True


class _Reading:
    """One condition while it is read."""

    def __init__(self) -> None:
        self.complaints: list[Complaint] = []
        self._clauses = 0
        self._words = condition_values.Words()

    def query(self, given: object, path: str, depth: int) -> Test:
        """One query: an object with one key, its kind."""
        self._clauses += 1
        if depth > MAX_DEPTH or self._clauses > MAX_CLAUSES:
            if not self.complaints:
                self._wrong(path, f"is deeper than {MAX_DEPTH} queries, or one of more than {MAX_CLAUSES}")
            return _never
        if not isinstance(given, Mapping) or len(given) != 1:
            return self._wrong(path, 'must be one query, such as {"term": {"status": "job-failed"}}')
        kind, body = next(iter(given.items()))
        below = json_text.below(path, str(kind))
        if kind == "bool":
            return self._bool(body, below, depth)
        if kind == "constant_score":
            inner = body.get("filter") if isinstance(body, Mapping) else None
            return self.query(inner, f"{below}.filter", depth + 1)
        reader = _READERS.get(kind)
        if reader is None:
            near = difflib.get_close_matches(str(kind), [*_READERS, "bool"], n=1, cutoff=0.6)
            known = ", ".join(["bool", *_READERS])
            hint = f"did you mean {near[0]}?" if near else f"there are {known}"
            return self._wrong(path, f"{str(kind)[:60]} is no query that rules know; {hint}")
        return reader(self, body, below)

    # ---- queries of queries ----------------------------------------------------------------------------------------

    def _bool(self, body: object, path: str, depth: int) -> Test:
        if not isinstance(body, Mapping):
            return self._wrong(path, "must be an object")
        self._only(body, (*_OCCURS, "minimum_should_match", "boost"), path)
        parts = {occurs: self._all(body.get(occurs), f"{path}.{occurs}", depth) for occurs in _OCCURS}
        required = [*parts["must"], *parts["filter"]]
        excluded, optional = parts["must_not"], parts["should"]
        least = body.get("minimum_should_match", 0 if required or not optional else 1)
        if not isinstance(least, int) or isinstance(least, bool) or not 0 <= least <= max(len(optional), 1):
            return self._wrong(f"{path}.minimum_should_match", "must be a number of the queries in should")

        def holds(document: Document) -> bool:
            return (
                all(test(document) for test in required)
                and not any(test(document) for test in excluded)
                and (least == 0 or sum(test(document) for test in optional) >= least)
            )

        return holds

    def _all(self, given: object, path: str, depth: int) -> list[Test]:
        if given is None:
            return []
        if isinstance(given, list | tuple):
            return [self.query(one, f"{path}[{at}]", depth + 1) for at, one in enumerate(given)]
        return [self.query(given, path, depth + 1)]

    # ---- queries of one field --------------------------------------------------------------------------------------

    def term(self, body: object, path: str) -> Test:
        at, wanted, options = self._field(body, path, "value", ("case_insensitive",))
        ignores_case = options.get("case_insensitive") is True
        self._single(wanted, path)
        return _any(at, lambda value: condition_values.equal(at, value, wanted, ignores_case))

    def terms(self, body: object, path: str) -> Test:
        rest = (
            {key: value for key, value in body.items() if key != "boost"} if isinstance(body, Mapping) else {}
        )
        at, wanted = next(iter(rest.items()), ("", None))
        if len(rest) != 1 or not isinstance(wanted, list | tuple) or len(wanted) > MAX_CLAUSES:
            return self._wrong(path, f"must be one field with a list of at most {MAX_CLAUSES} values")
        for one in wanted:
            self._single(one, path)
        self._place(str(at), path)
        return _any(str(at), condition_values.one_of(str(at), wanted))

    def match(self, body: object, path: str) -> Test:
        at, wanted, options = self._field(body, path, "query", ("operator",))
        operator = str(options.get("operator", "or")).lower()
        if operator not in ("or", "and"):
            self._wrong(f"{path}.operator", "is `or` or `and`")
        self._single(wanted, path)
        if not condition_values.is_text(at):
            return _any(at, lambda value: condition_values.equal(at, value, wanted))
        words = frozenset(condition_values.words_of(wanted))
        every = operator == "and"

        def fits(held: list[str]) -> bool:
            found = words.intersection(held)
            return found == words if every else bool(found)

        return self._any_text(at, fits) if words else _never

    def match_phrase(self, body: object, path: str) -> Test:
        at, wanted, _ = self._field(body, path, "query", ())
        self._single(wanted, path)
        if not condition_values.is_text(at):
            return _any(at, lambda value: condition_values.equal(at, value, wanted))
        phrase = condition_values.words_of(wanted)
        return self._any_text(at, lambda held: bool(phrase) and condition_values.holds_phrase(held, phrase))

    def range(self, body: object, path: str) -> Test:
        if (
            not isinstance(body, Mapping)
            or len(body) != 1
            or not isinstance(next(iter(body.values())), Mapping)
        ):
            return self._wrong(path, "must be one field with its bounds: gt, gte, lt, lte")
        at, bounds = next(iter(body.items()))
        self._place(str(at), path)
        if condition_values.is_open(at):
            return self._wrong(path, f"{at}: {NO_RANGE}")
        self._only(bounds, (*_BOUNDS, "boost"), path)
        wanted = {sign: bound for sign, bound in bounds.items() if sign in _BOUNDS and bound is not None}
        for sign, bound in wanted.items():
            if not condition_values.is_bound(bound):
                return self._wrong(f"{path}.{sign}", "must be a number, a text or a time such as now-1d")

        def holds(document: Document) -> bool:
            now_ms = moments.ms_of(document.get("@timestamp"))

            def within(value: Any) -> bool:
                orders = [
                    (sign, condition_values.order(value, bound, now_ms)) for sign, bound in wanted.items()
                ]
                return all(order is not None and order in _BOUNDS[sign] for sign, order in orders)

            return any(within(value) for value in condition_values.compared(document, at))

        return holds

    def exists(self, body: object, path: str) -> Test:
        at = body.get("field") if isinstance(body, Mapping) else None
        if not isinstance(at, str) or not at or not isinstance(body, Mapping):
            return self._wrong(path, 'must name a field: {"field": "job.tag"}')
        self._only(body, ("field", "boost"), path)
        self._place(at, path)
        return lambda document: condition_values.is_there(document, at)

    def prefix(self, body: object, path: str) -> Test:
        at, wanted, options = self._field(body, path, "value", ("case_insensitive",))
        ignores_case = options.get("case_insensitive") is True
        if not isinstance(wanted, str):
            return self._wrong(path, "must be a text")
        start = condition_values.folded(wanted, ignores_case)
        return _any(at, lambda value: condition_values.folded(value, ignores_case).startswith(start))

    def wildcard(self, body: object, path: str) -> Test:
        at, wanted, options = self._field(body, path, "value", ("case_insensitive", "wildcard"))
        wanted = options.get("wildcard", wanted)
        ignores_case = options.get("case_insensitive") is True
        if not isinstance(wanted, str) or len(wanted) > _MOST_PATTERN:
            return self._wrong(path, f"must be a text of at most {_MOST_PATTERN} characters")
        fits = condition_values.wildcard(condition_values.folded(wanted, ignores_case))
        return _any(at, lambda value: fits(condition_values.folded(value, ignores_case)[:_MOST_WILD]))

    def ids(self, body: object, path: str) -> Test:
        wanted = body.get("values") if isinstance(body, Mapping) else None
        if not isinstance(wanted, list | tuple) or not all(isinstance(one, str) for one in wanted):
            return self._wrong(path, 'must be a list of ids: {"values": ["…"]}')
        found = frozenset(wanted)
        return lambda document: document.get("id") in found or document.get("_id") in found

    def everything(self, body: object, path: str) -> Test:
        self._only(body if isinstance(body, Mapping) else {}, ("boost",), path)
        return _always if isinstance(body, Mapping) else self._wrong(path, "must be {}")

    def nothing(self, body: object, path: str) -> Test:
        return _never if isinstance(body, Mapping) else self._wrong(path, "must be {}")

    def _any_text(self, at: str, fits: Callable[[list[str]], bool]) -> Test:
        """Of a field that is searched by words: whether the words of any of its values fit."""
        words = self._words
        return lambda document: any(fits(words.of(value)) for value in condition_values.values(document, at))

    # ---- complaints ------------------------------------------------------------------------------------------------

    def _field(
        self, body: object, path: str, key: str, options: Sequence[str]
    ) -> tuple[str, Any, Mapping[str, Any]]:
        """The one field of a query, what is wanted of it, and the options beside that."""
        if not isinstance(body, Mapping) or len(body) != 1 or not isinstance(next(iter(body)), str):
            self._wrong(path, "must be one field and what is wanted of it")
            return "", None, {}
        at, wanted = next(iter(body.items()))
        self._place(at, path)
        if not isinstance(wanted, Mapping):
            return at, wanted, {}
        self._only(wanted, (key, *options, "boost"), path)
        return at, wanted.get(key), wanted

    def _place(self, at: str, path: str) -> None:
        if not condition_values.is_path(at):
            self._wrong(path, f"the field {at[:60]}… is too long, or names too many keys, for any document")

    def _single(self, wanted: object, path: str) -> None:
        if wanted is None or isinstance(wanted, list | tuple | Mapping):
            self._wrong(path, "wants no text, number or truth value")

    def _only(self, given: Mapping[Any, Any], known: Sequence[str], path: str) -> None:
        for key in given:
            if key not in known:
                self._wrong(
                    json_text.below(path, str(key)), f"is not known here; there are {', '.join(known)}"
                )

    def _wrong(self, path: str, message: str) -> Test:
        self.complaints.append(Complaint(path, message))
        return _never


def _any(at: str, fits: Callable[[Any], bool]) -> Test:
    return lambda document: any(fits(value) for value in condition_values.compared(document, at))


_MOST_PATTERN = 1_024
_MOST_WILD = 4_096
"""Characters of a value that a wildcard looks at."""
_OCCURS = ("must", "filter", "should", "must_not")
_BOUNDS: Mapping[str, tuple[int, ...]] = {"gt": (1,), "gte": (0, 1), "lt": (-1,), "lte": (-1, 0)}
_READERS: Mapping[str, Callable[[_Reading, object, str], Test]] = {
    "term": _Reading.term,
    "terms": _Reading.terms,
    "match": _Reading.match,
    "match_phrase": _Reading.match_phrase,
    "range": _Reading.range,
    "exists": _Reading.exists,
    "prefix": _Reading.prefix,
    "wildcard": _Reading.wildcard,
    "ids": _Reading.ids,
    "match_all": _Reading.everything,
    "match_none": _Reading.nothing,
}
