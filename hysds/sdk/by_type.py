"""Submission by type: the specs that an interface makes of what was given, and of the jobs that a search finds.

Several jobs are the members of one group: all of them are accepted or none, and whoever submitted them follows one id.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hysds.core.arrays import MAX_MEMBERS
from hysds.core.errors import Complaint, InvalidSpec, NotFound, Refused
from hysds.core.ids import JobId
from hysds.core.job_types import filling, hits
from hysds.core.job_types.catalog import Catalog, JobType
from hysds.core.job_types.filling import Hit, Request
from hysds.core.job_types.interfaces import Component, Interface, Submitting
from hysds.core.query import JobQuery
from hysds.core.spec import JobSpec
from hysds.orchestrator.submit import Orchestrator, Submission
from hysds.ports.store import Store

MAX_HITS = MAX_MEMBERS
"""Jobs that one submission may be over."""
_PAGE = 1_000
_SHOWN = 20
"""So many complaints about hits are told; more of them say no more."""

Parse = Callable[[dict[str, Any]], JobSpec]


@dataclass(frozen=True, slots=True)
class Over:
    """Which jobs a submission is over."""

    query: JobQuery
    text: str = ""
    """The query as somebody wrote it, which a parameter `query` is given."""
    at_most: int | None = None
    """The first so many; None: all."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be submitted: a spec a job."""

    job_type: str
    specs: tuple[JobSpec, ...]
    subjects: tuple[str, ...]
    """What each is about: the id of its hit, or ""."""
    group: JobSpec | None = None
    """The spec of the group that several jobs are the members of; None: there are not several."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a plan."""

    submission: Submission
    """Of the one job, or of the group."""
    jobs: tuple[JobId, ...]
    """The ids of the jobs, in the order of the plan; none where it was refused."""


@dataclass(frozen=True, slots=True)
class Planner:
    """Makes plans of requests; nothing is submitted."""

    known: Catalog
    store: Callable[[], Store]
    parse: Parse

    def plan(self, name: str, request: Request, over: Over | None) -> Plan:
        """The jobs of a request.

        Raises: NotFound for a type that is not registered, InvalidSpec with every complaint, Refused where the query
        can't be served.
        """
        job_type = self._type(name)
        if over is None:
            return Plan(job_type.name, (self._spec(job_type, request, None),), ("",))
        interface = job_type.interface
        if interface is None:
            raise Refused(f"{job_type.name} has no interface, which would say what it takes of a hit")
        if interface.component is Component.DATASETS:
            raise Refused(
                f"{job_type.name} is about data sets (component tosca), which can't be searched yet"
            )
        found = _found(self.store(), over)
        return self._over(job_type, interface, replace(request, query=over.text), found)

    def _over(self, job_type: JobType, interface: Interface, request: Request, found: Sequence[Hit]) -> Plan:
        if not found:
            return Plan(job_type.name, (), ())
        if interface.submitting is Submitting.INDIVIDUAL:
            return Plan(job_type.name, (self._spec(job_type, request, found),), ("",))
        specs: list[JobSpec] = []
        complaints: dict[Complaint, None] = {}
        for hit in found:
            try:
                specs.append(self._spec(job_type, request, hit))
            except InvalidSpec as refusal:
                complaints |= dict.fromkeys(refusal.complaints)
        if complaints:
            raise InvalidSpec(_bounded(complaints))
        group = _group(specs[0], request) if len(specs) > 1 else None
        return Plan(job_type.name, tuple(specs), tuple(str(hit["_id"]) for hit in found), group)

    def _spec(self, job_type: JobType, request: Request, hit: Hit | Sequence[Hit] | None) -> JobSpec:
        if job_type.interface is None:
            return self.parse(filling.without_interface(job_type.name, request))
        return self.parse(filling.fill(job_type.interface, request, hit, self.known.types.keys()))

    def _type(self, name: str) -> JobType:
        found = self.known.find(name)
        if found is None:
            near = difflib.get_close_matches(name, self.known.types, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else "see `hysds types`"
            raise NotFound(f"job type {name}: not registered; {hint}")
        return found


def submitted(orchestrator: Orchestrator, plan: Plan) -> Taken | None:
    """Submit what was planned; None: it was nothing. What the ledger does not take says so in its submission."""
    if plan.group is not None:
        whole = orchestrator.submit_group(plan.group, plan.specs)
        return Taken(whole.group, () if whole.group.refused else whole.members)
    if not plan.specs:
        return None
    submission = orchestrator.submit(plan.specs)[0]
    return Taken(submission, () if submission.refused else (submission.id,))


def _group(member: JobSpec, request: Request) -> JobSpec:
    """The spec of the group of such members: what they have in common, and the query that they are over."""
    return JobSpec(
        job_type=member.job_type,
        payload={"query": request.query},
        job_name=member.job_name,
        job_queue=member.job_queue,
        priority=member.priority,
        tag=member.tag,
        username=member.username,
    )


def _found(store: Store, over: Over) -> list[dict[str, Any]]:
    """The hits, in the order of the query; a job that moves between pages while they are read counts once."""
    wanted = MAX_HITS if over.at_most is None else over.at_most
    found: dict[str, dict[str, Any]] = {}
    query = replace(over.query, limit=min(_PAGE, wanted), facets=())
    while len(found) < wanted:
        page = store.search(query)
        if over.at_most is None and page.total > MAX_HITS:
            raise Refused(
                f"{page.total} jobs match, more than {MAX_HITS}: narrow the query, or give a --limit"
            )
        found |= {document["id"]: hits.hit_of(document) for document in page.documents}
        if not page.cursor:
            break
        query = replace(query, cursor=page.cursor)
    return list(found.values())[:wanted]


def _bounded(complaints: Iterable[Complaint]) -> tuple[Complaint, ...]:
    told = list(complaints)
    more = len(told) - _SHOWN
    return (*told[:_SHOWN], *([Complaint("$", f"and {more} more complaints")] if more > 0 else []))
