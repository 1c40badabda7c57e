"""Which failures in a row speak against a worker."""

from __future__ import annotations

import json

import pytest

from hysds.core import streaks
from hysds.core.status import FailureClass
from hysds.core.streaks import Failed, Streak

_OF_THE_HOST = ("environment", "data", "gpu", "worker-lost", "internal")
_OF_THE_JOB = ("user", "timeout", "oom")


def grown(*failures: Failed) -> Streak:
    streak = Streak()
    for at, failed in enumerate(failures):
        streak = streak.plus(failed, 1_000 + at)
    return streak


def failed(job: int, failure: str, type: str = "x", permanent: bool = False) -> Failed:
    return Failed(f"j{job}", type, FailureClass(failure), permanent)


@pytest.mark.parametrize("failure", _OF_THE_HOST)
def test_what_may_be_the_hosts_doing_counts_job_by_job(failure: str) -> None:
    """Also where all jobs are of one type: many systems have but one."""
    streak = grown(*(failed(at, failure) for at in range(7)))

    assert (streak.count, streak.since_ms, streak.classes) == (7, 1_000, {failure: 7})


@pytest.mark.parametrize("failure", _OF_THE_JOB)
def test_what_is_likely_the_jobs_doing_counts_once_a_type(failure: str) -> None:
    """A thousand broken jobs of one user drain no worker; failures of ten different types do."""
    assert grown(*(failed(at, failure) for at in range(7))).count == 1
    assert grown(*(failed(at, failure, f"type {at}") for at in range(7))).count == 7


def test_a_failure_that_no_retry_can_help_is_the_jobs_own() -> None:
    """A program that is nowhere, say: it counts once a type, as an exit code does."""
    assert grown(*(failed(at, "environment", permanent=True) for at in range(7))).count == 1


@pytest.mark.parametrize("failure", ["invalid", "preempted", "cancelled"])
def test_what_nobody_failed_at_does_not_count(failure: str) -> None:
    """A spec that nobody can run, an attempt that was taken away."""
    assert grown(failed(1, "gpu"), failed(2, failure)).count == 1


def test_one_job_counts_once_however_often_it_is_tried_here() -> None:
    """A job that fails wherever it runs must not look like many."""
    assert grown(*(failed(1, "gpu") for _ in range(7))).count == 1


def test_a_streak_does_not_grow_without_end() -> None:
    """A worker that nobody drains fails for weeks."""
    assert grown(*(failed(at, "gpu") for at in range(streaks.MOST + 50))).count == streaks.MOST


def test_a_worker_announces_how_many_and_which_were_the_last() -> None:
    """As JSON holds it; nothing where nothing failed."""
    told = streaks.told(grown(*(failed(at, "gpu") for at in range(7)), failed(9, "user")))

    assert json.loads(json.dumps(told)) == {
        "count": 8,
        "since_ms": 1_000,
        "classes": {"gpu": 7, "user": 1},
        "jobs": ["j3", "j4", "j5", "j6", "j9"],
    }
    assert streaks.told(Streak()) == {}
