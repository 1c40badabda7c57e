"""What a worker says of itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from hysds.leasing.host import Host, HostSettings
from hysds.leasing.presence import Identity, Presence

ME = Identity("w@test/1", "w@test", "test", ("q",), 2, '{"roles": ["job"], "pid": 7}')


def presence(
    home: Path,
    reason: str = "",
    reserve_bytes: int = 0,
    memory_bytes: int = 4 << 30,
    failing: dict[str, Any] | None = None,
) -> tuple[Host, Presence]:
    host = Host(HostSettings(2, memory_bytes, reserve_bytes, home))
    return host, Presence(ME, host, lambda: reason, lambda: failing or {}, lease_ms=30_000)


def test_an_idle_worker_is_open_and_tells_what_it_has(tmp_path: Path) -> None:
    """Beside what it said at its start; for people and for `hysds workers`, nothing decides by it."""
    _, mine = presence(tmp_path)

    said = mine.announcement()
    facts = json.loads(said.facts)

    assert (said.slots, mine.is_open(), facts["gate"]) == (2, True, "open")
    assert (facts["roles"], facts["pid"], facts["lease_ms"]) == (["job"], 7, 30_000)
    assert facts["free"] == facts["has"]
    assert facts["free"]["disk_bytes"] > 0
    assert len(facts["load"]) == 3


def test_a_worker_without_a_free_slot_is_full(tmp_path: Path) -> None:
    """It is announced with all its slots: the ledger subtracts what it holds."""
    host, mine = presence(tmp_path)
    host.take("a", 1, "2s")

    said = mine.announcement()

    assert (said.slots, mine.is_open(), mine.gate()) == (2, False, "full")
    assert json.loads(said.facts)["free"]["slots"] == 0


def test_a_drained_worker_takes_nothing_and_says_why(tmp_path: Path) -> None:
    """Announced with no slot, it is woken for nothing and yet seen."""
    _, mine = presence(tmp_path, reason="new kernel")

    assert (mine.announcement().slots, mine.is_open(), mine.gate()) == (0, False, "draining: new kernel")


def test_a_worker_without_its_work_directory_shuts_its_gate_until_it_is_back(tmp_path: Path) -> None:
    """A bell that it took would be lost for those who can work."""
    home = tmp_path / "work"
    home.mkdir()
    _, mine = presence(home)
    shutil.rmtree(home)

    assert (mine.announcement().slots, mine.is_open(), mine.gate()) == (0, False, "no work directory")

    home.mkdir()
    assert (mine.announcement().slots, mine.is_open(), mine.gate()) == (2, True, "open")


def test_a_low_disk_is_told_and_keeps_out_only_jobs_that_ask_for_disk(tmp_path: Path) -> None:
    """A job that asks for none starts on any disk."""
    host, mine = presence(tmp_path, reserve_bytes=1 << 60)
    host.learn(("1s", "1s1d"))

    said = mine.announcement()

    assert (mine.is_open(), mine.gate()) == (True, "disk below the reserve")
    assert (said.fit.now, said.fit.never) == (("1s",), ("1s1d",))


def test_failures_in_a_row_are_announced(tmp_path: Path) -> None:
    """Watchdogs drain a worker by them; of one where all is well nothing is said."""
    _, ill = presence(tmp_path, failing={"count": 3})
    _, well = presence(tmp_path)

    assert json.loads(ill.announcement().facts)["failing"] == {"count": 3}
    assert "failing" not in json.loads(well.announcement().facts)
