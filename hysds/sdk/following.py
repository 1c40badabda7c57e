"""Follows the live output of a job over all its attempts, until the job has ended; or reads what there is of it now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hysds.core.errors import NotFound
from hysds.core.ids import JobId
from hysds.core.record import Record
from hysds.core.requests import MAX_BATCH
from hysds.leasing import workdir
from hysds.ports.events import Events
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.logs import Chunk, Logs

_WAIT_S = 1.0
_PEEK_S = 0.2
"""A log that nothing was written to has no end to wait for: the ledger is asked whether the attempt is over."""
_CHUNKS = 64


@dataclass(frozen=True, slots=True)
class Output:
    """Some output of one attempt."""

    fence: int
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Missed:
    """So much output of an attempt is not in the live log (any more); the work directory's files have it all."""

    fence: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Began:
    """An attempt began on a worker. `files` is its directory below that worker's `worker.work_dir`."""

    fence: int
    worker: str
    files: str


@dataclass(frozen=True, slots=True)
class Over:
    """An attempt is over, and all of its output was given. The job may have another one."""

    fence: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing came for up to a second; whoever watches may look after other things."""


Seen = Began | Output | Missed | Over | Quiet


@dataclass(slots=True)
class Place:
    """How far a follower has come; another one can go on from there."""

    begun: set[int] = field(default_factory=set)
    """The fences of the attempts that were given."""
    fence: int | None = None
    """Of the attempt whose output is being given; None between attempts."""
    position: str = ""
    """How much of it was given."""


class Follower:
    """Iterate over it: what each attempt writes, as it writes it; it ends with the job. One thread."""

    def __init__(
        self, ledger: Ledger, events: Events, logs: Logs, job_id: JobId, place: Place | None = None
    ) -> None:
        """`place`: where to go on; None begins with the job."""
        self._ledger = ledger
        self._events = events
        self._logs = logs
        self._id = job_id
        self.place = Place() if place is None else place

    def __iter__(self) -> Iterator[Seen]:
        """Goes on from `place`, which it keeps.

        Raises: NotFound when the ledger does not know the job (any more); Unreachable.
        """
        place = self.place
        while True:
            if place.fence is not None:
                yield from self._attempt(place.fence)
                yield Over(place.fence)
                place.fence = None
            # Before the record is read: what happens after it is then behind this position, and nothing is waited for
            # that has happened.
            position = self._events.end()
            kept = self._kept()
            begun = self._next_claim(kept)
            if begun is not None:
                place.begun.add(begun.fence)
                place.fence, place.position = begun.fence, ""
                yield begun
            elif kept.record.status.is_terminal:
                return
            else:
                yield from self._await_event(position)

    def so_far(self) -> Iterator[Seen]:
        """What the live logs hold now of each attempt, without waiting for more.

        Raises: NotFound when the ledger does not know the job (any more); Unreachable.
        """
        for begun in _claims(self._kept()):
            yield begun
            fence, after = begun.fence, ""
            while True:
                heard = self._logs.read(self._id, fence, after, _CHUNKS, 0)
                if heard.missed_bytes:
                    yield Missed(fence, heard.missed_bytes)
                yield from (Output(fence, chunk) for chunk in heard.chunks)
                after = heard.position
                if heard.ended or not heard.chunks:
                    break

    def _attempt(self, fence: int) -> Iterator[Output | Missed | Quiet]:
        """One attempt's output, to its end: the log says so, or the ledger says that the attempt is over."""
        place, is_over = self.place, False
        while True:
            heard = self._logs.read(self._id, fence, place.position, _CHUNKS, 0 if is_over else _PEEK_S)
            # Before they are given: whoever is interrupted while showing them has them.
            place.position = heard.position
            if heard.missed_bytes:
                yield Missed(fence, heard.missed_bytes)
            for chunk in heard.chunks:
                yield Output(fence, chunk)
            if heard.ended or (is_over and not heard.chunks):
                return
            # Its last output may have come between that read and this look: what is left is read once more.
            if not heard.chunks:
                is_over = self._is_over(fence)
                yield Quiet()

    def _next_claim(self, kept: Kept) -> Began | None:
        return next((begun for begun in _claims(kept) if begun.fence not in self.place.begun), None)

    def _is_over(self, fence: int) -> bool:
        record = self._kept().record
        return record.fence != fence or not record.owner

    def _await_event(self, position: str) -> Iterator[Quiet]:
        """Until something happens to the job; after a while in any case, as a position may be lost in a failover."""
        while True:
            entries = self._events.follow(position, MAX_BATCH, _WAIT_S)
            if any(entry.event.id == self._id for entry in entries):
                return
            yield Quiet()
            if not entries:
                return
            position = entries[-1].position

    def _kept(self) -> Kept:
        kept = self._ledger.kept([self._id])[0]
        if kept is None:
            raise NotFound(f"job {self._id}: the ledger does not know it (any more)")
        return kept


def _claims(kept: Kept) -> list[Began]:
    """Each attempt so far, oldest first, the running one included."""
    record = kept.record
    claims = [(attempt.fence, attempt.owner) for attempt in kept.attempts]
    if record.owner:
        claims.append((record.fence, record.owner))
    return [Began(fence, worker, _files(record, fence)) for fence, worker in claims]


def _files(record: Record, fence: int) -> str:
    return str(workdir.locate(Path(), record.id, fence, record.accepted_ms).path)
