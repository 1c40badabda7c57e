"""Tasks as programs see them: a handle with a result, and the twins of what HySDS's programs call."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from hysds.bootstrap import System
from hysds.core.errors import NotFound
from hysds.core.ids import JobId
from hysds.core.requests import MAX_BATCH
from hysds.core.status import ENDED
from hysds.orchestrator import receiving
from hysds.orchestrator.receiving import Ended
from hysds.orchestrator.submit import Submission
from hysds.ports.calls import Sent

_FOLLOW_S = 5.0
"""After so long without an event the record is read again: a position may be lost in a failover."""
_RECENT_S = 1.0
SUBMIT_JOB = "hysds.orchestrator.submit_job"
RUN_TASK = "hysds.task_worker.run_task"


class TaskHandle:
    """A submitted task. Any thread may call any method."""

    def __init__(self, job_id: JobId, ends: TaskEnds) -> None:
        """`job_id`: of the job whose result it is; of a duplicate that is the other's."""
        self.id = job_id
        self._ends = ends

    def result(self, timeout_s: float | None = None) -> Any:
        """What the function returned, once it has.

        Raises: TaskFailed where it failed or was cancelled; TimeoutError when it has not ended within the timeout
        (None: wait for ever); NotFound when neither ledger nor store knows the task any more.
        """
        return self._ends.result(self.id, timeout_s)


class TaskEnds:
    """Reads the event stream while anybody waits: one of those who wait reads for all."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._changed = threading.Condition()
        self._open: WeakValueDictionary[str, TaskHandle] = WeakValueDictionary()
        """Submitted, and somebody may still ask."""
        self._ended: set[str] = set()
        """Of these, those that have ended, or whose record should be looked at."""
        self._position = ""
        self._read_s = -math.inf
        """When the position was the stream's end, on the monotonic clock."""
        self._is_read = False

    def expect(self) -> None:
        """Tasks are about to be submitted: their ends come after this moment."""
        with self._changed:
            if not self._is_read and time.monotonic() > self._read_s + _RECENT_S:
                # Rather than all that happened since, the records of what is still open are read.
                self._position = self._system.events.end()
                self._read_s = time.monotonic()
                self._ended = set(self._open)

    def submitted(self, submission: Submission) -> TaskHandle:
        """One was."""
        twin = submission.twin if submission.is_duplicate else None
        job_id, is_new = twin or submission.id, twin is None and not submission.repeated
        handle = TaskHandle(JobId(job_id), self)
        with self._changed:
            self._open[job_id] = handle
            if not is_new:
                self._ended.add(job_id)  # it may have, long ago
        return handle

    def result(self, job_id: str, timeout_s: float | None) -> Any:
        """See `TaskHandle.result`."""
        until_s = None if timeout_s is None else time.monotonic() + timeout_s
        while True:
            self._await_end(job_id, until_s)
            ended = self._ended_as(job_id)
            if ended is not None:
                break
            with self._changed:
                self._ended.discard(job_id)
        with self._changed:
            self._ended.discard(job_id)
            self._open.pop(job_id, None)
        if ended.error is not None:
            raise ended.error
        return ended.result

    def _await_end(self, job_id: str, until_s: float | None) -> None:
        """Until an event says that it has ended, or its record should be looked at."""
        while True:
            with self._changed:
                if job_id in self._ended or job_id not in self._open:
                    return
                if self._is_read:
                    self._changed.wait(_left_s(job_id, until_s))
                    continue
                self._is_read = True
                position = self._position
            quiet = False
            try:
                quiet = self._read(position, _left_s(job_id, until_s))
            finally:
                with self._changed:
                    self._is_read = False
                    self._changed.notify_all()
            if quiet:
                return

    def _read(self, position: str, timeout_s: float) -> bool:
        """Whether nothing came."""
        entries = self._system.events.follow(position, MAX_BATCH, timeout_s)
        with self._changed:
            self._read_s = time.monotonic()
            if entries:
                self._position = entries[-1].position
            self._ended |= {entry.event.id for entry in entries if entry.event.status in ENDED}
            self._ended &= set(self._open)
        return not entries

    def _ended_as(self, job_id: str) -> Ended | None:
        """None: it lives."""
        [kept] = self._system.ledger.kept([job_id])
        if kept is not None:
            return receiving.of_kept(kept) if kept.record.status.is_terminal else None
        [stored] = self._system.store.get([job_id])
        if stored is None:
            raise NotFound(f"task {job_id}: neither the ledger nor {self._system.store.describe()} knows it")
        return receiving.ended(stored)


def _left_s(job_id: str, until_s: float | None) -> float:
    if until_s is None:
        return _FOLLOW_S
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError(f"task {job_id} has not ended yet")
    return min(left_s, _FOLLOW_S)


def name_of(function: str | Callable[..., Any]) -> str:
    """The dotted name under which a worker finds a function."""
    return function if isinstance(function, str) else f"{function.__module__}.{function.__qualname__}"


def do_submit_job(spec: dict[str, Any], queue: str | None = None, system: System | None = None) -> Sent:
    """Hand a job spec to `hysds worker orchestrator` over the broker, as HySDS's function of this name: for programs
    that reach the broker alone. Its `result` is the job's id. `queue` of None: `tasks.submit_queue`; `system` of None:
    the one that the settings name.

    Raises: Unreachable when the broker does not take it.
    """
    used = System.read() if system is None else system
    return used.calls.send(SUBMIT_JOB, spec, queue or used.settings.tasks.submit_queue)


def do_submit_task(payload: dict[str, Any], queue: str | None = None, system: System | None = None) -> Sent:
    """Hand a task `{function, args, kwargs, …}` to a task worker over the broker, as HySDS's function of this name. Its
    `result` is what the function returned. `queue` of None: the payload's, else the first of `tasks.queues`.

    Raises: Unreachable when the broker does not take it.
    """
    used = System.read() if system is None else system
    named = queue or payload.get("queue") or used.settings.tasks.queues[0]
    return used.calls.send(RUN_TASK, {**payload, "queue": named}, named)
