"""What must hold of the jobs of one limited key: never more of them started at once than it has places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hysds.chaos.history import Terms, order, status_of
from hysds.chaos.story import Story
from hysds.core.limit_keys import Limit
from hysds.core.status import Status


def keys_of(told: Sequence[Story]) -> dict[Limit, list[Story]]:
    """The stories of each key's jobs."""
    groups: dict[Limit, list[Story]] = {}
    for story in told:
        for limit in story.asked.limits:
            groups.setdefault(limit, []).append(story)
    return groups


def never_over(group: Sequence[Story], terms: Terms) -> Iterator[str]:
    """At no event are more jobs of the key started than it has places; what a failover undid is no event of theirs."""
    if terms.may_undo:
        return
    shared = set.intersection(*(set(story.asked.limits) for story in group)) if group else set()
    entries = sorted(
        (entry for story in group for entry in story.events), key=lambda entry: order(entry.position)
    )
    for limit in sorted(shared, key=lambda one: one.key):
        started: set[str] = set()
        for entry in entries:
            if status_of(entry) is not Status.STARTED:
                started.discard(entry.event.id)
            elif entry.event.id not in started:
                started.add(entry.event.id)
                if len(started) > limit.places:
                    yield f"{len(started)} jobs of {limit.key} were started at once, and it has {limit.places} places"
