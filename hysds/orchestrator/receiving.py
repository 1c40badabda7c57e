"""What producers send over the broker: job specs and tasks, each under the id of its message.

The id makes a redelivery harmless: the ledger knows the job already. Whoever asked for a result hears it once the job
has ended, however it did: a worker's commit, a cancel while it was queued, a worker that was lost.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hysds.core import attempts, calls, ids, parse
from hysds.core.document import document
from hysds.core.errors import InvalidSpec, Refused, TaskFailed, Unreachable
from hysds.core.ids import JobId
from hysds.core.metric_names import Metric
from hysds.core.requests import MAX_BATCH
from hysds.core.spec import JobSpec
from hysds.core.status import ENDED, Status
from hysds.orchestrator.submit import Orchestrator, Submission
from hysds.ports.events import Events
from hysds.ports.ledger import Kept, Ledger
from hysds.ports.metrics import Metrics

_FOLLOW_S = 5.0
"""After so long without an event the records are read again: a position may be lost in a failover."""
_PAUSE_S = 1.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all that comes in."""

    max_spec_bytes: int
    task_queue: str
    """Where a task runs that does not say."""
    allow: tuple[str, ...] | None
    """Modules whose functions may be called; None: only the worker knows."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a task ended: with an error, or with a result."""

    error: Exception | None
    result: Any = None


class Receiver:
    """Takes in specs, and tells ends. Any thread may call any method."""

    def __init__(
        self,
        orchestrator: Orchestrator,
        ledger: Ledger,
        events: Events,
        rules: Rules,
        metrics: Metrics | None = None,
    ) -> None:
        """`metrics`: None where nobody counts."""
        self._orchestrator = orchestrator
        self._rules = rules
        self._metrics = metrics
        self._ends = Ends(ledger, events)

    def submit_job(self, spec: object, id: str, priority: int) -> str:
        """Submit a job under this id, or learn that it was; answers the id. `priority` counts where the spec has none.

        Raises: InvalidSpec, of which the job's document tells; Refused, Unreachable
        """
        most = self._rules.max_spec_bytes
        return self._submitted(spec, id, lambda: parse.parse_document(_with(spec, priority), most)).id

    def run_task(self, task: object, id: str, priority: int) -> str:
        """Submit a task; answers the id of the job whose result is its own: a duplicate has none.

        Raises: as submit_job
        """
        queue, most = self._rules.task_queue, self._rules.max_spec_bytes
        made = self._submitted(task, id, lambda: parse.parse_task(_with(task, priority), queue, most))
        return made.twin if made.is_duplicate and made.twin else made.id

    def watch(self, id: str, told: Callable[[Ended], None]) -> None:
        """Have the end of a submitted task told, once, in any thread; also where it has ended already.

        Raises: Unreachable
        """
        self._ends.watch(id, told)

    def close(self) -> None:
        """Tell nothing more."""
        self._ends.close()

    def _submitted(self, given: object, id: str, parsed: Callable[[], JobSpec]) -> Submission:
        outcome = "failed"  # unless it is known better: the message comes again
        try:
            submission = self._taken(given, id, parsed)
            outcome = "duplicate" if submission.is_duplicate else "accepted"
            return submission
        except (InvalidSpec, Refused):
            outcome = "refused"
            raise
        finally:
            if self._metrics is not None:
                self._metrics.count(Metric.RECEIVED, outcome=outcome)

    def _taken(self, given: object, id: str, parsed: Callable[[], JobSpec]) -> Submission:
        job_id = ids.job_id(id, "$.id")
        try:
            spec = parsed()
            calls.refuse_unless_allowed(spec, self._rules.allow)
        except InvalidSpec as refusal:
            self._orchestrator.reject(job_id, _text(given), refusal)
            raise
        [submission] = self._orchestrator.submit([spec], [JobId(job_id)])
        if submission.refused is not None:
            raise submission.refused
        return submission


class Ends:
    """Follows the events while anybody waits for an end."""

    def __init__(self, ledger: Ledger, events: Events) -> None:
        self._ledger = ledger
        self._events = events
        self._changed = threading.Condition()
        self._waiting: dict[str, Callable[[Ended], None]] = {}
        self._position = ""
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def watch(self, id: str, told: Callable[[Ended], None]) -> None:
        """See `Receiver.watch`."""
        with self._changed:
            if not self._waiting:
                self._position = self._events.end()
            self._waiting[id] = told
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow_for_ever, name="hysds-ends", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        self._tell([id])  # it may have ended before its end was looked for

    def close(self) -> None:
        """See `Receiver.close`."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _follow_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                position = self._position
            try:
                self._follow(position)
            except Exception as error:  # noqa: BLE001  the outer shell of a thread: whoever waits must hear in the end
                if not isinstance(error, Unreachable):
                    _log.exception("ends of tasks could not be read")
                time.sleep(_PAUSE_S)

    def _follow(self, position: str) -> None:
        entries = self._events.follow(position, MAX_BATCH, _FOLLOW_S)
        with self._changed:
            if self._position == position and entries:
                self._position = entries[-1].position
            ended = {entry.event.id for entry in entries if entry.event.status in ENDED}
            due = [id for id in self._waiting if id in ended or not entries]
        for start in range(0, len(due), MAX_BATCH):
            self._tell(due[start : start + MAX_BATCH])

    def _tell(self, ids_: list[str]) -> None:
        for id, kept in zip(ids_, self._ledger.kept(ids_), strict=True):
            if kept is not None and not kept.record.status.is_terminal:
                continue
            with self._changed:
                told = self._waiting.pop(id, None)
            if told is not None:
                told(_ended(id, kept))


def _ended(id: str, kept: Kept | None) -> Ended:
    if kept is None:
        return Ended(TaskFailed(id, "internal", "the ledger has forgotten it; its document may tell more"))
    return of_kept(kept)


def of_kept(kept: Kept) -> Ended:
    """What the ledger holds of the result of an ended task."""
    if kept.record.status is Status.COMPLETED and kept.attempts:
        return Ended(None, attempts.detail(kept.attempts[-1]).get("result"))
    return ended(document(kept.record, kept.spec, kept.attempts, kept.error))


def ended(told: Mapping[str, Any]) -> Ended:
    """What the document of an ended task says of its result."""
    if told["status"] == "job-completed":
        return Ended(None, told.get("result"))
    why = str(told.get("failure_class") or told["status"])
    said = told.get("error") or (
        "it was cancelled" if told["status"] == "job-revoked" else "no reason is known"
    )
    return Ended(TaskFailed(str(told["id"]), why, str(said)))


def _with(given: object, priority: int) -> object:
    """The message's own priority, where what it holds names none."""
    if not priority or not isinstance(given, Mapping) or given.get("priority") is not None:
        return given
    return {**given, "priority": priority}


def _text(given: object) -> str:
    try:
        return json.dumps(given)
    except (TypeError, ValueError):
        return repr(given)
