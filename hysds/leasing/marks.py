"""The variables by which the processes of a worker's jobs are told from all others on the host."""

from __future__ import annotations

WORKER = "HYSDS_JOB_WORKER"
"""The incarnation of the worker that runs the job: by it the processes of a dead worker's jobs are found."""
MARKS = ("HYSDS_JOB_ID", "HYSDS_JOB_FENCE", WORKER)
"""What together tells one attempt's processes from all others on the host."""
