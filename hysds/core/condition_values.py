"""What stands in a document at a path, and how it is compared: as a search over the store's mapping would.

Any of a list's values is enough. A text is compared whole and exactly, but in the fields where people search (TEXTS,
and any path that ends with `.text`) each of its words is a value; `.keyword` behind such a field means it whole.
Numbers are compared as numbers, times as times; within params and context, whose types are each job's own, everything
is a text. However large a document is, or deep, no question about it takes long: MOST_VALUES of a path are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from hysds.core import moments, words
from hysds.core.leaves import MAX_LEAVES, MAX_PATH_LENGTH, text_of

Document = Mapping[str, Any]

TEXTS = frozenset({"error", "short_error", "traceback", "dedup_msg", "hint"})
OPEN = ("job.params", "job.context")
"""Objects whose keys and types are a job's own: their values are texts, and the object's own path means any of them."""

MOST_VALUES = MAX_LEAVES
"""Values at one path that are looked at, in the order of the document."""

MOST_PATH = MAX_PATH_LENGTH
MOST_PARTS = 64
"""Characters of a path, and keys that it may name."""

_SUFFIXES = (".keyword", ".untouched", ".raw", ".text")
"""Names that HySDS's mappings, and ours, give the same field searched in another way."""
_UNITS_MS = {
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "H": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "M": 30 * 86_400_000,
    "y": 365 * 86_400_000,
}
_FROM_NOW = re.compile(r"now(?:(?P<sign>[+-])(?P<count>\d{1,6})(?P<unit>[smhHdwMy]))?")
_MOMENT = re.compile(r"\d{4}-\d\d(?:-\d\d)?(?:[T ].*)?")


def is_path(at: str) -> bool:
    """Whether a document could have something there."""
    return len(at) <= MOST_PATH and at.count(".") < MOST_PARTS


def is_open(path: str) -> bool:
    """Whether a path leads into an object whose values are texts."""
    return any(path == root or path.startswith(f"{root}.") for root in OPEN)


def is_text(path: str) -> bool:
    """Whether a path is searched by words."""
    return path in TEXTS or path.endswith(".text")


def values(document: Document, path: str) -> list[Any]:
    """The single values at a path, in order; those of `job.params` itself are all below it."""
    found = _first(document, path)
    if found:
        return found
    for suffix in _SUFFIXES:
        if path.endswith(suffix):
            return _first(document, path.removesuffix(suffix))
    return []


def compared(document: Document, path: str) -> list[Any]:
    """What a query that is not of words compares: the values, of a field that is searched by words its words."""
    found = values(document, path)
    return [word for value in found for word in words_of(value)] if is_text(path) else found


def is_there(document: Document, path: str) -> bool:
    """Whether there is a value at a path, or below it."""
    return next(_single(_at(document, path.split(".")), is_deep=True), None) is not None or bool(
        values(document, path)
    )


def equal(path: str, value: Any, wanted: Any, ignores_case: bool = False) -> bool:
    """Whether the value at a path is the wanted one: `3`, `3.0` and `"3"` are the same where either is a number."""
    is_truth = isinstance(value, bool) or isinstance(wanted, bool)
    is_number = isinstance(value, int | float) or isinstance(wanted, int | float)
    if is_number and not is_truth and not is_open(path):
        left, right = number(value), number(wanted)
        return left is not None and left == right
    return folded(value, ignores_case) == folded(wanted, ignores_case)


def one_of(path: str, wanted: Sequence[Any]) -> Callable[[Any], bool]:
    """Whether a value at the path is any of these, as `equal` says of each; as fast for a thousand as for one."""
    texts = frozenset(folded(one, False) for one in wanted)
    if is_open(path):
        return lambda value: folded(value, False) in texts
    written = frozenset(folded(one, False) for one in wanted if not _is_number(one))
    plain = frozenset(map(number, filter(_is_number, wanted))) - {None}
    read = frozenset(map(number, wanted)) - {None}

    def fits(value: Any) -> bool:
        if isinstance(value, bool):
            return folded(value, False) in texts
        if _is_number(value):
            return number(value) in read
        return folded(value, False) in written or number(value) in plain

    return fits


def folded(value: Any, ignores_case: bool) -> str:
    """The text of a value."""
    text = text_of(value) or ""
    return text.casefold() if ignores_case else text


