"""Acts on many jobs, named and found, in a system in memory."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from hysds.core import moments
from hysds.core.control import Handled, Verb
from hysds.core.differences import is_purge
from hysds.core.errors import InvalidSpec
from hysds.core.query import JobQuery
from hysds.core.repetition import Changes
from hysds.core.requests import MAX_BATCH, Purge
from hysds.core.searched import Sort
from hysds.sdk.selecting import Named
from hysds.testing import Play, SimulatedSystem

_ALL = JobQuery()


def _spec(**fields: Any) -> dict[str, Any]:
    spec = {"job_type": "job:x", "job_queue": "default", "payload": {"_command": "x"}, "enable_dedup": False}
    return spec | fields


def test_a_cancel_by_query_means_what_has_not_ended(tmp_path: Path) -> None:
    """Two pages of the store, and each job once; a job that ended since the store knew is counted as such."""
    with SimulatedSystem(tmp_path) as system:
        done = system.client.submit(_spec(tag="t"))
        system.settle()
        jobs = system.client.submit_many([_spec(tag="t")] * (MAX_BATCH + 3))
        other = system.client.submit(_spec(tag="other"))
        system.index()
        system.client.cancel([jobs[0].id])
        seen: list[Handled] = []

        summary = system.client.cancel_where(JobQuery(tag=frozenset({"t"})), seen.extend)

        assert summary.answers == Counter({"job-revoked": MAX_BATCH + 2, "ended": 1})
        assert (summary.total, summary.changed) == (MAX_BATCH + 3, MAX_BATCH + 2)
        assert sorted(one.id for one in seen) == sorted(job.id for job in jobs)
        assert system.client.job(other.id)["status"] == "job-queued"
        assert system.client.job(done.id)["status"] == "job-completed"


def test_a_job_that_no_longer_matches_when_its_turn_comes_is_counted(tmp_path: Path) -> None:
    """Another operator was there before, and the store knows already."""
    with SimulatedSystem(tmp_path) as system:
        jobs = system.client.submit_many([_spec()] * (MAX_BATCH + 5))
        system.index()
        selection = system.client.matching(Verb.CANCEL, _ALL)
        system.client.cancel([job.id for job in jobs[:3]])
        system.index()

        summary = system.client.act(Verb.CANCEL, selection)

        assert summary.answers == Counter({"job-revoked": MAX_BATCH + 2, "unmatched": 3})
        assert (summary.total, summary.changed) == (MAX_BATCH + 5, MAX_BATCH + 2)


def test_a_walk_skips_nothing_and_takes_nothing_that_came_later(tmp_path: Path) -> None:
    """Whatever the query's own order, and though what it changes leaves the answer of its query."""
    with SimulatedSystem(tmp_path) as system:
        system.client.submit_many([_spec()] * (MAX_BATCH + 1))
        system.index()
        query = JobQuery(status=frozenset({"job-queued"}), sort=Sort.UPDATED, descending=False, limit=7)
        selection = system.client.matching(Verb.CANCEL, query)
        late = system.client.submit(_spec())
        system.index()

        def index(handled: object) -> None:
            system.index()

        summary = system.client.act(Verb.CANCEL, selection, watch=index)

        assert summary.answers == Counter({"job-revoked": MAX_BATCH + 1})
        assert system.client.job(late.id)["status"] == "job-queued"


def test_a_query_that_matches_everything_says_so(tmp_path: Path) -> None:
    """Everything that the act is for."""
    with SimulatedSystem(tmp_path) as system:
        system.client.submit_many([_spec(tag="t"), _spec(tag="u")])
        system.index()
        queries = (_ALL, JobQuery(type=frozenset({"job:x"})), JobQuery(tag=frozenset({"t"})))

        assert [system.client.matching(Verb.CANCEL, query).is_everything for query in queries] == [
            True,
            True,
            False,
        ]
        assert system.client.matching(Verb.PURGE, _ALL).is_everything is False


