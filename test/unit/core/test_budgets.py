"""What a spec may write under `retry`."""

from __future__ import annotations

import pytest

from hysds.core import budgets
from hysds.core.budgets import RETRY_KEYS, Budget, OomLadder, Retry
from hysds.core.status import FailureClass


def test_every_failure_class_but_cancelled_can_be_tried_again() -> None:
    """A class that is added must say here under which key."""
    assert {*RETRY_KEYS, "cancelled"} == {*(failure.value for failure in FailureClass), "on_exit_codes"}


@pytest.mark.parametrize("failure", [each for each in FailureClass if each.value != "cancelled"])
def test_a_budget_is_found_by_its_class(failure: FailureClass) -> None:
    """For `oom` there is a ladder instead."""
    budget: dict[str, object] = {"attempts": 4, "cap": 9}
    found = budgets.from_stored({failure.value: budget})

    assert found.budget(failure) == (None if failure is FailureClass.OOM else Budget(4, cap=9))
    assert found.oom == (OomLadder(4, cap=9) if failure is FailureClass.OOM else None)
    assert found.budget(FailureClass.CANCELLED) is None


def test_exit_codes_are_kept_by_their_own_budgets() -> None:
    """And are no class."""
    stored = {"on_exit_codes": {"75": {"attempts": 2}}, "worker-lost": {"attempts": None}}

    assert budgets.from_stored(stored) == Retry(worker_lost=Budget(None), on_exit_codes={"75": Budget(2)})
