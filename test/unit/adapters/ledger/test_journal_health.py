"""What `hysds doctor` says of the journal."""

from __future__ import annotations

from hysds.adapters.ledger import journal_health
from hysds.adapters.ledger.journal_memory import MemoryJournal
from hysds.adapters.ledger.memory import MemoryLedger, wall_us
from hysds.core.happenings import EVENT, Happening


def _codes(count: int, most_bytes: int = 10**8) -> list[str]:
    journal = MemoryJournal(MemoryLedger(60_000, wall_us), most_bytes)
    journal.tell([Happening(str(number), EVENT, "thing", "seen", 1_000) for number in range(count)])
    return [one.code for one in journal_health.check(journal, "chronicler", "here")]


def test_a_journal_that_is_written_down_is_well() -> None:
    """A few entries on their way are nothing to be mended."""
    assert _codes(0) == _codes(100) == ["journal.waiting"]


def test_a_journal_that_nobody_writes_down_is_told() -> None:
    """Before anything is lost; and what was."""
    assert _codes(journal_health.MANY + 1) == ["journal.behind"]
    assert _codes(100, 2_000) == ["journal.waiting", "journal.dropped"]
