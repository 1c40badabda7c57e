"""What an operator asks of a client: explanations, retries, workers and drains, in a system in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hysds.bootstrap import System
from hysds.core.errors import Conflict, NotFound, Refused, Unreachable
from hysds.core.explanation.values import Reason
from hysds.core.floor_requests import Announcement, Fit
from hysds.core.ids import JobId
from hysds.core.record import FOREVER
from hysds.core.requests import Bid, Renewal
from hysds.lib.uuid7 import Uuid7Source
from hysds.orchestrator.submit import Submission
from hysds.ports.ledger import Ledger
from hysds.ports.store import Store
from hysds.sdk.client import Client
from hysds.sdk.floor import named
from hysds.settings.model import Settings
from hysds.testing import FakeClock, Play, SimulatedSystem
from hysds.wiring.memory import MemoryAdapters

_SPEC: dict[str, Any] = {"job_type": "job:x", "job_queue": "default", "payload": {"_command": "x"}}


def _announce(
    system: SimulatedSystem, name: str, queue: str = "default", life: str = "1", **said_too: Any
) -> None:
    said = replace(Announcement("host", name, (queue,), 1, Fit()), **said_too)
    system.system.ledger.renew(Renewal(f"{name}/{life}", said, (), (), 30_000, 60_000))


def test_a_queued_job_is_explained_by_its_queue_and_the_workers(tmp_path: Path) -> None:
    """Nobody hears it, then somebody does."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_SPEC)
        before = system.client.explain(job.id)
        _announce(system, "celery@w1")
        after = system.client.explain(job.id)

    assert before.why.reason is Reason.NO_WORKER
    assert after.why.reason is Reason.NEXT
    assert after.place is not None
    assert (after.place.ahead, after.place.ready) == (0, 1)


def test_a_failed_job_is_explained_also_when_the_ledger_has_forgotten_it(tmp_path: Path) -> None:
    """From the store's document: the same reason, lines and attempts."""
    with SimulatedSystem(
        tmp_path, lambda workload: Play(exit_code=1, stderr=b"KeyError: 'west'\n")
    ) as system:
        job = system.client.submit(_SPEC)
        system.settle()
        remembered = system.client.explain(job.id)
        system.later(7_200)
        [kept] = system.system.ledger.kept([job.id])
        forgotten = system.client.explain(job.id)

    assert kept is None
    assert remembered.why.reason is Reason.FAILED
    assert (forgotten.why, forgotten.attempts) == (remembered.why, remembered.attempts)


def test_why_nobody_takes_a_submitted_job_is_known_at_once(tmp_path: Path) -> None:
    """For the reasons that an explanation gives: nobody, drained, no directory, too small; none where it is taken."""
    small = json.dumps({"has": {"slots": 1, "cpus": 1, "memory_bytes": 1 << 30, "disk_bytes": 1 << 40}})
    told = []
    with SimulatedSystem(tmp_path) as system:
        client = system.client

        def why(number: int, **fields: Any) -> list[Reason]:
            job = client.submit({**_SPEC, "payload": {"_command": f"x {number}"}, **fields})
            found = client.obstacles([job, job])
            explained = client.explain(job.id).why
            assert found in ((), (replace(explained, coming=()),))
            return [one.reason for one in found]

        told.append(why(1))
        _announce(system, "celery@w1", facts=small)
        told.append(why(2))
        told.append(why(3, resources={"memory": "100GB"}))
        client.drain("w1")
        told.append(why(4))
        client.resume("w1")
        _announce(system, "celery@w1", slots=0, facts='{"gate": "no work directory"}')
        told.append(why(5))
        duplicate = client.submit({**_SPEC, "payload": {"_command": "x 5"}})

        assert client.obstacles([duplicate]) == ()
    assert told == [
        [Reason.NO_WORKER],
        [],
        [Reason.TOO_LARGE],
        [Reason.WORKERS_DRAINING],
        [Reason.NO_WORK_DIRECTORY],
    ]


def test_a_job_is_accepted_also_where_the_workers_can_not_be_asked(tmp_path: Path) -> None:
    """What was accepted never looks refused."""
    system = System(Settings(home=tmp_path), _Away(FakeClock(), lambda workload: Play()))

    taken = Submission(JobId(Uuid7Source()()), "job-queued", "default", "1s", hearers=0)

    assert Client(system).obstacles([taken]) == ()


def test_an_unknown_job_is_explained_too(tmp_path: Path) -> None:
    """By how long what is known."""
    with SimulatedSystem(tmp_path) as system:
        assert system.client.explain(Uuid7Source()()).why.reason is Reason.UNKNOWN


def test_a_duplicate_is_explained_by_the_job_that_stands_for_it(tmp_path: Path) -> None:
    """With that one's status now."""
    with SimulatedSystem(tmp_path) as system:
        first, second = system.client.submit(_SPEC), system.client.submit(_SPEC)
        system.settle()
        told = system.client.explain(second.id)

    assert told.why.reason is Reason.DUPLICATE
    assert f"{first.id}, which was job-queued and is job-completed now" in told.why.sentence


