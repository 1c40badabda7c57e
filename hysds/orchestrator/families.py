"""From specs to what the ledger is asked to accept of a group: its record, and its members in order.

The members' ids follow from the group's and their places, so a repeated submission makes the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hysds.core import arrays, ids, json_text
from hysds.core.acceptance import Bounds, acceptance
from hysds.core.ids import JobId
from hysds.core.limit_keys import Limit
from hysds.core.record import GROUP
from hysds.core.requests import Acceptance
from hysds.core.spec import JobSpec
from hysds.orchestrator.routing import Route, Router


@dataclass(frozen=True, slots=True)
class Family:
    """A group and all that comes with it. `members`: in order, a group among them before its own."""

    group: Acceptance
    members: tuple[Acceptance, ...]

    @property
    def weight(self) -> int:
        """How much of a step it takes: its jobs, and those that they come after."""
        return sum(1 + len(item.after) for item in (self.group, *self.members))

    @property
    def direct(self) -> tuple[JobId, ...]:
        """The ids of the group's own members."""
        return tuple(JobId(item.id) for item in self.members if item.parent == self.group.id)


class Families:
    """Makes families of specs. Safe to share between threads."""

    def __init__(self, router: Router) -> None:
        self._router = router

    def group(self, id_: JobId, parent: JobSpec, members: Sequence[JobSpec]) -> Family:
        """A group of jobs; a member that is an array is a group in turn. The parent's times are nobody's.

        Raises: InvalidSpec for what a type or a policy does not allow, and for too many jobs or none.
        """
        items: list[Acceptance] = []
        for position, spec in enumerate(members):
            child = ids.child(id_, position)
            if spec.after is not None and id_ in spec.after.jobs:
                json_text.refuse("$.after", f"a member can't come after its own group, {id_}")
            if spec.array is None:
                route = self._router.route(spec)
                items.append(_member(route, arrays.alone(route.spec), child, id_))
                continue
            if spec.after is not None:
                json_text.refuse("$.after", "an array within a group comes after nothing; its group may")
            inner = self.array(child, spec)
            items += (replace(inner.group, parent=id_), *inner.members)
        return _family(self._router.route(parent, runs_command=False), id_, items, len(members))

    def array(self, id_: JobId, spec: JobSpec) -> Family:
        """The group of an array: its spec is routed once, for all members.

        Raises: InvalidSpec for what its type or a policy does not allow.
        """
        route = self._router.route(spec)
        try:
            array = arrays.parse(route.spec.array or "")
        except ValueError as error:
            json_text.refuse("$.array", str(error))
        if array.places is not None:
            limits = (*route.bounds.limits, Limit(f"array:{id_}", array.places))
            route = replace(route, bounds=Bounds(limits, route.bounds.rates))
        items = [
            _member(route, member, ids.child(id_, position), id_)
            for position, member in enumerate(arrays.members(route.spec, array))
        ]
        return _family(route, id_, items, len(items))


def _member(route: Route, spec: JobSpec, id_: JobId, parent: JobId) -> Acceptance:
    return acceptance(id_, spec, route.dedup, bounds=route.bounds, parent=parent)


def _family(route: Route, id_: JobId, items: Sequence[Acceptance], members: int) -> Family:
    """Raises: InvalidSpec for a group without members, or of too many jobs."""
    if not items:
        json_text.refuse("$", "a group needs a member")
    if len(items) > arrays.MAX_MEMBERS:
        json_text.refuse("$", f"is {len(items):,} jobs; at most {arrays.MAX_MEMBERS:,} are taken at once")
    whole = acceptance(id_, route.spec, route.dedup)
    digest = hashlib.sha256("".join((whole.digest, *(item.digest for item in items))).encode())
    group = replace(
        whole,
        kind=GROUP,
        digest=digest.hexdigest()[:32],
        shape="1s",
        members=members,
        wake_ms=0,
        ttl_for_ms=0,
        deadline_ms=0,
        deadline_for_ms=0,
        dedup="",
        twins=frozenset(),
    )
    return Family(group, tuple(items))
