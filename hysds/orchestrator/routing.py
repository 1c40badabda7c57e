"""Where a spec goes and under which bounds: what its type adds, what the settings' policies say of its queue, its type,
its user and its concurrency key, and how it is told from other jobs.

Nothing is asked of the ledger here. What policies say of names is found once and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial

from hysds.core import json_text, policies, queue_rules, spec_sense
from hysds.core.acceptance import UNBOUNDED, Bounds, DedupPolicy
from hysds.core.errors import InvalidSpec
from hysds.core.job_types import command_line, typed_spec
from hysds.core.job_types.catalog import Catalog, JobType
from hysds.core.policies import Policies, Share
from hysds.core.queue_rules import Named, bounds
from hysds.core.record import FOREVER
from hysds.core.spec import TASK, JobSpec
from hysds.core.status import Status

_KEPT = 4096
"""So many answers about names are kept: a burst of jobs has few queues, types and users, and may have many keys."""
_DATASET = re.compile(r"dataset:\w+::data/")


@dataclass(frozen=True, slots=True)
class Ground:
    """What holds where neither spec, type nor policy says: `gap_s` between a soft limit and the hard one after it."""

    dedup: DedupPolicy
    gap_s: float
    policies: Policies = field(default_factory=Policies)


@dataclass(frozen=True, slots=True)
class Route:
    """What the ledger is told of one spec."""

    spec: JobSpec
    """Complete: its queue, command and limits are those that hold."""
    dedup: DedupPolicy
    bounds: Bounds = UNBOUNDED


class Router:
    """Routes specs by the types in force. Safe to share between threads."""

    def __init__(self, types: Callable[[], Catalog], ground: Ground) -> None:
        self.gap_s = ground.gap_s
        self._types = types
        self._ground = ground
        self._bounds = lru_cache(maxsize=_KEPT)(partial(bounds, ground.policies))
        self._marks: dict[str, _Marked] = {}

    def job_type(self, spec: JobSpec) -> JobType | None:
        """The registered type of a spec; None: it must say all itself.

        Raises: Unreachable where the types can't be asked.
        """
        return self._types().find(spec.job_type)

    def route(self, spec: JobSpec, runs_command: bool = True) -> Route:
        """Complete a spec by its type and place it. `runs_command` of False: it has no command, as a group's parent;
        a task has none either.

        Raises: InvalidSpec with what type and policies do not allow; Unreachable where the types can't be asked.
        """
        runs_command = runs_command and spec.kind != TASK
        job_type = self.job_type(spec)
        if job_type is not None:
            spec = typed_spec.by_type(spec, job_type, self.gap_s, runs_command)
        else:
            _check_untyped(spec, runs_command)
        if complaints := tuple(spec_sense.queue_complaints(spec)):
            raise InvalidSpec(complaints)
        return self._placed(spec, job_type)

    def again(self, spec: JobSpec) -> Route:
        """Place a spec that was routed before, as a retry's: it stays what it was, under the policies of now.

        Raises: as `route`.
        """
        return self._placed(spec, self.job_type(spec))

    def _placed(self, spec: JobSpec, job_type: JobType | None) -> Route:
        marked = None if job_type is None else self._marked(job_type)
        type_name = spec.job_type if job_type is None else job_type.name
        named = Named(spec.job_queue or spec.bare_type, type_name, spec.username, spec.concurrency_key)
        policy = policies.of_queue(self._ground.policies.queues, named.queue)
        if policy is not None:
            spec = queue_rules.under(spec, named, policy, self.gap_s)
        if marked is None:
            return Route(spec, self._ground.dedup, self._bounds(named, None))
        return Route(spec, marked.dedup, self._bounds(named, marked.share))

    def _marked(self, job_type: JobType) -> _Marked:
        known = self._marks.get(job_type.name)
        if known is None or known.job_type is not job_type:
            share = Share(job_type.places, job_type.rate_per_s, job_type.burst)
            known = self._marks[job_type.name] = _Marked(
                job_type, _dedup(job_type, self._ground.dedup), share
            )
        return known


@dataclass(frozen=True, slots=True)
class _Marked:
    """What was made of a type, to be made once: for this very value."""

    job_type: JobType
    dedup: DedupPolicy
    share: Share


def _dedup(job_type: JobType, fallback: DedupPolicy) -> DedupPolicy:
    said, command = job_type.dedup, job_type.command
    twins = fallback.twins if said.states is None else frozenset(Status(state) for state in said.states)
    window_ms = fallback.window_ms if said.window_s is None else round(said.window_s * 1000)
    # What does not count may stand in the command line: then its template counts, not what was made of it.
    template = command_line.template(command) if said.ignored and command else ""
    return DedupPolicy(twins, FOREVER if said.forever else window_ms, said.ignored, template)


def _check_untyped(spec: JobSpec, runs_command: bool) -> None:
    """Raises: InvalidSpec where only a registered type could say what is to be done."""
    if _DATASET.match(spec.job_type):
        json_text.refuse(
            "$.job_type",
            f"{json_text.shown(spec.job_type)} asks for the rules of an ingested dataset, which don't exist yet",
        )
    if runs_command and "_command" not in spec.payload:
        raise InvalidSpec((typed_spec.no_command(spec.job_type),))
