"""One run: start a system, submit the plan's jobs, let the faults befall it, wait for the last end, judge.

One loop in one thread. Nothing waits for a fault or an answer elsewhere: whatever can't be done now (the ledger is
away, the victim is not there yet) is tried again in the next round.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hysds.chaos import arena as arenas
from hysds.chaos import effects, leftovers, report
from hysds.chaos.arena import Arena
from hysds.chaos.checker import Violation, check
from hysds.chaos.faults import Faults
from hysds.chaos.history import Document, History, Kind, Leftover, Listed
from hysds.chaos.jobs import Jobs
from hysds.chaos.plan import Fault, Plan
from hysds.chaos.recorder import Recorder
from hysds.chaos.report import Report
from hysds.chaos.story import stories, tenures
from hysds.core.errors import Unreachable
from hysds.core.requests import MAX_BATCH

_LOOK_EVERY_S = 0.05
_LEAVE_WITHIN_S = 30.0
_SETTLE_WITHIN_S = 60.0
_SAY_EVERY_S = 5.0
_WHOLE = "the run is whole"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run is carried out. `patience_s`: how long all jobs may take to end. `say`: tells of its progress."""

    patience_s: float
    keeps_home: bool
    say: Callable[[str], None]


class Run:
    """One plan, carried out once under a home that nothing else uses."""

    def __init__(self, plan: Plan, home: Path, manner: Manner) -> None:
        self._plan = plan
        self._manner = manner
        self._arena = Arena(home, plan.size)
        self._recorder = Recorder(self._arena.system.events)
        self._jobs = Jobs(plan.jobs, self._arena, self._recorder)
        self._faults = Faults(self._arena)
        self._ends: Counter[str] = Counter()
        self._ended_alone: list[str] = []
        self._ever = 0
        self._began_s = self._said_s = time.monotonic()

    def carry_out(self) -> Report:
        """The report; nothing of the system lives afterwards, and its home is gone unless a guarantee was broken.

        Raises: EmbeddedError, OSError where the system can't be started; KeyboardInterrupt, which leaves nothing.
        """
        try:
            self._arena.start(self._recorder.open)
            is_over = self._live_through(list(self._plan.faults))
            stuck = self._settle(is_over)
            told = self._history(stuck)
            versions = report.versions(self._arena.server.version())
            self._ever = self._arena.server.events_ever(f"{self._arena.prefix}events")
            left = self._arena.end_in_order(arenas.INDEXER, arenas.RECONCILER, within_s=_LEAVE_WITHIN_S)
        except KeyboardInterrupt:
            self._arena.stop()
            shutil.rmtree(self._arena.home.path, ignore_errors=True)
            raise
        finally:
            self._arena.stop()
        violations = self._violations_of_the_run(told, left) + check(told)
        return self._report(told, versions, violations)

    def _live_through(self, due: list[Fault]) -> bool:
        """Until every job has ended and no fault lasts; False where patience was over first. Faults that found nobody
        stay undone.
        """
        until_s = self._began_s + self._manner.patience_s
        while time.monotonic() < until_s:
            self._note_ends()
            self._faults.end_due()
            self._jobs.submit_some()
            self._jobs.cancel_due()
            self._recorder.read(_LOOK_EVERY_S)
            is_over = self._jobs.are_over
            if is_over and self._faults.is_quiet:
                return True
            self._inject_one(due)
            self._tell()
        return False

    def _inject_one(self, due: list[Fault]) -> None:
        """The first fault that is due and can be carried out; one a round, so that each is seen."""
        for fault in due:
            if self._recorder.ended >= fault.after and self._faults.inject(fault):
                due.remove(fault)
                return

    def _note_ends(self) -> None:
        """Start again who has ended; whoever did though no fault ended it is written down."""
        for name, code in self._arena.household.restart_ended():
            self._ends[name] += 1
            if self._ends[name] > self._faults.ends_of(name):
                self._ended_alone.append(f"{name} with code {code}")
                self._ends[name] -= 1

    def _settle(self, is_over: bool) -> list[str]:
        """Workers leave in order, the store catches up, and (where all is over) the ledger is cleared; answers who did
        not leave.
        """
        self._faults.end_all()
        stuck = self._arena.end_in_order(*self._arena.workers(), within_s=_LEAVE_WITHIN_S)
        until_s = time.monotonic() + _SETTLE_WITHIN_S
        while time.monotonic() < until_s and not self._is_settled(is_over):
            self._arena.household.restart_ended(arenas.SERVER, arenas.INDEXER, arenas.RECONCILER)
            self._recorder.read(_LOOK_EVERY_S)
        return stuck

    def _is_settled(self, is_over: bool) -> bool:
        try:
            if self._recorder.is_behind() or self._arena.system.events.backlog("indexer"):
                return False
            is_clear = not any(leftovers.keys(self._arena)) and not self._arena.household.strangers()
            return is_clear or not is_over
        except (OSError, Unreachable):
            return False

    def _history(self, stuck: list[str]) -> History:
        asked = self._jobs.asked()
        told = History(asked, self._recorder.entries, tuple(effects.read(self._arena.effects)))
        lost = frozenset(
            (story.id, tenure.fence)
            for story in stories(told)
            for tenure in tenures(story)
            if tenure.left is not None and tenure.left.event.step == "expire"
        )
        ids = [one.id for one in asked]
        return History(
            asked,
            told.events,
            told.effects,
            documents={document.id: document for document in self._documents(ids)},
            leftovers=(*self._leftovers(ids, lost), *(_stuck(name) for name in stuck)),
        )

    def _documents(self, ids: list[str]) -> list[Document]:
        found = []
        for start in range(0, len(ids), MAX_BATCH):
            for document in self._arena.system.store.get(ids[start : start + MAX_BATCH]):
                if document is not None:
                    found.append(_document(document))
        return found

    def _leftovers(self, ids: list[str], lost: frozenset[tuple[str, int]]) -> list[Leftover]:
        found = [*leftovers.keys(self._arena), *leftovers.files(self._arena, lost)]
        for start in range(0, len(ids), MAX_BATCH):
            kept = self._arena.system.ledger.kept(ids[start : start + MAX_BATCH])
            found += leftovers.reservations([one.record for one in kept if one is not None])
        return [*found, *leftovers.processes(self._arena)]

    def _violations_of_the_run(self, told: History, left: list[str]) -> tuple[Violation, ...]:
        """What makes the run itself worthless: it did not read everything, or a role did not end."""
        found = [
            Violation(_WHOLE, "", f"{name} did not end within {_LEAVE_WITHIN_S:g} s of SIGTERM")
            for name in left
        ]
        if missing := len(self._plan.jobs) - len(told.asked):
            says = f"{missing} of {len(self._plan.jobs)} jobs were not submitted within {self._manner.patience_s:g} s"
            found.append(Violation(_WHOLE, "", says))
        if len(told.events) != self._ever:
            says = f"{self._ever} events were appended and {len(told.events)} were read"
            found.append(Violation(_WHOLE, "", says))
        return tuple(found)

    def _report(
        self, told: History, versions: Mapping[str, str], violations: tuple[Violation, ...]
    ) -> Report:
        keeps = self._manner.keeps_home or bool(violations)
        if not keeps:
            shutil.rmtree(self._arena.home.path)
        return Report(
            plan=self._plan,
            versions=versions,
            settings=self._arena.settings_shown,
            injected=tuple(self._faults.injected),
            ended_alone=tuple(self._ended_alone),
            jobs=report.ends(told),
            attempts=report.attempts(told),
            events=len(told.events),
            effects=len(told.effects),
            violations=violations,
            home=self._arena.home.path if keeps else None,
            took_s=time.monotonic() - self._began_s,
        )

    def _tell(self) -> None:
        if time.monotonic() - self._said_s >= _SAY_EVERY_S:
            self._said_s = time.monotonic()
            standing = ", ".join(
                f"{status} {count}" for status, count in sorted(self._recorder.standing().items())
            )
            self._manner.say(
                f"{self._said_s - self._began_s:.0f} s: {standing}; {len(self._faults.injected)} faults"
            )


def _document(stored: Mapping[str, Any]) -> Document:
    ended = [one for one in stored.get("attempts", []) if "ended" in one]
    return Document(
        stored["id"],
        stored["revision"],
        stored["status"],
        stored.get("fence", 0),
        tuple(Listed(one["fence"], one["how"]) for one in ended),
        stored.get("dedup_job", ""),
    )


def _stuck(name: str) -> Leftover:
    return Leftover(Kind.PROCESS, f"{name} did not leave within {_LEAVE_WITHIN_S:g} s of SIGTERM")
