"""Dedup keys: which job a digest names, who is a duplicate of it, who may take it, and when it is let go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hysds.core.record import FOREVER, Record
from hysds.core.requests import Acceptance
from hysds.core.status import Status


@dataclass(frozen=True, slots=True)
class Key:
    """Whom a dedup digest names, and (wall ms, FOREVER, or 0 while it lives) until when."""

    owner: str
    until_ms: int = 0

    def is_over(self, now_ms: int) -> bool:
        """Whether the window of its completed job is over; the key then counts as free."""
        return 0 < self.until_ms <= now_ms


@dataclass(slots=True)
class DedupKeys:
    """`records` are the book's own: a key's standing is its owner's status, at the moment of asking."""

    records: Mapping[str, Record]
    by_digest: dict[str, Key] = field(default_factory=dict)

    def twin(self, item: Acceptance, now_ms: int) -> tuple[str, str] | None:
        """The job that does the same, and its status: judged by the new submission's own states. It makes this one a
        duplicate, unless that is forced."""
        key = self.by_digest.get(item.dedup) if item.dedup else None
        if key is None or key.owner == item.retry_of or self.is_free(key, now_ms):
            return None
        status = self.status(key)
        return (key.owner, status.value) if status in item.twins else None

    def take(self, item: Acceptance, now_ms: int) -> None:
        """Let the key name an accepted job, where it may have it."""
        if self.may_take(item, now_ms):
            self.by_digest[item.dedup] = Key(item.id)

    def may_take(self, item: Acceptance, now_ms: int) -> bool:
        """Whether the key is free for this submission; a forced twin never takes it from another job."""
        if not item.dedup:
            return False
        key = self.by_digest.get(item.dedup)
        if key is None or self.is_free(key, now_ms):
            return True
        if not self.status(key).is_terminal:
            return False
        return key.owner == item.retry_of or not (item.may_repeat or item.retry_of)

    def is_free(self, key: Key, now_ms: int) -> bool:
        """Whether its window is over; or it names a job that never ended and has no record, which was set aside."""
        return key.is_over(now_ms) or (key.until_ms == 0 and key.owner not in self.records)

    def status(self, key: Key) -> Status:
        """Where the key's job stands; a key whose record is forgotten stands for a completed job."""
        owner = self.records.get(key.owner)
        return owner.status if owner is not None else Status.COMPLETED

    def settle(self, ended: Record) -> None:
        """The key of a job that ended goes, or stands for its window when it completed; only while it names it."""
        key = self.by_digest.get(ended.dedup) if ended.dedup else None
        if key is None or not self.names(key, ended):
            return
        if ended.status is not Status.COMPLETED or ended.window_ms == 0:
            del self.by_digest[ended.dedup]
        else:
            until_ms = FOREVER if ended.window_ms == FOREVER else ended.ended_ms + ended.window_ms
            self.by_digest[ended.dedup] = Key(ended.id, until_ms)

    def free(self, digest: str, id: str) -> None:
        """Whatever was done under the key is taken out; only while it names that job."""
        key = self.by_digest.get(digest)
        if key is not None and key.owner == id:
            del self.by_digest[digest]

    def names(self, key: Key, ended: Record) -> bool:
        """Whether the key still names the job that ends."""
        return key.owner == ended.id

    def drop_over(self, now_ms: int, limit: int) -> None:
        """Forget keys whose window is over, the oldest first, at most `limit`."""
        over = sorted((key.until_ms, digest) for digest, key in self.by_digest.items() if key.is_over(now_ms))
        for _, digest in over[:limit]:
            del self.by_digest[digest]
