"""What a job worker is told by its settings."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from hysds.core import queue_names
from hysds.lib import cloud_instance
from hysds.settings.declaring import bounded, names

TEN_YEARS_S = 315_360_000.0
_WORKER = names(r"[A-Za-z0-9._-]{1,128}", "worker", "letters, digits and . _ - only, 128 at most")
_QUEUES = names(queue_names.PATTERN, "queue", f"{queue_names.RULE}, and commas between several")


def usable_cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def host_name() -> str:
    """This machine's name, in what a worker's name may hold."""
    return os.uname().nodename or "localhost"


@dataclass(frozen=True)
class Worker:
    """What a job worker on this host takes, where it works, and how it stops."""

    name: str = field(default_factory=host_name, metadata=_WORKER)
    """What the worker is called. Default: the host's name."""

    queues: tuple[str, ...] = field(default=("default",), metadata=_QUEUES)
    """The queues that it takes work from; in one order over all of them."""

    slots: int = field(default_factory=usable_cpus, metadata={"least": 1, "most": 1024})
    """How many slots it has; a job takes `resources.slots` of them. Default: the usable processors."""

    memory_bytes: int | None = bounded(None, least=1_000_000)
    """Memory for all its jobs together. None: all of the host's."""

    disk_reserve_bytes: int = bounded(10**9, least=0)
    """Disk that is kept back when a job asks for some: it starts only where that much is free besides. A job that asks
    for none starts on any disk."""

    work_dir: Path | None = None
    """Where the work directories of jobs lie (`jobs/YYYY/…` below it). None: `work` under `home`."""

    drain_timeout_s: float = bounded(60.0, least=0, most=TEN_YEARS_S)
    """How long running jobs may go on after SIGTERM, before they are stopped and given back."""

    stop_grace_s: float = bounded(10.0, least=0, most=86_400)
    """Between SIGTERM and SIGKILL to a job that is cancelled or drained."""

    isolation_limit_s: float = bounded(300.0, least=1, most=TEN_YEARS_S)
    """How long jobs run on while their worker can't reach the ledger. Set to the lease, two attempts never run
    at once; longer, a job outlives longer outages."""

    instance_metadata: str | None = field(
        default=cloud_instance.URL,
        metadata={
            "pattern": r"http://[A-Za-z0-9.:\[\]-]+",
            "rule": "is no http:// URL of a host alone",
            "none": "none",
        },
    )
    """Where a cloud tells an instance about itself (IMDSv2), asked once, for a second at most; where nobody answers
    nothing is told. `none` (None): nobody is asked."""
