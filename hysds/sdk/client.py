"""One object for programs that submit and watch jobs; the command line uses nothing else for that.

from hysds import Client

with Client() as client:
    job = client.submit({"job_type": "job:hello", "payload": {"_command": "echo hello"}})
    print(client.wait(job.id)["status"])
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

from hysds.bootstrap import System
from hysds.core import ids
from hysds.core.alarms import Alarm
from hysds.core.document import document
from hysds.core.errors import NotFound, Unreachable
from hysds.core.explanation.values import Explanation, Why
from hysds.core.floor_requests import Drain, WorkerState
from hysds.core.query import JobQuery
from hysds.core.repetition import Changes
from hysds.core.requests import MAX_BATCH
from hysds.core.schedule import CatchUp, Schedule
from hysds.core.status import ENDED
from hysds.orchestrator.schedules import Timetable
from hysds.orchestrator.submit import Submission
from hysds.ports.ledger import Kept
from hysds.ports.store import Page
from hysds.sdk.calling import Calling
from hysds.sdk.control import Controls
from hysds.sdk.endings import Endings
from hysds.sdk.explaining import explained, obstacles
from hysds.sdk.floor import Floor
from hysds.sdk.following import Follower, Place
from hysds.sdk.happenings import Happenings
from hysds.sdk.repeating import retried
from hysds.sdk.rules import Rules
from hysds.sdk.submitting import Spec
from hysds.sdk.tasks import TaskEnds
from hysds.sdk.types import Types

_WATCH_S = 5.0


class Client(Types, Calling, Controls, Happenings):
    """Talks to a system. Safe to share between threads; `close` it, or use it in a `with` statement.

    Every method raises Unreachable when a part of the system that it needs does not answer.
    """

    def __init__(self, system: System | None = None) -> None:
        """`system`: None takes the one that the settings of this process name."""
        self._system = System.read() if system is None else system
        self._floor = Floor(self._system)
        self._ends = TaskEnds(self._system)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of connections."""
        self._system.close()

    def job(self, job_id: str) -> dict[str, Any]:
        """The job's document: from the ledger while that remembers the job, else from the store.

        Raises: NotFound
        """
        return self.jobs_by_id([job_id])[0]

    def jobs_by_id(self, job_ids: Sequence[str]) -> tuple[dict[str, Any], ...]:
        """The documents of these jobs, in order. Where the ledger does not answer, the store's do for jobs that have
        ended: a terminal status never changes.

        Raises: NotFound for the first one that nobody knows.
        """
        wanted = [ids.job_id(job_id) for job_id in job_ids]
        documents = self._documents(wanted)
        for job_id in wanted:
            if job_id not in documents:
                where = self._system.store.describe()
                raise NotFound(f"job {job_id}: neither the ledger nor {where} knows it")
        return tuple(documents[job_id] for job_id in wanted)

    def jobs(self, query: JobQuery | None = None) -> Page:
        """Search the store, which follows the ledger by a moment."""
        return self._system.store.search(query or JobQuery())

    def reads_from(self) -> str:
        """Where `jobs` searches, for people."""
        return self._system.store.describe()

    def cancel(self, job_ids: Sequence[str]) -> dict[str, str]:
        """Ask for the end of jobs. Answers by id: `job-revoked` (it has ended), `job-started` (its worker was told),
        `job-waiting` (a group, whose members are being ended), `ended` (it had ended before) or `missing`.
        """
        wanted = [ids.job_id(job_id) for job_id in job_ids]
        answers: dict[str, str] = {}
        for start in range(0, len(wanted), MAX_BATCH):
            moved = self._system.ledger.cancel(wanted[start : start + MAX_BATCH])
            self._system.dispatcher.ring(moved.ready)  # what they kept from starting is ready now
            answers |= dict(moved.answers)
        return answers

    def await_ends(self, job_ids: Sequence[str], timeout_s: float | None = None) -> None:
        """Until all of these jobs have ended; one that nobody knows counts as ended.

        Raises: TimeoutError when they have not within the timeout (None: wait for ever).
        """
        Endings(self._system, [ids.job_id(job_id) for job_id in job_ids]).wait(timeout_s)

    def explain(self, job_id: str) -> Explanation:
        """Why the job stands where it stands, what it waits for, and what happens next; also of an id that nobody
        knows.
        """
        return explained(self._system, ids.job_id(job_id), self.job)

    def obstacles(self, submissions: Iterable[Submission]) -> tuple[Why, ...]:
        """Why nobody takes jobs that were just submitted, however long they wait, as things are: each reason once, none
        for a job that somebody takes. Also none where the workers can't be asked: the jobs were accepted all the same.
        """
        return obstacles(self._system, submissions)

    def retry(self, job_id: str, queue: str | None = None, priority: int | None = None) -> Submission:
        """Do an ended job again, as a new job that is linked to it and no duplicate of it; `queue` and `priority` of
        None stay as they were.

        Raises: NotFound, Conflict where it has not ended, Refused where not enough is known of it any more.
        """
        submission = self.retry_many([job_id], queue, priority)[0]
        if submission.refused is not None:
            raise submission.refused
        return submission

    def retry_many(
        self, job_ids: Sequence[str], queue: str | None = None, priority: int | None = None
    ) -> tuple[Submission, ...]:
        """Retry several, in order; see `retry`. None is submitted where one can't be; what the ledger itself refuses
        is said in its answer.
        """
        wanted = [ids.job_id(job_id) for job_id in job_ids]
        return retried(self._system, wanted, Changes(queue, priority))

    def workers(self) -> tuple[WorkerState, ...]:
        """All workers that announced themselves and are not forgotten, by incarnation; silent ones too."""
        return self._floor.workers()

    def drains(self) -> tuple[Drain, ...]:
        """The orders that stand that workers take no more jobs, by name."""
        return self._floor.drains()

    def alarms(self) -> tuple[Alarm, ...]:
        """What watchdogs of the reconcilers found wrong and still see, the oldest first."""
        found = self._system.alarms.all()[1]
        return tuple(sorted((one for one in found if one.stands), key=lambda one: (one.since_ms, one.key)))

    def drain(self, name: str, reason: str | None = None, within_s: float | None = None) -> Drain:
        """Order that a worker takes no more jobs, after a restart too, until `resume`. Jobs that run there may go on
        for `within_s` (None: until they end), and are then given back to others. A `reason` of None leaves that of an
        order which stands.

        `name` is whole (`celery@w1`) or the part that tells it from others (`w1`). Answers the order as it stands.
        Raises: NotFound for a name that no worker has, Refused for one that several have.
        """
        return self._floor.drain(name, reason, within_s)

    def resume(self, name: str) -> tuple[str, bool]:
        """Take a drain back; answers the worker's whole name, and False where there was no order.

        Raises: NotFound, Refused as `drain`.
        """
        return self._floor.resume(name)

    def await_idle(self, name: str, timeout_s: float | None = None) -> None:
        """Until nothing runs on a worker.

        Raises: TimeoutError when something does at the timeout (None: wait for ever); NotFound, Refused as `drain`.
        """
        self._floor.await_idle(name, timeout_s)

    def wait(self, job_id: str, timeout_s: float | None = None) -> dict[str, Any]:
        """The document of the job once it has ended.

        Raises: TimeoutError when it has not within the timeout (None: wait for ever); NotFound.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        position = self._system.events.end()
        while True:
            found = self.job(job_id)
            if found["status"] in ENDED:
                return found
            position = self._next_event(job_id, position, until)

    def follow(self, job_id: str, place: Place | None = None) -> Follower:
        """The job's live output: iterate over it to the job's end, or take what there is `so_far`.

        `place`: where another follower has come to; None begins with the job.
        """
        system = self._system
        return Follower(system.ledger, system.events, system.logs, ids.job_id(job_id), place)

    def schedule(
        self,
        name: str,
        cron: str,
        spec: Spec,
        *,
        tz: str = "UTC",
        catch_up: CatchUp = CatchUp.LATEST,
        replace: bool = False,
    ) -> Schedule:
        """Submit a job at each time of a cron expression in a time zone. `replace`: also in place of one of that name.

        Raises: InvalidSpec with every complaint about name, expression, zone and spec; Conflict.
        """
        return self.schedules.add(name, (cron, tz), self.parse(spec), catch_up, over=replace)

    @property
    def schedules(self) -> Timetable:
        """All schedules: `all`, `get`, `pause`, `resume`, `run_now`, `remove`."""
        return self._system.schedules

    @property
    def rules(self) -> Rules:
        """All rules: `all`, `get`, `add`, `switch`, `remove`, `tried`, `history`."""
        return Rules(self._system)

    def _next_event(self, job_id: str, position: str, until: float | None) -> str:
        while True:
            left_s = _WATCH_S if until is None else min(_WATCH_S, until - time.monotonic())
            if left_s <= 0:
                raise TimeoutError(f"job {job_id} has not ended yet")
            entries = self._system.events.follow(position, MAX_BATCH, left_s)
            if entries:
                position = entries[-1].position
            if not entries or any(entry.event.id == job_id for entry in entries):
                return position

    def _documents(self, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What is known of these jobs, by id."""
        try:
            kept = self._system.ledger.kept(wanted)
        except Unreachable:
            stored = self._stored(wanted)
            if all(id_ in stored and stored[id_]["status"] in ENDED for id_ in wanted):
                return stored
            raise
        documents = {item.record.id: _document(item) for item in kept if item is not None}
        return documents | self._stored([id_ for id_ in wanted if id_ not in documents])

    def _stored(self, wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
        found = self._system.store.get(wanted) if wanted else ()
        return {id_: document for id_, document in zip(wanted, found, strict=True) if document is not None}


def _document(kept: Kept) -> dict[str, Any]:
    return document(kept.record, kept.spec, kept.attempts, kept.error)
