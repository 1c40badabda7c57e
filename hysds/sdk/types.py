"""Job types: the part of `Client` that shows, registers and submits by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hysds.core.job_types.additions import Adding
from hysds.core.job_types.catalog import JobType
from hysds.core.job_types.filling import Request
from hysds.core.policies import Policies
from hysds.orchestrator.job_types import Reload
from hysds.orchestrator.submit import Submission
from hysds.orchestrator.type_registration import register
from hysds.sdk.by_type import Over, Plan, Planner, Taken, submitted
from hysds.sdk.submitting import Submitting


class Types(Submitting):
    """The types in force, and submissions that name one."""

    def types(self) -> Mapping[str, JobType]:
        """The job types that are in force now, by name."""
        return self._system.catalog.latest().types

    def policies(self) -> Policies:
        """What this process's settings let queues, types, users and concurrency keys do."""
        return self._system.settings.policies

    def reload_types(self, publishes: bool = True) -> Reload:
        """Read the files of job types that this process's settings name, and publish them for all submitters.
        `publishes` of False: only say what that would change.

        Raises: InvalidSpec with everything wrong in them, Refused where none are named, Conflict where somebody else
        published meanwhile; what was in force stays so then.
        """
        return self._system.catalog.reload(self._system.type_files, publishes)

    def add_types(self, types: Sequence[JobType], may_replace: bool = False) -> Mapping[str, Adding]:
        """Register job types, as `orchestrator.job_repository` reads them from files; all or none of them.

        Raises: Refused for one whose version is registered with other content, unless it `may_replace` that.
        """
        return register(self._system.catalog, types, may_replace)

    def submit_type(
        self, name: str, params: Mapping[str, Any] | None = None, request: Request | None = None
    ) -> Submission:
        """Submit a job of a registered type, such as `job-crop:v1`. `request`: what else the submission says.

        Raises: NotFound for a type that is not registered; InvalidSpec with every complaint; Refused as `submit`.
        """
        return self.submit(self.plan(name, _with(request, params)).specs[0])

    def submit_type_over(
        self, name: str, over: Over, params: Mapping[str, Any] | None = None, request: Request | None = None
    ) -> Taken | None:
        """Submit what a registered type makes of the jobs that a query finds: a job for each, or one for all, as its
        interface says. Several are the members of one group. None: nothing is found.

        Raises: as `submit_type`, for all of them before anything is submitted; what the ledger itself refuses is said
        in the answer.
        """
        return self.submit_plan(self.plan(name, _with(request, params), over))

    def plan(self, name: str, request: Request, over: Over | None = None) -> Plan:
        """What such a submission would submit; nothing is.

        Raises: as `submit_type_over`.
        """
        system = self._system
        return Planner(system.catalog.latest(), lambda: system.store, self.parse).plan(name, request, over)

    def submit_plan(self, plan: Plan) -> Taken | None:
        """Submit what was planned; None: it was nothing. What the ledger does not take says so in its answer."""
        return submitted(self._system.orchestrator, plan)


def _with(request: Request | None, params: Mapping[str, Any] | None) -> Request:
    """The request with these parameters in place of its own, where any are given."""
    given = Request() if request is None else request
    return given if params is None else replace(given, params=params)
