"""What watchdogs call wrong in queues, jobs and readers."""

from __future__ import annotations

from collections.abc import Iterable

from hysds.core import watchdogs
from hysds.core.queue_tallies import Pause, QueueTally
from hysds.core.watchdogs import MOST_TROUBLES, Bounds, Kind, Running

_NOW_MS = 1_000_000_000
_HOUR_MS = 3_600_000
_BOUNDS = Bounds()


def subjects(troubles: Iterable[watchdogs.Trouble]) -> list[str]:
    return [one.subject for one in troubles]


def test_a_queue_is_stuck_by_the_age_of_its_oldest_ready_job() -> None:
    """However many are ready; a paused one is meant to stand, and one without ready jobs has none that waits."""
    tallies = [
        QueueTally("young", ready=10_000, oldest_ms=_NOW_MS - _HOUR_MS),
        QueueTally("old", ready=1, oldest_ms=_NOW_MS - _HOUR_MS - 1),
        QueueTally("older", ready=1, oldest_ms=_NOW_MS - 2 * _HOUR_MS, running=3),
        QueueTally("paused", ready=1, oldest_ms=1, pause=Pause(5)),
        QueueTally("empty", running=4),
    ]
    found = watchdogs.queues(tallies, {"old"}, _NOW_MS, _BOUNDS)

    assert subjects(found) == ["queue older", "queue old"]
    assert found[0].what == "is stuck: its oldest job has been ready for 2h; 1 job ready, 3 running"
    assert "no worker hears it" in found[0].hint
    assert "no worker hears it" not in found[1].hint


def test_usual_is_what_nine_of_ten_took_and_never_the_longest() -> None:
    """One job that hung for a day makes no day usual; of too few nothing is known."""
    assert watchdogs.usual_ms([1.0, 1.0, 1.0, 2.0, 86_400.0], 3) == 6_000
    assert watchdogs.usual_ms([float(at) for at in range(1, 101)], 2) == 180_000
    assert watchdogs.usual_ms([1.0] * 4, 3) is None
    assert watchdogs.usual_ms([1.0] * 4 + [float("nan"), -1.0], 3) is None


def test_a_job_is_overdue_beyond_what_is_usual_for_its_type() -> None:
    """And never before the least; a type of which nothing is known has no such limit."""
    usual = {"slow": 10 * _HOUR_MS, "fast": 5_000}
    running = [
        Running("a", "slow", "w1", _NOW_MS - 11 * _HOUR_MS),
        Running("b", "slow", "w1", _NOW_MS - 9 * _HOUR_MS),
        Running("c", "fast", "w2", _NOW_MS - _HOUR_MS),
        Running("d", "fast", "w2", _NOW_MS - 60_000),
        Running("e", "new", "w2", 1),
    ]
    found = watchdogs.overdue(running, usual, _NOW_MS, _BOUNDS)

    assert subjects(found) == ["job a", "job c"]
    assert [(one.job, one.worker) for one in found] == [("a", "w1"), ("c", "w2")]
    assert "for more than 10h" in found[0].what
    assert "for more than 30m" in found[1].what


def test_another_attempt_of_an_overdue_job_is_another_trouble() -> None:
    """Its alarm would else go on from an attempt that has ended."""
    keys = {
        watchdogs.overdue([Running("a", "x", "w", since_ms)], {"x": 1}, _NOW_MS, _BOUNDS)[0].key
        for since_ms in (1, 2)
    }
    assert len(keys) == 2


def test_readers_are_behind_with_more_events_than_the_bound() -> None:
    """The indexer and the rules alike."""
    assert watchdogs.behind(Kind.INDEXER_BEHIND, 10_000, _BOUNDS) == []
    assert subjects(watchdogs.behind(Kind.INDEXER_BEHIND, 10_001, _BOUNDS)) == ["indexer"]
    assert subjects(watchdogs.behind(Kind.RULES_BEHIND, 10_001, _BOUNDS)) == ["rules"]


def test_memory_without_a_limit_is_never_full() -> None:
    """And with one above its share."""
    assert watchdogs.memory(10**12, None, _BOUNDS) == []
    assert watchdogs.memory(80, 100, _BOUNDS) == []
    assert subjects(watchdogs.memory(81, 100, _BOUNDS)) == ["ledger"]


def test_a_type_that_did_not_complete_is_named_with_its_period() -> None:
    """As HySDS's check of a job's periodicity told it."""
    [one] = watchdogs.missing([("job:nightly", 25 * _HOUR_MS)])

    assert (one.subject, one.what) == ("type job:nightly", "has no job that completed within 1d1h")


def test_a_system_where_everything_is_late_gets_no_endless_list() -> None:
    """The worst come first."""
    tallies = [QueueTally(f"q{at}", ready=1, oldest_ms=_NOW_MS - _HOUR_MS - 1 - at) for at in range(500)]
    running = [Running(f"j{at}", "x", "w", at + 1) for at in range(500)]

    found = watchdogs.queues(tallies, (), _NOW_MS, _BOUNDS)
    assert subjects(found) == [f"queue q{at}" for at in range(499, 499 - MOST_TROUBLES, -1)]
    assert len(watchdogs.overdue(running, {"x": 1}, _NOW_MS, _BOUNDS)) == MOST_TROUBLES
