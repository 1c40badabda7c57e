"""A spec with what its creator and its type add: creator over spec over type, and never above the type's ceilings.

Each rule answers a new spec and looks at nothing but its arguments, so nothing of one creator reaches the jobs of
another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from hysds.core import json_text, spec_sense
from hysds.core.budgets import Retry
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types.catalog import Creator, JobType
from hysds.core.job_types.command_line import command_line
from hysds.core.spec import JobSpec, Resources
from hysds.lib import units

_COMMAND = "$.payload._command"


def by_creator(spec: JobSpec, creator: Creator, queue: str | None, gap_s: float) -> JobSpec:
    """What a creator made, to be one job of it in one of its queues (None: it names none).

    Its time limits come before those that the spec gives; a hard limit that another side gave and that lies below the
    soft one follows that by `gap_s`.
    """
    soft_s, hard_s = limits_over(
        (creator.soft_time_limit, creator.time_limit), (spec.soft_time_limit, spec.time_limit), gap_s
    )
    return replace(spec, job_queue=queue or spec.job_queue, soft_time_limit=soft_s, time_limit=hard_s)


def by_type(spec: JobSpec, job_type: JobType, gap_s: float, runs_command: bool = True) -> JobSpec:
    """The spec completed by its type: command, queue, limits, priority, resources, retry, environment.

    `runs_command` of False: it has none, as the parent of a group.
    Raises: InvalidSpec with all that the type does not allow, and with why it can't be submitted at all.
    """
    complaints = [Complaint("$.job_type", f"{job_type.name}: {reason}") for reason in job_type.refusals]
    limits = job_type.limits
    soft_s, hard_s = bounded(
        limits_over(
            (spec.soft_time_limit, spec.time_limit), (limits.soft_time_limit, limits.time_limit), gap_s
        ),
        limits.longest,
        gap_s,
    )
    changes: dict[str, Any] = {
        "job_queue": spec.job_queue or (job_type.queues[0] if job_type.queues else None),
        "priority": limits.priority if spec.priority is None else spec.priority,
        "soft_time_limit": soft_s,
        "time_limit": hard_s,
        "resources": _resources(spec.resources, job_type.resources),
        "retry": _retry(spec.retry, job_type.retry),
        "enable_dedup": spec.enable_dedup and job_type.dedup.enabled,
    }
    if job_type.command is not None:
        changes["env"] = {**job_type.command.env, **spec.env}
    if runs_command:
        try:
            changes["payload"] = _payload(spec, job_type)
        except InvalidSpec as refusal:
            complaints += refusal.complaints
    filled = replace(spec, **changes)
    complaints += above(filled, job_type)
    complaints += spec_sense.ladder_complaints(filled)
    if complaints:
        raise InvalidSpec(tuple(complaints))
    return filled


def limits_over(
    first: tuple[float | None, float | None], second: tuple[float | None, float | None], gap_s: float
) -> tuple[float | None, float | None]:
    """The soft and the hard limit where one side comes before the other; they never cross."""
    soft_s = second[0] if first[0] is None else first[0]
    hard_s = second[1] if first[1] is None else first[1]
    if soft_s is None or hard_s is None or hard_s >= soft_s:
        return soft_s, hard_s
    # They are of two sides: the first one's stands.
    return (soft_s, soft_s + gap_s) if first[1] is None else (None, hard_s)


def bounded(
    own: tuple[float | None, float | None], longest_s: float | None, gap_s: float
) -> tuple[float | None, float | None]:
    """A soft and a hard limit where there is a longest one; what somebody named is not touched.

    Where nobody names a hard limit, none follows a soft one beyond the longest; where nobody names any, the hard one is
    the longest, and the soft one lies the gap before it if there is room.
    """
    soft_s, hard_s = own
    if longest_s is None or hard_s is not None:
        return own
    if soft_s is not None:
        return soft_s, (longest_s if soft_s <= longest_s < soft_s + gap_s else None)
    return (longest_s - gap_s if longest_s > gap_s else None), longest_s


def too_long(spec: JobSpec, longest_s: float, where: str) -> Iterator[Complaint]:
    """The spec's limits that exceed the longest that there may be; `where` says who says so."""
    for name in ("soft_time_limit", "time_limit"):
        value = getattr(spec, name)
        if value is not None and value > longest_s:
            shown, most = units.format_duration(value), units.format_duration(longest_s)
            yield Complaint(f"$.{name}", f"{shown} is above {most}, {where}")


def no_command(job_type: str) -> Complaint:
    """About a spec without a command whose type has none either."""
    return Complaint(
        _COMMAND,
        f"is required: the command line that the job runs; no type is registered that gives {job_type} one "
        "(hysds types)",
    )


def _payload(spec: JobSpec, job_type: JobType) -> dict[str, Any]:
    """The payload with the command that the type makes of it."""
    given = spec.payload.get("_command")
    if job_type.command is None:
        if given is None:
            raise InvalidSpec((no_command(spec.job_type),))
        return spec.payload
    kept = () if spec.array is None and spec.array_index is None else ("array_index",)
    made = command_line(job_type.command, spec.payload, kept)
    if given is not None and given != made:
        json_text.refuse(
            _COMMAND,
            f"is not the command that is registered for {job_type.name}, {json_text.shown(made)}; leave it out",
        )
    return {**spec.payload, "_command": made}


def _resources(own: Resources, of_type: Resources) -> Resources:
    """A spec's own needs, and the type's where it names none; one slot is what everybody needs, and names nothing."""
    if of_type == _NEEDS_NOTHING:
        return own
    return Resources(
        slots=own.slots if own.slots > 1 else of_type.slots,
        cpus=own.cpus or of_type.cpus,
        memory=own.memory or of_type.memory,
        disk=of_type.disk if own.disk is None else own.disk,
    )


def _retry(own: Retry, of_type: Retry) -> Retry:
    if of_type == _RETRIES_NOTHING:
        return own
    budgets: dict[str, Any] = {
        name: getattr(of_type, name) if getattr(own, name) is None else getattr(own, name)
        for name in _BUDGETS
    }
    return Retry(**budgets, on_exit_codes={**of_type.on_exit_codes, **own.on_exit_codes})


def above(spec: JobSpec, job_type: JobType) -> Iterator[Complaint]:
    """What of a spec lies above the ceilings of its type."""
    limits = job_type.limits
    where = f"the most that {job_type.name} may have"
    if job_type.sources:
        where = f"{where} ({job_type.sources[0]})"
    if limits.longest is not None:
        yield from too_long(spec, limits.longest, where)
    if limits.highest_priority is not None and (spec.priority or 0) > limits.highest_priority:
        yield Complaint("$.priority", f"{spec.priority} is above {limits.highest_priority}, {where}")
    for name, most in limits.most.items():
        value = getattr(spec.resources, name)
        if value is not None and value > most:
            shown = f"{_amount(name, value)} is above {_amount(name, most)}"
            yield Complaint(f"$.resources.{name}", f"{shown}, {where}")


def _amount(name: str, value: float) -> str:
    return units.format_size(int(value)) if name in ("memory", "disk") else f"{value:g}"


_NEEDS_NOTHING = Resources()
_RETRIES_NOTHING = Retry()
_BUDGETS = tuple(item.name for item in fields(Retry) if item.name != "on_exit_codes")
