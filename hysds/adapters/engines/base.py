"""What every engine is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """When an engine ends workloads without being told, and whom it tells. Seconds on the boot-time clock."""

    silence_limit_s: float
    """So long without a beat, and the worker counts as dead or stopped."""
    isolation_limit_s: float
    """So long without the ledger, and its jobs may be running elsewhere."""
    on_gone: tuple[str, ...] = ()
    """A short command that tells the ledger that the worker is gone, once nothing of its jobs lives."""
    on_gone_env: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)
    """Variables that whatever guards the workloads carries, so that it can be found when this worker is dead."""
