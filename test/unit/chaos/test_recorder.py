"""The recorder has every event once, whoever else reads the stream and whatever is away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from contract.ledger.sample import end, job, take
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.chaos.recorder import Recorder
from hysds.core.errors import Unreachable
from hysds.ports.events import Entry


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(60_000, lambda: 1_800_000_000_000_000)


@pytest.fixture
def events(ledger: MemoryLedger) -> MemoryEvents:
    return MemoryEvents(ledger)


def test_an_indexer_that_is_ahead_and_trims_takes_nothing_away(
    ledger: MemoryLedger, events: MemoryEvents
) -> None:
    """The stream keeps what the recorder has not acknowledged."""
    recorder = Recorder(events)
    recorder.open()
    ledger.accept([item := job()])
    ledger.commit(end(take(ledger)))
    read = events.read("indexer", "i", 100, 0)
    events.done("indexer", [entry.position for entry in read])
    events.trim()

    assert recorder.is_behind()
    assert recorder.read(0) == 3

    assert [entry.event.step for entry in recorder.entries] == ["accept", "claim", "commit"]
    assert (recorder.ended, recorder.has_ended(item.id), recorder.is_behind()) == (1, True, False)
    assert recorder.standing() == {"job-completed": 1}
    assert events.trim() == 3


class Faltering(MemoryEvents):
    """Away when it is to be told what is done."""

    is_away = True

    def done(self, group: str, positions: Sequence[str]) -> None:
        if self.is_away:
            raise Unreachable("ledger", "away")
        super().done(group, positions)


def test_what_comes_again_is_written_down_once(ledger: MemoryLedger) -> None:
    """The ledger went away between the reading and the acknowledgement."""
    events = Faltering(ledger)
    recorder = Recorder(events)
    recorder.open()
    ledger.accept([job(), job()])

    assert recorder.read(0) == 0
    assert len(recorder.entries) == 2
    events.is_away = False

    assert recorder.read(0) == 0
    assert len(recorder.entries) == 2
    assert not recorder.is_behind()


def test_while_the_ledger_is_away_nothing_is_read_and_nothing_breaks() -> None:
    """The next round asks again."""

    class Away(MemoryEvents):
        def read(self, group: str, member: str, limit: int, timeout_s: float) -> tuple[Entry, ...]:
            raise Unreachable("ledger", "away")

    recorder = Recorder(Away(MemoryLedger(60_000, lambda: 0)))

    assert (recorder.read(0), recorder.entries) == (0, ())
