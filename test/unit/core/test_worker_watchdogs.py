"""What watchdogs call wrong in workers: silence, failures in a row, full disks."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from hysds.core import worker_watchdogs
from hysds.core.floor_requests import Drain, Fit, WorkerState
from hysds.core.watchdogs import Bounds, Trouble
from hysds.core.worker_watchdogs import DRAINED_FOR, Known

_NOW_MS = 1_000_000_000
_DAY_MS = 86_400_000
_BOUNDS = Bounds()
_CAPACITY = {"slots": 1, "cpus": 1.0, "memory_bytes": 1, "disk_bytes": 10**12}


def worker(name: str, silent_ms: int = 0, life: str = "1", **facts: Any) -> WorkerState:
    told = {"lease_ms": 26_000, "announce_ms": 300_000, "work_dir": "/w", "has": _CAPACITY, "free": _CAPACITY}
    return WorkerState(
        f"{name}/{life}",
        f"host-{name}",
        name,
        ("q",),
        1,
        Fit(),
        json.dumps(told | facts),
        300_000 - silent_ms,
        (),
    )


def failing(name: str, count: int, since_ms: int = 5, life: str = "1") -> WorkerState:
    said = {"count": count, "since_ms": since_ms, "classes": {"gpu": count}, "jobs": ["j"]}
    return worker(name, life=life, failing=said)


def names(troubles: Iterable[Trouble]) -> list[str]:
    return [one.worker for one in troubles]


def test_a_worker_that_was_not_heard_of_is_silent() -> None:
    """Longer than the bound, and no other process of its name works."""
    workers = [worker("a", 31_000), worker("b", 29_000), worker("c", 31_000), worker("c", 0, life="2")]

    assert names(worker_watchdogs.silent(workers, (), _NOW_MS, _BOUNDS)) == ["a"]


def test_a_worker_is_called_silent_before_the_ledger_forgets_it() -> None:
    """However long its silence may last by the settings: nobody would see it any more."""
    silent = worker("a", 46_000)
    told = json.loads(silent.facts) | {"announce_ms": 60_000}
    short = replace(silent, facts=json.dumps(told), left_ms=14_000)

    assert names(worker_watchdogs.silent([short], (), _NOW_MS, Bounds(silence_ms=3_600_000))) == ["a"]


def test_a_silent_worker_stays_silent_though_the_ledger_forgets_it() -> None:
    """Until one of its name is heard of, or for a day."""
    known = [Known("a", _NOW_MS - 5), Known("b", _NOW_MS - _DAY_MS), Known("c", _NOW_MS - 5)]

    assert names(worker_watchdogs.silent([worker("c")], known, _NOW_MS, _BOUNDS)) == ["a"]


def test_a_worker_with_failures_in_a_row_is_drained() -> None:
    """With the reason in the order, and the way back in the hint."""
    found = worker_watchdogs.failing([failing("a", 10), failing("b", 9), worker("c")], (), (), _BOUNDS)

    [trouble], [order] = found.troubles, found.drains
    assert (trouble.worker, order.name) == ("a", "a")
    assert order.reason == f"{DRAINED_FOR}: 10 failures in a row that may be its own (gpu 10)"
    assert "hysds worker resume a" in trouble.hint
    assert found.settled == {trouble.key}


def test_who_was_resumed_is_not_drained_for_the_same_failures() -> None:
    """Its announcement may still tell of them; another row drains it again."""
    first = worker_watchdogs.failing([failing("a", 10)], (), (), _BOUNDS)
    again = worker_watchdogs.failing([failing("a", 12)], (), first.settled, _BOUNDS)
    other = worker_watchdogs.failing([failing("a", 10, since_ms=6)], (), first.settled, _BOUNDS)
    reborn = worker_watchdogs.failing([failing("a", 10, life="2")], (), first.settled, _BOUNDS)

    assert (again.troubles[0].key, again.drains) == (first.troubles[0].key, ())
    assert [order.name for order in (*other.drains, *reborn.drains)] == ["a", "a"]


def test_an_order_of_an_operator_is_left_as_it_is() -> None:
    """A second one would take its reason and its end away."""
    found = worker_watchdogs.failing([failing("a", 10)], [Drain("a", "new kernel")], (), _BOUNDS)

    assert found.drains == ()
    assert found.settled == {found.troubles[0].key}


@pytest.mark.parametrize(("workers", "most"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)], ids=str)
def test_where_all_fail_not_all_are_drained(workers: int, most: int) -> None:
    """What fails then is what they share; those over the share are named with that, and may still be drained later."""
    floor = [failing(f"w{at}", 10) for at in range(workers)]
    found = worker_watchdogs.failing(floor, (), (), _BOUNDS)

    assert (len(found.troubles), len(found.drains), len(found.settled)) == (workers, most, most)
    assert sum("not drained" in one.hint for one in found.troubles) == workers - most


def test_those_that_were_drained_before_count_against_the_share() -> None:
    """Look after look, and those that operators drained for other reasons do not."""
    floor = [failing(f"w{at}", 10) for at in range(4)]
    orders = [Drain("w0", f"{DRAINED_FOR}: x"), Drain("w1", f"{DRAINED_FOR}: x")]
    theirs = [Drain("w0", "new kernel"), Drain("w1", "new kernel")]

    assert worker_watchdogs.failing(floor, orders, (), _BOUNDS).drains == ()
    assert len(worker_watchdogs.failing(floor, theirs, (), _BOUNDS).drains) == 2


@pytest.mark.parametrize(
    "said",
    [
        3,
        {"count": "10", "since_ms": 1},
        {"count": 10},
        {"count": True, "since_ms": 1},
        {"count": 10, "since_ms": None},
    ],
)
def test_odd_announcements_drain_nobody(said: object) -> None:
    """Another version may have written them."""
    assert worker_watchdogs.failing([worker("a", failing=said)], (), (), _BOUNDS).troubles == ()


def test_one_trouble_a_disk() -> None:
    """Of several workers on one work directory the first is named; silent ones tell of a disk of long ago."""
    full = {"has": {**_CAPACITY, "disk_bytes": 4 * 10**9}}
    gone = {"has": {**_CAPACITY, "disk_bytes": -1}}
    workers = [worker("a", **full), worker("b"), worker("c", 61_000, **full), worker("d", **gone)]

    [one] = worker_watchdogs.disks(workers, _BOUNDS)
    assert (one.subject, one.what) == ("work directory /w on host-a", "has less than 5 GB free")
