"""What a worker counts as failures in a row."""

from __future__ import annotations

import pytest

from hysds.core.outcome import Outcome
from hysds.core.record import Record
from hysds.core.requests import Lease
from hysds.core.status import FailureClass, Status
from hysds.leasing.attempt import Attempt, Stop
from hysds.leasing.failures import Failures

_GPU = Outcome(FailureClass.GPU)


def attempt(job: str, outcome: Outcome | None, stopped: Stop | None = None) -> Attempt:
    record = Record(job, Status.STARTED, 1, "d", "q", "1s", 5)
    made = Attempt(Lease(record, '{"job_type": "job:x", "payload": {}}'))
    made.outcome = outcome
    if stopped is not None:
        made.stop(stopped, 0)
    return made


def count(failures: Failures) -> int:
    return int(failures.told().get("count", 0))


def test_failures_count_until_one_succeeds() -> None:
    """What comes then is another row, which began later."""
    clock = iter(range(1_000, 2_000))
    failures = Failures(lambda: next(clock))
    for job in ("a", "b"):
        failures.add(attempt(job, _GPU))
    assert (count(failures), failures.told()["since_ms"]) == (2, 1_000)

    failures.add(attempt("c", Outcome()))
    assert failures.told() == {}

    failures.add(attempt("d", _GPU))
    assert (count(failures), failures.told()["since_ms"] > 1_001) == (1, True)


def test_an_attempt_that_broke_on_its_way_counts() -> None:
    """Nobody could judge it, and that is the worker's own doing."""
    failures = Failures()
    failures.add(attempt("a", None))

    assert failures.told()["classes"] == {"internal": 1}


@pytest.mark.parametrize("why", list(Stop))
def test_an_attempt_that_was_stopped_says_nothing_of_the_host(why: Stop) -> None:
    """Neither that it fails nor that it works."""
    failures = Failures()
    failures.add(attempt("a", _GPU))
    failures.add(attempt("b", _GPU, why))
    failures.add(attempt("c", Outcome(), why))

    assert count(failures) == 1


def test_what_an_operator_had_forgotten_is_forgotten() -> None:
    """The worker is mended: it begins anew."""
    failures = Failures()
    failures.add(attempt("a", _GPU))
    failures.forget()

    assert failures.told() == {}
