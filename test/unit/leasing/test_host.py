"""What fits a host."""

from __future__ import annotations

from pathlib import Path

from hysds.leasing.host import Host, HostSettings


def host(tmp_path: Path, slots: int = 2, memory_bytes: int | None = 4 << 30) -> Host:
    return Host(HostSettings(slots, memory_bytes, 0, tmp_path))


def test_shapes_that_were_never_seen_are_in_no_list(tmp_path: Path) -> None:
    """So that the ledger teaches them."""
    fit = host(tmp_path).fit()

    assert (fit.now, fit.empty, fit.never) == ((), (), ())


def test_what_runs_takes_slots_and_memory_until_it_ends(tmp_path: Path) -> None:
    """A shape that would fit the empty host waits; one that never will is told apart."""
    mine = host(tmp_path)
    mine.learn(("1s", "2s", "1s4096m", "1s8192m", "3s"))
    mine.take("a", 1, "1s1024m")

    fit = mine.fit()
    assert (fit.now, fit.empty, fit.never) == (("1s", "1s1024m"), ("1s4096m", "2s"), ("1s8192m", "3s"))
    assert mine.free_slots() == 1

    mine.give_back("a", 1)
    assert mine.fit().empty == ()
    assert mine.free_slots() == 2


def test_a_full_disk_does_not_keep_the_host_free(tmp_path: Path) -> None:
    """Disk does not come back when jobs end: a job that needs more than there is must not reserve the host."""
    mine = host(tmp_path)
    mine.learn(("1s999999999d",))

    assert mine.fit().never == ("1s999999999d",)


def test_giving_back_one_lease_leaves_another_of_the_same_job(tmp_path: Path) -> None:
    """Leases are told apart by their fence."""
    mine = host(tmp_path)
    mine.take("a", 1, "1s")
    mine.take("a", 2, "1s")
    mine.give_back("a", 1)
    mine.give_back("a", 1)

    assert mine.free_slots() == 1


def test_a_shape_of_a_later_version_fits_no_host_and_hides_no_other(tmp_path: Path) -> None:
    """One that can't be read made every bid and every renewal of the worker fail."""
    mine = host(tmp_path)
    mine.learn(("1s2g", "1s"))

    assert (mine.fit().now, mine.fit().never) == (("1s",), ("1s2g",))

    mine.take("a", 1, "1s3g")
    assert mine.free_slots() == 1


def test_nothing_fits_a_host_whose_work_directory_is_gone(tmp_path: Path) -> None:
    """Deleted by a job, unmounted: what runs must be renewed and committed all the same, so measuring may not fail."""
    home = tmp_path / "work"
    home.mkdir()
    mine = host(home)
    mine.learn(("1s", "1s1d"))
    home.rmdir()

    assert (mine.fit().now, mine.fit().empty, mine.fit().never) == ((), (), ("1s", "1s1d"))

    home.mkdir()
    assert "1s" in mine.fit().now


def test_what_a_host_has_and_what_is_free_can_be_told(tmp_path: Path) -> None:
    """For people who ask why a job waits: slots, processors, memory and disk, in all and free."""
    mine = host(tmp_path)
    mine.take("a", 1, "1s0.5c1024m")
    whole, free = mine.capacities()

    assert (whole.slots, whole.memory_bytes) == (2, 4 << 30)
    assert (free.slots, free.memory_bytes, whole.cpus - free.cpus) == (1, 3 << 30, 0.5)
    assert whole.disk_bytes == free.disk_bytes > 0
