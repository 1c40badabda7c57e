"""Who lives and does not work."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hysds.core.floor_requests import Fit, WorkerState
from hysds.doctor import hung
from hysds.doctor.hung import Heard, Living
from hysds.ports.roster import Signature

_BOOT = "this-boot"


def _living(**fields: Any) -> Living:
    usual = {"is_stopped": False, "could_be_heard_s": 1_000.0, "may_be_silent_s": 15.0}
    return Living(**{"name": "worker", "pid": 7, **usual, **fields})


def _worker(pid: int, left_ms: int, boot_id: str = _BOOT) -> WorkerState:
    facts = json.dumps({"pid": pid, "boot_id": boot_id, "announce_ms": 60_000, "lease_ms": 30_000})
    return WorkerState(f"w/{pid}", "here", "w", ("default",), 1, Fit(), facts, left_ms, ())


def test_a_stopped_process_is_told_whatever_was_heard() -> None:
    """Also where the ledger does not answer, and of one that nobody ever hears."""
    stopped = _living(is_stopped=True, may_be_silent_s=None)

    assert hung.trouble(stopped, None) == "is stopped"
    assert hung.trouble(stopped, Heard({7: 0.1})) == "is stopped"


@pytest.mark.parametrize("ago_s", [0.0, 15.0])
def test_who_was_heard_of_lately_works(ago_s: float) -> None:
    """Up to the limit."""
    assert hung.trouble(_living(), Heard({7: ago_s})) == ""


def test_a_process_that_fell_silent_is_told_with_how_long() -> None:
    """A worker by its pid, another role by its name."""
    assert hung.trouble(_living(), Heard({7: 70.2})) == "is silent for 1m10s"
    assert hung.trouble(_living(name="indexer"), Heard(roles_s={"indexer": 16.0})) == "is silent for 16s"


def test_a_process_that_was_never_heard_of_is_told_once_it_could_have_been() -> None:
    """A worker that lives and is not announced; one that has just begun is given time."""
    assert hung.trouble(_living(could_be_heard_s=42.0), Heard()) == "runs for 42s and is not heard of"
    assert hung.trouble(_living(could_be_heard_s=3.0), Heard()) == ""


def test_what_the_life_before_said_is_not_held_against_a_new_one() -> None:
    """A role that was just started again, or whose server was."""
    assert hung.trouble(_living(could_be_heard_s=2.0), Heard({7: 70.0})) == ""


def test_nothing_is_said_of_silence_where_nobody_can_tell() -> None:
    """The ledger is away, or the process speaks to nobody."""
    assert hung.trouble(_living(), None) == ""
    assert hung.trouble(_living(may_be_silent_s=None), Heard()) == ""


def test_workers_are_known_by_pid_on_this_boot_and_roles_by_their_latest_signature() -> None:
    """A pid of another host, or of the time before a crash, is another process."""
    workers = [_worker(7, 59_000), _worker(8, 10_000), _worker(9, 1, "another-boot")]
    signed = [Signature("indexer", "h/1", 61_000, 0), Signature("indexer", "h/2", 900, 0)]

    assert hung.heard(workers, signed, _BOOT) == Heard({7: 1.0, 8: 50.0}, {"indexer": 0.9})


def test_limits_follow_the_settings() -> None:
    """Half of a lease; some rounds; never so short that a busy host is called hung."""
    assert [hung.worker_silence_s(lease_s) for lease_s in (30.0, 6.0)] == [15.0, 5.0]
    assert [hung.role_silence_s(interval_s) for interval_s in (1.0, 60.0)] == [15.0, 180.0]
