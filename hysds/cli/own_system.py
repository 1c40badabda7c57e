"""A system for one job: the one that the settings name, else one of our own that ends with the job."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hysds.bootstrap import System
from hysds.cli import work_dir, worker
from hysds.core.errors import InvalidSettings, Unreachable
from hysds.core.spec import JobSpec
from hysds.embedded.errors import EmbeddedError
from hysds.embedded.roles import Role
from hysds.embedded.system import EmbeddedSystem
from hysds.settings import environment, load
from hysds.settings.load import Loaded
from hysds.settings.model import Settings

_WORKER_GRACE_S = 5.0
"""The job has ended by then; what else the home's ledger holds is given back."""


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
    """A system that takes this job, while the block runs: the one of these settings, else one of our own.

    Raises: InvalidSettings, EmbeddedError.
    """
    if loaded.settings.ledger.url is not None:
        yield Ready(loaded.settings, False, _nothing)
        return
    loaded = load.load({"worker.queues": _queues(loaded, job)})
    with _nothing_submitted():
        work_dir.check(loaded)
    environ = environment.for_child(loaded.handed_on())
    system = EmbeddedSystem(loaded.settings, environ, _roles(loaded))
    try:
        with _nothing_submitted():
            _start(system)
        yield Ready(loaded.settings, True, system.check)
        # A job that ended at once, as a duplicate does, may be over before the indexer has begun: stopped then, the
        # indexer would leave the job out of the store.
        system.await_roles()
    except Unreachable:
        system.check()  # the server's own last words say more than that it does not answer
        raise
    finally:
        system.stop()


def _start(system: EmbeddedSystem) -> None:
    """Raises: EmbeddedError, also where the file system refuses."""
    try:
        system.start()
    except OSError as error:
        reason = f"{error.strerror} ({error.filename})"
        raise EmbeddedError(
            f"{system.home.path} can't be used: {reason}; set HYSDS_HOME to another directory"
        ) from error


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
    """The worker's queues, and the job's."""
    return list(dict.fromkeys([*loaded.settings.worker.queues, job.job_queue or job.bare_type]))


def _roles(loaded: Loaded) -> list[Role]:
    """Ended in this order: the indexer last, when there is nothing more to write."""
    python = sys.executable
    celery = [python, "-m", "celery", *worker.arguments(loaded, None), "--loglevel", "INFO"]
    return [
        Role("worker", celery, stage=0, grace_s=_WORKER_GRACE_S),
        Role("reconciler", [python, "-m", "hysds", "reconciler"], stage=0),
        Role("indexer", [python, "-m", "hysds", "indexer"], stage=1),
    ]


def _nothing() -> None:
    """A system of others is looked after by others."""
