"""Submission: the part of `Client` that hands specs to a system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hysds.bootstrap import System
from hysds.core import ids, parse
from hysds.core.errors import InvalidSpec
from hysds.core.spec import JobSpec
from hysds.orchestrator.submit import GroupSubmission, Submission

Spec = JobSpec | Mapping[str, Any] | str | bytes
"""A job spec: parsed, as a dictionary, or as JSON text."""


class Submitting:
    """What all ways of submitting have in common, and the plain one."""

    _system: System

    def submit(self, spec: Spec, job_id: str | None = None) -> Submission:
        """Submit a job. With an id of your own you may repeat the call until it is answered.

        Raises: InvalidSpec with every complaint; Refused (Conflict, TooOld, Full) where the ledger does not take it.
        """
        submission = self.submit_many([spec], None if job_id is None else [job_id])[0]
        if submission.refused is not None:
            raise submission.refused
        return submission

    def submit_many(
        self, specs: Iterable[Spec], job_ids: Sequence[str] | None = None
    ) -> tuple[Submission, ...]:
        """Submit jobs in order, in few steps. A spec that the ledger does not take says so in its answer.

        Raises: InvalidSpec for the first spec that is wrong, before anything is submitted.
        """
        known = None if job_ids is None else [ids.job_id(job_id) for job_id in job_ids]
        parsed = [self._parse(spec, known[place] if known else None) for place, spec in enumerate(specs)]
        return self._system.orchestrator.submit(parsed, known)

    def submit_group(
        self, parent: Spec, members: Iterable[Spec], job_id: str | None = None
    ) -> GroupSubmission:
        """Submit jobs as one: all of them or none. `parent` describes the whole and runs nothing; its job ends when all
        members have. With an id of your own you may repeat the call until it is answered.

        Raises: InvalidSpec with every complaint; Refused (Conflict, TooOld, Full) where the ledger does not take it.
        """
        known = None if job_id is None else ids.job_id(job_id)
        whole, parts = self._parse(parent, known), [self._parse(spec, known) for spec in members]
        submission = self._system.orchestrator.submit_group(whole, parts, known)
        if submission.group.refused is not None:
            raise submission.group.refused
        return submission

    def parse(self, spec: Spec) -> JobSpec:
        """The checked spec; nothing is submitted, and nothing of the system is asked.

        Raises: InvalidSpec with every complaint.
        """
        if isinstance(spec, JobSpec):
            return spec
        limit = self._system.settings.jobs.max_spec_size_bytes
        if isinstance(spec, str | bytes):
            return parse.parse(spec, limit)
        return parse.parse_document(spec, limit)

    def check(self, spec: Spec) -> None:
        """Whether the job types and policies in force allow a spec; nothing is submitted.

        Raises: InvalidSpec with every complaint.
        """
        self._system.orchestrator.check(self.parse(spec))

    def _parse(self, spec: Spec, job_id: ids.JobId | None) -> JobSpec:
        try:
            return self.parse(spec)
        except InvalidSpec as refusal:
            if job_id is not None:
                self._system.orchestrator.reject(job_id, _text(spec), refusal)
            raise


def _text(spec: Spec) -> str:
    return spec.decode(errors="replace") if isinstance(spec, bytes) else str(spec)
