"""What a run tells: how it can be repeated, what it ran on, what befell it, what was checked, and the verdict."""

from __future__ import annotations

import json
import os
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import hysds
from hysds.chaos.checker import GUARANTEES, Violation
from hysds.chaos.faults import Injected
from hysds.chaos.history import History
from hysds.chaos.plan import Plan

_MOST_SHOWN = 20
"""Violations in a text; a broken rule breaks it for many jobs."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run. `home`: where its files are kept; None: they were removed. `took_s` in seconds."""

    plan: Plan
    versions: Mapping[str, str]
    settings: Mapping[str, str]
    injected: tuple[Injected, ...]
    ended_alone: tuple[str, ...]
    """Processes that ended though no fault hit them: name and exit code."""
    jobs: Mapping[str, int]
    """How many ended how."""
    attempts: Mapping[str, int]
    events: int
    effects: int
    violations: tuple[Violation, ...]
    home: Path | None
    took_s: float

    @property
    def is_kept(self) -> bool:
        """The verdict: whether every guarantee was kept."""
        return not self.violations

    def as_json(self) -> str:
        """All of it."""
        return json.dumps(self._document(), indent=2)

    def text(self) -> str:
        """For people."""
        size = self.plan.size
        lines = [
            f"seed        {self.plan.seed}",
            f"size        {size.jobs} jobs, {size.workers} workers of {size.slots} slots, {size.faults} faults planned",
            f"versions    {_pairs(self.versions)}",
            f"settings    {_pairs(self.settings)}",
            f"faults      {len(self.injected)} injected",
            *(f"  {one.at_s:7.1f} s  {one.fault.kind}: {', '.join(one.hit)}" for one in self.injected),
            f"jobs        {_pairs(self.jobs)}",
            f"attempts    {_pairs(self.attempts)}",
            f"read        {self.events} events, {self.effects} effects, in {self.took_s:.1f} s",
            f"checked     {', '.join(GUARANTEES)}",
        ]
        lines += [f"ended alone  {one}" for one in self.ended_alone]
        lines += [violation.text() for violation in self.violations[:_MOST_SHOWN]]
        if len(self.violations) > _MOST_SHOWN:
            lines.append(f"… and {len(self.violations) - _MOST_SHOWN} more")
        return "\n".join([*lines, self.verdict()])

    def verdict(self) -> str:
        """One line."""
        if self.is_kept:
            return "verdict     kept: every guarantee held for every job"
        kept = f"; its files are in {self.home}" if self.home else ""
        return f"verdict     BROKEN: {len(self.violations)} violations{kept}"

    def _document(self) -> dict[str, Any]:
        size = self.plan.size
        return {
            "seed": self.plan.seed,
            "size": {name: getattr(size, name) for name in ("jobs", "faults", "workers", "slots")},
            "versions": dict(self.versions),
            "settings": dict(self.settings),
            "faults": [
                {
                    "kind": one.fault.kind.value,
                    "after_jobs": one.fault.after,
                    "at_s": round(one.at_s, 3),
                    "hit": list(one.hit),
                }
                for one in self.injected
            ],
            "ended_alone": list(self.ended_alone),
            "jobs": dict(self.jobs),
            "attempts": dict(self.attempts),
            "events": self.events,
            "effects": self.effects,
            "checked": list(GUARANTEES),
            "violations": [
                {"guarantee": one.guarantee, "id": one.id, "says": one.says, "shown": list(one.shown)}
                for one in self.violations
            ],
            "kept": self.is_kept,
            "home": str(self.home) if self.home else None,
            "took_s": round(self.took_s, 3),
        }


def versions(server: str) -> dict[str, str]:
    """What the run ran on."""
    return {
        "python": platform.python_version(),
        "hysds": hysds.__version__,
        "celery": metadata.version("celery"),
        "redis-py": metadata.version("redis"),
        "server": server,
        "kernel": f"{os.uname().sysname} {os.uname().release}",
        "cpus": str(len(os.sched_getaffinity(0))),
    }


def ends(history: History) -> Counter[str]:
    """How many jobs stand where at the end, by their last events."""
    last = {entry.event.id: entry.event.status for entry in history.events}
    return Counter(dict(sorted(Counter(last.values()).items())))


def attempts(history: History) -> Counter[str]:
    """How many attempts ended how, by the documents."""
    documents = (history.documents or {}).values()
    found = Counter(attempt.how for document in documents for attempt in document.attempts)
    return Counter(dict(sorted(found.items())))


def _pairs(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