def test_a_retry_by_query_does_each_job_again_once(tmp_path: Path) -> None:
    """Failed and revoked ones; the same once more leaves all of them."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        failed = system.client.submit(_spec())
        system.settle()
        revoked = system.client.submit(_spec())
        system.client.cancel([revoked.id])
        system.index()
        seen: list[Handled] = []

        summary = system.client.retry_where(_ALL, priority=7, watch=seen.extend)
        again = system.client.retry_where(_ALL)

        assert summary.answers == Counter({"retried": 2})
        assert again.answers == Counter({"before": 2})
        new = {one.id: system.client.job(one.detail) for one in seen}
        assert new[failed.id]["retry_of"] == failed.id
        assert new[revoked.id]["job"]["priority"] == 7
        assert system.client.job(failed.id)["retried_by"] == new[failed.id]["id"]


def test_two_retries_at_once_make_one_job(tmp_path: Path) -> None:
    """Both had found it before either retried it: the second learns which job does it."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        system.client.submit(_spec())
        system.settle()
        first, second = (system.client.matching(Verb.RETRY, _ALL) for _ in range(2))
        seen: list[Handled] = []
        system.client.act(Verb.RETRY, first, Changes(), seen.extend)
        record = system.system.ledger.kept([seen[0].id])[0]
        assert record is not None

        told = system.client._submitted({seen[0].id: system.client.parse(record.spec)})

        assert told[seen[0].id] == Handled(seen[0].id, "matched", seen[0].detail)
        assert second.total == 1


def test_a_retry_by_query_judges_each_job_for_itself(tmp_path: Path) -> None:
    """A running one and a duplicate are refused with their reasons, and the failed one beside them is retried."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        failed = system.client.submit(_spec())
        system.settle()
        live = system.client.submit(_spec(enable_dedup=True))
        twin = system.client.submit(_spec(enable_dedup=True))
        seen: dict[str, Handled] = {}

        system.client.act(
            Verb.RETRY,
            Named([failed.id, live.id, twin.id]),
            watch=lambda handled: seen.update({one.id: one for one in handled}),
        )

        assert seen[failed.id].answer == "retried"
        assert (seen[live.id].answer, "cancel it first" in seen[live.id].detail) == ("refused", True)
        assert (seen[twin.id].answer, live.id in seen[twin.id].detail) == ("refused", True)


def test_jobs_that_have_not_started_change_queue_and_priority(tmp_path: Path) -> None:
    """The summary counts those that stood so already, those that ended, and says that nobody hears the queue."""
    with SimulatedSystem(tmp_path) as system:
        ended = system.client.submit(_spec())
        system.settle()
        jobs = system.client.submit_many([_spec()] * 3)
        system.index()

        moved = system.client.requeue([jobs[0].id, ended.id, "01930f5e-7b1c-7000-8000-0123456789ab"], "other")
        summary = system.client.requeue_where(JobQuery(), "other")
        first = system.client.prioritize_where(JobQuery(), 9)
        again = system.client.prioritize([jobs[0].id], 9)

        assert moved.answers == Counter({"changed": 1, "ended": 1, "missing": 1})
        assert (summary.answers, summary.unheard) == (Counter({"changed": 2, "same": 1}), {"other"})
        assert first.answers == Counter({"changed": 3})
        assert again.answers == Counter({"same": 1})
        assert {(system.client.job(job.id)["queue"]) for job in jobs} == {"other"}


@pytest.mark.parametrize(
    "changes", [Changes(queue="no queue"), Changes(queue=""), Changes(priority=11), Changes(priority=-1)]
)
def test_changes_that_cannot_be_are_refused_before_anything_is_done(tmp_path: Path, changes: Changes) -> None:
    """Also where nothing matches."""
    with SimulatedSystem(tmp_path) as system, pytest.raises(InvalidSpec):
        system.client.act(Verb.REQUEUE, Named([]), changes)


def test_what_would_be_done_is_told_and_not_done(tmp_path: Path) -> None:
    """Each act, over jobs that stand everywhere: the words are those that the act itself answers."""
    with SimulatedSystem(tmp_path, lambda workload: Play(exit_code=1)) as system:
        failed = system.client.submit(_spec())
        system.settle()
        queued = system.client.submit(_spec())
        waiting = system.client.submit(_spec(not_before=moments.iso(system.clock() // 1_000 + 10**6)))
        ids = [failed.id, queued.id, waiting.id, "01930f5e-7b1c-7000-8000-0123456789ab"]
        wishes = {
            Verb.PRIORITY: Changes(priority=3),
            Verb.REQUEUE: Changes(queue="other"),
            Verb.RETRY: Changes(),
            Verb.CANCEL: Changes(),
            Verb.PURGE: Changes(),
        }
        before = [system.client.job(id_) for id_ in ids[:3]]
        told = {
            verb: [one.answer for part in system.client.foresee(verb, Named(ids), changes) for one in part]
            for verb, changes in wishes.items()
        }
        assert [system.client.job(id_) for id_ in ids[:3]] == before

        for verb in (Verb.PRIORITY, Verb.REQUEUE, Verb.CANCEL):
            done: list[Handled] = []
            system.client.act(verb, Named(ids), wishes[verb], done.extend)
            assert told[verb] == [one.answer for one in done], verb
    assert told[Verb.PURGE] == ["purged", "live", "live", "missing"]
    assert told[Verb.RETRY][0] == "retried"


def test_a_purged_job_is_known_to_nobody(tmp_path: Path) -> None:
    """Neither ledger nor store; its late events bring nothing back, and its work may be asked for again."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_spec(enable_dedup=True))
        system.settle()
        twin = system.client.submit(_spec(enable_dedup=True))
        live = system.client.submit(_spec(tag="live"))
        system.index()

        summary = system.client.purge_where(JobQuery())
        system.index()

        assert summary.answers == Counter({"purged": 2})
        assert system.system.store.get([job.id, twin.id]) == (None, None)
        assert system.system.ledger.kept([job.id, twin.id]) == (None, None)
        assert system.client.job(live.id)["status"] == "job-queued"
        assert system.client.submit(_spec(enable_dedup=True)).twin is None
        assert system.client.purge([job.id]).answers == Counter({"missing": 1})


