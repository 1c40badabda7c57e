"""One entry of `configs` in HySDS's orchestrator_jobs.json or job_worker.json: what it says of a job type.

Both formats take the same further keys of ours (queues, limits, ceilings, resources, retry, dedup, …). An entry is read
whole: every complaint names its file and its JSON path. `type_merging` makes job types of entries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hysds.core import json_text, parse, queue_names, spec_sense
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types.catalog import Command, Creator, Dedup, Image
from hysds.core.job_types.entry_values import Notes, Reading, unknown
from hysds.core.spec import MAX_PRIORITY, JobSpec
from hysds.core.status import Status
from hysds.lib import units

_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_SPEC_KEYS = ("priority", "soft_time_limit", "time_limit", "resources", "retry")
_IMAGE_KEYS = (
    "container_image_name",
    "container_image_url",
    "container_image_urls",
    "container_mappings",
    "runtime_options",
)
_OURS = (*_SPEC_KEYS, "queues", "ceilings", "dedup", "max_running", "rate", "burst")
ORCHESTRATOR_KEYS = ("job_type", "job_creators", *_OURS)
WORKER_KEYS = ("type", "command", "disk_usage", *_IMAGE_KEYS, "dependency_images", *_OURS)
_SHELLS = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh"})
_TWINS = (Status.QUEUED, Status.WAITING, Status.STARTED, Status.COMPLETED)


@dataclass(frozen=True, slots=True)
class Entry:
    """What one entry says. `said`: by its own keys, read; a key that it does not have is not there."""

    name: str
    place: str
    """File and JSON path."""
    is_workers: bool
    said: Mapping[str, Any]


def entry(given: Mapping[str, Any], place: str, found: Notes) -> Entry | None:
    """Read an entry; None: it names no type. What is wrong stands in `found`, and not in the entry."""
    is_workers = "type" in given
    if is_workers == ("job_type" in given):
        found.complaints.append(
            Complaint(place, "needs one of job_type (orchestrator_jobs.json) and type (job_worker.json)")
        )
        return None
    known = WORKER_KEYS if is_workers else ORCHESTRATOR_KEYS
    found.complaints += unknown(given, known, place)
    name = given["type" if is_workers else "job_type"]
    spec = _as_spec(name, given, place, found)
    said = {key: getattr(spec, key) for key in _SPEC_KEYS if key in given and spec is not None}
    for key, read in _READERS.items():
        if key in given and key in known and given[key] is not None:
            reading = Reading(json_text.below(place, key), found)
            value = read(given[key], reading)
            if value is not None:
                said[key] = value
    if is_workers and any(given.get(key) for key in _IMAGE_KEYS):
        said["image"] = _image(given, Reading(place, found))
    if "burst" in given and "rate" not in given:
        found.complaints.append(Complaint(json_text.below(place, "burst"), "has no use without rate"))
    return Entry(name, place, is_workers, said) if isinstance(name, str) and name else None


def _as_spec(name: object, given: Mapping[str, Any], place: str, found: Notes) -> JobSpec | None:
    """What an entry has in common with a spec is checked as a spec's is."""
    document = {"job_type": name, "payload": {}} | {
        key: given[key] for key in _SPEC_KEYS if given.get(key) is not None
    }
    try:
        return parse.parse_document(document)
    except InvalidSpec as refusal:
        own = "type" if "type" in given else "job_type"
        for one in refusal.complaints:
            path = place + one.path.removeprefix("$").replace(".job_type", f".{own}", 1)
            found.complaints.append(Complaint(path, one.message))
        return None


# ---- keys of HySDS ---------------------------------------------------------------------------------------------------


def _creators(given: object, at: Reading) -> tuple[Creator, ...]:
    made = []
    for position, one in enumerate(at.parts(given, "objects")):
        here = at.at(position)
        keys = ("job_name", "function", "job_queues", "soft_time_limit", "time_limit")
        made.append(_creator(here.table(one, keys), here))
    for position, one in enumerate(made):
        for before in made[:position]:
            if one.function == before.function and set(one.job_queues) & set(before.job_queues):
                at.at(position).complain(
                    f"is in the same queue as another one of {one.function}: keep one of them"
                )
    return tuple(made)


def _creator(given: Mapping[str, Any], at: Reading) -> Creator:
    function = at.at("function").text(given.get("function", ""))
    if not _FUNCTION.fullmatch(function):
        at.complain(
            f"must be a dotted name such as module.function, not {json_text.shown(function)}", "function"
        )
    limits = {
        key: at.at(key).measure(given[key], units.parse_duration)
        for key in ("soft_time_limit", "time_limit")
        if given.get(key) is not None
    }
    creator = Creator(
        job_name=at.at("job_name").text(given.get("job_name") or function.rpartition(".")[2]),
        function=function,
        job_queues=_queues(given.get("job_queues", []), at.at("job_queues")),
        **limits,
    )
    bounds = JobSpec("x", {}, soft_time_limit=creator.soft_time_limit, time_limit=creator.time_limit)
    for complaint in spec_sense.limit_complaints(bounds):
        at.complain(complaint.message, "soft_time_limit")
    return creator


