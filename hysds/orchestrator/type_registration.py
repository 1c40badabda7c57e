"""Types put into the published catalogue, beside whatever others publish at the same time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hysds.core.errors import Conflict
from hysds.core.job_types.additions import Adding, added
from hysds.core.job_types.catalog import Catalog, JobType
from hysds.orchestrator.job_types import JobTypes

MAX_TRIES = 100
"""Each one that fails is another operator's that succeeded."""


def register(job_types: JobTypes, wanted: Sequence[JobType], may_replace: bool) -> Mapping[str, Adding]:
    """Publish the catalogue with these types; answers what became of each by name. All or none of them.

    Raises: Refused, as `core.additions`; Conflict where others publish without end.
    """
    outcomes: dict[str, Adding] = {}

    def change(known: Catalog) -> Catalog:
        addition = added(known, wanted, may_replace)
        outcomes.update(addition.outcomes)
        return addition.known

    for _ in range(MAX_TRIES - 1):
        try:
            job_types.change(change)
        except Conflict:
            continue
        return outcomes
    job_types.change(change)
    return outcomes
