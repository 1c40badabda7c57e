"""How a document stands in an index, and how it comes back exactly as it was.

The JSON that `seal` made is sent as it is, with `searched` put before it. Three things Elasticsearch does not take: a
field `_id` (kept as a mark: it comes back behind `id`), fields that the strict mapping does not know, and objects with
keys that it can't index. These are kept unindexed in `searched.rest`, so no job is lost for them, nor hidden from
`hysds jobs`; only HySDS's readers do not find the job by such a field.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from hysds.adapters.store.elasticsearch import mapping
from hysds.core.searched import Sealed
from hysds.ports.indices import Resource

_OPEN = frozenset({"event", "usage", "attempts", "children", "phase_times", "after", "facts"})
"""Objects that may hold any keys."""
_OPEN_IN_JOB = frozenset({"params", "context", "resources", "retry"})
_OPEN_IN_JOB_INFO = frozenset({"facts", "metrics"})

_TEXTS = ("id", "status", "type", "queue", "tag", "user", "worker", "failure_class", "parent", "name")
_NUMBERS = ("priority", "accepted", "started", "ended", "updated", "duration")


def source(document: Mapping[str, Any], sealed: Sealed, resource: Resource) -> bytes:
    """The document of a job as it is sent."""
    values = _searched(sealed)
    own = json.dumps(sealed.id)
    head = f'{{"id":{own},"_id":{own},'
    known = len(document.keys() & mapping.KNOWN[resource])
    if document.get("_id") == sealed.id and known == len(document) - 1 and sealed.body.startswith(head):
        return f'{{"searched":{{"own_id":true,{values[1:]},"id":{own},{sealed.body[len(head) :]}'.encode()
    return _sent(document, values, resource)


def plain_source(document: Mapping[str, Any], sealed: Sealed, resource: Resource) -> bytes:
    """The same with all open objects kept unindexed: whatever keys they have, the rest of the document is found."""
    return _sent(document, _searched(sealed), resource, _OPEN | {"job"})


def happened(document: Mapping[str, Any], searched: Mapping[str, Any], resource: Resource) -> bytes:
    """The document of a worker or an event as it is sent."""
    return _sent(document, json.dumps(searched), resource)


def plain_happened(document: Mapping[str, Any], searched: Mapping[str, Any], resource: Resource) -> bytes:
    """The same with what it tells kept unindexed."""
    return _sent(document, json.dumps(searched), resource, _OPEN)


def restored(source: dict[str, Any]) -> dict[str, Any]:
    """The document of what an index holds."""
    searched = source.pop("searched", {})
    if "rest" in searched:
        rest, order = searched["rest"]["values"], searched["rest"]["order"]
        return {name: rest[name] if name in rest else source[name] for name in order}
    if searched.get("own_id"):
        return {"id": source["id"], "_id": source["id"], **source}
    return source


def _sent(
    document: Mapping[str, Any], searched: str, resource: Resource, aside: Collection[str] = ()
) -> bytes:
    known = mapping.KNOWN[resource]
    values = {name: value for name, value in document.items() if name not in known or name in aside}
    kept = {name: value for name, value in document.items() if name not in values}
    if isinstance(job := values.get("job"), dict) and "job" in aside:
        kept["job"] = _closed(job)
    if values:
        rest = json.dumps({"rest": {"order": list(document), "values": values}}, separators=(",", ":"))
        searched = f"{searched[:-1]},{rest[1:]}"
    body = json.dumps(kept, separators=(",", ":"))
    return f'{{"searched":{searched}{"," if kept else ""}{body[1:]}'.encode()


def _closed(job: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a job without what users fill."""
    told = {name: value for name, value in job.items() if name in mapping.JOB and name not in _OPEN_IN_JOB}
    if isinstance(info := told.get("job_info"), dict):
        told["job_info"] = {
            name: value
            for name, value in info.items()
            if name in mapping.JOB_INFO and name not in _OPEN_IN_JOB_INFO
        }
    return told


def _searched(sealed: Sealed) -> str:
    found = sealed.searched
    values: dict[str, Any] = {name: getattr(found, name) for name in (*_TEXTS, *_NUMBERS)}
    values["words"] = found.words
    values["leaves"] = [leaf(path, value) for path, value in found.leaves]
    return json.dumps(values, separators=(",", ":"))


def leaf(path: str, value: str) -> str:
    """One value inside params or context as one token. The length keeps paths and values apart, whatever is in them."""
    return f"{len(path)}:{path}{value}"
