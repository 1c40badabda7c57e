"""The tasks of job workers: shells that hand on to what a bootstep has put into the app."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from hysds.celery import RUN_JOB

_logger = logging.getLogger(__name__)


@shared_task(  # type: ignore[untyped-decorator]  # Celery publishes no types
    name=RUN_JOB, bind=True, send_events=False, Request="hysds.bootsteps.request:BellRequest"
)
def run_job(self: Any, queue: str) -> str | None:
    """Hear a bell: claim the best job that fits and see it through. None when there was nothing to do."""
    worker, request = self.app.job_worker, self.request.bell
    with request.watched():
        if queue in worker.queues:
            request.result = worker.perform(queue, request.show)
        else:
            _logger.warning("ignored a bell of queue %r: this worker takes nothing from there", queue)
    return request.result  # type: ignore[no-any-return]
