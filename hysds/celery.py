"""The Celery apps: of job workers (`celery -A hysds worker -Q gpu`), and of task workers and of the orchestrator's role
(`celery -A hysds.celery:task_app worker -Q tasks`).

Both supervise on threads. What a task worker runs lives in child processes of its own, made before they are needed:
Celery's own pool of processes reads no answer and keeps no time limit while its event loop waits for a broker.

Importing reads nothing: the settings are read when Celery first needs its configuration. What hears a bell
(`hysds.tasks`) and what starts and stops with a worker (`hysds.bootsteps`) is named by string: both build on this file.
Senders have an app of their own (`hysds.adapters.bell.celery`).
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, Protocol

from celery import Celery

from hysds import bootstrap
from hysds.ports.metrics import Endpoint
from hysds.settings.celery import celery_config, task_config
from hysds.settings.metrics import Role
from hysds.settings.model import Settings

RUN_JOB = "hysds.job_worker.run_job"
"""The task that hears a bell; its one argument is the queue."""
RUN_TASK = "hysds.task_worker.run_task"
"""A task, as producers that only reach the broker send it; and what a task worker calls its own requests."""
SUBMIT_JOB = "hysds.orchestrator.submit_job"
"""A job spec, as producers that only reach the broker send it."""


class LeaseWorker(Protocol):
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

        `call(queue, n)` lets n local requests for that queue enter Celery; `changed()` says that `is_open` may
        answer otherwise than before.
        """

    def is_open(self) -> bool:
        """Whether a bell is welcome: a slot is free, the host is healthy, nobody drains. Asked often: costs nothing."""

    def is_draining(self) -> bool:
        """Whether it was told to take nothing more."""

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

    def job_worker(self, name: str, queues: tuple[str, ...], slots: int) -> LeaseWorker:
        """Make the job worker of this process. `name` is Celery's node name, such as `celery@host`."""

    def expose(self, role: Role) -> Endpoint | None:
        """Answer whoever asks for this process's metrics; None: nobody may."""


class TaskSystem(Protocol):
    """What the door of tasks asks of it."""

    @property
    def settings(self) -> Settings:
        """The settings of this process."""

    def task_worker(self, name: str, queues: tuple[str, ...], slots: int) -> LeaseWorker:
        """Make the task worker of this process."""

    def receiver(self) -> Receiver:
        """What takes in what producers send over the broker."""

    def carrying_out_rules(self) -> CarryingOut:
        """What carries out rules."""

    def expose(self, role: Role) -> Endpoint | None:
        """Answer whoever asks for this process's metrics; None: nobody may."""


class CarryingOut(Protocol):
    """What the door asks of whoever carries out rules."""

    def run(self, stop: threading.Event) -> None:
        """Go round until told to stop; the round then under way is finished."""


class Receiver(Protocol):
    """What the door asks of whoever takes in what comes over the broker. Any thread may call."""

    def submit_job(self, spec: object, id: str, priority: int) -> str:
        """Submit a job under this id, or learn that it was; answers the id. `priority` counts where the spec has none.

        Raises: HysdsError
        """

    def run_task(self, task: object, id: str, priority: int) -> str:
        """Submit a task; answers the id of the job whose result is its own: a duplicate has none.

        Raises: HysdsError
        """

    def watch(self, id: str, told: Callable[[Ended], None]) -> None:
        """Have its end told, once, in any thread; also where it has ended already."""

    def close(self) -> None:
        """Tell nothing more."""


class Ended(Protocol):
    """How a task ended, for whoever waits for it."""

    @property
    def error(self) -> Exception | None:
        """Why it has no result; None: it has one."""

    @property
    def result(self) -> Any:
        """What the function returned."""


