"""How long a job may run: what its spec says, else what the settings say; and never beyond its deadline."""

from __future__ import annotations

from dataclasses import dataclass

from hysds.core.spec import JobSpec


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds from the command's start. After `soft_s` it is asked to end, after `hard_s` it is ended.

    `soft_s` of None: it is never asked, only ended. `hard_s` of 0 or less: its deadline has come, it is not started.
    """

    soft_s: float | None
    hard_s: float


def time_limits(
    spec: JobSpec, default_s: float, gap_s: float, deadline_in_s: float | None = None
) -> TimeLimits:
    """The limits of a job: a soft limit without a hard one gets `gap_s` to end; a job without any gets `default_s`.

    `deadline_in_s`: how far off its deadline is; None: it has none. The earlier of that and the hard limit holds.
    """
    soft_s, hard_s = spec.soft_time_limit, spec.time_limit
    if soft_s is None and hard_s is None:
        soft_s = default_s
    if hard_s is None:
        assert soft_s is not None
        hard_s = soft_s + gap_s
    if deadline_in_s is not None and deadline_in_s < hard_s:
        hard_s = deadline_in_s
    return TimeLimits(soft_s if soft_s is None or soft_s < hard_s else None, hard_s)
