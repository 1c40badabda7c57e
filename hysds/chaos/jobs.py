"""Submits a plan's jobs and cancels those that are to be cancelled, again and again until the ledger has answered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from hysds.bootstrap import System
from hysds.chaos import asking, effects
from hysds.chaos.arena import Arena
from hysds.chaos.history import Asked
from hysds.chaos.plan import Cancel, PlannedJob
from hysds.chaos.recorder import Recorder
from hysds.core import parse
from hysds.core.errors import Unreachable
from hysds.core.ids import JobId
from hysds.core.spec import JobSpec
from hysds.lib.uuid7 import Uuid7Source

_AT_ONCE = 20
_DEPTH = 20
"""How many jobs are under way for each slot: enough to choose from, few enough to bound a run's load."""


@dataclass(slots=True)
class _Sent:
    """A job that was submitted, or is being."""

    job: PlannedJob
    id: JobId
    spec: JobSpec
    told: str = ""
    cancelled: str = ""


class Jobs:
    """The jobs of one run, in the order of the plan."""

    def __init__(self, planned: Sequence[PlannedJob], arena: Arena, recorder: Recorder) -> None:
        self._planned = list(reversed(planned))
        self._arena = arena
        self._recorder = recorder
        self._new_id = Uuid7Source()
        self._sent: list[_Sent] = []
        self._unanswered: list[_Sent] = []
        self._to_cancel: list[_Sent] = []
        self._depth = _DEPTH * arena.size.workers * arena.size.slots

    @property
    def are_submitted(self) -> bool:
        """Whether all of the plan were, and answered."""
        return not self._planned and not self._unanswered

    @property
    def are_over(self) -> bool:
        """Whether all of them have ended, as far as the recorder has read."""
        return self.are_submitted and self._recorder.ended >= len(self._sent)

    def submit_some(self) -> None:
        """The next few, where not too many are under way."""
        if not self._unanswered:
            room = self._depth - (len(self._sent) - self._recorder.ended)
            for _ in range(min(room, _AT_ONCE, len(self._planned))):
                self._unanswered.append(self._made(self._planned.pop()))
        if not self._unanswered:
            return
        system: System = self._arena.system
        try:
            answers = system.orchestrator.submit(
                [sent.spec for sent in self._unanswered], [sent.id for sent in self._unanswered]
            )
        except Unreachable:
            return  # the same ids again in the next round: a repeat is harmless
        for sent, answer in zip(self._unanswered, answers, strict=True):
            sent.told = "refused" if answer.refused else "deduped" if answer.is_duplicate else "accepted"
            self._sent.append(sent)
            if sent.job.cancel is not Cancel.NEVER:
                self._to_cancel.append(sent)
        self._unanswered = []

    def cancel_due(self) -> None:
        """Cancel those whose moment has come; one that has ended before needs none."""
        for sent in list(self._to_cancel):
            if self._recorder.has_ended(sent.id):
                self._to_cancel.remove(sent)
            elif sent.job.cancel is Cancel.ACCEPTED or effects.begun(self._arena.effects, sent.id):
                self._cancel(sent)

    def asked(self) -> tuple[Asked, ...]:
        """What the checker must know of all of them."""
        return tuple(
            asking.asked(sent.job, sent.id, sent.told, sent.spec, sent.cancelled) for sent in self._sent
        )

    def _cancel(self, sent: _Sent) -> None:
        try:
            [(_, sent.cancelled)] = self._arena.system.ledger.cancel([sent.id]).answers
        except Unreachable:
            return
        self._to_cancel.remove(sent)

    def _made(self, job: PlannedJob) -> _Sent:
        document = asking.document(job, self._arena.effects, time.time())
        return _Sent(job, JobId(self._new_id()), parse.parse_document(document))