class _Away(MemoryAdapters):
    """Adapters whose ledger does not answer."""

    asked = 0

    def ledger(self, settings: Settings) -> Ledger:
        self.asked += 1
        raise Unreachable("ledger", "it is away")

    def store(self, settings: Settings) -> Store:
        self.kept_store = getattr(self, "kept_store", None) or super().store(settings)
        return self.kept_store


def test_an_ended_job_is_explained_while_the_ledger_is_away(tmp_path: Path) -> None:
    """A terminal status never changes; of any other job nothing can be said. A ledger that hangs is tried once."""
    ended, running = Uuid7Source()(), Uuid7Source()()
    adapters = _Away(FakeClock(), lambda workload: Play())
    system = System(Settings(home=tmp_path), adapters)
    system.store.write([{"id": ended, "revision": 1, "status": "job-completed"}])
    system.store.write([{"id": running, "revision": 1, "status": "job-started"}])
    client = Client(system)

    assert client.explain(ended).why.reason is Reason.COMPLETED
    with pytest.raises(Unreachable):
        client.explain(running)
    assert adapters.asked == 2


def test_a_retry_is_a_new_job_that_is_linked_to_the_old_one(tmp_path: Path) -> None:
    """In both documents; what it does is the same."""
    plays = iter([Play(exit_code=3), Play()])
    with SimulatedSystem(tmp_path, lambda workload: next(plays)) as system:
        old = system.client.submit(_SPEC)
        system.settle()
        new = system.client.retry(old.id, priority=5)
        system.settle()
        one, two = system.client.jobs_by_id([old.id, new.id])

    assert (one["status"], one["retried_by"]) == ("job-failed", new.id)
    assert (two["status"], two["retry_of"], two["job"]["priority"]) == ("job-completed", old.id, 5)


def test_a_completed_job_can_be_done_again(tmp_path: Path) -> None:
    """It is no duplicate of the one that it repeats."""
    with SimulatedSystem(tmp_path) as system:
        old = system.client.submit(_SPEC)
        system.settle()
        new = system.client.retry(old.id)

        assert (new.twin, new.status) == (None, "job-queued")
        assert system.settle() == [new.id]


def test_a_second_retry_of_the_same_job_is_a_duplicate_of_the_first(tmp_path: Path) -> None:
    """Two operators who retry the same job run it once."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        old = system.client.submit(_SPEC)
        system.settle()
        first, second = system.client.retry(old.id), system.client.retry(old.id)

    assert second.twin == first.id


def test_a_live_job_is_not_retried_and_nothing_else_of_the_call_is(tmp_path: Path) -> None:
    """All or none: the call can be mended and made again."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        ended = system.client.submit(_SPEC)
        system.settle()
        live = system.client.submit({**_SPEC, "payload": {"_command": "y"}})
        with pytest.raises(Conflict, match=f"{live.id} is job-queued: .*cancel it first"):
            system.client.retry_many([ended.id, live.id])
        unknown = Uuid7Source()()
        with pytest.raises(NotFound, match=unknown):
            system.client.retry_many([ended.id, unknown])

        assert "retried_by" not in system.client.job(ended.id)


