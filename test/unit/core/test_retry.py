"""When a failed attempt is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core import retry
from hysds.core.record import FOREVER
from hysds.core.retry import Failure, Next
from hysds.core.spec import Budget, JobSpec
from hysds.core.status import FailureClass, Status

SPEC = JobSpec("job:x", {"_command": "true"})


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [
        (FailureClass.GPU, 3),
        (FailureClass.DATA, 3),
        (FailureClass.ENVIRONMENT, 3),
        (FailureClass.INTERNAL, 2),
        (FailureClass.WORKER_LOST, 3),
        (FailureClass.USER, 1),
        (FailureClass.INVALID, 1),
        (FailureClass.TIMEOUT, 1),
        (FailureClass.OOM, 1),
        (FailureClass.CANCELLED, 1),
    ],
)
def test_each_class_has_its_own_number_of_attempts(failure: FailureClass, attempts: int) -> None:
    """The first attempt counts; after the last the job has failed."""
    fails = ""
    made = 0
    while True:
        made += 1
        next_ = retry.decide(SPEC, fails, Failure(failure), now_ms=0, chance=0.5)
        fails = next_.fails
        if next_.status is Status.FAILED:
            break

    assert attempts == made


def test_classes_don_t_share_a_budget() -> None:
    """A job that lost two GPUs may still fail to find its data."""
    next_ = retry.decide(SPEC, "g2", Failure(FailureClass.DATA), now_ms=0, chance=0.5)

    assert next_ == Next(Status.WAITING, 5_000, "d1g2")


def test_the_spec_s_budget_overrides_the_default() -> None:
    """A user who knows that failures pass says so."""
    spec = JobSpec("job:x", {"_command": "true"}, retry={"user": Budget(2, delay=4.0, cap=3.0)})

    assert retry.decide(spec, "", Failure(FailureClass.USER), 1000, 0.5) == Next(Status.WAITING, 2_500, "u1")
    assert retry.decide(spec, "u1", Failure(FailureClass.USER), 1000, 0.5).status is Status.FAILED


def test_a_permanent_cause_is_not_tried_again() -> None:
    """A program that does not exist does not come into being by waiting."""
    failed = Failure(FailureClass.ENVIRONMENT, permanent=True)

    assert retry.decide(SPEC, "", failed, 0, 0.5).status is Status.FAILED


def test_without_a_delay_the_job_is_ready_at_once() -> None:
    """Zero is now, not a wait of no length."""
    spec = JobSpec("job:x", {"_command": "true"}, retry={"user": Budget(None)})

    assert retry.decide(spec, "u41", Failure(FailureClass.USER), 7, 0.9) == Next(Status.QUEUED, 0, "u42")
    assert retry.left(spec, FailureClass.USER) == FOREVER


@given(
    st.dictionaries(st.sampled_from(FailureClass), st.integers(1, 10**4)),
)
def test_counts_survive_their_encoding_in_few_bytes(counts: dict[FailureClass, int]) -> None:
    """The record holds no value above 64 bytes."""
    text = retry.encode(counts)

    assert retry.decode(text) == counts
    assert len(text) <= 64


@given(st.integers(1, 2000), st.floats(0, 0.999))
def test_no_delay_exceeds_its_cap(failures: int, chance: float) -> None:
    """However often it failed."""
    budget = Budget(None, delay=10.0, cap=300.0)

    assert retry.delay_s(budget, failures) <= 300.0
