"""Who runs in a system of our own, besides its server: a worker, a reconciler and an indexer."""

from __future__ import annotations

import sys

from hysds.cli import worker
from hysds.embedded.errors import EmbeddedError
from hysds.embedded.roles import Company, Role
from hysds.embedded.system import EmbeddedSystem
from hysds.settings import environment
from hysds.settings.load import Loaded


def company(loaded: Loaded, worker_grace_s: float, stands: bool) -> Company:
    """The roles with these settings. `worker_grace_s`: how long the worker may let jobs end before it is pressed."""
    return Company(_roles(loaded, worker_grace_s), environment.for_child(loaded.handed_on()), stands=stands)


def start(system: EmbeddedSystem, timeout_s: float) -> None:
    """Raises: EmbeddedError, also where the file system refuses."""
    try:
        system.start(timeout_s)
    except OSError as error:
        reason = f"{error.strerror} ({error.filename})"
        raise EmbeddedError(
            f"{system.home.path} can't be used: {reason}; set HYSDS_HOME to another directory"
        ) from error


def _roles(loaded: Loaded, worker_grace_s: float) -> list[Role]:
    """Ended in this order: the indexer last, when there is nothing more to write."""
    python = sys.executable
    celery = [python, "-m", "celery", *worker.arguments(loaded, None), "--loglevel", "INFO"]
    return [
        Role("worker", celery, stage=0, grace_s=worker_grace_s),
        Role("reconciler", [python, "-m", "hysds", "reconciler"], stage=0),
        Role("indexer", [python, "-m", "hysds", "indexer"], stage=1),
    ]