def number(value: Any) -> float | None:
    """The number that a value is or writes; None: none."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def words_of(value: Any) -> list[str]:
    """The words of a value."""
    return words.words(text_of(value) or "")


class Words:
    """The words of a text, found once for all queries that look at it one after the other."""

    def __init__(self) -> None:
        self._last: tuple[Any, list[str]] = (None, [])

    def of(self, value: Any) -> list[str]:
        """As `words_of`."""
        text, found = self._last
        if text is not value:
            found = words_of(value)
            self._last = (value, found)
        return found


def holds_phrase(found: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words stand one behind the other."""
    count = len(phrase)
    return any(list(found[start : start + count]) == list(phrase) for start in range(len(found) - count + 1))


def order(value: Any, bound: Any, now_ms: int) -> int | None:
    """-1, 0 or 1 as the value comes before, at or behind the bound; None: they can't be compared."""
    at_ms, bound_ms = _ms(value, is_bound=False, now_ms=now_ms), _ms(bound, is_bound=True, now_ms=now_ms)
    left: Any
    right: Any
    if at_ms is not None and bound_ms is not None:
        left, right = at_ms, bound_ms
    elif (
        isinstance(value, str) and isinstance(bound, str) and (number(value) is None or number(bound) is None)
    ):
        left, right = value, bound
    else:
        left, right = number(value), number(bound)
        if left is None or right is None:
            return None
    return int(left > right) - int(left < right)


def is_bound(bound: Any) -> bool:
    """Whether something can be a bound of a range."""
    if isinstance(bound, str):
        return not bound.startswith("now") or _FROM_NOW.fullmatch(bound) is not None
    return isinstance(bound, int | float) and not isinstance(bound, bool)


def wildcard(pattern: str) -> Callable[[str], bool]:
    """Whether a text is as a pattern says: `*` any characters, `?` one. What stands between two `*` is taken where it
    is found first and never looked for again, so a text is not tried in every way there is.
    """
    first, *others = re.split(r"\*+", pattern)
    if not others:
        return lambda text: _there(first, text, 0, len(text)) == 0 and len(text) == len(first)
    *between, last = others

    def fits(text: str) -> bool:
        at, end = len(first), len(text) - len(last)
        if end < at or _there(first, text, 0, at) < 0 or _there(last, text, end, len(text)) < 0:
            return False
        for part in between:
            found = _there(part, text, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return fits


def _there(part: str, text: str, start: int, end: int) -> int:
    """Where a part without `*` is found first within these places; -1 for nowhere."""
    if "?" not in part:
        return text.find(part, start, end)
    written = "".join("." if letter == "?" else re.escape(letter) for letter in part)
    found = re.compile(written, re.DOTALL).search(text, start, end)
    return -1 if found is None else found.start()


def _ms(value: Any, is_bound: bool, now_ms: int) -> int | None:
    """The time that a value is; None: it is none. A number is one only where it is the bound of a time."""
    if not isinstance(value, str):
        plain = number(value) if is_bound else None
        return None if plain is None else int(plain)
    if is_bound and (found := _FROM_NOW.fullmatch(value)):
        if not found["sign"]:
            return now_ms
        delta_ms = int(found["count"]) * _UNITS_MS[found["unit"]]
        return now_ms + delta_ms if found["sign"] == "+" else now_ms - delta_ms
    if not _MOMENT.fullmatch(value):
        return None
    return moments.ms_of(value) or None


def _first(document: Document, path: str) -> list[Any]:
    return list(islice(_single(_at(document, path.split(".")), path in OPEN), MOST_VALUES))


def _at(document: Document, parts: Sequence[str]) -> Iterator[Any]:
    """What stands at a path; a key may hold dots itself. Without recursion, as a document may be nested deeply."""
    left: list[tuple[Any, Sequence[str]]] = [(document, parts)]
    while left:
        value, rest = left.pop()
        if isinstance(value, list | tuple):
            left.extend((one, rest) for one in reversed(value))
        elif not rest:
            yield value
        elif isinstance(value, Mapping):
            names = (".".join(rest[:count]) for count in range(1, len(rest) + 1))
            below = [(value[name], rest[count:]) for count, name in enumerate(names, 1) if name in value]
            left.extend(reversed(below))


def _single(found: Iterator[Any], is_deep: bool) -> Iterator[Any]:
    """The single values among what was found; `is_deep`: also below objects."""
    for top in found:
        left = [top]
        while left:
            value = left.pop()
            if isinstance(value, list | tuple):
                left.extend(reversed(value))
            elif isinstance(value, Mapping):
                if is_deep:
                    left.extend(reversed(list(value.values())))
            elif value is not None:
                yield value