def test_a_job_that_the_ledger_forgot_is_retried_from_its_document(tmp_path: Path) -> None:
    """The store has all but the values of its environment."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        plain = system.client.submit(_SPEC)
        secret = system.client.submit({**_SPEC, "env": {"TOKEN": "s3cret"}})
        system.settle()
        system.later(7_200)
        again = system.client.retry(plain.id)

        assert system.client.job(again.id)["retry_of"] == plain.id
        with pytest.raises(Refused, match="TOKEN"):
            system.client.retry(secret.id)


def test_a_drained_worker_takes_nothing_until_it_is_resumed(tmp_path: Path) -> None:
    """The order is kept by name, and seen by whoever asks for workers."""
    with SimulatedSystem(tmp_path) as system:
        _announce(system, "celery@w1")
        order = system.client.drain("w1", "new kernel", within_s=60)
        [worker] = system.client.workers()
        job = system.client.submit(_SPEC)
        waits = system.client.explain(job.id)
        resumed, again = system.client.resume("w1"), system.client.resume("celery@w1")

    assert (order.name, order.reason, order.within_ms) == ("celery@w1", "new kernel", 60_000)
    assert worker.drain == order
    assert waits.why.reason is Reason.WORKERS_DRAINING
    assert (resumed, again) == (("celery@w1", True), ("celery@w1", False))


def test_a_drain_without_a_reason_leaves_the_one_that_stands(tmp_path: Path) -> None:
    """Whoever only waits, or sets a time, does not wipe what another said; "" does."""
    with SimulatedSystem(tmp_path) as system:
        _announce(system, "celery@w1")
        system.client.drain("w1", "new kernel")
        later, wiped = system.client.drain("w1", within_s=60), system.client.drain("w1", "")

    assert (later.reason, later.within_ms) == ("new kernel", 60_000)
    assert wiped.reason == ""


def test_jobs_may_end_before_a_drain_unless_a_time_is_given(tmp_path: Path) -> None:
    """As long as they take."""
    with SimulatedSystem(tmp_path) as system:
        _announce(system, "celery@w1")

        assert system.client.drain("w1").within_ms == FOREVER


def test_an_order_outlives_the_worker_that_it_was_for(tmp_path: Path) -> None:
    """It can be taken back while no worker of that name is there."""
    with SimulatedSystem(tmp_path) as system:
        _announce(system, "celery@w1")
        system.client.drain("w1")
        system.system.ledger.leave("celery@w1/1")
        assert system.client.workers() == ()

        assert [order.name for order in system.client.drains()] == ["celery@w1"]
        assert system.client.resume("w1") == ("celery@w1", True)


def test_waiting_for_an_idle_worker_ends_with_the_timeout_or_the_last_job(tmp_path: Path) -> None:
    """It holds a job until that is committed."""
    with SimulatedSystem(tmp_path) as system:
        _announce(system, "celery@w1")
        system.client.await_idle("w1", timeout_s=0)
        system.client.submit(_SPEC)
        seen: list[str] = []

        def watched(job_id: str) -> None:
            with pytest.raises(TimeoutError, match="simulated@test"):
                system.client.await_idle("simulated@test", timeout_s=0)
            seen.append(job_id)

        _announce(system, "simulated@test", life="other")
        incarnation = system.worker.incarnation
        said = Announcement("host", "simulated@test", ("default",), 1, Fit())
        system.system.ledger.renew(Renewal(incarnation, said, (), (), 30_000, 60_000))
        system.worker.perform("default", watched)
        system.client.await_idle("simulated@test", timeout_s=0)

    assert len(seen) == 1


def test_the_ends_of_many_jobs_are_waited_for(tmp_path: Path) -> None:
    """Those that ended before count, and those that nobody knows."""
    with SimulatedSystem(tmp_path) as system:
        done = system.client.submit(_SPEC)
        system.settle()
        live = system.client.submit({**_SPEC, "payload": {"_command": "y"}})
        system.client.await_ends([done.id, Uuid7Source()()], timeout_s=0)
        with pytest.raises(TimeoutError, match=live.id):
            system.client.await_ends([done.id, live.id], timeout_s=0)
        system.settle()

        system.client.await_ends([live.id], timeout_s=0)


_KNOWN = ("celery@w1", "celery@w2", "gpu@w2", "worker-of-one@host")


@pytest.mark.parametrize(
    ("asked", "found"),
    [("celery@w1", "celery@w1"), ("w1", "celery@w1"), ("worker-of-one", "worker-of-one@host")],
)
def test_a_worker_is_called_by_its_whole_name_or_by_what_tells_it_from_others(asked: str, found: str) -> None:
    """Before the @ or behind it."""
    assert named(asked, _KNOWN) == found


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ("w2", Refused, "there are several, name one in full: celery@w2, gpu@w2"),
        ("worker-of-on", NotFound, r"did you mean worker-of-one\?"),
        ("zzz", NotFound, "there are celery@w1, celery@w2, gpu@w2, worker-of-one@host"),
    ],
)
def test_a_name_that_is_none_or_of_several_is_refused_with_the_names(
    asked: str, error: type[Exception], said: str
) -> None:
    """Nothing is drained by a guess."""
    with pytest.raises(error, match=said):
        named(asked, _KNOWN)


def test_of_no_workers_it_is_said_that_there_is_none() -> None:
    """And no empty list is shown."""
    with pytest.raises(NotFound, match="there is none"):
        named("w1", ())


def test_a_job_over_a_limit_is_explained_by_who_holds_its_place(tmp_path: Path) -> None:
    """One key, one place: the second of two jobs waits for the first."""
    spec = {**_SPEC, "concurrency_key": "alpha"}
    with SimulatedSystem(tmp_path) as system:
        first = system.client.submit(spec)
        system.system.ledger.claim(Bid("celery@w1/1", ("default",), Fit(("1s",)), "n", 30_000, 60_000))
        second = system.client.submit({**spec, "payload": {"_command": "y"}})
        told = system.client.explain(second.id).why

    assert told.reason is Reason.LIMIT
    assert f"the one place is taken by {first.id}" in told.sentence


def test_a_running_task_is_explained_with_the_default_limit_of_tasks(tmp_path: Path) -> None:
    """Which is not that of jobs."""
    with SimulatedSystem(tmp_path) as system:
        task = system.client.submit_task({"function": "m.f"})
        fit = Fit((str(system.system.ledger.kept([JobId(task.id)])[0].record.shape),))
        system.system.ledger.claim(Bid("tasks@w1/1", ("tasks",), fit, "n", 30_000, 60_000))
        told = system.client.explain(task.id).why
        tasks = system.system.settings.tasks
        record = system.system.ledger.kept([JobId(task.id)])[0].record

    assert told.reason is Reason.RUNNING
    assert told.coming[0].at_ms == record.started_ms + round(tasks.default_time_limit_s * 1000)
