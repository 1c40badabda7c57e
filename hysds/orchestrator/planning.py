"""What a request is to become, before anything is accepted: one job, or the members of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hysds.core import arrays, json_text
from hysds.core.acceptance import acceptance
from hysds.core.errors import CreatorFailed, InvalidSpec
from hysds.core.ids import JobId
from hysds.core.job_types.catalog import JobType
from hysds.core.requests import Acceptance
from hysds.core.spec import TASK, JobSpec, identity, stored
from hysds.orchestrator.expansion import Expansion
from hysds.orchestrator.families import Families, Family
from hysds.orchestrator.routing import Route, Router

Plan = Acceptance | Family
"""One job that the ledger is asked to accept, or a group with its members."""


class Planner:
    """Plans requests by their types. Safe to share between threads.

    `expansion`: None where no creator can be called; then a request that needs some is refused.
    """

    def __init__(self, router: Router, expansion: Expansion | None = None) -> None:
        self._router = router
        self._expansion = expansion
        self._families = Families(router)

    def creates(self, spec: JobSpec) -> JobType | None:
        """The type whose creators say what the request becomes; None: it is one job itself."""
        job_type = self._router.job_type(spec)
        return job_type if job_type is not None and job_type.creators and spec.kind != TASK else None

    def check(self, spec: JobSpec) -> None:
        """Whether a request would be taken as far as its type and policies go; no creator is called.

        Raises: InvalidSpec with every complaint.
        """
        job_type = self.creates(spec)
        if job_type is None:
            self._router.route(spec)
        else:
            self._router.route(_parent(spec, job_type), runs_command=False)

    def job(self, id_: JobId, spec: JobSpec) -> Plan:
        """A request that says itself what it is: one job, or an array of them.

        Raises: InvalidSpec with what type and policies do not allow.
        """
        if spec.array is not None:
            return self._families.array(id_, spec)
        route = self._router.route(spec)
        return _item(id_, replace(route, spec=arrays.alone(route.spec)))

    def group(self, id_: JobId, parent: JobSpec, members: Sequence[JobSpec]) -> Family:
        """A group of these jobs.

        Raises: as `job`, for the parent and each member.
        """
        return self._families.group(id_, parent, members)

    def retry(self, id_: JobId, spec: JobSpec, retry_of: str) -> Acceptance:
        """A job that was planned before and is to be done again.

        Raises: as `job`.
        """
        return _item(id_, self._router.again(spec), retry_of)

    def created(self, id_: JobId, spec: JobSpec, job_type: JobType) -> Plan:
        """What the creators of the type make of the request: a job under its own id, or a group of several.

        It is known by the request that it was made of: a repeat of that is one of the job, whatever its creators would
        make of it now.
        Raises: InvalidSpec where the request itself is not allowed; CreatorFailed.
        """
        parent = _parent(spec, job_type)
        self._router.route(parent, runs_command=False)
        if spec.array is not None or spec.array_index is not None:
            name = "array" if spec.array is not None else "array_index"
            json_text.refuse(f"$.{name}", f"{job_type.name} has creators: they say what jobs it becomes")
        if self._expansion is None:
            raise CreatorFailed(f"job type {job_type.name}: its creators can't be called from here")
        jobs = self._expansion.expand(spec, job_type)
        try:
            plan = self._plan(id_, parent, jobs)
        except InvalidSpec as refusal:
            raise unfit(job_type, refusal) from refusal
        return known_by(plan, spec)

    def _plan(self, id_: JobId, parent: JobSpec, jobs: Sequence[JobSpec]) -> Plan:
        if len(jobs) > 1:
            return self.group(id_, parent, jobs)
        return self.job(id_, replace(jobs[0], after=jobs[0].after or parent.after))


def known_by(plan: Plan, request: JobSpec) -> Plan:
    """The plan, known by what was asked for: the same request under the same id is a repeat, whatever its type or a
    policy would make of it by then.
    """
    digest = identity(stored(request))
    if isinstance(plan, Family):
        return replace(plan, group=replace(plan.group, digest=digest))
    return replace(plan, digest=digest)


def unfit(job_type: JobType, refusal: InvalidSpec) -> CreatorFailed:
    """Creators made a job that its own type, or a policy, does not allow."""
    return CreatorFailed(
        f"job type {job_type.name}: its creators made a job that can't be submitted",
        tuple(str(one) for one in refusal.complaints),
    )


def _item(id_: JobId, route: Route, retry_of: str = "") -> Acceptance:
    return acceptance(id_, route.spec, route.dedup, retry_of, route.bounds)


def _parent(spec: JobSpec, job_type: JobType) -> JobSpec:
    """The request in a queue that it can stand in, which its type's name need not be."""
    queues = (queue for creator in job_type.creators for queue in creator.job_queues)
    return replace(spec, job_queue=spec.job_queue or next(queues, None))
