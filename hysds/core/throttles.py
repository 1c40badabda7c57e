"""Throttles: limits and rates as the ledger keeps them, and who stands where before them.

A job that is ready and names a throttle is *called*, a started one *holds* a place of a limit, and one that is over it
stands in a *line* (`throttle_values`). What keeps the head of a line keeps all of it. So a line, not each job of it,
waits at one throttle, the first that keeps its head.

Who is called, who holds and who stands in which line follows from the records; where a line waits is looked up again
whenever something could have changed that (`line_steps`).
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field

from hysds.core.ledger_clock import LedgerClock
from hysds.core.record import Record, ready_score
from hysds.core.throttle_values import (
    EXPECTED_MS,
    NOWHERE,
    Pair,
    Standing,
    Throttle,
    line_of,
    pair_of,
    pair_of_line,
    standing,
    terms,
)

_NO_PAIR = Pair("", "")


@dataclass(slots=True)
class Throttles:
    """Kept in step with the records by `move`; what a step changed stands in `touched` and `stirred`.

    `clock` is the book's own.
    """

    clock: LedgerClock
    known: dict[str, Throttle] = field(default_factory=dict)
    """By name, as the latest submission had them; one that nobody needs is gone."""
    holders: dict[str, dict[str, int]] = field(default_factory=dict)
    """Of each limit: since when (wall ms) by id."""
    called: dict[tuple[str, Pair], dict[str, int]] = field(default_factory=dict)
    """Scores of ready jobs by id."""
    expected: dict[tuple[str, Pair], int] = field(default_factory=dict)
    """Until when (ledger ms) the called jobs of a queue and shape are."""
    lines: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """(score, id) of the waiting, in order; a line without any is gone."""
    at: dict[str, str] = field(default_factory=dict)
    """The throttle that each line waits at."""
    tokens: dict[str, int] = field(default_factory=dict)
    """Ledger ms at which a throttle must be looked at: the next token or the end of an expectation, while somebody
    waits; else a full bucket."""
    behind: set[str] = field(default_factory=set)
    """Throttles of which a step left something to the next."""
    touched: set[str] = field(default_factory=set)
    """Throttles that this step changed."""
    stirred: set[str] = field(default_factory=set)
    """Lines that this step changed."""

    @property
    def clock_us(self) -> int:
        return self.clock.ms * 1000

    def move(self, old: Record | None, new: Record | None) -> None:
        """Take a job from where it stood to where it stands now; None: nowhere."""
        before, after = standing(old), standing(new)
        if before == after and (old is None or new is None or pair_of(old) == pair_of(new)):
            return
        if old is not None and before != NOWHERE:
            self._leave(old, before)
        if new is not None and after != NOWHERE:
            self._enter(new, after)

    def name(self, record: Record, creates: bool) -> bool:
        """Keep the numbers that a submission names; of throttles that nobody needs yet, only where it `creates`.

        Answers whether a number changed.
        """
        changed = False
        for name, said in terms(record):
            known = self.known.get(name)
            if known is None and not creates:
                continue
            now = said if known is None else known.renumbered(said, self.clock_us)
            if now != known:
                self.known[name] = now
                self.touched.add(name)
                changed = changed or known is not None
        return changed

    def is_late(self, record: Record) -> bool:
        """Whether one of the job's throttles must be looked at, and nobody has yet."""
        late = [
            name for name, _ in terms(record) if self.tokens.get(name, self.clock.ms + 1) <= self.clock.ms
        ]
        self.touched.update(late)
        return bool(late)

    def free(self, name: str, said: Throttle) -> int:
        """Places or tokens that nobody has; below 0 where the places have become fewer. `said`: as a record has it."""
        known = self.known.get(name, said)
        return (
            known.tokens(self.clock_us) if known.is_rate else known.places - len(self.holders.get(name, ()))
        )

    def over(self, record: Record) -> str:
        """The first throttle that has nothing free for a ready job; "" where it may start."""
        return next((name for name, said in terms(record) if self.free(name, said) < 1), "")

    def keeper(self, record: Record) -> str:
        """The first throttle that keeps a job from being called, or where somebody waits who comes before it."""
        for name, _ in terms(record):
            if self._is_behind_others(name, record) or self.keeps(name, record):
                return name
        return ""

    def _is_behind_others(self, name: str, record: Record) -> bool:
        """Whether anybody of its queue and shape waits at a throttle who comes before it."""
        line, own = self.first_line(name, pair_of(record)), line_of(record)
        if line is None:
            return False
        score, id = self.lines[line][0]
        if line == own:
            return (score, id) < (ready_score(record), record.id)
        return (score, line) < (ready_score(record), own)

    def keeps(self, name: str, record: Record) -> bool:
        """Whether as many called jobs as this throttle has free come before it.

        Those of other queues and shapes count while they are expected: later on, nobody may ever come for them.
        """
        mine, said, pair = ready_score(record), dict(terms(record)).get(name), pair_of(record)
        if said is None:
            return False
        count = sum(
            score <= mine
            for (other, its), scores in self.called.items()
            if other == name and (its == pair or self.expected[name, its] > self.clock.ms)
            for score in scores.values()
        )
        return count >= self.free(name, said)

    def first_of(self, record: Record) -> str:
        return terms(record)[0][0]

    def take(self, record: Record) -> None:
        """The job starts: one token of each of its rates is gone."""
        for name, said in terms(record):
            if said.is_rate:
                self.known[name] = self.known.get(name, said).taken(self.clock_us)
                self.touched.add(name)

    def wait_at(self, line: str, name: str, head: Record) -> bool:
        """A line waits at a throttle from now on; whether it waited elsewhere before."""
        before = self.at.get(line)
        self.at[line] = name
        self.known.setdefault(name, dict(terms(head))[name])
        if before != name:
            self.touched.update((name, before) if before is not None else (name,))
        return before != name

    def wait_nowhere(self, line: str) -> None:
        """Nobody is left in a line."""
        before = self.at.pop(line, None)
        if before is not None:
            self.touched.add(before)

    def first_line(self, name: str, pair: Pair) -> str | None:
        """The line of a pair whose head comes first of those that wait at a throttle."""
        lines = self.waiting_at(name).get(pair)
        return lines[0][1] if lines else None

    def waiting_at(self, name: str) -> dict[Pair, list[tuple[int, str]]]:
        """The lines that wait at a throttle, by pair: (score of the head, line), the best first."""
        found: dict[Pair, list[tuple[int, str]]] = {}
        for line, at in self.at.items():
            if at == name and line in self.lines:
                bisect.insort(found.setdefault(pair_of_line(line), []), (self.lines[line][0][0], line))
        return found

    def count_waiting(self, name: str) -> int:
        """How many jobs stand in the lines that wait at a throttle."""
        return sum(len(self.lines[line]) for line, at in self.at.items() if at == name)

    def is_called(self, name: str) -> bool:
        """Whether any ready job names it."""
        return any(key[0] == name for key in self.called)

    def rest(self, name: str) -> None:
        """When a rate must be looked at again; what nobody needs is forgotten."""
        known = self.known.get(name)
        if known is None:
            return
        self.tokens.pop(name, None)
        waits = name in self.at.values()
        times = list(self._next_looks(name, known)) if waits else []
        if times:
            self.tokens[name] = min(times)
        elif known.is_rate and not waits and not self.is_called(name) and known.full_us > self.clock_us:
            self.tokens[name] = _ms(known.full_us)
        elif not waits and not self.is_called(name) and not self.holders.get(name):
            del self.known[name]
            self.behind.discard(name)

    def _next_looks(self, name: str, known: Throttle) -> Iterator[int]:
        """When somebody who waits may be called, though nothing happens until then."""
        if known.is_rate and known.tokens(self.clock_us) < known.bucket:
            yield _ms(known.next_us(self.clock_us))
        fresh = (ms for (other, _), ms in self.expected.items() if other == name and ms > self.clock.ms)
        yield from fresh

    def touch_late(self, limit: int) -> None:
        """Look again at rates whose time has come, and at what was left behind; at most `limit` of each."""
        late = sorted((ms, name) for name, ms in self.tokens.items() if ms <= self.clock.ms)
        behind = sorted(self.behind)[:limit]
        self.behind.difference_update(behind)
        self.touched.update(behind, (name for _, name in late[:limit]))

    def is_behind(self) -> bool:
        """Whether anything is left to look at now."""
        return bool(self.behind) or any(ms <= self.clock.ms for ms in self.tokens.values())

    def ids(self) -> set[str]:
        """Whoever is called, holds a place or waits in a line."""
        called = (id for scores in self.called.values() for id in scores)
        holders = (id for held in self.holders.values() for id in held)
        return {*called, *holders, *(id for entries in self.lines.values() for _, id in entries)}

    def mend(self, id: str, record: Record | None) -> str:
        """Make everything follow the record (None: no such job); answers what was wrong, "" where nothing was."""
        there = sorted(self._found(id))
        should = sorted(self._belongs(record))
        if there == should:
            return ""
        for kind, name, pair, _ in there:
            self._drop(kind, name, pair, id)
        self.move(None, record)
        return f"stood {_words(there)} among throttles, belongs {_words(should)}"

    def _found(self, id: str) -> Iterator[tuple[str, str, Pair, int]]:
        for name, held in self.holders.items():
            if id in held:
                yield "holds", name, _NO_PAIR, held[id]
        for (name, pair), scores in self.called.items():
            if id in scores:
                yield "called", name, pair, scores[id]
        for line, entries in self.lines.items():
            yield from (("waits", line, _NO_PAIR, score) for score, other in entries if other == id)

    def _belongs(self, record: Record | None) -> Iterator[tuple[str, str, Pair, int]]:
        where = standing(record)
        if record is None:
            return
        if where.waits is not None:
            yield "waits", line_of(record), _NO_PAIR, where.waits
        for name, said in terms(record):
            if where.called is not None:
                yield "called", name, pair_of(record), where.called
            if where.holds is not None and not said.is_rate:
                yield "holds", name, _NO_PAIR, where.holds

    def _leave(self, record: Record, where: Standing) -> None:
        if where.waits is not None:
            self._drop("waits", line_of(record), _NO_PAIR, record.id)
        for name, said in terms(record):
            if where.called is not None:
                self._drop("called", name, pair_of(record), record.id)
            if where.holds is not None and not said.is_rate:
                self._drop("holds", name, _NO_PAIR, record.id)

    def _enter(self, record: Record, where: Standing) -> None:
        if where.waits is not None:
            line = line_of(record)
            bisect.insort(self.lines.setdefault(line, []), (where.waits, record.id))
            self.stirred.add(line)
            if line not in self.at and record.reason in dict(terms(record)):
                self.wait_at(line, record.reason, record)
            return
        for name, said in terms(record):
            if where.called is not None:
                self.called.setdefault((name, pair_of(record)), {})[record.id] = where.called
                self.expected[name, pair_of(record)] = self.clock.ms + EXPECTED_MS
            if where.holds is not None and not said.is_rate:
                self.holders.setdefault(name, {})[record.id] = where.holds
            self.known.setdefault(name, said)
            self.touched.add(name)

    def _drop(self, kind: str, name: str, pair: Pair, id: str) -> None:
        if kind == "waits":
            self.lines[name] = [entry for entry in self.lines.get(name, []) if entry[1] != id]
            self.stirred.add(name)
            if not self.lines[name]:
                del self.lines[name]
            return
        self.touched.add(name)
        if kind == "called":
            self.called.get((name, pair), {}).pop(id, None)
            if not self.called.get((name, pair), True):
                del self.called[name, pair]
                del self.expected[name, pair]
        else:
            self.holders.get(name, {}).pop(id, None)
            if not self.holders.get(name, True):
                del self.holders[name]


def _words(places: list[tuple[str, str, Pair, int]]) -> str:
    return ", ".join(f"{kind} {name!r}" for kind, name, _, _ in places) or "nowhere"


def _ms(us: int) -> int:
    return -(-us // 1000)
