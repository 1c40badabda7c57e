"""Where a job stands follows from its record."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hysds.core.record import PRIORITY_STEP, Placement, Record, overdue, placement, ready_score, shown_status
from hysds.core.status import TERMINAL, Status
from unit.core.book_values import ONE


def _record(status: Status = Status.QUEUED, priority: int = 0, **times: Any) -> Record:
    return Record(ONE, status, 1, "d", "q", "1s", priority, **times)


_KEYS = st.tuples(st.integers(0, 10), st.integers(0, 2**43 - 1))


@given(_KEYS, _KEYS)
def test_urgency_comes_first_and_age_among_equals(one: tuple[int, int], two: tuple[int, int]) -> None:
    """Priority 10 is the most urgent; no time can outweigh a step of priority."""
    scores = [ready_score(_record(priority=priority, ready_ms=ready_ms)) for priority, ready_ms in (one, two)]

    assert (scores[0] < scores[1]) == ((-one[0], one[1]) < (-two[0], two[1]))


def test_every_score_is_exact_in_a_double() -> None:
    """Sorted sets hold doubles: whole numbers are exact up to 2^53."""
    assert 10 * PRIORITY_STEP + (PRIORITY_STEP - 1) < 2**53


def test_a_queued_job_is_ready_and_due_at_its_ttl_or_deadline() -> None:
    """At most one due entry: the earliest."""
    record = _record(ready_ms=7, ttl_ms=30, deadline_ms=20, wake_ms=5)

    assert placement(record) == Placement(ready=("q", "1s", 10 * PRIORITY_STEP + 7), due=20)


@pytest.mark.parametrize(("wake_ms", "due"), [(5, 5), (25, 20)])
def test_a_waiting_job_is_due_at_the_earliest_of_its_times(wake_ms: int, due: int) -> None:
    """And ready nowhere."""
    assert placement(_record(Status.WAITING, wake_ms=wake_ms, deadline_ms=20)) == Placement(due=due)


def test_a_started_job_has_a_lease_and_nothing_else() -> None:
    """Its deadline is the keeper's."""
    assert placement(_record(Status.STARTED, lease_ms=9, deadline_ms=20)) == Placement(lease=9)


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_an_ended_job_stands_nowhere(status: Status) -> None:
    """Whatever times its record still carries."""
    assert placement(_record(status, ready_ms=1, deadline_ms=2, lease_ms=3)) == Placement()


@pytest.mark.parametrize(
    ("ttl_ms", "deadline_ms", "is_over"), [(0, 0, False), (10, 0, True), (11, 10, True), (11, 0, False)]
)
def test_a_job_is_overdue_from_its_ttl_or_deadline_on(ttl_ms: int, deadline_ms: int, is_over: bool) -> None:
    """0 means that it has none."""
    assert overdue(_record(ttl_ms=ttl_ms, deadline_ms=deadline_ms), 10) is is_over


def test_a_silent_started_job_is_shown_offline() -> None:
    """The ledger's own status stays started."""
    record = Record(ONE, Status.STARTED, 1, "d", "q", "1s", 0, suspect=True)

    assert (shown_status(record), record.status) == ("job-offline", Status.STARTED)
