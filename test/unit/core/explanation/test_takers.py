"""What a worker lacks for a job of a shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hysds.core.explanation.takers import Lack, taker
from hysds.core.floor_requests import Fit, WorkerState
from hysds.core.record import Record
from hysds.core.status import Status

_HAS = {"slots": 2, "cpus": 4.0, "memory_bytes": 8 << 30, "disk_bytes": 10 << 30}


def _record(shape: str) -> Record:
    return Record("1", Status.QUEUED, 1, "d", "q", shape, 0)


def _worker(fit: Fit, free: dict[str, Any] | None = None) -> WorkerState:
    free = free or {}
    # Disk is measured, not counted: what there is of it is free, and no more.
    has = _HAS | {name: value for name, value in free.items() if name == "disk_bytes"}
    facts = json.dumps({"has": has, "free": _HAS | free})
    return WorkerState("w/1", "host", "w", ("q",), 2, fit, facts, 10_000, ())


@pytest.mark.parametrize(
    ("shape", "lack"),
    [
        ("3s", Lack.SLOTS),
        ("1s8c", Lack.CPUS),
        ("1s16384m", Lack.MEMORY),
        ("1s20d", Lack.DISK),
    ],
)
def test_what_the_whole_host_is_too_small_for_never_passes(shape: str, lack: Lack) -> None:
    """The worker says that the shape never fits; its capacities say why."""
    found = taker(_record(shape), _worker(Fit(never=(shape,))))

    assert [missing.lack for missing in found.missing] == [lack]
    assert found.takes == "no"


@pytest.mark.parametrize(
    ("shape", "free", "lack"),
    [
        ("2s", {"slots": 1}, Lack.SLOTS),
        ("1s4c", {"cpus": 0.5}, Lack.CPUS),
        ("1s4096m", {"memory_bytes": 1 << 30}, Lack.MEMORY),
    ],
)
def test_what_others_take_passes(shape: str, free: dict[str, Any], lack: Lack) -> None:
    """The job starts when they have ended."""
    found = taker(_record(shape), _worker(Fit(empty=(shape,)), free))

    assert [missing.lack for missing in found.missing] == [lack]
    assert found.takes == "later"


def test_a_shape_that_a_worker_has_not_seen_is_judged_by_what_it_has() -> None:
    """It learns the shape at its next bid."""
    assert taker(_record("1s"), _worker(Fit())).takes == "now"
    assert taker(_record("2s"), _worker(Fit(), {"slots": 1})).takes == "later"
    assert taker(_record("3s"), _worker(Fit())).takes == "no"


def test_a_work_directory_that_can_not_be_measured_is_told() -> None:
    """Deleted, unmounted, stale: nothing fits there."""
    found = taker(_record("1s"), _worker(Fit(never=("1s",)), {"disk_bytes": -1}))

    assert "no work directory that can be measured" in found.missing[0].text


def test_a_shape_of_another_version_is_judged_by_the_worker_alone() -> None:
    """It can't be read here."""
    assert taker(_record("1s2g"), _worker(Fit(now=("1s2g",)))).takes == "now"
    assert [one.lack for one in taker(_record("1s2g"), _worker(Fit(never=("1s2g",)))).missing] == [Lack.SHAPE]


def test_all_that_a_worker_lacks_is_listed() -> None:
    """Not only the first."""
    found = taker(
        Record("1", Status.QUEUED, 1, "d", "other", "3s16384m", 0), _worker(Fit(never=("3s16384m",)))
    )

    assert [missing.lack for missing in found.missing] == [Lack.QUEUE, Lack.SLOTS, Lack.MEMORY]
