"""Workers in words and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hysds.cli import worker_rows
from hysds.core.floor_requests import Drain, Fit, WorkerState
from hysds.core.record import FOREVER

_SINCE_MS = 1_800_000_000_000


def _worker(name: str = "celery@w1", life: str = "1", **changes: Any) -> WorkerState:
    has = {"slots": 4, "cpus": 8.0, "memory_bytes": 16 * 10**9, "disk_bytes": 10**12}
    free = has | {"slots": 3, "memory_bytes": 12 * 10**9}
    facts = {
        "has": has,
        "free": free,
        "lease_ms": 30_000,
        "announce_ms": 60_000,
        "version": "1.2.3",
        "gate": "open",
    }
    plain: dict[str, Any] = {
        "incarnation": f"{name}/{life}",
        "host": "gpu-1",
        "name": name,
        "queues": ("gpu", "default"),
        "slots": 4,
        "fit": Fit(now=("1s",), never=("9s",)),
        "facts": json.dumps(facts | changes.pop("facts", {})),
        "left_ms": 59_000,
        "held": (("01930f5e-7b1c-7000-8000-0123456789ab", 7),),
    }
    return WorkerState(**{**plain, **changes})


def _cells(state: WorkerState) -> dict[str, str]:
    table = worker_rows.table(worker_rows.rows([state]))
    return dict(zip(table.columns, table.rows[0], strict=True))


def test_a_row_says_what_is_taken_and_when_it_was_heard_of() -> None:
    """Slots that jobs take of those that there are, and what its host has free."""
    room = {"free_bytes": 4 * 10**9, "total_bytes": 16 * 10**9}
    assert _cells(_worker(facts={"load": [0.5, 1, 2.25], "memory": room, "disk": room})) == {
        "name": "celery@w1",
        "host": "gpu-1",
        "state": "working",
        "gate": "open",
        "slots": "1/4",
        "jobs": "1",
        "load": "0.50, 1.00, 2.25",
        "memory": "4 GB of 16 GB",
        "disk": "4 GB of 16 GB",
        "queues": "gpu,default",
        "version": "1.2.3",
        "heard": "1s ago",
    }


@pytest.mark.parametrize(
    ("changes", "state", "gate"),
    [
        ({"held": ()}, "idle", "open"),
        ({"facts": {"gate": "full"}}, "working", "full"),
        ({"facts": {"gate": "disk below the reserve"}}, "working", "disk below the reserve"),
        ({"drain": Drain("celery@w1", "new kernel", _SINCE_MS)}, "draining", "draining: new kernel"),
        ({"drain": Drain("celery@w1", "", _SINCE_MS), "held": ()}, "drained", "draining"),
        ({"slots": 0, "facts": {"gate": "draining: it is leaving"}}, "draining", "draining: it is leaving"),
        ({"left_ms": 30_000}, "silent", ""),
        ({"left_ms": -5}, "silent", ""),
    ],
)  # fmt: skip
def test_its_state_and_why_its_gate_is_shut(changes: dict[str, Any], state: str, gate: str) -> None:
    """By an order, by its own word, or because nobody hears of it."""
    cells = _cells(_worker(**changes))

    assert (cells["state"], cells["gate"]) == (state, gate)


def test_a_worker_of_another_version_is_shown_by_what_the_ledger_knows() -> None:
    """Its leases, its queues; of the rest nothing."""
    cells = _cells(_worker(facts={"has": None, "free": 1, "announce_ms": None, "gate": 3, "version": None}))

    assert (cells["slots"], cells["gate"], cells["version"], cells["heard"]) == ("1/4", "open", "", "")


def test_two_live_workers_of_one_name_are_marked() -> None:
    """A silent one is an earlier life, and none of them."""
    both = worker_rows.rows([_worker(life="1"), _worker(life="2"), _worker(life="3", left_ms=-1)])

    assert [row.namesakes for row in both] == [2, 2, 2]
    assert [dict(zip(worker_rows.COLUMNS, cells, strict=True))["state"] for cells in worker_rows.table(both).rows] == [
        "working (2 of this name)",
        "working (2 of this name)",
        "silent",
    ]  # fmt: skip
    [alone, _] = worker_rows.rows([_worker(life="1"), _worker(life="3", left_ms=-1)])
    assert alone.namesakes == 1


def test_details_show_all_that_was_announced() -> None:
    """With units, and the order that stands."""
    order = Drain("celery@w1", "new kernel", _SINCE_MS, within_ms=60_000)
    facts = {"pid": 42, "started": 1_800_000_000.5, "load": [0.5, 1, 2.25], "work_dir": "/data/work"}
    [row] = worker_rows.rows([_worker(drain=order, reserved="some-job", facts=facts)])
    shown = dict(worker_rows.details(row))

    assert shown["memory"] == "12 GB of 16 GB free"
    assert shown["drained"] == (
        "since 2027-01-15T08:00:00.000Z, new kernel; jobs may go on until 2027-01-15T08:01:00.000Z"
    )
    assert shown["kept for"] == "job some-job"
    assert shown["shapes"] == "fit now: 1s; never fit: 9s"
    assert (shown["pid"], shown["started"], shown["load"]) == (
        "42",
        "2027-01-15T08:00:00.500Z",
        "0.50, 1.00, 2.25",
    )
    assert worker_rows.drained(Drain("w", "", _SINCE_MS, FOREVER)).endswith("until they end")


def test_details_show_what_the_host_is() -> None:
    """Its system and its cloud's instance, as far as it says; whatever else stands there is left out."""
    told = {
        "machine": {
            "os": "Some Linux 12",
            "kernel": "Linux 6.1",
            "python": "3.11.2",
            "gpus": ["H100", "H100"],
        },
        "cloud": {"instance_type": "p5", "instance_id": "i-1", "life_cycle": "spot"},
        "swap": {"free_bytes": 10**9, "total_bytes": 2 * 10**9},
    }
    [row] = worker_rows.rows([_worker(facts=told)])
    shown = dict(worker_rows.details(row))

    assert (shown["system"], shown["python"]) == ("Some Linux 12, Linux 6.1", "3.11.2")
    assert (shown["gpus"], shown["instance"]) == ("H100, H100", "p5, i-1, spot")
    assert shown["host swap"] == "1 GB of 2 GB free"
    assert worker_rows.as_document(row)["cloud"] == told["cloud"]

    odd = {"machine": [1], "cloud": "x", "memory": {"free_bytes": "1"}, "disk": 7, "load": "high"}
    [row] = worker_rows.rows([_worker(facts=odd)])
    assert not {"system", "instance", "host memory", "load"} & set(dict(worker_rows.details(row)))
    assert _cells(row.state)["memory"] == ""


