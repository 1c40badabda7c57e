"""Who is called when a place or a token is free, and who goes back in line.

Each step ends with `_call_next`: for every throttle and every queue and shape of which jobs wait there, either as many
ready jobs as places or tokens are free come before the first that waits, or that one is called, or its line moves on to
the throttle that keeps it now. A called job reserves nothing: the first that is claimed has the place, and what is over
then goes back in line when a claim comes across it. So neither a paused queue nor one that no worker hears keeps a
place from others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hysds.core import transitions
from hysds.core.limit_keys import MAX_HOLDERS, LimitState, RateState
from hysds.core.pages import Pages
from hysds.core.record import Record
from hysds.core.status import Status
from hysds.core.throttle_values import LIMIT, RATE, is_limited, place_in_line

CALLS_AT_ONCE = 100
"""The most jobs that one step calls, and lines that it moves on; what is left is done by the next `wake`."""


@dataclass(slots=True)
class Calling:
    """What one step does for those who wait, and how much more it may."""

    left: int
    answers: list[tuple[str, str]] = field(default_factory=list)
    """(id, new status) of whom it called."""


class LineSteps(Pages):
    """The part of each step that is about throttles."""

    def _call_next(self) -> None:
        self._call(CALLS_AT_ONCE)

    def _call(self, most: int) -> list[tuple[str, str]]:
        """Bring what this step changed in order; answers whom it called, with their new status."""
        calling = Calling(most)
        throttles = self.throttles
        while throttles.stirred or throttles.touched:
            stirred, throttles.stirred = sorted(throttles.stirred), set()
            for line in stirred:
                self._look_at(line, calling)
            touched, throttles.touched = sorted(throttles.touched), set()
            for name in touched:
                self._let_go(name, calling)
        return calling.answers

    def _let_go(self, name: str, calling: Calling) -> None:
        """Let go whom this throttle keeps no longer, the first of all queues and shapes first."""
        while (line := self._unkept(name)) is not None:
            if calling.left <= 0:
                self.throttles.behind.add(name)
                break
            self._look_at(line, calling)
        self.throttles.rest(name)

    def _unkept(self, name: str) -> str | None:
        """The best line that waits at a throttle, where it need not any more."""
        found = []
        for lines in self.throttles.waiting_at(name).values():
            head = self._head(lines[0][1])
            if head is None or not self.throttles.keeps(name, head):
                found.append(lines[0])
        return min(found)[1] if found else None

    def _look_at(self, line: str, calling: Calling) -> None:
        """Call the first of a line until a throttle keeps it; there the line waits."""
        throttles = self.throttles
        while (head := self._head(line)) is not None:
            keeper = throttles.keeper(head)
            if not keeper and calling.left > 0:
                calling.left -= 1
                self._call_one(head, calling)
                continue
            if not keeper:
                keeper = throttles.first_of(head)
                throttles.behind.add(keeper)
            if throttles.wait_at(line, keeper, head):
                calling.left -= 1
            return
        throttles.wait_nowhere(line)

    def _head(self, line: str) -> Record | None:
        """The first of a line, None where it is empty. An entry that contradicts its record is mended."""
        while line in self.throttles.lines:
            score, id = self.throttles.lines[line][0]
            record = self.records.get(id)
            if record is not None and place_in_line(record) == (line, score):
                return record
            self.throttles.mend(id, record)
        return None

    def _call_one(self, record: Record, calling: Calling) -> None:
        new = transitions.woken(record, self.now_us)
        self._put(record, new, "wake")
        self.called[new.queue, new.shape] += 1
        calling.answers.append((new.id, new.status.value))

    def _named(self, record: Record) -> Record:
        """A new job, whose numbers hold from now on; ready, or before the throttle that keeps it."""
        if not is_limited(record):
            return record
        is_renumbered = self.throttles.name(record, creates=record.status is Status.QUEUED)
        return self._kept_back(record, is_renumbered)

    def _kept_back(self, record: Record, is_renumbered: bool = False) -> Record:
        """A job that became ready, or waits before the throttle that keeps it, at its place in time."""
        if record.status is not Status.QUEUED or not is_limited(record):
            return record
        if self.throttles.is_late(record) or is_renumbered:
            self._call_next()  # what is free now is first for those who wait already
        keeper = self.throttles.keeper(record)
        return replace(record, status=Status.WAITING, reason=keeper) if keeper else record

    def _send_back(self, record: Record) -> bool:
        """Whether a claim came across a ready job that may not start now: it waits, and others are called."""
        name = self.throttles.over(record)
        if name:
            self._put(record, transitions.limited(record, name, self.now_us), "limit")
            self._call_next()
        return bool(name)

    def limit_states(self, keys: Sequence[str], now_us: int) -> tuple[LimitState, ...]:
        """What stands under each key at this moment."""
        clock_us = self.clock.read(now_us) * 1000
        return tuple(self._limit_state(key, clock_us) for key in keys)

    def _limit_state(self, key: str, clock_us: int) -> LimitState:
        throttles = self.throttles
        known = throttles.known.get(LIMIT + key)
        held = sorted((since, id) for id, since in throttles.holders.get(LIMIT + key, {}).items())
        return LimitState(
            key,
            places=known.places if known is not None else 0,
            used=len(held),
            holders=tuple(id for _, id in held[:MAX_HOLDERS]),
            waiting=throttles.count_waiting(LIMIT + key),
            rate=self._rate_state(RATE + key, clock_us),
        )

    def _rate_state(self, name: str, clock_us: int) -> RateState | None:
        throttles = self.throttles
        known = throttles.known.get(name)
        if known is None:
            return None
        tokens = known.tokens(clock_us)
        next_us = known.next_us(clock_us) - clock_us if tokens < known.bucket else 0
        return RateState(
            known.interval_us, known.bucket, tokens, -(-next_us // 1000), throttles.count_waiting(name)
        )
