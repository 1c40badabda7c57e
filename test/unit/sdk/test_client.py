"""The client's promises, in a system in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.bootstrap import System
from hysds.core.errors import InvalidSpec, NotFound, Unreachable
from hysds.core.query import JobQuery
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.ledger import Ledger
from hysds.ports.store import Store
from hysds.sdk.client import Client
from hysds.settings.model import Settings
from hysds.testing import FakeClock, Play, SimulatedSystem
from hysds.wiring.memory import MemoryAdapters

_SPEC = {"job_type": "job:x", "job_queue": "default", "payload": {"_command": "true"}}


def _numbered(number: int) -> dict[str, object]:
    return {**_SPEC, "payload": {"_command": "true", "number": number}}


def test_a_submitted_job_comes_to_its_end(tmp_path: Path) -> None:
    """From a dictionary to a document with its status."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=3)) as system:
        job = system.client.submit(_SPEC)
        assert system.client.job(job.id)["status"] == "job-queued"
        system.settle()

        assert system.client.wait(job.id)["status"] == "job-failed"


def test_a_submission_with_an_id_of_its_own_may_be_repeated(tmp_path: Path) -> None:
    """Whoever got no answer asks again, and learns that the job is there."""
    id_ = Uuid7Source()()
    with SimulatedSystem(tmp_path) as system:
        first = system.client.submit(_SPEC, id_)
        again = system.client.submit(_SPEC, id_)

        assert (first.id, first.repeated) == (id_, False)
        assert (again.id, again.repeated) == (id_, True)


def test_a_duplicate_names_the_job_that_stands_for_it(tmp_path: Path) -> None:
    """The same work under another name is not done twice."""
    with SimulatedSystem(tmp_path) as system:
        first = system.client.submit(_SPEC)
        second = system.client.submit({**_SPEC, "job_name": "another"})

        assert (second.twin, second.twin_status) == (first.id, "job-queued")


def test_many_are_submitted_in_order(tmp_path: Path) -> None:
    """One answer a spec, in the order given, more than one step of the ledger takes."""
    with SimulatedSystem(tmp_path) as system:
        answers = system.client.submit_many(_numbered(number) for number in range(501))
        documents = system.client.jobs_by_id([answer.id for answer in answers])

        assert [one["job"]["params"]["number"] for one in documents] == list(range(501))


def test_nothing_is_submitted_when_one_spec_is_wrong(tmp_path: Path) -> None:
    """All or none: a batch with a mistake in it can be mended and sent again."""
    with SimulatedSystem(tmp_path) as system:
        with pytest.raises(InvalidSpec):
            system.client.submit_many([_SPEC, {"job_type": "job:x"}])
        system.settle()

        assert system.client.jobs().total == 0


def test_a_refused_spec_with_an_id_of_its_own_has_a_document(tmp_path: Path) -> None:
    """Whoever waits for the id sees why there is no such job."""
    id_ = Uuid7Source()()
    with SimulatedSystem(tmp_path) as system:
        with pytest.raises(InvalidSpec):
            system.client.submit({"job_type": "job:x"}, id_)
        refused = system.client.job(id_)

        assert (refused["status"], refused["failure_class"]) == ("job-failed", "invalid")


def test_a_spec_can_be_checked_without_submitting_it(tmp_path: Path) -> None:
    """Text, bytes and dictionaries give the same spec; nothing is asked of the system."""
    with SimulatedSystem(tmp_path) as system:
        text = '{"job_type": "job:x", "job_queue": "default", "payload": {"_command": "true"}}'

        assert system.client.parse(text) == system.client.parse(text.encode()) == system.client.parse(_SPEC)
        assert system.client.parse(system.client.parse(text)) == system.client.parse(text)


def test_waiting_ends_with_the_timeout(tmp_path: Path) -> None:
    """A job that nobody runs does not keep its watcher for ever."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_SPEC)

        with pytest.raises(TimeoutError, match=job.id):
            system.client.wait(job.id, timeout_s=0)


def test_a_cancelled_job_is_revoked(tmp_path: Path) -> None:
    """One that waits ends at once; one that had ended stays; one that nobody knows is told apart."""
    unknown = Uuid7Source()()
    with SimulatedSystem(tmp_path) as system:
        done = system.client.submit(_numbered(1))
        system.settle()
        waiting = system.client.submit(_numbered(2))
        answers = system.client.cancel([done.id, waiting.id, unknown])

        assert answers == {done.id: "ended", waiting.id: "job-revoked", unknown: "missing"}
        assert system.client.job(waiting.id)["status"] == "job-revoked"


def test_jobs_are_searched_in_the_store(tmp_path: Path) -> None:
    """The store follows the ledger, and says what it is."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit({**_SPEC, "tag": "trial"})
        system.settle()
        page = system.client.jobs(JobQuery(tag=frozenset({"trial"})))

        assert [found["id"] for found in page.documents] == [job.id]
        assert system.client.reads_from()


def test_an_unknown_id_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Neither the ledger nor the store knows it: the message says who was asked."""
    unknown = Uuid7Source()()
    with SimulatedSystem(tmp_path) as system, pytest.raises(NotFound, match=f"{unknown}: neither the ledger"):
        system.client.job(unknown)


class _Away(MemoryAdapters):
    """Adapters whose ledger stops to answer when told."""

    is_away = False

    def ledger(self, settings: Settings) -> Ledger:
        if self.is_away:
            raise Unreachable("ledger", "it is away")
        return super().ledger(settings)

    def store(self, settings: Settings) -> Store:
        self.kept_store = getattr(self, "kept_store", None) or super().store(settings)
        return self.kept_store


def _document(status: str, id_: str) -> dict[str, object]:
    return {"id": id_, "revision": 1, "status": status}


def _client(tmp_path: Path, adapters: _Away) -> tuple[Client, Store]:
    system = System(Settings(home=tmp_path), adapters)
    return Client(system), system.store


def test_an_ended_job_is_known_while_the_ledger_is_away(tmp_path: Path) -> None:
    """A terminal status never changes, so what the store has of it is as good as the ledger's word."""
    ended, running = Uuid7Source()(), Uuid7Source()()
    adapters = _Away(FakeClock(), lambda workload: Play())
    adapters.is_away = True
    client, store = _client(tmp_path, adapters)
    store.write([_document("job-completed", ended), _document("job-started", running)])

    assert client.job(ended)["status"] == "job-completed"
    with pytest.raises(Unreachable):
        client.job(running)
    with pytest.raises(Unreachable):
        client.jobs_by_id([ended, running])


def test_a_job_that_the_ledger_forgot_is_read_from_the_store(tmp_path: Path) -> None:
    """Records go some time after the job's end; documents stay."""
    ended = Uuid7Source()()
    client, store = _client(tmp_path, _Away(FakeClock(), lambda workload: Play()))
    store.write([_document("job-failed", ended)])

    assert client.wait(ended)["status"] == "job-failed"
