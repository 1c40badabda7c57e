"""Where the files lie that say what kinds of job there are."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Catalog:
    """Files of job types, in the formats of HySDS's orchestrator_jobs.json and job_worker.json."""

    paths: tuple[Path, ...] | None = None
    """Files, and directories of which every *.json is read: together the job types that this process publishes. Set it
    where `hysds config reload` and the reconciler run; all else uses what is published. None: there are none."""
