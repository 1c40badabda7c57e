"""Follows the live output of a job over all its attempts, until the job has ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hysds.core.errors import NotFound
from hysds.core.ids import JobId
from hysds.core.requests import MAX_BATCH
from hysds.ports.events import Events
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.logs import Chunk, Logs

_WAIT_S = 5.0
_PEEK_S = 0.2
"""A log that nothing was written to has no end to wait for: so often the ledger is asked whether the attempt is over."""
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
    """An attempt began on a worker."""

    fence: int
    worker: str


class Follower:
    """Iterate over it: what an attempt writes, as it writes it; it ends with the job."""

    def __init__(self, ledger: Ledger, events: Events, logs: Logs, job_id: JobId) -> None:
        self._ledger = ledger
        self._events = events
        self._logs = logs
        self._id = job_id

    def __iter__(self) -> Iterator[Output | Missed | Began]:
        """Raises: NotFound when the ledger does not know the job (any more); Unreachable."""
        position = self._events.end()
        seen = 0
        while True:
            kept = self._kept()
            for fence, worker in _claims(kept):
                if fence > seen:
                    seen = fence
                    yield Began(fence, worker)
                    yield from self._attempt(fence)
                    break
            else:
                if kept.record.status.is_terminal:
                    return
                position = self._wait(position)

    def _attempt(self, fence: int) -> Iterator[Output | Missed]:
        """One attempt's output, to its end: the log says so, or the ledger says that the attempt is over."""
        after = ""
        while True:
            heard = self._logs.read(self._id, fence, after, _CHUNKS, _PEEK_S)
            if heard.missed_bytes:
                yield Missed(fence, heard.missed_bytes)
            for chunk in heard.chunks:
                yield Output(fence, chunk)
            after = heard.position
            if heard.ended or (not heard.chunks and self._is_over(fence)):
                return

    def _is_over(self, fence: int) -> bool:
        record = self._kept().record
        return record.fence != fence or not record.owner

    def _wait(self, position: str) -> str:
        while True:
            entries = self._events.follow(position, MAX_BATCH, _WAIT_S)
            if not entries:
                return position
            position = entries[-1].position
            if any(entry.event.id == self._id for entry in entries):
                return position

    def _kept(self) -> Kept:
        kept = self._ledger.kept([self._id])[0]
        if kept is None:
            raise NotFound(f"job {self._id}: the ledger does not know it (any more)")
        return kept


def _claims(kept: Kept) -> list[tuple[int, str]]:
    """(fence, worker) of each attempt so far, oldest first, the running one included."""
    claims = [(attempt.fence, attempt.owner) for attempt in kept.attempts]
    if kept.record.owner:
        claims.append((kept.record.fence, kept.record.owner))
    return claims
