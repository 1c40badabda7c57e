"""Expansion: one request becomes the jobs that the creators of its type make of it, all of them or none.

Each creator is called once, and each of its jobs stands in each of its queues. Nothing is submitted here; what one
creator says of its jobs holds for those alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hysds.core.errors import CreatorFailed, InvalidSpec
from hysds.core.job_types.catalog import Creator, JobType
from hysds.core.job_types.job_description import Maker
from hysds.core.spec import JobSpec
from hysds.ports.creators import Call, CallFailed, Creators

_SHOWN = 5
"""So many of a description's complaints stand in a message."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may become."""

    jobs: int
    gap_s: float
    """A soft limit without a hard one is followed by a hard one so much later."""


class Expansion:
    """Makes jobs of requests. Safe to share between threads. `parse` makes a spec of a document, as `core.parse`."""

    def __init__(self, creators: Creators, parse: Callable[[object], JobSpec], bounds: Bounds) -> None:
        self._creators = creators
        self._parse = parse
        self._bounds = bounds

    def expand(self, spec: JobSpec, job_type: JobType) -> tuple[JobSpec, ...]:
        """The jobs that a request becomes, at least one: by creator, then by job, then by queue. Of a type without
        creators it is the request itself.

        Raises: CreatorFailed where any creator gives none that can be taken.
        """
        if not job_type.creators:
            return (spec,)
        found: list[JobSpec] = []
        for creator in job_type.creators:
            found += self._made(creator, spec, job_type, len(found))
        if not found:
            raise CreatorFailed(f"job type {job_type.name}: its creators returned no job at all")
        return tuple(found)

    def _made(self, creator: Creator, spec: JobSpec, job_type: JobType, before: int) -> list[JobSpec]:
        """What one creator makes of a request; `before`: how many jobs those before it made."""
        what = f"job type {job_type.name}: creator {creator.function}"
        try:
            descriptions = self._creators.create(Call(creator.function, spec.payload, spec.bare_type))
        except CallFailed as failure:
            raise CreatorFailed(f"{what} {failure.what}", failure.tail) from failure
        if (count := len(descriptions) * max(len(creator.job_queues), 1)) + before > self._bounds.jobs:
            raise CreatorFailed(
                f"{what} made {count:,} jobs over its queues, with {before:,} of the creators before it; at most "
                f"{self._bounds.jobs:,} are taken of one submission (creators.jobs)"
            )
        maker = Maker(spec, creator, self._parse, self._bounds.gap_s)
        made: list[JobSpec] = []
        for position, description in enumerate(descriptions):
            try:
                made += maker.specs(description, before + len(made))
            except InvalidSpec as refusal:
                raise _unfit(what, position, len(descriptions), refusal) from refusal
        return made


def _unfit(what: str, position: int, count: int, refusal: InvalidSpec) -> CreatorFailed:
    which = f", at position {position} of {count}," if count > 1 else ""
    complaints = [str(one) for one in refusal.complaints]
    more = (f"and {len(complaints) - _SHOWN} more",) if len(complaints) > _SHOWN else ()
    return CreatorFailed(
        f"{what} returned a job{which} that can't be submitted", (*complaints[:_SHOWN], *more)
    )
