"""Queues with work and no worker."""

from __future__ import annotations

import json
import os
from typing import Any

from hysds.cli import unheard
from hysds.core.floor_requests import Fit, WorkerState
from hysds.lib import machine
from hysds.ports.ledger import QueueState

_QUEUES = [
    QueueState("gpu", 1, False),
    QueueState("big", 7, False),
    QueueState("off", 5, True),
    QueueState("own", 2, False),
]
_NOBODY = 2**22 + 1
"""A pid that none can have."""


def _worker(*queues: str, left_ms: int = 59_000, **facts: Any) -> WorkerState:
    told = {"announce_ms": 60_000, "lease_ms": 30_000, "boot_id": machine.this().boot_id, "pid": os.getpid()}
    return WorkerState("w/1", "h", "w", queues, 1, Fit(), json.dumps(told | facts), left_ms, ())


def test_queues_that_hold_ready_jobs_and_have_no_worker_are_named() -> None:
    """The longest first; none that is paused, or that the new worker hears."""
    told = unheard.told(_QUEUES, [], ("own",))

    assert told.startswith("no worker hears big (7 ready jobs), gpu (1 ready job): ")
    assert told.endswith("hysds worker job --queues big,gpu")


def test_queues_of_tasks_ask_for_a_worker_of_tasks() -> None:
    """`hysds up` starts none, and a job worker refuses them."""
    told = unheard.told(_QUEUES[:2], [], (), ("gpu", "tasks"))
    assert told.endswith(
        "hysds worker job --queues big; where the functions of tasks are: hysds worker task --queues gpu"
    )
    alone = unheard.told(_QUEUES[:1], [], (), ("gpu",))
    assert alone.endswith("(1 ready job): where the functions of tasks are: hysds worker task --queues gpu")


def test_nothing_is_said_where_each_queue_has_a_worker() -> None:
    """One that joined, and one of another host, count."""
    workers = [_worker("gpu"), _worker("big", boot_id="another", pid=_NOBODY)]

    assert unheard.told(_QUEUES, workers, ("own",)) == ""


def test_a_worker_that_died_with_the_system_before_hears_nothing() -> None:
    """It is announced for a minute more; so is one that fell silent."""
    dead = [_worker("gpu", pid=_NOBODY), _worker("big", left_ms=10_000)]

    assert "gpu (1 ready job)" in unheard.told(_QUEUES, dead, ("own",))
    assert "big (7 ready jobs)" in unheard.told(_QUEUES, dead, ("own",))


def test_many_queues_are_counted() -> None:
    """The line stays a line."""
    queues = [QueueState(f"q{number}", 1, False) for number in range(7)]

    assert " and 2 more: " in unheard.told(queues, [], ())
