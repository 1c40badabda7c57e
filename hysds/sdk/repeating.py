"""Does ended jobs again: a new job for each, linked to the old one and no duplicate of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hysds.bootstrap import System
from hysds.core import repetition
from hysds.core.cause import Cause
from hysds.core.errors import NotFound
from hysds.core.ids import JobId
from hysds.core.repetition import Changes
from hysds.core.spec import JobSpec
from hysds.orchestrator.submit import Submission


def retried(
    system: System,
    job_ids: Sequence[JobId],
    changes: Changes,
    new_ids: Sequence[JobId] | None = None,
    cause: Cause | None = None,
) -> tuple[Submission, ...]:
    """One new job for each, in order; none is submitted where one can't be. `new_ids`: under these, so that it may be
    repeated; None: new ones. `cause`: which rule has them done again; None: what caused the old ones caused these.

    Raises: NotFound, Conflict for a job that has not ended, Refused for one of which not enough is known any more,
    InvalidSpec for changes that can't be.
    """
    specs = _specs(system, job_ids, changes)
    if cause is not None:
        specs = [replace(spec, cause=cause) for spec in specs]
    return system.orchestrator.submit(specs, new_ids, retry_of=job_ids)


def _specs(system: System, job_ids: Sequence[JobId], changes: Changes) -> list[JobSpec]:
    kept = dict(zip(job_ids, system.ledger.kept(job_ids), strict=True))
    forgotten = [id_ for id_ in job_ids if kept[id_] is None]
    stored = dict(zip(forgotten, system.store.get(forgotten), strict=True)) if forgotten else {}
    specs = []
    for id_ in job_ids:
        known, document = kept[id_], stored.get(id_)
        if known is not None:
            specs.append(repetition.of_record(known.record, known.spec, changes))
        elif document is not None:
            specs.append(repetition.of_document(document, changes))
        else:
            raise NotFound(f"job {id_}: neither the ledger nor {system.store.describe()} knows it")
    return specs
