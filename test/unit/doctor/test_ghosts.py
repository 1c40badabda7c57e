"""Whether jobs of a lost ledger were ended."""

from __future__ import annotations

from hysds.adapters.store.memory import MemoryStore
from hysds.core import ghosts, moments
from hysds.doctor.ghosts import check
from hysds.ports.findings import Severity

_DAY_MS = 86_400_000
_NOW_MS = 1_767_225_600_000


def _lost(id_: str, ended_ms: int) -> dict[str, object]:
    live = {
        "id": id_,
        "revision": 1,
        "status": "job-started",
        "job": {"job_info": {"time_queued": moments.iso(1)}},
    }
    return ghosts.ended(live, ended_ms)


def test_jobs_of_a_lost_ledger_are_counted_for_a_day() -> None:
    """A note: they ended, and somebody may want them done again. Other failures within HySDS are none of them."""
    store = MemoryStore()
    assert list(check(store, _NOW_MS)) == []
    other = _lost("other", _NOW_MS) | {"error": "staging: ValueError"}
    store.write(
        [_lost("a", _NOW_MS - 1), _lost("b", _NOW_MS - 2), _lost("old", _NOW_MS - _DAY_MS - 1), other]
    )

    [found] = check(store, _NOW_MS)

    assert (found.code, found.severity) == ("store.ghosts", Severity.NOTE)
    assert found.what.startswith("2 jobs")
    assert list(check(store, _NOW_MS + _DAY_MS)) == []
