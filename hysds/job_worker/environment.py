"""The environment of a job: what its spec declares, a few words on itself, and nothing of the worker's own.

A worker's environment holds passwords of brokers and stores; no job gets any of it.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping

from hysds.core import moments
from hysds.core.spec import Tick
from hysds.leasing.attempt import Attempt
from hysds.leasing.marks import WORKER
from hysds.leasing.workdir import WorkDir

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def compose(attempt: Attempt, place: WorkDir) -> Mapping[str, str]:
    """All variables of the command; the spec's own override HOME, LANG and PATH."""
    return {
        "HOME": _home(),
        "LANG": "C.UTF-8",
        "PATH": PATH,
        **attempt.spec.env,
        "HYSDS_JOB_ID": attempt.id,
        "HYSDS_JOB_FENCE": str(attempt.fence),
        WORKER: attempt.record.owner,
        "HYSDS_JOB_DIR": str(place.path),
        "HYSDS_PROGRESS": str(place.progress),
        **_tick(attempt.spec.tick),
        **_index(attempt.spec.array_index),
    }


def _tick(tick: Tick | None) -> Mapping[str, str]:
    if tick is None:
        return {}
    return {"HYSDS_SCHEDULE": tick.schedule, "HYSDS_SCHEDULE_TIME": moments.iso(round(tick.time * 1000))}


def _index(array_index: int | None) -> Mapping[str, str]:
    return {} if array_index is None else {"HYSDS_ARRAY_INDEX": str(array_index)}


def _home() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        return "/"
