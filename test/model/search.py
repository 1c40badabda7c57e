"""Breadth first through every reachable world, so that the first violation has a shortest trace.

After that, backwards from the worlds in which all jobs have ended: whatever is not met then has no way out.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from model.canonical import canonical
from model.happenings import Happenings
from model.rules import Violation
from model.slim import OWNERS
from model.world import Label, World


@dataclass(frozen=True)
class Found:
    """What a search saw. `violation` is "" where every rule held; `trace` leads to it, one happening a line."""

    states: int
    steps: int
    violation: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{number:3}. {line}" for number, line in enumerate(self.trace, 1)]
        return "\n".join(
            [f"{self.states} states, {self.steps} steps; {self.violation or 'no violation'}", *lines]
        )


class Search:
    """One walk through the worlds."""

    def __init__(self, happenings: Happenings) -> None:
        self._happenings = happenings
        self._index: dict[World, int] = {}
        self._worlds: list[World] = []
        self._parents = array("l")
        self._from = array("l")
        self._to = array("l")
        self._steps = 0

    def run(self, most_states: int = 2_000_000) -> Found:
        """Raises: RuntimeError where there are more states than that."""
        self._add(canonical(self._happenings.start(), self._happenings.bounds), -1)
        at = 0
        while at < len(self._worlds):
            if at > most_states:
                raise RuntimeError(f"more than {most_states} states: take tighter bounds")
            violation = self._visit(at)
            if violation is not None:
                return Found(len(self._worlds), self._steps, violation, self._trace(at))
            at += 1
        return self._stuck()

    def _visit(self, at: int) -> str | None:
        """All that can happen in one world; answers the violation that it led to."""
        happenings = self._happenings
        world = self._worlds[at]
        try:
            for _, after, counts in happenings.next(world):
                self._steps += 1
                if after == world:
                    continue
                settled = canonical(after, happenings.bounds)
                known = self._index.get(settled)
                if known is None:
                    happenings.check(after)
                    known = self._add(settled, at)
                if counts and known != at:
                    self._from.append(at)
                    self._to.append(known)
        except Violation as violation:
            return str(violation)
        return None

    def _add(self, world: World, parent: int) -> int:
        self._index[world] = number = len(self._worlds)
        self._worlds.append(world)
        self._parents.append(parent)
        return number

    def _trace(self, at: int) -> tuple[str, ...]:
        """The way to a world, told anew from the start, so that each worker keeps its name all the way."""
        path = []
        while at > 0:
            path.append(self._worlds[at])
            at = self._parents[at]
        happenings = self._happenings
        world, lines = happenings.start(), []
        for target in reversed(path):
            label, world = next(
                (label, after)
                for label, after, _ in happenings.next(world)
                if canonical(after, happenings.bounds) == target
            )
            lines.append(words(label))
        return (*lines, *self._last_line(world))

    def _last_line(self, world: World) -> tuple[str, ...]:
        shown: Label | None = None
        happenings = self._happenings
        try:
            for label, after, _ in happenings.next(world):
                shown = label
                happenings.check(after)
                shown = None
        except Violation:
            return (words(shown) if shown else happenings.model.last(),)
        return ()

    def _stuck(self) -> Found:
        """Walk back from the ends; the first world never met is one from which a job can't end."""
        size = len(self._worlds)
        before: list[list[int]] = [[] for _ in range(size)]
        for source, target in zip(self._from, self._to, strict=True):
            before[target].append(source)
        ends = [at for at in range(size) if self._happenings.is_over(self._worlds[at])]
        met = bytearray(size)
        for at in ends:
            met[at] = 1
        while ends:
            for source in before[ends.pop()]:
                if not met[source]:
                    met[source] = 1
                    ends.append(source)
        stuck = met.find(0)
        if stuck < 0:
            return Found(size, self._steps)
        return Found(size, self._steps, "from here a job can never end", self._trace(stuck))


def words(label: Label) -> str:
    what, worker, job = label
    if worker and job:
        return f"{OWNERS[worker]} {what} job {job}"
    if worker:
        return f"{OWNERS[worker]} {what}"
    return f"job {job} {what}" if job else what