def test_a_host_without_its_work_directory_says_so() -> None:
    """No size stands there."""
    bad = {"slots": 4, "cpus": 8.0, "memory_bytes": 1, "disk_bytes": -1}
    [row] = worker_rows.rows([_worker(facts={"has": bad, "free": bad})])

    assert dict(worker_rows.details(row))["disk"] == "no work directory"


def test_a_worker_is_one_json_object() -> None:
    """With the order in seconds, and the facts as they are."""
    [row] = worker_rows.rows([_worker(drain=Drain("celery@w1", "x", _SINCE_MS, within_ms=1_500))])
    told = json.loads(json.dumps(worker_rows.as_document(row)))

    assert (told["slots"], told["slots_used"], told["heard_s"]) == (4, 1, 1.0)
    assert told["drain"] == {"reason": "x", "since": "2027-01-15T08:00:00.000Z", "within_s": 1.5}
    assert told["jobs"] == [{"id": "01930f5e-7b1c-7000-8000-0123456789ab", "fence": 7}]
    assert told["facts"]["version"] == "1.2.3"


def test_what_a_worker_says_can_not_steer_a_terminal() -> None:
    """Names and gates are its own words."""
    cells = _cells(_worker(name="celery@\x1b[31m", facts={"gate": "\x1b]0;x\x07"}))

    assert "\x1b" not in "".join(cells.values())