def test_a_purge_is_marked_in_the_archive_and_again_where_it_is_repeated(tmp_path: Path) -> None:
    """A store that is made again must not bring the job back; the mark stands before the document goes."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_spec())
        system.settle()
        [document] = system.system.store.get([job.id])
        assert document is not None
        system.system.ledger.purge([Purge(job.id)])
        archive = system.system.archive
        assert archive is not None

        system.client.purge([job.id])
        system.client.purge([job.id])

        marks = [one for one in archive.read(pytest.fail) if is_purge(one)]
        assert [(one["id"], one["revision"]) for one in marks] == [(job.id, document["revision"])]


def test_a_purge_that_was_killed_is_done_again(tmp_path: Path) -> None:
    """After the ledger's part, before the store's: the document is still there, so the query finds it."""
    with SimulatedSystem(tmp_path) as system:
        job = system.client.submit(_spec(enable_dedup=True))
        system.settle()
        system.system.ledger.purge([Purge(job.id)])

        summary = system.client.purge_where(JobQuery())

        assert summary.answers == Counter({"cleared": 1})
        assert system.system.store.get([job.id]) == (None,)


def test_a_purge_says_where_directories_lie(tmp_path: Path) -> None:
    """By host and root; and the worker of that host is told what to remove."""
    with SimulatedSystem(tmp_path) as system:
        jobs = system.client.submit_many([_spec()] * 2)
        system.settle()
        [directory] = {
            Path(system.client.job(job.id)["job"]["job_info"]["job_dir"]).parents[6] for job in jobs
        }
        host = system.client.job(jobs[0].id)["job"]["job_info"]["execute_node"]

        left = system.client.purge_where(JobQuery()).left

        [(ground, count)] = left.grounds.items()
        assert (ground.host, ground.root, count, left.elsewhere) == (host, str(directory), 2, [])
        _, lying = system.system.litter.lying(ground, "")
        assert set(lying) == {job.id for job in jobs}


def test_queues_are_told_with_rates_hearers_and_pauses(tmp_path: Path) -> None:
    """And a paused one lets nothing start until it is resumed."""
    with SimulatedSystem(tmp_path) as system:
        system.client.submit(_spec())
        system.settle()
        system.client.pause_queue("default", "new disks")
        job = system.client.submit(_spec())
        system.clock.advance(30)
        assert system.settle() == []
        [view] = system.client.queues()
        assert (view.name, view.ready, view.oldest_s, view.running) == ("default", 1, 30, 0)
        assert view.in_per_min > view.out_per_min > 0
        assert view.pause is not None
        assert view.pause.reason == "new disks"
        assert "new disks" in system.client.explain(job.id).why.sentence

        assert system.client.resume_queue("default") is True
        assert system.client.resume_queue("default") is False
        assert system.settle() == [job.id]
        assert json.dumps(system.client.queues()[0].waiting) == "[]"
