"""Limits and rates of jobs that are made from numbers, and what may never be of those who wait for them."""

from __future__ import annotations

from hysds.core.book import Book
from hysds.core.limit_keys import Limit, Rate

KEYS = ("queue:alpha", "key:ünï b", "user:" + "long" * 20)
RATES = (Rate("key:ünï b", 0.5, 2), Rate("type:t", 3, 1))
LOOKED_AT = (*KEYS, "type:t", "no such key")


def limits(a: int, c: int, d: int, is_crowded: bool) -> tuple[Limit, ...]:
    """Keys in either order, each with a number of places that changes at times; none for half of all jobs."""
    keys = (KEYS, KEYS[:1], KEYS[::-1], KEYS[1:])[c % 4]
    is_limited = is_crowded or (a // 2) % 2
    chosen = [key for n, key in enumerate(keys) if (d >> n) % 2] if is_limited else []
    return tuple(Limit(key, 2 if a % 29 == 0 else 1 + (len(key) % 2)) for key in chosen)


def rates(b: int) -> tuple[Rate, ...]:
    """One of them, for few jobs."""
    return tuple(RATES[n] for n in range(2) if b % 9 == n)


def judge(book: Book) -> None:
    """Who holds, is called and waits follows from the records; and nobody waits beside something free."""
    throttles, records = book.throttles, book.records
    for id in {*records, *throttles.ids()}:
        assert throttles.mend(id, records.get(id)) == ""
    assert set(throttles.at) == set(throttles.lines)
    assert not throttles.touched | throttles.stirred, "a step left something undone"
    for line, name in throttles.at.items():
        head = records[throttles.lines[line][0][1]]
        is_late = throttles.tokens.get(name, throttles.clock.ms + 1) <= throttles.clock.ms
        assert name in throttles.behind or is_late or throttles.keeps(name, head), "a free place calls nobody"
