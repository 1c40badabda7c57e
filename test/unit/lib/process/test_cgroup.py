"""Where control groups lie, read from what the kernel says."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.lib.process.guard.cgroup import Group, Hierarchy, hierarchies

CPU = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
V1 = f"{CPU}35 31 0:32 / /sys/fs/cgroup/memory rw,nosuid shared:7 - cgroup cgroup rw,memory\n"
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
BOUND = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"


@pytest.mark.parametrize(
    ("mountinfo", "own", "expected"),
    [
        (
            V1,
            "4:memory:/a/b\n1:cpu:/\n0::/\n",
            [Hierarchy("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/a/b", 1)],
        ),
        (V1, "4:hugetlb,memory:/\n", [Hierarchy("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory", 1)]),
        (
            V2,
            "0::/system.slice/x.service/w\n",
            [Hierarchy("/sys/fs/cgroup", "/sys/fs/cgroup/system.slice/x.service/w", 2)],
        ),
        (
            BOUND,
            "4:memory:/docker/abc/in\n",
            [Hierarchy("/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory/in", 1)],
        ),
        (V1, "", []),
        ("", "0::/\n", []),
    ],
)
def test_the_own_group_is_found_in_what_the_kernel_mounts(
    mountinfo: str, own: str, expected: list[Hierarchy]
) -> None:
    """Version 1 by its memory controller, version 2, and a mount that shows only a part."""
    assert expected == list(hierarchies(mountinfo, own))


@pytest.mark.parametrize(
    ("limit", "events", "text"),
    [
        ("memory.max", "memory.events", "low 0\noom 4\noom_kill 2\noom_group_kill 1\n"),
        ("memory.limit_in_bytes", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
    ],
)
def test_a_group_speaks_either_version(tmp_path: Path, limit: str, events: str, text: str) -> None:
    """Its limit is written where the version has it, its kills are counted where the version counts them."""
    group = Group(str(tmp_path / "group"), str(tmp_path))
    for name in (limit, events):
        (tmp_path / "group" / name).write_text("")
    group.limit(123456)
    before = group.excess(list)
    (tmp_path / "group" / events).write_text(text)
    after = group.excess(list)

    assert (tmp_path / "group" / limit).read_text() == "123456"
    assert before is None
    assert after is not None
    assert "123456" in after
