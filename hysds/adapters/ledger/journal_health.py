"""What may be wrong with the journal: entries that nobody writes down, and such as were dropped for room."""

from __future__ import annotations

from collections.abc import Iterator

from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding
from hysds.ports.journal import Journal

MANY = 5_000
"""Entries that an indexer writes within seconds: where more wait, none is at it."""


def check(journal: Journal, group: str, where: str) -> Iterator[Finding]:
    """All that was found; `group`: whoever makes documents of the entries.

    Raises: Unreachable
    """
    waiting, dropped = journal.backlog(group), journal.dropped()
    if waiting > MANY:
        yield findings.warning(
            "journal.behind",
            f"{waiting} happenings of workers and events wait for their documents; beyond journal.memory the oldest go",
            where,
            "look whether an indexer works and the store answers: hysds status; then start one: hysds indexer",
        )
    else:
        yield findings.ok("journal.waiting", f"{counted(waiting, 'happening')} wait for documents", where)
    if dropped:
        yield findings.note(
            "journal.dropped",
            f"{counted(dropped, 'happening')} had to be dropped unread since this ledger began, and have no document",
            where,
            "raise journal.memory, or keep an indexer running",
        )
