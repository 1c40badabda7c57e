"""Reads what the jobs of a run left: the lines that `hysds.chaos.workload` wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hysds.chaos.history import Effect, Mark


def read(directory: Path) -> Iterator[Effect]:
    """All effects, those of each job in the order in which they were written.

    Raises: ValueError for a line that no workload wrote.
    """
    for path in sorted(directory.iterdir()):
        for line in path.read_text("ascii").splitlines(keepends=True):
            yield _effect(path, line)


def begun(directory: Path, id: str) -> bool:
    """Whether any attempt of a job has begun."""
    return (directory / id).exists()


def _effect(path: Path, line: str) -> Effect:
    words = line.split()
    if len(words) != 7 or words[0] != path.name or not line.endswith("\n"):
        raise ValueError(f"{path} holds a line that is no effect of its job: {line[:100]!r}")
    fence, number, boot_us, wall_us, pid = (int(words[place]) for place in (1, 3, 4, 5, 6))
    return Effect(words[0], fence, Mark(words[2]), number, boot_us, wall_us, pid)
