"""A worker's life as it is told: coming, working, silence, leaving; once each, whoever looks."""

from __future__ import annotations

import json
from dataclasses import replace

from hysds.core import worker_life
from hysds.core.floor_requests import Fit, WorkerState
from hysds.core.happenings import EVENT, WORKER
from hysds.core.worker_life import Rhythm, Told

_NOW_MS = 1_790_000_000_000
_RHYTHM = Rhythm(heartbeat_ms=30_000, remembered_ms=86_400_000)
_MARK = "worker celery@w1"


def _worker(life: str = "1", left_ms: int = 60_000, name: str = "celery@w1", **facts: object) -> WorkerState:
    told = {
        "has": {"slots": 4, "cpus": 4.0, "memory_bytes": 1, "disk_bytes": 1},
        "free": {"slots": 1, "cpus": 1.0, "memory_bytes": 1, "disk_bytes": 1},
        "lease_ms": 30_000,
        "announce_ms": 60_000,
        "load": [0.5, 1, 2],
        "version": "1.2",
        "started": 5.0,
        "wall_ms": _NOW_MS,
        "memory": {"total_bytes": 10, "free_bytes": 4},
        **facts,
    }
    return WorkerState(
        f"{name}/{life}", "host", name, ("q",), 4, Fit(), json.dumps(told), left_ms, (("j1", 7),)
    )


class Look:
    """Marks that turn as a journal's do, and what was told of all looks."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}

    def __call__(self, now_ms: int, *workers: WorkerState) -> list[tuple[str, str]]:
        told = []
        for turn in worker_life.turns(workers, self.marks, now_ms, _RHYTHM):
            assert self.marks.get(turn.mark, "") == turn.before
            self.marks.pop(turn.mark, None)
            if turn.after:
                self.marks[turn.mark] = turn.after
            told += turn.happenings
        self.last = told
        return [(one.resource, one.status) for one in told]


def test_a_life_from_its_first_announcement_to_its_end() -> None:
    """Online once, a heartbeat each interval, offline when it has left; coming and going are events too."""
    look = Look()

    assert look(_NOW_MS, _worker()) == [(WORKER, "worker-online"), (EVENT, "worker-online")]
    assert look(_NOW_MS + 29_000, _worker()) == []
    assert look(_NOW_MS + 30_000, _worker()) == [(WORKER, "worker-heartbeat")]
    assert look(_NOW_MS + 40_000) == [(WORKER, "worker-offline"), (EVENT, "worker-offline")]
    assert look.last[0].event["reason"] == "left"
    assert look.last[0].event["version"] == "1.2"
    assert look(_NOW_MS + 50_000) == []


def test_a_document_of_a_live_worker_has_what_celery_and_we_know() -> None:
    """Celery's names for Celery's readers; slots, jobs, load, memory."""
    look = Look()
    look(_NOW_MS, _worker(cloud={"instance_id": "i-1"}))

    event = look.last[0].event
    assert (event["hostname"], event["active"], event["loadavg"]) == ("celery@w1", 1, [0.5, 1, 2])
    assert (event["slots"], event["jobs"]) == ({"total": 4, "used": 3}, [{"id": "j1", "fence": 7}])
    assert (event["memory"]["free_bytes"], event["cloud"]["instance_id"]) == (4, "i-1")


def test_a_worker_that_is_not_heard_of_is_offline_before_the_ledger_forgets_it() -> None:
    """With how long and what it holds; heard of again it is online again."""
    look = Look()
    look(_NOW_MS, _worker())

    assert look(_NOW_MS + 20_000, _worker(left_ms=40_000))[0] == (WORKER, "worker-offline")
    assert look.last[0].event["reason"] == "silent"
    assert (look.last[0].event["silent_s"], look.last[0].event["jobs"]) == (20.0, [{"id": "j1", "fence": 7}])
    assert look(_NOW_MS + 25_000, _worker(left_ms=35_000)) == []
    assert look(_NOW_MS + 26_000) == []
    assert look(_NOW_MS + 27_000, _worker())[0] == (WORKER, "worker-online")


def test_another_life_of_the_name_is_online_anew() -> None:
    """Also between two looks; its document is newer than every one before, whatever the clock says."""
    look = Look()
    look(_NOW_MS, _worker("1"))
    first = look.last[0].at_ms

    assert look(_NOW_MS - 3_600_000, _worker("2"))[0] == (WORKER, "worker-online")
    assert look.last[0].at_ms > first


def test_of_two_lives_of_one_name_the_live_and_the_younger_counts() -> None:
    """A silent predecessor takes nothing from its successor; of two live ones one is told of, always the same."""
    look = Look()
    silent, old, young = _worker("0", left_ms=-1), _worker("1"), _worker("2", started=9.0)

    look(_NOW_MS, young, silent, old)

    assert look.last[0].event["incarnation"] == "celery@w1/2"
    assert look(_NOW_MS + 1_000, old, young, silent) == []


def test_a_worker_that_is_long_gone_is_forgotten() -> None:
    """Its mark goes, and nothing is told."""
    look = Look()
    look(_NOW_MS, _worker())
    look(_NOW_MS + 10_000)

    assert look(_NOW_MS + 86_400_000) == []
    assert _MARK in look.marks
    assert look(_NOW_MS + 10_002 + 86_400_000) == []
    assert look.marks == {}


def test_two_who_look_at_once_want_the_same_turn() -> None:
    """The same mark from the same value: the journal lets one of them."""
    first = worker_life.turns([_worker()], {}, _NOW_MS, _RHYTHM)
    second = worker_life.turns([_worker()], {}, _NOW_MS, _RHYTHM)

    assert first == second


def test_odd_facts_and_marks_of_other_versions_are_borne() -> None:
    """Nothing that a worker or an older version wrote ends the duty."""
    odd = replace(_worker(), facts="no json")
    unknown = {
        "worker celery@w1": "?",
        "worker gone": "[1]",
        "other": "x",
        "worker x": '["i","worker-online"]',
    }

    turns = worker_life.turns([odd], unknown, _NOW_MS, _RHYTHM)

    assert [(turn.mark, turn.after == "") for turn in turns] == [
        ("worker celery@w1", False),
        ("worker gone", True),
        ("worker x", True),
    ]
    assert worker_life.turns(
        [_worker(started="x", wall_ms="y", machine={"a": "b" * 9_000})], {}, _NOW_MS, _RHYTHM
    )
    huge = worker_life.turns([_worker(machine={"a": "b" * 9_000})], {}, _NOW_MS, _RHYTHM)
    assert len(huge[0].after) < 4_000
    assert Told.read(huge[0].after).status == "worker-online"
