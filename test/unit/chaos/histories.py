"""Histories in few words: events as `step:status` under a fence, effects by the attempt that made them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hysds.chaos.history import Asked, Document, Effect, History, Listed, Mark, status_of
from hysds.core.requests import Event
from hysds.ports.events import Entry

JOB = "01930f5e-7b1c-7000-8000-000000000001"
TWIN = "01930f5e-7b1c-7000-8000-000000000002"
START_US = 1_800_000_000_000_000
SECOND_US = 1_000_000


class Stream:
    """Events as a ledger would append them, one second apart; `fence` of a claim is its time, as the ledger's is."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._now_us = START_US
        self._fences: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def tell(self, step: str, status: str, id: str = JOB, **changes: Any) -> Entry:
        self._now_us += SECOND_US
        if step == "claim":
            self._fences[id] = self._now_us
        event = Event(id, self._now_us, self._fences.get(id, 0), f"job-{status}", step)
        entry = Entry(f"{self._now_us // 1000}-{next(self._numbers)}", replace(event, **changes))
        self.entries.append(entry)
        return entry

    def take(self, id: str = JOB) -> int:
        """A claim; answers its fence."""
        return self.tell("claim", "started", id).event.fence


def work(
    id: str, fence: int, steps: int = 2, at_us: int | None = None, marks: Sequence[Mark] | None = None
) -> list[Effect]:
    """What a whole attempt leaves, a millisecond apart, from just after its claim."""
    begun_us = (fence if at_us is None else at_us) + 1000
    whole = [(Mark.BEGIN, 0), *((Mark.STEP, number) for number in range(1, steps + 1)), (Mark.END, 0)]
    kept = [one for one in whole if marks is None or one[0] in marks]
    return [
        Effect(id, fence, mark, number, boot_us=begun_us + place * 1000, wall_us=begun_us + place * 1000)
        for place, (mark, number) in enumerate(kept)
    ]


def shown(stream: Stream, *attempts: Listed, id: str = JOB, **changes: Any) -> Document:
    """The document of a job's last event."""
    last = [entry for entry in stream.entries if entry.event.id == id][-1]
    made = Document(id, last.event.revision, status_of(last).value, last.event.fence, attempts)
    return replace(made, **changes)


def history(stream: Stream, *asked: Asked, **changes: Any) -> History:
    """The history of these jobs, by default of one that leaves two steps."""
    return replace(History(asked or (Asked(JOB, steps=2),), tuple(stream.entries)), **changes)
