"""What is asked of a guardian: a command, where it runs, and how much time and memory it has."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What a command may use. None is no limit.

    `soft_s`, `hard_s`: seconds from its start, on the boot-time clock. At the soft limit everything gets
    SIGTERM, at the hard one SIGKILL; so a soft limit needs a hard one, which ends its grace.
    `memory_bytes`: of the command and all below it together; over it everything is killed.
    """

    soft_s: float | None = None
    hard_s: float | None = None
    memory_bytes: int | None = None

    def __post_init__(self) -> None:
        for name in ("soft_s", "hard_s", "memory_bytes"):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} is {value}; a limit is a finite number above 0, or None")
        if self.soft_s is not None and (self.hard_s is None or self.hard_s < self.soft_s):
            raise ValueError(f"a soft limit of {self.soft_s} s needs a later hard one, not {self.hard_s}")


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Command:
    """One command to run under guard.

    `argv`: a name without a slash is looked up in `env`'s own PATH. Texts reach the command as UTF-8,
    surrogate escapes as the bytes that they stand for.
    `env`: all of the environment; nothing of the worker's is added.
    `stdout`, `stderr`: a path, which is made if absent and appended to, or an open descriptor, which stays
    the caller's. Standard input is empty.
    """

    argv: Sequence[str]
    cwd: Path
    stdout: Path | int
    stderr: Path | int
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = NO_LIMITS
    start_by_s: float = math.inf
    """On the boot-time clock: it is not started later, whoever stood still before."""
    reached_s: float = 0.0
    """On the boot-time clock: for this command an isolation of its worker counts from then at the earliest."""

    def __post_init__(self) -> None:
        if not self.argv:
            raise ValueError("argv is empty; it names at least the program")
        for text in (*self.argv, *self.env, *self.env.values(), os.fspath(self.cwd)):
            if "\0" in text:
                raise ValueError(f"{text[:80]!r} holds a NUL, which no argument or variable can")
        for name in self.env:
            if not name or "=" in name:
                raise ValueError(f"{name[:80]!r} can't be the name of an environment variable")
