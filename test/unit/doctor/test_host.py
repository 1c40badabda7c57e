"""What a host gives, measured for real."""

from __future__ import annotations

import resource
from pathlib import Path

from hysds.doctor import host
from hysds.ports.findings import Severity


def test_a_limit_below_what_the_slots_need_is_a_warning() -> None:
    """And one that is high enough, or none at all, is none."""
    assert host.limit("nofile", "open files", 100, 288).severity is Severity.WARNING
    assert host.limit("nofile", "open files", 288, 288).severity is Severity.OK
    assert host.limit("nofile", "open files", resource.RLIM_INFINITY, 10**9).severity is Severity.OK


def test_a_worker_of_a_thousand_slots_needs_more_files_than_a_shell_has() -> None:
    """The limits are this process's own."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    [files, _] = host.limits((soft // 32) + 1)

    assert files.code == "limits.nofile"
    assert files.severity is Severity.WARNING
    assert "LimitNOFILE" in files.mend


def test_a_place_with_less_than_its_reserve_is_a_warning(tmp_path: Path) -> None:
    """A place that is not made yet counts as the one that it will be made in."""
    [enough] = host.disks({"work_dir": tmp_path / "not" / "yet"}, 0)
    [short] = host.disks({"work_dir": tmp_path}, 2**62)

    assert enough.severity is Severity.OK
    assert short.severity is Severity.WARNING


def test_a_place_that_can_not_be_written_is_an_error() -> None:
    """With the directory that is in the way."""
    [found] = host.disks({"work_dir": Path("/dev/null/work")}, 0)

    assert found.severity is Severity.ERROR
    assert found.where == "/dev/null/work"
