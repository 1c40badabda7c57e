"""What a job creator returns, a job as HySDS describes it, becomes a job spec.

    description                     spec
    type                            job_type; the request's own where it is that without its namespace
    params                          payload
    name                            job_name, else the request's, else the creator's `job_name`
    tag, username                   the same; the request's fill what is not said
    context                         the request's is put over it
    env                             is put over the request's
    soft_time_limit, time_limit     come before those of the creator's entry in the job type, and of the request
    priority, enable_dedup, concurrency_key, resources, retry, not_before, ttl, deadline
                                    the same; the request's where it is not said
    kind, payload_hash, after, array, array_index
                                    the same
    localize_urls, publish_overwrite_ok, images
                                    refused while nothing honours them; taken where they ask for nothing

The queue is no field of a description: the job type's `job_queues` say it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from hysds.core import json_text
from hysds.core.catalog import Creator
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.spec import TASK, JobSpec, Resources, dedup_digest
from hysds.core.typed_spec import by_creator, limits_over

_RENAMED = {"type": "job_type", "params": "payload", "name": "job_name"}
_SAME = (
    *("kind", "context", "env", "soft_time_limit", "time_limit", "payload_hash"),
    *("after", "array", "array_index"),
)
_FILLED = (
    "priority",
    "tag",
    "username",
    "enable_dedup",
    "concurrency_key",
    "resources",
    "retry",
    "not_before",
    "ttl",
    "deadline",
)
"""What the request says holds where the description does not say."""
_IMAGES = "images come with containers; until then a job runs as a process of its worker's host"
_LATER = {
    "localize_urls": "inputs can't be localized yet; let the command fetch them",
    "publish_overwrite_ok": "nothing is published yet",
    "container_image_name": _IMAGES,
    "container_image_url": _IMAGES,
    "container_image_urls": _IMAGES,
    "container_mappings": _IMAGES,
    "runtime_options": _IMAGES,
    "dependency_images": _IMAGES,
}
_OURS = {
    "job_queue": "is said by the job type's job_queues, not by its creator",
    "job_id": "is made by HySDS",
    "task_id": "is made by HySDS",
    "job_info": "is made by HySDS",
}
_KNOWN = frozenset({*_RENAMED, *_SAME, *_FILLED})


def spec_of(
    description: Mapping[str, Any], request: JobSpec, creator: Creator, parse: Callable[[object], JobSpec]
) -> JobSpec:
    """The job that a creator made of a request, in the first of the creator's queues (none: in the request's), with the
    limits that the description says. `parse` makes a spec of a document, as `core.parse` does; a process that creates
    nothing need not load that.

    Raises: InvalidSpec with everything that is wrong with it, by the paths of the description.
    """
    complaints = _complaints(description)
    named = {_RENAMED.get(key, key): value for key, value in description.items() if key in _KNOWN}
    if (queue := next(iter(creator.job_queues), request.job_queue)) is not None:
        named["job_queue"] = queue
    try:
        if complaints:
            raise InvalidSpec(tuple(complaints))
        spec = _filled(parse(named), named, request, creator)
        if complaints := list(_task_complaints(spec)):
            raise InvalidSpec(tuple(complaints))
    except InvalidSpec as refusal:
        raise InvalidSpec(tuple(_as_described(one) for one in refusal.complaints)) from refusal
    return spec


def in_queue(spec: JobSpec, request: JobSpec, creator: Creator, queue: str | None, gap_s: float) -> JobSpec:
    """The job that `spec_of` made, in one of the creator's queues (None: it names none), with its time limits.

    Those of the description come before those of the creator's entry, and these before the request's. A job in its
    second queue is no duplicate of itself in the first: it was asked for in both.
    """
    soft_s, hard_s = limits_over(
        (spec.soft_time_limit, spec.time_limit), (creator.soft_time_limit, creator.time_limit), gap_s
    )
    limits = (request.soft_time_limit, request.time_limit)
    asked = replace(spec, soft_time_limit=limits[0], time_limit=limits[1])
    if queue is not None and queue != creator.job_queues[0]:
        asked = replace(asked, payload_hash=another_hash(dedup_digest(spec), queue))
    return by_creator(asked, replace(creator, soft_time_limit=soft_s, time_limit=hard_s), queue, gap_s)


def another_hash(digest: str, what: object) -> str:
    """A payload hash that tells one of several jobs that would have the same from the others, each time alike."""
    return hashlib.sha256(f"{digest}:{what}".encode()).hexdigest()


def _filled(spec: JobSpec, named: Mapping[str, Any], request: JobSpec, creator: Creator) -> JobSpec:
    """The job with what the request says where the description says nothing."""
    filled = {name: getattr(request, name) for name in _FILLED if named.get(name) is None}
    return replace(
        spec,
        **filled,
        job_type=request.job_type if spec.job_type == request.bare_type else spec.job_type,
        job_name=spec.job_name or request.job_name or creator.job_name,
        context={**spec.context, **request.context},
        env={**request.env, **spec.env},
    )


def _task_complaints(spec: JobSpec) -> Iterator[Complaint]:
    """What a request says and a task can't have, so that it is not ignored."""
    if spec.kind != TASK:
        return
    for name, empty in (("context", {}), ("env", {}), ("resources", Resources())):
        if getattr(spec, name) != empty:
            yield Complaint(
                f"$.{name}", "a task has none, and this one was given some by its request or creator"
            )


def _complaints(description: Mapping[str, Any]) -> list[Complaint]:
    found = [
        Complaint(json_text.below("$", name), "is required")
        for name in ("type", "params")
        if name not in description
    ]
    for name, value in description.items():
        path = json_text.below("$", name)
        if name in _LATER and value:
            found.append(Complaint(path, _LATER[name]))
        elif name in _OURS:
            found.append(Complaint(path, _OURS[name]))
        elif name not in _KNOWN and name not in _LATER:
            found.append(Complaint(path, f"unknown field of a job; known are {', '.join(sorted(_KNOWN))}"))
    return found


def _as_described(complaint: Complaint) -> Complaint:
    """The complaint with the path that the creator's author knows."""
    for theirs, ours in _RENAMED.items():
        at = f"$.{ours}"
        if complaint.path == at or complaint.path.startswith((f"{at}.", f"{at}[")):
            return Complaint(f"$.{theirs}{complaint.path[len(at) :]}", complaint.message)
    return complaint
