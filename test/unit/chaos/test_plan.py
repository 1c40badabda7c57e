"""A plan follows from its seed, and a run of any size has some of everything."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hysds.chaos import asking
from hysds.chaos.plan import STOPS, Cancel, FaultKind, JobKind, Size, make
from hysds.core import parse, retry
from hysds.core.spec import dedup_digest
from hysds.core.status import FailureClass, Status


def test_the_same_seed_makes_the_same_plan_and_another_one_another() -> None:
    """Which is what makes a run replayable."""
    assert make(7, Size()) == make(7, Size())
    assert make(7, Size()).jobs != make(8, Size()).jobs


def test_a_plan_of_the_default_size_has_jobs_of_every_kind_and_twins_and_cancels() -> None:
    """Whatever the seed."""
    for seed in range(20):
        jobs = make(seed, Size()).jobs

        assert {job.kind for job in jobs} == set(JobKind)
        assert {job.cancel for job in jobs} == set(Cancel)
        assert max(Counter(job.work for job in jobs).values()) > 1
        assert any(job.forced for job in jobs)
        assert any(job.delay_s for job in jobs)


def test_faults_come_in_order_within_the_run_and_few_of_them_are_stops() -> None:
    """A stop takes longer than a lease; and the last jobs are left to suffer what came before."""
    size = Size(jobs=200, faults=40, workers=3)
    for seed in range(20):
        faults = make(seed, size).faults

        assert len(faults) == 40
        assert [fault.after for fault in faults] == sorted(fault.after for fault in faults)
        assert all(0 < fault.after < 200 and fault.worker < 3 for fault in faults)
        assert sum(fault.kind in STOPS for fault in faults) <= 8


def test_a_plan_with_as_many_faults_as_there_are_kinds_has_nearly_every_kind() -> None:
    """Each comes in turn before any comes again, but for the stops."""
    kinds = {fault.kind for fault in make(3, Size(faults=len(FaultKind))).faults}

    assert set(FaultKind) - STOPS <= kinds
    assert kinds & STOPS


@pytest.mark.parametrize("seed", range(5))
def test_every_planned_job_is_a_sound_spec_and_only_twins_share_a_digest(seed: int, tmp_path: Path) -> None:
    """What is planned can be submitted."""
    works: dict[str, int] = {}
    for job in make(seed, Size()).jobs:
        spec = parse.parse_document(asking.document(job, tmp_path, now_s=1_800_000_000.0))

        assert works.setdefault(dedup_digest(spec), job.work) == job.work
        assert retry.left(spec, FailureClass.WORKER_LOST) == 199
    assert len(works) == len({job.work for job in make(seed, Size()).jobs})


def test_what_a_job_may_end_with_follows_from_its_kind(tmp_path: Path) -> None:
    """A failing one fails, a cancelled one may be revoked, and one that is not forced may be a duplicate."""
    jobs = make(1, Size()).jobs

    for job in jobs:
        spec = parse.parse_document(asking.document(job, tmp_path, now_s=1_800_000_000.0))
        ends = asking.asked(job, "id", "accepted", spec).ends
        assert (Status.FAILED in ends) == (job.kind is JobKind.FAILS)
        assert (Status.COMPLETED in ends) == (job.kind is not JobKind.FAILS)
        assert (Status.REVOKED in ends) == (job.cancel is not Cancel.NEVER)
        assert (Status.DEDUPED in ends) == (not job.forced)
