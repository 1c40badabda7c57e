"""Tasks: the part of `Client` that has functions called on task workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hysds.core import calls, ids, parse
from hysds.core.errors import InvalidSpec
from hysds.core.spec import JobSpec
from hysds.sdk.submitting import Submitting
from hysds.sdk.tasks import TaskEnds, TaskHandle, name_of


class Calling(Submitting):
    """Light calls, with a handle on each result."""

    _ends: TaskEnds

    def run_task(self, function: str | Callable[..., Any], *args: Any, **kwargs: Any) -> TaskHandle:
        """Have a task worker call a function, by its dotted name, with arguments that JSON can carry.

            client.run_task("package.module.function", 1, key="value").result()

        `submit_task` takes a queue, a priority, limits and all else.
        Raises: as submit_task.
        """
        return self.submit_task({"function": name_of(function), "args": list(args), "kwargs": kwargs})

    def submit_task(self, task: Mapping[str, Any], job_id: str | None = None) -> TaskHandle:
        """Have a task `{function, args, kwargs, queue, priority, …}` run; see docs/job-spec.md. With an id of your own
        you may repeat the call until it is answered.

        Raises: InvalidSpec with every complaint, also for a function that the settings here don't allow; Refused where
        the ledger does not take it.
        """
        return self.submit_tasks([task], None if job_id is None else [job_id])[0]

    def submit_tasks(
        self, tasks: Iterable[Mapping[str, Any]], job_ids: Sequence[str] | None = None
    ) -> tuple[TaskHandle, ...]:
        """Have tasks run, handed over in few steps; a handle for each, in order.

        Raises: InvalidSpec for the first that is wrong, before any is submitted; Refused for the first that the ledger
        did not take, when the others may have been submitted.
        """
        known = None if job_ids is None else [ids.job_id(job_id) for job_id in job_ids]
        specs = [self._task(task, known[place] if known else None) for place, task in enumerate(tasks)]
        self._ends.expect()
        taken = self._system.orchestrator.submit(specs, known)
        refused = next((one.refused for one in taken if one.refused is not None), None)
        if refused is not None:
            raise refused
        return tuple(self._ends.submitted(one) for one in taken)

    def _task(self, task: Mapping[str, Any], job_id: ids.JobId | None) -> JobSpec:
        settings = self._system.settings
        try:
            spec = parse.parse_task(task, settings.tasks.queues[0], settings.jobs.max_spec_size_bytes)
            calls.refuse_unless_allowed(spec, settings.tasks.allow)
        except InvalidSpec as refusal:
            if job_id is not None:
                self._system.orchestrator.reject(job_id, str(task), refusal)
            raise
        return spec
