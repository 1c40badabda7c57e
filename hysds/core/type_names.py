"""How a job type may be written: HySDS puts `job:` before what job_worker.json calls it."""

from __future__ import annotations

NAMESPACE = "job:"
"""What stands before a type's name in a spec."""


def spellings(job_type: str) -> frozenset[str]:
    """The ways in which documents may write it: with its namespace `job:`, and without."""
    name = job_type.removeprefix(NAMESPACE)
    return frozenset({name, NAMESPACE + name})
