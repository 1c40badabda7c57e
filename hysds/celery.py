"""The Celery app of job workers: `celery -A hysds worker -Q gpu`.

Importing reads nothing: the settings are read when Celery first needs its configuration. What hears a bell
(`hysds.tasks`) and what starts and stops with a worker (`hysds.bootsteps`) is named by string: both build on this file.
Senders have an app of their own (`hysds.adapters.bell.celery`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

from celery import Celery

from hysds import bootstrap
from hysds.settings.celery import celery_config
from hysds.settings.model import Settings

RUN_JOB = "hysds.job_worker.run_job"
"""The task that hears a bell; its one argument is the queue."""


class JobWorker(Protocol):
    """What the door asks of the worker behind it. Any thread may call, save for `prepare`."""

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues that it claims from."""

    @property
    def slots(self) -> int:
        """How many slots it has: as many as the pool has threads."""

    @property
    def longest_drain_s(self) -> float:
        """How long after `drain` the process must be gone, whatever hangs."""

    def prepare(self) -> None:
        """Start what must exist before any thread of this process does."""

    def start(self, call: Callable[[str, int], None], changed: Callable[[], None]) -> None:
        """Begin to work; returns at once.

        `call(queue, n)` lets n local requests of `run_job(queue)` enter Celery; `changed()` says that `is_open` may
        answer otherwise than before.
        """

    def is_open(self) -> bool:
        """Whether a bell is welcome: a slot is free, the host is healthy, nobody drains. Asked often: costs nothing."""

    def perform(self, queue: str, show: Callable[[str], None]) -> str | None:
        """Claim, `show` the id, run and commit one job; how it ended, or None if there was nothing to do."""

    def drain(self, done: Callable[[], None]) -> None:
        """Claim no more; `done()`, from any thread, when the last job has ended or was given back."""

    def close(self) -> None:
        """Let go of everything; what still runs is ended by the guardian."""


class System(Protocol):
    """What the door asks of the composition root."""

    @property
    def settings(self) -> Settings:
        """The settings of this process."""

    def job_worker(self, name: str, queues: tuple[str, ...], slots: int) -> JobWorker:
        """Make the job worker of this process. `name` is Celery's node name, such as `celery@host`."""


class JobApp(Celery):  # type: ignore[misc]  # Celery publishes no types
    """Celery with a job worker behind it; `make_system` is called once, when the settings are first needed."""

    log_cls = "hysds.bootsteps.log:Log"

    control_cls = "hysds.bootsteps.mailbox:JobControl"

    def __init__(self, make_system: Callable[[], System]) -> None:
        super().__init__("hysds", set_as_current=False, include=["hysds.tasks"])
        self._make_system = make_system
        self.job_worker: JobWorker | None = None
        """The worker of this process, while there is one; a bootstep sets it before any bell is heard."""
        self.look_again: Callable[[], None] = _nothing
        """Tells the gate that a request is over; a bootstep sets it."""
        self.add_defaults(self._configuration)
        self.steps["worker"].add("hysds.bootsteps.supervision:Supervision")
        self.steps["consumer"].add("hysds.bootsteps.gate:Gate")

    @cached_property
    def system(self) -> System:
        """The composition root of this process."""
        return self._make_system()

    def _configuration(self) -> dict[str, Any]:
        # With a pool in the configuration Celery takes `-P prefork` for its default and starts threads all the same.
        return celery_config(self.system.settings) | {"worker_pool": "threads"}


def _nothing() -> None:
    """There is no gate yet."""


app = JobApp(bootstrap.System.read)
