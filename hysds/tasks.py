"""The tasks of workers: shells that hand on to what a bootstep has put into the app."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from hysds.celery import RUN_JOB, RUN_TASK

_logger = logging.getLogger(__name__)
_REQUEST = "hysds.bootsteps.request:BellRequest"


@shared_task(  # type: ignore[untyped-decorator]  # Celery publishes no types
    name=RUN_JOB, bind=True, send_events=False, ignore_result=True, Request=_REQUEST
)
def run_job(self: Any, queue: str) -> str | None:
    """Hear a bell: claim the best job that fits and see it through. None when there was nothing to do."""
    return _perform(self, queue)


@shared_task(  # type: ignore[untyped-decorator]  # Celery publishes no types
    name=RUN_TASK, bind=True, send_events=False, ignore_result=True, Request=_REQUEST
)
def run_task(self: Any, queue: str) -> str | None:
    """The same, on a task worker. What producers send under this name is taken in by the gate, and never comes here."""
    return _perform(self, queue)


def _perform(task: Any, queue: str) -> str | None:
    worker, request = task.app.lease_worker, task.request.bell
    with request.watched():
        if queue in worker.queues:
            request.result = worker.perform(queue, request.show)
        else:
            _logger.warning("ignored a bell of queue %r: this worker takes nothing from there", queue)
    return request.result  # type: ignore[no-any-return]
