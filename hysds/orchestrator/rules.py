"""Rules come true here: a member of the group that reads the ledger's events, and the journal, and fires what matches.

An entry is acknowledged once the jobs that it causes are in the ledger and what rules did is told, never before; each
firing is the same however often it is repeated. Any number of these work side by side; what a dead one was given, the
others adopt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from hysds.core.errors import HysdsError, Unreachable
from hysds.core.metric_names import Metric
from hysds.core.rules import telling
from hysds.core.rules.lineage import Occasion
from hysds.core.rules.telling import Fired
from hysds.lib import clocks
from hysds.orchestrator import occasions as reading
from hysds.orchestrator import rule_book
from hysds.orchestrator.firing import Firing
from hysds.orchestrator.occasions import Occasions
from hysds.orchestrator.rule_book import RuleBook, Streams
from hysds.ports.events import Entry
from hysds.ports.journal import Note
from hysds.ports.metrics import Metrics
from hysds.ports.rules import GROUP

ROLE = "rules"
"""What this role is called in the roster."""

SILENT_MS = 15_000
"""Whoever carries out rules signs the roster more often than this, in ms."""

_PAUSE_S = 2.0
"""Between two looks while there are no rules, or something is away."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How rules are carried out. `member` names this process and no other, living or dead."""

    member: str
    batch: int = 100
    patience_s: float = 1.0
    """How long one read waits for the first event; a stop is noticed after it."""
    adopt_after_s: float = 15.0
    """What another member left alone for so long is taken over. Too early costs a repetition, nothing else."""
    sign_every_s: float = 5.0
    """So often the roster is signed, and what is left to do is counted."""
    keep_every_s: float = 60.0
    """So often it is made sure that the streams are kept for rules."""


@dataclass(frozen=True, slots=True)
class CarryOut:
    """How entries become what rules look at, and rules jobs."""

    occasions: Occasions
    firing: Firing


def _unseen() -> None:
    """Nobody keeps a roster."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`sign` tells the roster that this process works; it may raise Unreachable. `clock_s` counts seconds and never
    goes back.
    """

    metrics: Metrics
    sign: Callable[[], None] = _unseen
    clock_s: Callable[[], float] = time.monotonic


class RuleRunner:
    """Carries out the published rules. One thread."""

    def __init__(
        self,
        book: RuleBook,
        streams: Streams,
        carry_out: CarryOut,
        pace: Pace,
        around: Surroundings,
    ) -> None:
        self._book = book
        self._streams = streams
        self._occasions = carry_out.occasions
        self._firing = carry_out.firing
        self._pace = pace
        self._around = around
        self._due_s: dict[str, float] = {}
        self._is_away = False

    @property
    def member(self) -> str:
        """What it is called in the group."""
        return self._pace.member

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop; the round then under way is finished."""
        while not stop.is_set():
            try:
                if not self.step():
                    stop.wait(_PAUSE_S)
                self._is_back()
            except HysdsError as error:
                self._tell_once(error)
                stop.wait(_PAUSE_S)
            except Exception:  # noqa: BLE001 - the outer shell of a thread: rules go on, whatever one entry is
                _log.exception("rules: a round broke")
                stop.wait(_PAUSE_S)

    def step(self) -> bool:
        """One round; whether there are rules. It waits a moment for something to happen.

        Raises: Unreachable; what was read then comes again. Internal where the rules can't be read here.
        """
        self._round()
        known = self._book.current()
        return known.look_at_jobs or known.look_at_happenings

    def follow(self) -> None:
        """Rounds, for as long as there is anything to see.

        Raises: as `step`
        """
        self._book.latest()
        while self._round():
            pass

    def _round(self) -> int:
        """How many entries it did."""
        known = self._book.current()
        self._upkeep()
        done = self._on_events() if known.look_at_jobs else 0
        if known.look_at_happenings:
            done += self._on_journal(0.0 if known.look_at_jobs else self._pace.patience_s)
        return done

    def _on_events(self) -> int:
        pace, events = self._pace, self._streams.events
        entries: Sequence[Entry] = ()
        if self._is_due("events", pace.adopt_after_s / 2):
            entries = events.adopt(GROUP, pace.member, pace.adopt_after_s, pace.batch)
        entries = entries or events.read(GROUP, pace.member, pace.batch, pace.patience_s, begins=False)
        if entries:
            self._carry_out(self._occasions.of_events([one.event for one in entries]))
            events.done(GROUP, [one.position for one in entries])
        return len(entries)

    def _on_journal(self, patience_s: float) -> int:
        pace, journal = self._pace, self._streams.journal
        notes: Sequence[Note] = ()
        if self._is_due("journal", pace.adopt_after_s / 2):
            notes = journal.adopt(GROUP, pace.member, pace.adopt_after_s, pace.batch)
        notes = notes or journal.read(GROUP, pace.member, pace.batch, patience_s, begins=False)
        if notes:
            self._carry_out(reading.of_happening(one.happening) for one in notes)
            journal.done(GROUP, [one.position for one in notes])
        return len(notes)

    def _carry_out(self, found: Iterable[Occasion]) -> None:
        for occasion in found:
            fired = tuple(self._firing.fired(self._book.armed(occasion.on), occasion))
            for one in fired:
                self._log(one)
                self._around.metrics.count(Metric.RULES_FIRED, rule=one.rule.name, outcome=one.outcome.value)
            told = [one for one in fired if not one.is_silent]
            if told:
                now_ms = clocks.wall_ms()
                self._streams.journal.tell([telling.happening(one, now_ms) for one in told])

    def _upkeep(self) -> None:
        if self._is_due("sign", self._pace.sign_every_s):
            self._around.sign()
            if self._around.metrics.is_on:
                self._around.metrics.gauge(Metric.RULES_BEHIND, float(self.behind()))
        if self._is_due("keep", self._pace.keep_every_s):
            self._book.keep()

    def behind(self) -> int:
        """How many entries rules have still to see."""
        return rule_book.behind(self._book, self._streams)

    def _is_due(self, what: str, every_s: float) -> bool:
        now_s = self._around.clock_s()
        if now_s < self._due_s.get(what, now_s):
            return False
        self._due_s[what] = now_s + every_s
        return True

    def _log(self, fired: Fired) -> None:
        extra = {"action": "rule", "rule": fired.rule.name, "job_id": fired.job_id}
        occasion = fired.occasion
        if fired.reason:
            words = (fired.rule.name, fired.outcome, occasion.on, occasion.id, fired.reason)
            _log.warning("rule %s %s on %s %s: %s", *words, extra=extra)
        else:
            _log.info(
                "rule %s fired on %s %s: job %s",
                fired.rule.name,
                occasion.on,
                occasion.id,
                fired.job_id,
                extra=extra,
            )

    def _tell_once(self, error: HysdsError) -> None:
        if not self._is_away:
            part = error.part if isinstance(error, Unreachable) else "ledger"
            _log.warning("rules wait: %s", error, extra={"action": "outage", "part": part})
        self._is_away = True

    def _is_back(self) -> None:
        if self._is_away:
            self._is_away = False
            _log.info("rules go on", extra={"action": "recovered"})
