"""A system for one job: the one that the settings name, else one of our own that ends with the job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hysds.bootstrap import System
from hysds.cli import own_roles, work_dir
from hysds.core import queue_names
from hysds.core.errors import InvalidSettings, Unreachable
from hysds.core.job_types.catalog import EMPTY
from hysds.core.spec import JobSpec
from hysds.embedded import standing
from hysds.embedded.errors import EmbeddedError
from hysds.embedded.home import Home
from hysds.embedded.system import EmbeddedSystem
from hysds.orchestrator import catalog_files
from hysds.settings import load
from hysds.settings.load import Loaded
from hysds.settings.model import Settings

_WORKER_GRACE_S = 5.0
"""The job has ended by then; what else the home's ledger holds is given back."""
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Ready:
    """A system to submit to."""

    settings: Settings
    """With these it is reached."""
    is_own: bool
    """It ends with us."""
    look: Callable[[], None]
    """Raises ChildEnded when a process of our own system ended; to be called now and then."""


@contextmanager
def ready(loaded: Loaded, job: JobSpec) -> Iterator[Ready]:
    """A system that takes this job, while the block runs: the one of these settings, else the one that stands in their
    home, else one of our own.

    Raises: InvalidSettings, EmbeddedError.
    """
    if loaded.settings.ledger.url is not None or _stands(Home(loaded.settings.home)):
        yield Ready(loaded.settings, False, _nothing)
        return
    loaded = load.load({"worker.queues": _queues(loaded, job)})
    with _nothing_submitted():
        work_dir.check(loaded)
    system = EmbeddedSystem(loaded.settings, own_roles.company(loaded, _WORKER_GRACE_S, stands=False))
    try:
        with _nothing_submitted():
            own_roles.start(system, _START_S)
        yield Ready(loaded.settings, True, system.check)
        # A job that ended at once, as a duplicate does, may be over before the indexer has begun: stopped then, the
        # indexer would leave the job out of the store.
        system.await_roles()
    except Unreachable:
        system.check()  # the server's own last words say more than that it does not answer
        raise
    finally:
        system.stop()


def _stands(home: Home) -> bool:
    """Whether a system of `hysds up` runs there; one that begins or ends just now is waited for."""
    found = standing.settled(home)
    return found is not None and found.is_standing


def older(system: System) -> int:
    """How many jobs are ready in queues that the worker of a system of our own hears."""
    heard = system.settings.worker.queues
    return sum(queue.ready for queue in system.ledger.queues() if queue.queue in heard and not queue.paused)


@contextmanager
def _nothing_submitted() -> Iterator[None]:
    """What goes wrong in here says that there is no job to look after."""
    try:
        yield
    except (EmbeddedError, InvalidSettings) as error:
        error.add_note("the job was not submitted")
        raise


def _queues(loaded: Loaded, job: JobSpec) -> list[str]:
    """The worker's queues, and the job's as far as this host's files of job types tell.

    Raises: InvalidSpec where they can't be used.
    """
    found = catalog_files.read(loaded.settings.catalog.paths)[0] if loaded.settings.catalog.paths else EMPTY
    job_type = found.find(job.job_type)
    named = [] if job_type is None else list(job_type.all_queues)
    if job.job_queue:
        named.append(job.job_queue)
    elif not named and not any(queue_names.check(job.bare_type)):
        named = [job.bare_type]
    return list(dict.fromkeys([*loaded.settings.worker.queues, *named]))


def _nothing() -> None:
    """A system of others is looked after by others."""
