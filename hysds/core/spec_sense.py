"""What must hold between the fields of a spec: values that are good alone and make no sense together."""

from __future__ import annotations

from collections.abc import Iterator

from hysds.core import queue_names
from hysds.core.errors import Complaint
from hysds.core.spec import JobSpec
from hysds.lib import units


def limit_complaints(spec: JobSpec) -> Iterator[Complaint]:
    """A soft limit beyond the hard one."""
    if spec.soft_time_limit and spec.time_limit and spec.soft_time_limit > spec.time_limit:
        yield Complaint(
            "$.soft_time_limit",
            f"{spec.soft_time_limit:g} s is beyond the time_limit of {spec.time_limit:g} s",
        )


def time_complaints(spec: JobSpec) -> Iterator[Complaint]:
    """A deadline, given as a time, that comes before the job may start: it could only wait, and fail then."""
    if spec.not_before and 0 < spec.deadline_at_s <= spec.not_before:
        yield Complaint("$.deadline", "is not after not_before: the job could never start")


def ladder_complaints(spec: JobSpec) -> Iterator[Complaint]:
    """A ladder of memory without a first rung, or that ends below it."""
    ladder, memory = spec.retry.oom, spec.resources.memory
    if ladder is None:
        return
    if memory is None:
        yield Complaint(
            "$.retry.oom", "needs resources.memory: the limit of the first attempt, which the next ones raise"
        )
    elif ladder.cap < memory:
        yield Complaint(
            "$.retry.oom.cap",
            f"{units.format_size(ladder.cap)} is below resources.memory of {units.format_size(memory)}",
        )


def queue_complaints(spec: JobSpec) -> Iterator[Complaint]:
    """No queue, and a type whose name can't be one."""
    if spec.job_queue is None:
        for complaint in queue_names.check(spec.bare_type):
            yield Complaint(
                "$.job_queue", f"is required here, as the type's own name won't do: {complaint.message}"
            )
