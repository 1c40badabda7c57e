"""When a failed attempt is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core import retry
from hysds.core.budgets import Budget, OomLadder, Retry
from hysds.core.record import FOREVER
from hysds.core.retry import Failure, Next
from hysds.core.spec import JobSpec, Resources
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
    spec = JobSpec("job:x", {"_command": "true"}, retry=Retry(user=Budget(2, delay=4.0, cap=3.0)))

    assert retry.decide(spec, "", Failure(FailureClass.USER), 1000, 0.5) == Next(Status.WAITING, 2_500, "u1")
    assert retry.decide(spec, "u1", Failure(FailureClass.USER), 1000, 0.5).status is Status.FAILED


def test_a_permanent_cause_is_not_tried_again() -> None:
    """A program that does not exist does not come into being by waiting."""
    failed = Failure(FailureClass.ENVIRONMENT, permanent=True)

    assert retry.decide(SPEC, "", failed, 0, 0.5).status is Status.FAILED


def test_without_a_delay_the_job_is_ready_at_once() -> None:
    """Zero is now, not a wait of no length."""
    spec = JobSpec("job:x", {"_command": "true"}, retry=Retry(user=Budget(None)))

    assert retry.decide(spec, "u41", Failure(FailureClass.USER), 7, 0.9) == Next(Status.QUEUED, 0, "u42")
    assert retry.left(spec, FailureClass.USER) == FOREVER


_CODES = JobSpec(
    "job:x",
    {"_command": "true"},
    retry=Retry(user=Budget(2), on_exit_codes={"75": Budget(4), "3": Budget(1)}),
)


@pytest.mark.parametrize(
    ("exit_code", "fails", "goes_on"),
    [
        (75, "", True),
        (75, "u2", True),
        (75, "u3", False),
        (3, "", False),
        (1, "", True),
        (1, "u1", False),
        (None, "u1", False),
        (-9, "u1", False),
    ],
)
def test_an_exit_code_has_a_budget_of_its_own(exit_code: int | None, fails: str, goes_on: bool) -> None:
    """It holds instead of the one for `user`, and counts every failure of that class, whatever its code was."""
    next_ = retry.decide(_CODES, fails, Failure(FailureClass.USER, exit_code=exit_code), 0, 0.5)

    assert (next_.status is Status.QUEUED) == goes_on


def test_an_exit_code_means_nothing_where_the_command_did_not_fail_by_itself() -> None:
    """A time-out whose SIGTERM the command answered with code 75 is a time-out."""
    failed = Failure(FailureClass.TIMEOUT, exit_code=75)

    assert retry.decide(_CODES, "", failed, 0, 0.5).status is Status.FAILED


_LADDER = JobSpec(
    "job:x",
    {"_command": "true"},
    resources=Resources(slots=2, memory=1 << 30),
    retry=Retry(oom=OomLadder(5, cap=3 << 30, factor=1.6)),
)


def test_each_attempt_after_an_oom_gets_more_memory_up_to_the_cap_and_none_beyond() -> None:
    """At once, in the shape of its new size; who had all that there is fails for good."""
    rungs, next_ = [], Next(Status.QUEUED, 0, "")
    while next_.status is not Status.FAILED:
        failed = Failure(FailureClass.OOM, memory_bytes=next_.memory_bytes)
        next_ = retry.decide(_LADDER, next_.fails, failed, 0, 0.5)
        rungs.append((next_.status, next_.memory_bytes, next_.shape, next_.fails))

    assert rungs == [
        (Status.QUEUED, 1717986919, "2s1792m", "o1"),
        (Status.QUEUED, 2748779071, "2s2816m", "o2"),
        (Status.QUEUED, 3 << 30, "2s3072m", "o3"),
        (Status.FAILED, 0, "", "o4"),
    ]


def test_a_ladder_ends_with_its_attempts_too() -> None:
    """Five in all: the fifth failure is the last, whatever memory is left to give."""
    failed = Failure(FailureClass.OOM, memory_bytes=1 << 30)

    assert retry.decide(_LADDER, "o3", failed, 0, 0.5).status is Status.QUEUED
    assert retry.decide(_LADDER, "o4", failed, 0, 0.5).status is Status.FAILED


def test_another_failure_keeps_the_rung_that_the_job_is_on() -> None:
    """The commit says nothing of memory, so the record keeps what it has."""
    failed = Failure(FailureClass.DATA, memory_bytes=2 << 30)

    next_ = retry.decide(_LADDER, "o1", failed, 0, 0.5)

    assert (next_.status, next_.shape, next_.memory_bytes) == (Status.WAITING, "", 0)


def test_without_a_ladder_an_oom_is_not_tried_again() -> None:
    """The same memory would run out again."""
    assert retry.decide(SPEC, "", Failure(FailureClass.OOM), 0, 0.5).status is Status.FAILED


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
