"""What of a system runs, in words."""

from __future__ import annotations

from typing import Any

from hysds.cli import system_summary

_RUNNING: dict[str, Any] = {
    "name": "worker",
    "pid": 12,
    "is_ready": True,
    "uptime_s": 7_500.0,
    "restarts": 0,
    "again_s": None,
    "last_end": None,
    "last_end_at_s": None,
}
_WAITING = _RUNNING | {
    "name": "indexer",
    "pid": None,
    "is_ready": False,
    "uptime_s": None,
    "restarts": 3,
    "again_s": 1.6,
    "last_end": "ended with exit code 4",
    "last_end_at_s": 0.25,
}
_SYSTEM = {
    "reachable": True,
    "home": "/h",
    "pid": 11,
    "since_s": 0.0,
    "phase": "running",
    "is_standing": True,
    "is_detached": True,
    "processes": [_RUNNING, _WAITING],
}
_WORKER = {
    "name": "celery@\x1bhost",
    "slots": 4,
    "busy_slots": 3,
    "jobs": 2,
    "gate": "open",
    "is_silent": False,
    "queues": ["a", "b"],
}
_LEDGER = {
    "reachable": True,
    "where": "redis://host/0",
    "server": "valkey 9.1.2",
    "latency_ms": 0.26,
    "memory_bytes": 2_000_000,
    "memory_limit_bytes": 10**9,
    "ready": 5,
    "started": 2,
    "due": 1,
    "events_to_index": 7,
    "roles": [{"role": "indexer", "ago_ms": 900}, {"role": "indexer", "ago_ms": 90}],
    "workers": [_WORKER, _WORKER | {"name": "gone", "is_silent": True}],
    "queues": [{"queue": "a", "ready": 1, "paused": True}, {"queue": "b", "ready": 4, "paused": False}],
}
_STORE = {"reachable": True, "where": "sqlite:///x", "is_new": False, "jobs": {"job-completed": 3}}
_BROKER = {"reachable": True, "where": "amqp://host//", "is_the_ledgers": False}


def test_each_process_is_told_with_what_became_of_the_one_before() -> None:
    """How long it has run, how often it was started again, how the last one ended, and when the next one comes."""
    lines = system_summary.lines({"system": _SYSTEM})

    assert lines == [
        "system    running under /h, stands, detached: process 11 since 1970-01-01T00:00:00.000Z",
        "  process  pid  for    restarts  state             last end",
        "  worker   12   2h05m  0         ready",
        "  indexer  -    -      3         starts in 1.60 s  ended with exit code 4 at 1970-01-01T00:00:00.250Z",
    ]


def test_a_process_that_lives_and_does_not_work_is_told() -> None:
    """In its row, and with what to do below the table."""
    hung = _RUNNING | {"trouble": "is stopped"}
    sentence = "worker: process 12 is stopped; kill -9 12, it is started again"
    lines = system_summary.lines({"system": _SYSTEM | {"processes": [hung], "troubles": [sentence]}})

    assert lines[2:] == ["  worker   12   2h05m  0         is stopped", f"  {sentence}"]


def test_all_parts_have_a_line_and_what_they_are_made_of_stands_below() -> None:
    """A silent worker's slots don't count; the longest queue comes first; nothing of a name moves a cursor."""
    lines = system_summary.lines({"ledger": _LEDGER, "broker": _BROKER, "store": _STORE})

    assert lines == [
        "ledger    redis://host/0: valkey 9.1.2, answers in 0.3 ms, 2 MB of 1 GB of memory",
        "  jobs: 5 ready, 2 running, 1 with a time set",
        "broker    amqp://host//",
        "store     sqlite:///x, 7 events behind",
        "  jobs: 3 completed",
        "roles     reconciler never heard; indexer heard 90 ms ago",
        "workers   2: 3 of 4 slots busy",
        "  worker           slots  busy  jobs  state   queues",
        "  celery@\\x1bhost  4      3     2     open    a, b",
        "  gone             4      3     2     silent  a, b",
        "queues    2 with ready jobs or a pause",
        "  queue  ready",
        "  b      4",
        "  a      1      paused",
    ]


def test_a_part_that_can_not_be_reached_says_why_and_hides_no_other() -> None:
    """Without the ledger nobody knows of workers, queues and lag."""
    away = {"reachable": False, "error": "no answer\nwithin 3 s"}
    system = {"reachable": False, "home": "/h", "error": "no system runs under /h"}

    assert system_summary.lines({"system": system, "ledger": away, "broker": away, "store": _STORE}) == [
        "system    no system runs under /h",
        "ledger    no answer\\nwithin 3 s",
        "broker    no answer\\nwithin 3 s",
        "store     sqlite:///x",
        "  jobs: 3 completed",
    ]


def test_many_workers_and_queues_are_counted_and_some_are_shown() -> None:
    """The rest is told as a number."""
    queues = [{"queue": f"q{number}", "ready": number, "paused": False} for number in range(30)]
    lines = system_summary.lines({"ledger": _LEDGER | {"workers": [_WORKER] * 25, "queues": queues}})

    assert "  and 5 more" in lines
    assert "  and 10 more" in lines
    assert "workers   25: 75 of 100 slots busy" in lines
