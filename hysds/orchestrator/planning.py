"""What a request is to become, before anything is accepted: one job, or the members of a group."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hysds.core.acceptance import acceptance
from hysds.core.catalog import JobType
from hysds.core.errors import CreatorFailed, InvalidSpec
from hysds.core.ids import JobId
from hysds.core.requests import Acceptance
from hysds.core.spec import TASK, JobSpec, identity, stored
from hysds.orchestrator.expansion import Expansion
from hysds.orchestrator.routing import Route, Router


@dataclass(frozen=True, slots=True)
class Plan:
    """Either an `item` that the ledger is asked to accept, or a `parent` with several `members`."""

    item: Acceptance | None = None
    parent: JobSpec | None = None
    members: tuple[JobSpec, ...] = ()


class Planner:
    """Plans requests by their types. Safe to share between threads.

    `expansion`: None where no creator can be called; then a request that needs some is refused.
    """

    def __init__(self, router: Router, expansion: Expansion | None = None) -> None:
        self._router = router
        self._expansion = expansion

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
        """A request that is one job itself.

        Raises: InvalidSpec with what type and policies do not allow.
        """
        return Plan(_item(id_, self._router.route(spec)))

    def retry(self, id_: JobId, spec: JobSpec, retry_of: str) -> Plan:
        """A job that was planned before and is to be done again.

        Raises: as `job`.
        """
        return Plan(_item(id_, self._router.again(spec), retry_of))

    def created(self, id_: JobId, spec: JobSpec, job_type: JobType) -> Plan:
        """What the creators of the type make of the request: a job under its own id, or a group of several.

        The job is known by the request that it was made of: a repeat of that is one of the job, whatever its creators
        would make of it now.
        Raises: InvalidSpec where the request itself is not allowed; CreatorFailed.
        """
        parent = _parent(spec, job_type)
        self._router.route(parent, runs_command=False)
        if self._expansion is None:
            raise CreatorFailed(f"job type {job_type.name}: its creators can't be called from here")
        jobs = self._expansion.expand(spec, job_type)
        if len(jobs) > 1:
            return Plan(parent=parent, members=jobs)
        try:
            item = _item(id_, self._router.route(jobs[0]))
        except InvalidSpec as refusal:
            raise unfit(job_type, refusal) from refusal
        return Plan(replace(item, digest=identity(stored(spec))))


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
