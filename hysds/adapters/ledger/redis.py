"""The ledger on Redis or Valkey: each method one send, each step one script. What the steps do stands in `lua/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hysds.adapters.ledger import batches, codec, scripts
from hysds.adapters.ledger.server import Server
from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.generations import Generations
from hysds.core.limit_keys import LimitState
from hysds.core.queue_tallies import QueueTally
from hysds.core.requests import (
    MAX_BATCH,
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
from hysds.ports.ledger import Kept, Pulse, QueueState

_NOTICES_AT_ONCE = 1_000
_KEPT_BYTES = 4_000_000
"""What is read of jobs at once, about; specs may have a megabyte."""


class RedisLedger:
    """Safe to share between threads.

    `prefix` begins every key. `retention_ms` is how long an ended, confirmed record stays. `clock_us` replaces the
    server's time, in tests only.
    """

    def __init__(
        self,
        server: Server,
        prefix: str,
        retention_ms: int,
        clock_us: Callable[[], int] | None = None,
    ) -> None:
        self._server = server
        self._base = base(prefix)
        self._retention_ms = retention_ms
        self._clock_us = clock_us

    def check(self) -> None:
        """Whether the server can hold a ledger: call it at start.

        Raises: InvalidSettings where it is too old or evicts keys, Unreachable where it does not answer.
        """
        self._server.check()

    def accept(self, batch: Sequence[Acceptance]) -> Accepted:
        return batches.accepted(batch, self._accept)

    def _accept(self, batch: Sequence[Acceptance]) -> Accepted:
        items = codec.dumps([codec.submission(item) for item in batch])
        answers, made = self._step("accept", self._retention_ms, items, *(item.spec for item in batch))
        return Accepted(codec.answers(answers), codec.ready(made))

    def stage(self, group: str, first: int, items: Sequence[Acceptance]) -> Staging:
        return batches.staged(items, lambda at, part: self._stage(group, first + at, part))

    def _stage(self, group: str, first: int, items: Sequence[Acceptance]) -> Staging:
        texts = (text for item in items for text in (codec.dumps(codec.submission(item)), item.spec))
        return Staging(self._step("stage", group, first, codec.shapes_of(items), *texts))

    def seal(self, group: str) -> Staging:
        return Staging(self._step("seal", group))

    def settle(self, limit: int, only: str = "") -> Moved:
        return codec.settled(self._step("settle", limit, only))

    def reject(self, item: Acceptance, error: str) -> Answer:
        return codec.answer(self._step("reject", codec.dumps(codec.submission(item)), item.spec, error))

    def claim(self, bid: Bid) -> Claimed:
        return codec.claimed(self._step("claim", codec.bid(bid)))

    def renew(self, renewal: Renewal) -> Renewed:
        return codec.renewed(self._step("renew", codec.renewal(renewal)))

    def commit(self, commit: Commit, bid: Bid | None = None) -> Committed:
        next_bid = codec.bid(bid) if bid is not None else ""
        return codec.committed(self._step("commit", codec.commit(commit), commit.detail, next_bid))

    def release(self, id: str, fence: int, delay_ms: int = 0, detail: str = "") -> Moved:
        return codec.moved(self._step("release", id, fence, delay_ms, detail))

    def cancel(self, ids: Sequence[str]) -> Moved:
        return batches.moved(ids, lambda part: codec.moved(self._step("cancel", *part)))

    def wake(self, limit: int) -> Moved:
        return codec.moved(self._step("wake", limit))

    def suspect(self, limit: int) -> Moved:
        return codec.moved(self._step("suspect", limit))

    def expire(self, limit: int) -> Moved:
        return codec.moved(self._step("expire", limit))

    def amend(self, ids: Sequence[str], queue: str = "", priority: int | None = None) -> Moved:
        wanted = "" if priority is None else priority
        return batches.moved(ids, lambda part: codec.moved(self._step("amend", queue, wanted, *part)))

    def pause(self, queue: str, reason: str = "") -> None:
        self._step("pause", queue, reason)

    def resume(self, queue: str) -> Moved:
        return codec.moved(self._step("resume", queue))

    def confirm(self, written: Sequence[tuple[str, int]]) -> tuple[bool, ...]:
        answers: list[bool] = []
        for part in batches.parts(written):
            flat = [value for pair in part for value in pair]
            answers += [answer == 1 for answer in self._step("confirm", self._retention_ms, *flat)]
        return tuple(answers)

    def retirable(self, limit: int) -> tuple[str, ...]:
        return tuple(self._step("retirable", limit))

    def forget(self, ids: Sequence[str]) -> tuple[str, ...]:
        # without ids too: keys whose window is over go with each call
        parts = list(batches.parts(ids)) or [()]
        return tuple(id for part in parts for id in self._step("forget", MAX_BATCH, *part))

    def purge(self, wanted: Sequence[Purge]) -> tuple[Purged, ...]:
        answers: list[Purged] = []
        for part in batches.parts(wanted):
            flat = [text for item in part for text in (item.id, item.dedup)]
            answers += [codec.purged(reply) for reply in self._step("purge", *flat)]
        return tuple(answers)

    def touch(self, id: str, above: int) -> int:
        return int(self._step("touch", id, above))

    def generations(self) -> Generations:
        return codec.generations(self._server.send("HGETALL", f"{self._base}generations"))

    def roll(self, current: int, oldest: int) -> Generations:
        return codec.generations(self._step("roll", current, oldest))

    def leave(self, worker: str) -> Moved:
        return codec.moved(self._step("leave", worker))

    def audit(self, cursor: str, limit: int) -> tuple[str, tuple[tuple[str, str], ...]]:
        after, findings = self._step("audit", cursor, limit)
        return after, tuple((id, what) for id, what in findings)

    def kept(self, ids: Sequence[str]) -> tuple[Kept | None, ...]:
        found: list[Kept | None] = []
        while len(found) < len(ids):
            part = ids[len(found) : len(found) + MAX_BATCH]
            # One script that answers few long texts: a command a value, the client took most of an indexer's time.
            reply = self._server.run(scripts.records("kept"), [self._base], [_KEPT_BYTES, *part])
            found += [_kept(id, *told) for id, *told in zip(part, reply[::2], reply[1::2], strict=False)]
        return tuple(found)

    def ids(self, cursor: str, limit: int) -> tuple[str, tuple[str, ...]]:
        kind = f"{self._base}job:"
        # Of a job that waits there are three keys or four: a record, a spec, and what others keep.
        after, keys = self._server.send(
            "SCAN", cursor or "0", "MATCH", f"{kind}*", "COUNT", 4 * max(limit, 1)
        )
        return "" if int(after) == 0 else str(after), tuple(key.removeprefix(kind) for key in keys)

    def queues(self) -> tuple[QueueState, ...]:
        return tuple(
            QueueState(queue, ready, paused == 1) for queue, ready, paused in sorted(self._step("queues"))
        )

    def tallies(self) -> tuple[QueueTally, ...]:
        found = (codec.tally(reply) for reply in self._step("tallies"))
        return tuple(sorted(found, key=lambda one: one.queue))

    def pulse(self) -> Pulse:
        info, started, due = self._server.send_all(
            (("INFO",), ("ZCARD", f"{self._base}lease"), ("ZCARD", f"{self._base}due"))
        )
        return codec.pulse(info, started, due)

    def drain(self, drain: Drain) -> tuple[str, ...]:
        return tuple(self._step("drain", drain.name, drain.within_ms, drain.reason))

    def undrain(self, name: str) -> bool:
        return bool(self._step("undrain", name) == 1)

    def drains(self) -> tuple[Drain, ...]:
        return codec.drains(self._server.send("HGETALL", f"{self._base}drains"))

    def workers(self) -> tuple[WorkerState, ...]:
        states = (codec.worker_state(reply) for reply in self._step("workers"))
        return tuple(sorted(states, key=lambda state: state.incarnation))

    def place(self, id: str) -> Place | None:
        return codec.place(self._step("place", id))

    def limits(self, keys: Sequence[str]) -> tuple[LimitState, ...]:
        states = self._step("limits", *keys) if keys else ()
        return tuple(codec.limit_state(key, state) for key, state in zip(keys, states, strict=True))

    def listen(self, worker: str, timeout_s: float) -> tuple[str, ...]:
        inbox = f"{self._base}inbox:{worker}"
        if timeout_s <= 0:
            return tuple(self._server.send("LPOP", inbox, _NOTICES_AT_ONCE) or ())
        command = ("BLMPOP", timeout_s, 1, inbox, "LEFT", "COUNT", _NOTICES_AT_ONCE)
        reply = self._server.wait(*command, timeout_s=timeout_s)
        return tuple(reply[1]) if reply else ()

    def now_ms(self) -> int:
        if self._clock_us is not None:
            return self._clock_us() // 1000
        seconds, micros = self._server.send("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    def close(self) -> None:
        self._server.close()

    def _step(self, name: str, *arguments: str | int) -> Any:
        clock = "" if self._clock_us is None else self._clock_us()
        return self._server.run(scripts.transition(name), [f"{self._base}clock"], [clock, *arguments])


def base(prefix: str) -> str:
    """What every key begins with; the braces keep all of them in one slot of a cluster."""
    return f"{{{prefix}}}:"


def _kept(id: str, text: str, spec: str) -> Kept | None:
    if not text:
        return None
    # Lua writes an empty list as an object, of which nothing is taken either.
    short, long, tries, error = json.loads(text)
    attempts = tuple(codec.attempt(one, id) for one in tries)
    return Kept(codec.record(["id", id, *short, *long]), spec, attempts, error)
