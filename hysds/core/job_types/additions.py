"""Job types that `hysds types add` brings: made of interfaces, and put beside those that a catalogue has.

A type of a version that is known is only replaced when that is asked for; one that a file of `catalog.paths` defines
never is, as the file would bring it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hysds.core.errors import Refused
from hysds.core.job_types import catalog
from hysds.core.job_types.catalog import Catalog, Dedup, Image, JobType, Limits
from hysds.core.job_types.interfaces import Interface
from hysds.core.job_types.objections import objections
from hysds.core.spec import Resources


class Adding(StrEnum):
    """What became of one type."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    """The catalogue had it already, just so."""


@dataclass(frozen=True, slots=True)
class Addition:
    """A catalogue with types added, and what became of each by name."""

    known: Catalog
    outcomes: Mapping[str, Adding]


def job_type(interface: Interface, sources: Sequence[str]) -> JobType:
    """The type that an interface describes. `sources`: the files that say so."""
    job = interface.job
    queues = job.required_queues or job.recommended_queues
    return JobType(
        name=interface.job_type,
        interface=interface,
        queues=tuple(dict.fromkeys([job.queue, *queues])) if queues else (),
        limits=Limits(soft_time_limit=job.soft_time_limit_s, time_limit=job.time_limit_s),
        resources=Resources(disk=job.disk_bytes),
        dedup=Dedup(enabled=interface.enable_dedup),
        image=Image(interface.image) if interface.image else None,
        refusals=tuple(f"{one.path} {one.message}" for one in objections(interface)),
        sources=tuple(sources),
        is_added=True,
    )


def added(known: Catalog, types: Iterable[JobType], may_replace: bool) -> Addition:
    """The catalogue with these types.

    Raises: Refused, naming every type that may not be put there; nothing is added then.
    """
    wanted = list(types)
    outcomes = {one.name: _outcome(known.types.get(one.name), one) for one in wanted}
    refused = [_refusal(known.types[name]) for name in _kept(known, outcomes, may_replace)]
    if refused:
        raise Refused("; ".join(refused))
    changed = [one for one in wanted if outcomes[one.name] is not Adding.UNCHANGED]
    return Addition(catalog.with_added(known, changed) if changed else known, outcomes)


def _outcome(there: JobType | None, wanted: JobType) -> Adding:
    if there is None:
        return Adding.ADDED
    is_same = replace(there, sources=()) == replace(wanted, sources=())
    return Adding.UNCHANGED if is_same else Adding.REPLACED


def _kept(known: Catalog, outcomes: Mapping[str, Adding], may_replace: bool) -> list[str]:
    """The types that are other than those of the catalogue, and may not take their place."""
    replaced = [name for name, outcome in outcomes.items() if outcome is Adding.REPLACED]
    return [name for name in replaced if not (may_replace and known.types[name].is_added)]


def _refusal(there: JobType) -> str:
    where = ", ".join(there.sources)
    if there.is_added:
        return f"{there.name} is registered with other content (from {where}): give a new --version, or --replace"
    return f"{there.name} is defined by {where}, which catalog.paths names: change it there"
