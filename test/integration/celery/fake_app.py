"""The real app and the real bootsteps around a job worker whose every step the test directs.

`celery -A fake_app worker …` loads it, with DIRECTOR naming the test's socket and BROKER the broker's URL.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from pathlib import Path

from hysds.celery import JobApp
from hysds.settings.metrics import Role
from hysds.settings.model import Settings
from hysds.settings.servers import Broker


class DirectedJobWorker:
    """Asks the test's director for jobs, and takes from it when a job ends and whether the host is well."""

    def __init__(self, name: str, queues: tuple[str, ...], slots: int) -> None:
        self.queues = queues
        self.slots = slots
        self.longest_drain_s = float(os.environ.get("LONGEST_DRAIN_S", "3600"))
        self._name = name
        self._lock = threading.Lock()
        self._busy = 0
        self._healthy = True
        self._drained: Callable[[], None] | None = None
        self._changed: Callable[[], None] = lambda: None

    def prepare(self) -> None:
        threads = [thread.name for thread in threading.enumerate()]
        self._tell("prepared", threads, self.queues, self.slots)

    def start(self, call: Callable[[str, int], None], changed: Callable[[], None]) -> None:
        self._changed = changed
        orders = self._connection("orders")
        threading.Thread(target=self._obey, args=(orders, call), daemon=True).start()

    def is_open(self) -> bool:
        with self._lock:
            return self._healthy and self._drained is None and self._busy < self.slots

    def is_draining(self) -> bool:
        return self._drained is not None

    def perform(self, queue: str, show: Callable[[str], None]) -> str | None:
        with self._connection("perform", queue) as connection:
            job_id: str | None = connection.recv()
            if job_id is None:
                return None
            self._count(1)
            show(job_id)
            connection.send("running")
            try:
                ending = connection.recv()
            finally:
                self._count(-1)
            if ending == "crash":
                raise RuntimeError(f"job {job_id} met a defect")
            return "job-completed"

    def drain(self, done: Callable[[], None]) -> None:
        with self._lock:
            self._drained = done
        self._tell("draining")
        self._count(0)

    def close(self) -> None:
        self._tell("closed")

    def _obey(self, orders: Connection, call: Callable[[str, int], None]) -> None:
        while True:
            order, *rest = orders.recv()
            if order == "call":
                call(*rest)
            else:
                with self._lock:
                    self._healthy = order == "open"
                self._changed()
                self._tell(order)

    def _count(self, more: int) -> None:
        with self._lock:
            self._busy += more
            drained = self._drained if self._busy == 0 else None
        self._changed()
        if drained is not None:
            drained()

    def _connection(self, *greeting: object) -> Connection:
        connection = Client(os.environ["DIRECTOR"])
        connection.send((self._name, *greeting))
        return connection

    def _tell(self, *event: object) -> None:
        with self._connection("event", *event) as connection:
            connection.recv()


class FakeSystem:
    """A composition root with one part."""

    def __init__(self) -> None:
        self.settings = Settings(home=Path("/nonexistent"), broker=Broker(url=os.environ["BROKER"]))

    def job_worker(self, name: str, queues: tuple[str, ...], slots: int) -> DirectedJobWorker:
        return DirectedJobWorker(name, queues, slots)

    def expose(self, role: Role) -> None:
        """It has no metrics."""


app = JobApp(FakeSystem)
