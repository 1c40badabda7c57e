"""Job types of all files together: one entry of orchestrators and one of workers may speak of one type, and no two say
the same thing of it.

A worker's `x` is the orchestrator's `job:x`, as in HySDS, where the namespace is cut off before a worker sees the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hysds.core import json_text
from hysds.core.budgets import Retry
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types import catalog, typed_spec
from hysds.core.job_types.catalog import Catalog, Dedup, Image, JobType, Limits
from hysds.core.job_types.entry_values import Notes
from hysds.core.job_types.type_entries import Entry, entry
from hysds.core.limit_keys import Rate
from hysds.core.spec import JobSpec, Resources, bare

_OF_WORKERS = ("root_work_dir", "webdav_port", "webdav_url")


def read(texts: Mapping[str, str | bytes]) -> tuple[Catalog, tuple[Complaint, ...]]:
    """The catalogue in the texts of files, by their names, and notes about what has no effect in them.

    Raises: InvalidSpec with every complaint about every file, each with file and JSON path.
    """
    found = Notes()
    entries = [one for file, text in texts.items() for one in _entries(file, text, found)]
    types = list(_merged(entries, found))
    if found.complaints:
        raise InvalidSpec(tuple(found.complaints))
    return catalog.catalog(types), tuple(found.notes)


def _entries(file: str, text: str | bytes, found: Notes) -> Iterator[Entry]:
    try:
        configs = _configs(file, text, found)
    except InvalidSpec as refusal:
        found.complaints += (Complaint(f"{file}: {one.path}", one.message) for one in refusal.complaints)
        return
    for position, given in enumerate(configs):
        place = f"{file}: $.configs[{position}]"
        if not isinstance(given, dict):
            found.complaints.append(Complaint(place, f"must be an object, not {json_text.kind(given)}"))
        elif (one := entry(given, place, found)) is not None:
            yield one


def _configs(file: str, text: str | bytes, found: Notes) -> list[Any]:
    """Raises: InvalidSpec, with paths in the file, for a text that is none."""
    document, is_doubled = json_text.decode(text)
    if is_doubled:
        found.complaints += json_text.given_twice(document, f"{file}: $")
    if not isinstance(document, dict):
        json_text.refuse("$", f"must be an object with configs, not {json_text.kind(document)}")
    for key in document:
        place = json_text.below(f"{file}: $", key)
        if key in _OF_WORKERS:
            found.notes.append(Complaint(place, "is not read: a worker's own settings say it"))
        elif key != "configs":
            known = f"unknown key; known are configs, {', '.join(_OF_WORKERS)}"
            found.complaints.append(Complaint(place, known))
    configs = document.get("configs")
    if not isinstance(configs, list):
        json_text.refuse("$.configs", "is required: a list of job types")
    return configs


def _merged(entries: Sequence[Entry], found: Notes) -> Iterator[JobType]:
    of_orchestrators = _by_name((one for one in entries if not one.is_workers), found)
    of_workers = _by_name((one for one in entries if one.is_workers), found)
    taken: set[str] = set()
    for name, one in of_orchestrators.items():
        here = [key for key in dict.fromkeys((name, bare(name))) if key in of_workers]
        taken.update(here)
        yield _job_type(name, [one, *(of_workers[key] for key in here)], found)
    for name, one in of_workers.items():
        if name not in taken:
            yield _job_type(name, [one], found)


def _by_name(entries: Iterable[Entry], found: Notes) -> dict[str, Entry]:
    by_name: dict[str, Entry] = {}
    for one in entries:
        first = by_name.setdefault(one.name, one)
        if first is not one:
            found.complaints.append(
                Complaint(one.place, f"job type {one.name} is defined by {first.place} too; keep one of them")
            )
    return by_name


def _job_type(name: str, entries: Sequence[Entry], found: Notes) -> JobType:
    said: dict[str, Any] = {}
    where: dict[str, str] = {}
    for one in entries:
        for key, value in one.said.items():
            if key in said:
                place = json_text.below(one.place, key)
                message = f"is said of job type {name} by {where[key]} too; keep one of them"
                found.complaints.append(Complaint(place, message))
            said[key], where[key] = value, json_text.below(one.place, key)
    made = _made(name, said, [one.place for one in entries])
    found.complaints += _contradictions(made, said, where)
    return made


def _made(name: str, said: Mapping[str, Any], places: Sequence[str]) -> JobType:
    ceilings = dict(said.get("ceilings", {}))
    resources = said.get("resources", Resources())
    if "disk_usage" in said and resources.disk is None:
        resources = replace(resources, disk=said["disk_usage"])
    image, others = said.get("image"), said.get("dependency_images", ())
    return JobType(
        name=name,
        creators=said.get("job_creators", ()),
        command=said.get("command"),
        queues=said.get("queues", ()),
        limits=Limits(
            soft_time_limit=said.get("soft_time_limit"),
            time_limit=said.get("time_limit"),
            longest=ceilings.pop("time_limit", None),
            priority=said.get("priority"),
            highest_priority=ceilings.pop("priority", None),
            most=ceilings,
        ),
        resources=resources,
        retry=said.get("retry", Retry()),
        dedup=said.get("dedup", Dedup()),
        places=said.get("max_running"),
        rate_per_s=said.get("rate"),
        burst=said.get("burst", 1),
        image=image,
        dependency_images=others,
        refusals=tuple(_refusals(image, others)),
        sources=tuple(places),
    )


def _refusals(image: Image | None, others: Sequence[Image]) -> Iterator[str]:
    if image is not None and image.name:
        yield f"needs the container image {image.name}, and containers can't be run yet"
    elif image is not None:
        yield "has options of a container, and containers can't be run yet"
    if others:
        names = ", ".join(one.name or "one without a name" for one in others)
        yield f"needs the images {names} beside it, and containers can't be run yet"


def _contradictions(made: JobType, said: Mapping[str, Any], where: Mapping[str, str]) -> Iterator[Complaint]:
    """What a type says of itself that can't be true together."""
    disk = said.get("disk_usage")
    if disk is not None and made.resources.disk != disk:
        yield Complaint(where["disk_usage"], "contradicts disk in resources; keep one of them")
    if made.rate_per_s is not None:
        try:
            Rate(f"type:{made.name}", made.rate_per_s, made.burst)
        except ValueError as error:
            yield Complaint(where["rate"], str(error))
    defaults = JobSpec(
        made.name,
        {},
        priority=made.limits.priority,
        soft_time_limit=made.limits.soft_time_limit,
        time_limit=made.limits.time_limit,
        resources=made.resources,
    )
    for complaint in typed_spec.above(defaults, made):
        yield Complaint(where["ceilings"], f"{complaint.path.removeprefix('$.')}: {complaint.message}")
