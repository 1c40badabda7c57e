"""Walking through all records (`ids`): what compares and counts them needs each, whatever happens meanwhile."""

from __future__ import annotations

from contract.ledger.sample import job
from hysds.ports.ledger import Ledger


def _walked(ledger: Ledger, limit: int) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        cursor, ids = ledger.ids(cursor, limit)
        found += ids
        if not cursor:
            return found


def test_an_empty_ledger_has_no_ids(ledger: Ledger) -> None:
    """One call says so."""
    assert ledger.ids("", 10) == ("", ())


def test_every_record_is_found_in_parts(ledger: Ledger) -> None:
    """Live and ended ones, and nothing that is no record."""
    items = [job() for _ in range(300)]
    ledger.accept(items)
    ledger.cancel([item.id for item in items[:50]])
    ledger.reject(refused := job(), "{}")

    assert sorted(set(_walked(ledger, 7))) == sorted([*(item.id for item in items), refused.id])
    assert sorted(set(_walked(ledger, 10_000))) == sorted(set(_walked(ledger, 1)))


def test_what_is_there_all_the_while_is_found_although_others_come(ledger: Ledger) -> None:
    """A walk takes its time."""
    items = [job() for _ in range(100)]
    ledger.accept(items)
    cursor, found = ledger.ids("", 5)
    seen = set(found)

    while cursor:
        ledger.accept([job() for _ in range(3)] if len(seen) < 100 else [])
        cursor, found = ledger.ids(cursor, 20)
        seen.update(found)

    assert {item.id for item in items} <= seen
