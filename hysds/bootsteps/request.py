"""A bell's request: what monitors see of it.

Celery's own events of a bell would name the queue, and most bells find nothing. So the task sends none, and this
request tells of a job once it is claimed: with the job's id as the one argument, for `inspect active` and for Flower.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from celery.worker import state
from celery.worker.request import Request


class BellRequest(Request):  # type: ignore[misc]  # Celery publishes no types
    """A request of `run_job`; the task finds it as `self.request.bell`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Not looked up by id: a doubled bell has the id of its twin.
        self._request_dict["bell"] = self
        self._shown_at_s: float | None = None
        self._shown_as: str = self.id
        self._shown_job = ""
        self.result: str | None = None
        """How the claimed job ended; the task sets it."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around all that the task does: tells how it ended, and frees the thread's place."""
        try:
            yield
        except BaseException as error:
            self._tell("task-failed", exception=repr(error), traceback="")
            raise
        else:
            self._tell("task-succeeded", result=repr(self.result), runtime=self._runtime_s())
        finally:
            # Celery forgets the request a moment later; the gate is asked to look again now.
            state.reserved_requests.discard(self)
            self._app.look_again()

    def show(self, job_id: str) -> None:
        """From now on this request is known as the job's. One that goes on with another job is another to monitors."""
        if self._shown_at_s is not None:
            self._tell("task-succeeded", result=repr(self._shown_job), runtime=self._runtime_s())
            self._shown_as = str(uuid4())
        self._shown_job = job_id
        self._args = (job_id,)
        self._argsrepr = repr(self._args)
        self._shown_at_s = time.monotonic()
        self._tell("task-received", name=self.name, args=self._argsrepr, kwargs="{}", retries=0)
        self._tell("task-started")

    def _tell(self, event: str, **fields: object) -> None:
        if self._shown_at_s is not None and self._eventer and self._eventer.enabled:
            self._eventer.send(event, uuid=self._shown_as, **fields)

    def _runtime_s(self) -> float:
        return 0.0 if self._shown_at_s is None else time.monotonic() - self._shown_at_s
