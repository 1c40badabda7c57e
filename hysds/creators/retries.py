"""The creator of retries: HySDS's `utils_job.retry_job`. By hand: `{"job_id": …}`."""

from __future__ import annotations

from typing import Any

from hysds.creators.requests import Request


def retry_job(info: dict[str, Any]) -> dict[str, Any]:
    """A task that does an ended job again, as `hysds retry` does; for one job, however often it is asked for, there is
    one retry of this kind.
    """
    request = Request(info)
    job_id = request.text("job_id")
    return {
        "type": "retry_job",
        "kind": "task",
        "name": f"action-retry_job-{job_id}"[:255],
        "params": {"function": "hysds.sdk.errands.retry_job", "kwargs": {"job_id": job_id}},
        **request.labels(),
    }