class LeaseApp(Celery):  # type: ignore[misc]  # Celery publishes no types
    """Celery with a worker behind it that claims from the ledger."""

    log_cls = "hysds.bootsteps.log:Log"

    control_cls = "hysds.bootsteps.mailbox:JobControl"

    door: ClassVar[str]
    """What Celery's `-A` names."""

    request_name: ClassVar[str]
    """The task that the worker's own requests are of."""

    gate: ClassVar[str]
    """The bootstep that takes messages."""

    def __init__(self) -> None:
        super().__init__("hysds", set_as_current=False, include=["hysds.tasks"])
        self.lease_worker: LeaseWorker | None = None
        """The worker of this process, while there is one; a bootstep sets it before any bell is heard."""
        self.look_again: Callable[[], None] = _nothing
        """Tells the gate that a request is over; a bootstep sets it."""
        self.add_defaults(self._configuration)
        self.steps["worker"].add("hysds.bootsteps.supervision:Supervision")
        self.steps["consumer"].add(self.gate)

    @abstractmethod
    def image(self) -> dict[str, object]:
        """What the settings make of Celery's configuration."""

    def door_of(self, queue: str) -> str | None:
        """Which app takes from a queue, as the settings have it; None: they don't say."""
        settings = self.settings()
        if queue in (*settings.tasks.queues, settings.tasks.submit_queue):
            return TaskApp.door
        return JobApp.door if queue in settings.worker.queues else None

    @abstractmethod
    def settings(self) -> Settings:
        """Those of this process."""

    @abstractmethod
    def make_worker(self, name: str, queues: tuple[str, ...], slots: int) -> LeaseWorker:
        """The worker of this process."""

    @abstractmethod
    def expose(self, queues: tuple[str, ...]) -> Endpoint | None:
        """Answer whoever asks for the metrics of this process, which hears these queues; None: nobody may."""

    def _configuration(self) -> dict[str, Any]:
        # With a pool in the configuration Celery takes `-P prefork` for its default and starts threads all the same.
        return self.image() | {"worker_pool": "threads"}


class JobApp(LeaseApp):
    """That of job workers."""

    door, request_name, gate = "hysds", RUN_JOB, "hysds.bootsteps.gate:Gate"

    def __init__(self, make_system: Callable[[], System]) -> None:
        self._make_system = make_system
        super().__init__()

    @cached_property
    def system(self) -> System:
        """The composition root of this process."""
        return self._make_system()

    def image(self) -> dict[str, object]:
        """For bells alone."""
        return celery_config(self.system.settings)

    def settings(self) -> Settings:
        """Those of this process."""
        return self.system.settings

    def make_worker(self, name: str, queues: tuple[str, ...], slots: int) -> LeaseWorker:
        """A job worker."""
        return self.system.job_worker(name, queues, slots)

    def expose(self, queues: tuple[str, ...]) -> Endpoint | None:
        """As a job worker."""
        return self.system.expose(Role.JOB_WORKER)


class TaskApp(LeaseApp):
    """That of task workers and of the orchestrator's role."""

    door, request_name, gate = "hysds.celery:task_app", RUN_TASK, "hysds.bootsteps.task_gate:TaskGate"

    def __init__(self, make_system: Callable[[], TaskSystem]) -> None:
        self._make_system = make_system
        super().__init__()
        self.steps["worker"].add("hysds.bootsteps.rules:RuleWork")

    @cached_property
    def system(self) -> TaskSystem:
        """The composition root of this process."""
        return self._make_system()

    def image(self) -> dict[str, object]:
        """For bells, and for calls over the broker with their results."""
        return task_config(self.system.settings)

    def settings(self) -> Settings:
        """Those of this process."""
        return self.system.settings

    def make_worker(self, name: str, queues: tuple[str, ...], slots: int) -> LeaseWorker:
        """A task worker."""
        return self.system.task_worker(name, queues, slots)

    def expose(self, queues: tuple[str, ...]) -> Endpoint | None:
        """As an orchestrator where it hears submissions, else as a task worker."""
        return self.system.expose(Role.ORCHESTRATOR if self._hears_jobs(queues) else Role.TASK_WORKER)

    def carries_out_rules(self, queues: tuple[str, ...]) -> bool:
        """Whether a worker that hears these queues carries out rules."""
        return self._hears_jobs(queues)

    def _hears_jobs(self, queues: tuple[str, ...]) -> bool:
        return self.system.settings.tasks.submit_queue in queues


def _nothing() -> None:
    """There is no gate yet."""


app = JobApp(bootstrap.System.read)
task_app = TaskApp(bootstrap.System.read)
