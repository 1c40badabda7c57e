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
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from hysds.core import json_text
from hysds.core.budgets import Retry
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types.catalog import Creator
from hysds.core.job_types.typed_spec import limits_over
from hysds.core.spec import TASK, JobSpec, Resources, dedup_digest

_RENAMED = {"type": "job_type", "params": "payload", "name": "job_name"}
_SAME = ("kind", "context", "env", "payload_hash", "after", "array", "array_index")
_LIMITS = ("soft_time_limit", "time_limit")
_FILLED = ("priority", "tag", "username", "enable_dedup", "concurrency_key", "ttl")
"""What the request says holds where the description does not say."""
_NONE = {"resources": Resources(), "retry": Retry(), "not_before": None, "deadline": None}
"""The same, of what a document writes in another way than a spec holds it."""
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
_KNOWN = frozenset({*_RENAMED, *_SAME, *_LIMITS, *_FILLED, *_NONE})


class Maker:
    """Makes specs of what one creator returned for one request.

    What all of them have in common is found once, and each is parsed once: a request may become thousands of jobs.
    `parse` makes a spec of a document, as `core.parse` does, which a process that creates nothing need not load. Where
    neither says a hard limit after a soft one, it follows `gap_s` later.
    """

    def __init__(
        self, request: JobSpec, creator: Creator, parse: Callable[[object], JobSpec], gap_s: float
    ) -> None:
        self._request = request
        self._creator = creator
        self._parse = parse
        self._gap_s = gap_s
        self._queues = creator.job_queues or (request.job_queue,)
        asked = (request.soft_time_limit, request.time_limit)
        self._limits = limits_over((creator.soft_time_limit, creator.time_limit), asked, gap_s)
        self._common = self._of_all()
        self._large = {
            name: getattr(request, name) for name, none in _NONE.items() if getattr(request, name) != none
        }

    def specs(self, description: Mapping[str, Any], position: int) -> tuple[JobSpec, ...]:
        """The jobs of one description, one a queue of the creator (of one without queues: in the request's queue, or
        none). `position`: how many jobs of the request were made before.

        A job in its second queue is no duplicate of itself in the first: it was asked for in both.
        Raises: InvalidSpec with everything that is wrong with it, by the paths of the description.
        """
        if complaints := _complaints(description):
            raise InvalidSpec(tuple(complaints))
        named = {_RENAMED.get(key, key): value for key, value in description.items() if key in _KNOWN}
        try:
            first = self._completed(self._parse(self._with_common(named, position)), named)
        except InvalidSpec as refusal:
            raise InvalidSpec(tuple(_as_described(one) for one in refusal.complaints)) from refusal
        others = self._queues[1:]
        digest = dedup_digest(first) if others else ""
        return (
            first,
            *(replace(first, job_queue=one, payload_hash=_another(digest, one)) for one in others),
        )

    def _of_all(self) -> dict[str, Any]:
        """What holds for each job that does not say otherwise, as a document has it."""
        request, (soft_s, hard_s) = self._request, self._limits
        found = {name: getattr(request, name) for name in _FILLED}
        found |= {
            "job_name": request.job_name or self._creator.job_name,
            "job_queue": self._queues[0],
            "soft_time_limit": soft_s,
            "time_limit": hard_s,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _with_common(self, named: Mapping[str, Any], position: int) -> dict[str, Any]:
        given = {name: value for name, value in named.items() if value is not None}
        common = self._common
        if "soft_time_limit" in given or "time_limit" in given:
            common = {name: value for name, value in common.items() if name not in _LIMITS}
        document = {**common, **given}
        if document.get("job_type") == self._request.bare_type:
            document["job_type"] = self._request.job_type
        if self._request.payload_hash is not None and "payload_hash" not in given:
            own = self._request.payload_hash
            document["payload_hash"] = own if position == 0 else _another(own, position)
        self._merge(document, "context", given.get("context"), self._request.context)
        self._merge(document, "env", self._request.env, given.get("env"))
        return document

    def _merge(self, document: dict[str, Any], name: str, below: object, above: object) -> None:
        """Put one object over another; what is no object is left for the parser to complain about."""
        if isinstance(below, dict) and isinstance(above, dict):
            document[name] = {**below, **above}
        elif found := above or below:
            document[name] = found

    def _completed(self, spec: JobSpec, named: Mapping[str, Any]) -> JobSpec:
        """The job with what only a value can say."""
        changes: dict[str, Any] = {
            name: value for name, value in self._large.items() if named.get(name) is None
        }
        if self._request.tick is not None:
            # Of a schedule's two times neither is a duplicate of the other, nor is any job that they become.
            changes["tick"] = self._request.tick
        if self._request.cause is not None:
            changes["cause"] = self._request.cause
        if spec.kind == TASK and "resources" in changes:
            json_text.refuse("$.resources", "a task has none, and its request asks for some")
        if named.get("soft_time_limit") is not None or named.get("time_limit") is not None:
            own = (spec.soft_time_limit, spec.time_limit)
            soft_s, hard_s = limits_over(own, self._limits, self._gap_s)
            changes |= {"soft_time_limit": soft_s, "time_limit": hard_s}
        return replace(spec, **changes) if changes else spec


def _another(digest: str, what: object) -> str:
    """A payload hash that tells one of several jobs that would have the same from the others, each time alike."""
    return hashlib.sha256(f"{digest}:{what}".encode()).hexdigest()


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
