"""The ledger as its users see it: atomic steps over jobs, leases and workers.

Each method is one step that happens whole or not at all, stamped by the ledger's own clock. `core.book` is the
reference for what each does; `core.requests` has the values. Every method raises Unreachable when no answer came: the
step may or may not have happened, and may be repeated (ids, fences and nonces make repeats harmless).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.generations import Generations
from hysds.core.limit_keys import LimitState
from hysds.core.queue_tallies import QueueTally
from hysds.core.record import Attempt, Record
from hysds.core.requests import (
    Acceptance,
    Accepted,
    Answer,
    Bid,
    Claimed,
    Commit,
    Committed,
    Moved,
    Place,
    Purge,
    Purged,
    Renewal,
    Renewed,
    Staging,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """All that the ledger holds of one job. `error` is the JSON of a refusal, "" where there was none."""

    record: Record
    spec: str
    attempts: tuple[Attempt, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue at one moment: how many jobs are ready, and whether it is paused."""

    queue: str
    ready: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Pulse:
    """The ledger's server, and how much it has to do, at one moment."""

    server: str
    """Name and version, for people."""
    memory_bytes: int
    memory_limit_bytes: int | None
    """Where it accepts nothing more; None: nowhere."""
    started: int
    """Jobs with a lease."""
    due: int
    """Jobs for which a time is set: a wake-up, a ttl or a deadline."""


class Ledger(Protocol):
    """The truth about every live job."""

    def accept(self, batch: Sequence[Acceptance]) -> Accepted:
        """Take jobs in; longer batches go in atomic chunks of MAX_BATCH, and a repeat is harmless.

        Raises: Full when the server has no memory left.
        """

    def stage(self, group: str, first: int, items: Sequence[Acceptance]) -> Staging:
        """Keep submissions of an unsealed group until it is sealed; `first` is the place of the first, from 0.

        Each names its own group by `parent`, which stands before it. A repeat is harmless; what is not followed by
        another stage or the seal for minutes is aborted.
        Raises: Full when the server has no memory left.
        """

    def seal(self, group: str) -> Staging:
        """All of them were staged: each will stand in the ledger, by `settle`."""

    def settle(self, limit: int, only: str = "") -> Moved:
        """Go on with what steps left in pieces: staged members of sealed groups, groups that nobody seals, members of
        cancelled groups, dependents of ended jobs, the sums of groups. `only`: one group's staged members.
        """

    def reject(self, item: Acceptance, error: str) -> Answer:
        """Record a refused submission that came with an id of its own. `error` is JSON."""

    def claim(self, bid: Bid) -> Claimed:
        """The best ready job that fits, if any. Repeat the same bid until answered."""

    def renew(self, renewal: Renewal) -> Renewed:
        """Announce a worker and lengthen its leases."""

    def commit(self, commit: Commit, bid: Bid | None = None) -> Committed:
        """End an attempt; with a bid, claim the next job in the same step."""

    def release(self, id: str, fence: int, delay_ms: int = 0, detail: str = "") -> Moved:
        """Give a job back unfinished."""

    def cancel(self, ids: Sequence[str]) -> Moved:
        """Revoke, or ask the owner to."""

    def wake(self, limit: int) -> Moved:
        """Ready what is due. Looks at the `limit` earliest due entries, and leaves to `expire` what is past its end.

        `more` without an answer: those stand before what else is due, so call both by turns.
        """

    def suspect(self, limit: int) -> Moved:
        """Show jobs as offline of whose lease less than half is left, of the length that their worker asked for."""

    def expire(self, limit: int) -> Moved:
        """End leases, ttls and deadlines that ran out; leaves to `wake` what waits and is due, as `wake` does to it."""

    def amend(self, ids: Sequence[str], queue: str = "", priority: int | None = None) -> Moved:
        """Move unclaimed jobs; one that stands so already answers SAME."""

    def pause(self, queue: str, reason: str = "") -> None:
        """Stop claims from a queue; the ledger stamps when. A new pause replaces an old one."""

    def resume(self, queue: str) -> Moved:
        """Allow claims from a queue again."""

    def confirm(self, written: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        """(id, revision) whose documents the store holds; True for those that were the last of an ended job."""

    def retirable(self, limit: int) -> tuple[str, ...]:
        """Ids that may be forgotten."""

    def forget(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Drop them; answers which are gone."""

    def purge(self, wanted: Sequence[Purge]) -> tuple[Purged, ...]:
        """Take ended jobs out for good, once the store holds their last documents, and free the dedup keys that name
        them; one answer each. Never a live job. Chunks of MAX_BATCH; a repeat answers `missing`.
        """

    def touch(self, id: str, above: int) -> int:
        """Raise a revision; answers the new one, 0 where there is no record."""

    def generations(self) -> Generations:
        """Which generations of the store's indices there are. Cheap."""

    def roll(self, current: int, oldest: int) -> Generations:
        """Let new jobs be born in generation `current`, and give up those below `oldest`; answers what stands now.

        Neither ever goes down, and what is given up is never current: with 0 and 0 nothing changes. The index of
        `current` exists before the call; those below `oldest` are dropped after it.
        """

    def leave(self, worker: str) -> Moved:
        """A worker left, or is proved dead (`gone`)."""

    def audit(self, cursor: str, limit: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Compare about `limit` records with the sets and mend them: (next cursor, (id, what was wrong) …).

        Start with "" and go on until the cursor is "" again.
        """

    def kept(self, ids: Sequence[str]) -> tuple[Kept | None, ...]:
        """What is held of each job; None where nothing is (never accepted, or forgotten)."""

    def ids(self, cursor: str, limit: int) -> tuple[str, tuple[str, ...]]:
        """Of which jobs there is a record, in no order, a part a call: (next cursor, about `limit` ids, or none).

        Start with "" and go on until the cursor is "" again. One that is there all the while is answered at least once;
        one that came or went meanwhile may be or not. It looks at every key of the server, some ms for 10^5.
        """

    def queues(self) -> tuple[QueueState, ...]:
        """All queues with ready work or a pause, by name."""

    def tallies(self) -> tuple[QueueTally, ...]:
        """All queues in use, and those that were within the last ten minutes, by name."""

    def pulse(self) -> Pulse:
        """How its server is. Cheap whatever it holds."""

    def drain(self, drain: Drain) -> tuple[str, ...]:
        """Order that a worker take no more jobs, under every incarnation of its name; answers those that were told.

        The ledger stamps `since_ms`; a new order replaces an old one.
        """

    def undrain(self, name: str) -> bool:
        """Take the order back and wake the workers that it was for; False where there was none."""

    def drains(self) -> tuple[Drain, ...]:
        """All orders that stand, by name."""

    def workers(self) -> tuple[WorkerState, ...]:
        """Who is announced, by incarnation; the silent too, until they are forgotten."""

    def place(self, id: str) -> Place | None:
        """Where a queued job stands among the ready ones of its queue; None where it is not queued."""

    def limits(self, keys: Sequence[str]) -> tuple[LimitState, ...]:
        """What stands under each key: its places, who holds them, how many wait, when the next token comes."""

    def listen(self, worker: str, timeout_s: float) -> tuple[str, ...]:
        """Notices in a worker's inbox, oldest first; waits up to `timeout_s` for the first, () when none came."""

    def now_ms(self) -> int:
        """The ledger server's wall-clock time."""

    def close(self) -> None:
        """Let go of connections; a waiting `listen` ends."""
