"""The worker in Celery's worker: checked, made and prepared before the pool works, drained before it stops."""

from __future__ import annotations

import logging
import sys
from typing import Any

from celery import bootsteps
from celery.platforms import EX_OK
from celery.utils.threads import bound_open_broker_sockets
from celery.worker import state

from hysds.bootsteps import check
from hysds.bootsteps.ending import Ending
from hysds.celery import RUN_JOB, RUN_TASK
from hysds.ports.metrics import Endpoint

_BROKER_S = 5.0


class Supervision(bootsteps.StartStopStep):  # type: ignore[misc]  # Celery publishes no types
    """Starts after the pool exists and before it has a thread; stops before it does."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        wrong = check.complaints(parent, parent.app.image())
        if wrong:
            sys.exit("\n".join([*wrong, f"the right command: {check.right_command(parent)}"]))
        # Nothing here is shared between workers, and mingling costs a second of each start.
        parent.options.update(without_gossip=True, without_mingle=True)
        self._ending: Ending | None = None
        self._endpoint: Endpoint | None = None

    def start(self, parent: Any) -> None:
        """Make the worker of Celery's name, queues and concurrency, and let it prepare."""
        queues = tuple(parent.app.amqp.queues.consume_from)
        worker = parent.app.make_worker(parent.hostname, queues, parent.concurrency)
        worker.prepare()
        logging.getLogger("celery.app.trace").addFilter(_is_no_bell)
        parent.app.lease_worker = worker
        self._ending = Ending(worker, lambda: _leave(parent))
        self._ending.listen()
        self._endpoint = parent.app.expose(queues)

    def close(self, parent: Any) -> None:
        """The worker begins to end: a broker that went silent may not keep it."""
        bound_open_broker_sockets(getattr(parent.consumer, "connection", None), _BROKER_S)

    def stop(self, parent: Any) -> None:
        """Drain, if nobody has yet (`celery control shutdown`), and let go of everything."""
        if self._ending is not None:
            self._ending.drain()
            self._ending.close()
        if self._endpoint is not None:
            self._endpoint.close()

    def terminate(self, parent: Any) -> None:
        """Let go of everything at once."""
        if self._ending is not None:
            self._ending.close()


def _is_no_bell(record: logging.LogRecord) -> bool:
    """Whether Celery may log it. That a bell's task *succeeded* says nothing of the job, whose end the worker logs."""
    return record.levelno > logging.INFO or getattr(record, "data", {}).get("name") not in (RUN_JOB, RUN_TASK)


def _leave(parent: Any) -> None:
    """Ask the event loop to end with 0, and wake it; without a connection it asks by itself once a second."""
    state.should_stop = EX_OK
    parent.consumer.call_soon(_nothing)


def _nothing() -> None:
    """Only a reason to wake."""