def _queues(given: object, at: Reading) -> tuple[str, ...]:
    queues = at.texts(given)
    for position, queue in enumerate(queues):
        at.found.complaints += queue_names.check(queue, f"{at.path}[{position}]")
        if queue in queues[:position]:
            at.at(position).complain(f"{queue} is named twice")
    return queues


def _command(given: object, at: Reading) -> Command | None:
    stated = at.table(given, ("path", "options", "arguments", "env"))
    path = at.at("path").text(stated.get("path", ""))
    if not path:
        at.complain("is required: the program that runs", "path")
    options = at.at("options").texts(stated.get("options", []))
    arguments = at.at("arguments").texts(stated.get("arguments", []))
    # A shell does read its options; that is what it is called for.
    read_by_none = () if PurePosixPath(path).name in _SHELLS else options
    for key, words in (("path", (path,)), ("options", read_by_none)):
        at.found.notes += (
            Complaint(
                json_text.below(at.path, key), f"{word} reaches the program as it stands: no shell reads it"
            )
            for word in words
            if "$" in word
        )
    return Command(path, options, arguments, _env(stated.get("env", []), at.at("env")))


def _env(given: object, at: Reading) -> dict[str, str]:
    env: dict[str, str] = {}
    for position, one in enumerate(at.parts(given, "objects of key and value")):
        here = at.at(position)
        pair = here.table(one, ("key", "value"))
        key, value = here.at("key").text(pair.get("key")), here.at("value").text(pair.get("value"))
        if key in env:
            here.complain(f"{key} is given twice")
        for complaint in parse.env_complaints({key: value}):
            here.complain(complaint.message)
        env[key] = value
    return env


def _image(given: Mapping[str, Any], at: Reading) -> Image:
    urls = given.get("container_image_urls") or {}
    if isinstance(urls, str):
        try:
            urls, _ = json_text.decode(urls)
        except InvalidSpec as refusal:
            at.complain(refusal.complaints[0].message, "container_image_urls")
            urls = {}
    return Image(
        name=at.at("container_image_name").text(given.get("container_image_name") or ""),
        url=at.at("container_image_url").text(given.get("container_image_url") or ""),
        urls=at.at("container_image_urls").table(urls),
        mappings=at.at("container_mappings").table(given.get("container_mappings") or {}),
        runtime_options=at.at("runtime_options").table(given.get("runtime_options") or {}),
    )


def _images(given: object, at: Reading) -> tuple[Image, ...]:
    found = []
    for position, one in enumerate(at.parts(given, "objects")):
        here = at.at(position)
        found.append(_image(here.table(one, _IMAGE_KEYS), here))
    return tuple(found)


# ---- our own keys ----------------------------------------------------------------------------------------------------


def _ceilings(given: object, at: Reading) -> dict[str, Any]:
    stated = at.table(given, tuple(_CEILINGS))
    found = {key: _CEILINGS[key](value, at.at(key)) for key, value in stated.items() if key in _CEILINGS}
    return {key: value for key, value in found.items() if value is not None}


def _priority(given: object, at: Reading) -> int | None:
    if type(given) is int and 0 <= given <= MAX_PRIORITY:
        return given
    at.complain(f"must be from 0 to {MAX_PRIORITY}, not {json_text.shown(given)}")
    return None


def _amount(given: object, at: Reading) -> float | None:
    if type(given) in (int, float) and given > 0:  # type: ignore[operator]  # a number, then
        return given  # type: ignore[return-value]
    at.complain(f"must be a number above 0, not {json_text.shown(given)}")
    return None


_CEILINGS: Mapping[str, Callable[[Any, Reading], Any]] = {
    "time_limit": lambda given, at: at.measure(given, units.parse_duration),
    "priority": _priority,
    "slots": _amount,
    "cpus": _amount,
    "memory": lambda given, at: at.measure(given, units.parse_size),
    "disk": lambda given, at: at.measure(given, units.parse_size),
}


def _dedup(given: object, at: Reading) -> Dedup:
    if isinstance(given, bool):
        return Dedup(enabled=given)
    stated = at.table(given, ("enabled", "states", "window", "ignore"))
    enabled, window = stated.get("enabled", True), stated.get("window")
    if not isinstance(enabled, bool):
        at.complain(f"must be true or false, not {json_text.shown(enabled)}", "enabled")
    states = at.at("states").texts(stated["states"]) if "states" in stated else None
    for state in states or ():
        if state not in _TWINS:
            at.complain(f"{json_text.shown(state)} is none of {', '.join(_TWINS)}", "states")
    timed = window is not None and window != "forever"
    return Dedup(
        enabled=bool(enabled),
        states=states,
        window_s=at.at("window").measure(window, units.parse_duration) if timed else None,
        forever=window == "forever",
        ignored=at.at("ignore").texts(stated.get("ignore", [])),
    )


_READERS: Mapping[str, Callable[[Any, Reading], Any]] = {
    "job_creators": _creators,
    "command": _command,
    "disk_usage": lambda given, at: at.measure(given, units.parse_size, least=-1),
    "dependency_images": _images,
    "queues": _queues,
    "ceilings": _ceilings,
    "dedup": _dedup,
    "max_running": lambda given, at: at.count(given),
    "rate": lambda given, at: at.measure(given, units.parse_rate),
    "burst": lambda given, at: at.count(given),
}
