"""How fields are indexed: HySDS's names and types as its own templates have them, strict at the top.

Beside what HySDS's readers search, each document of a job carries `searched`: the values of `core.searched`, by which
`hysds jobs` asks, so that it answers as every other store does. Objects that users fill (params, context, facts, …) are
`flattened`: one field, however many keys they bring.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hysds.core.query import MAX_LIMIT
from hysds.core.searched import TEXT_SORTS, Sort, Term
from hysds.ports.indices import Resource

VERSION = 1
"""Of the mappings: a later one only adds fields, and `Indices.init` teaches them to the indices that are there."""

MAKER = "hysds"

Fields = Mapping[str, Any]

MAX_KEYWORD = 256
"""Characters of a keyword by which HySDS's readers find it, as in HySDS; a longer one is kept and not found."""

_ALL = "text_fields"
"""HySDS's field for a search over everything. It has what people type; ids, digests and paths are found by their own
fields: copied here as well, they were a third of what a document cost."""
_ID: Fields = {"type": "keyword", "ignore_above": MAX_KEYWORD}
_WORD: Fields = {**_ID, "copy_to": _ALL}
_LABEL: Fields = {**_WORD, "fields": {"keyword": _ID}}
_TEXT: Fields = {"type": "text", "copy_to": _ALL}
_TITLE: Fields = {**_TEXT, "fields": {"keyword": _ID}}
_MESSAGE: Fields = {**_WORD, "fields": {"text": {"type": "text"}}}
_DATE: Fields = {"type": "date", "ignore_malformed": True}
_SECONDS: Fields = {
    "type": "date",
    "format": "epoch_second||strict_date_optional_time",
    "ignore_malformed": True,
}
_LONG: Fields = {"type": "long", "ignore_malformed": True}
_DOUBLE: Fields = {"type": "double", "ignore_malformed": True}
_TRUTH: Fields = {"type": "boolean", "ignore_malformed": True}
_OPEN: Fields = {"type": "flattened", "ignore_above": 1_024, "depth_limit": 10_000}
_KEPT: Fields = {"type": "object", "enabled": False}
_EXACT: Fields = {"type": "keyword"}
_TOKENS: Fields = {"type": "keyword", "doc_values": False}


def _object(fields: Fields, dynamic: bool | str = False) -> Fields:
    """An object of which these are searched, and others only kept, or refused (`strict`)."""
    return {"type": "object", "dynamic": dynamic, "properties": fields}


_TRANSFER = {
    **dict.fromkeys(("url", "path", "disk_usage"), _ID),
    **dict.fromkeys(("time_start", "time_end"), _DATE),
    **dict.fromkeys(("duration", "transfer_rate"), _DOUBLE),
}
_STAGED = {
    **_TRANSFER,
    **dict.fromkeys(("id", "dataset", "dataset_type", "dataset_level", "system_version", "ipath"), _ID),
    **dict.fromkeys(("urls", "browse_urls"), _ID),
}
_METRICS = {
    "inputs_localized": _object(_TRANSFER),
    "products_staged": _object(_STAGED),
    "job_dir_size": _ID,
    "usage_stats": _OPEN,
    "product_provenance": _OPEN,
}
JOB_INFO: Fields = {
    **dict.fromkeys(("id", "payload_hash", "job_dir", "job_url"), _ID),
    **dict.fromkeys(("job_queue", "execute_node"), _WORD),
    **dict.fromkeys(("time_queued", "time_start", "time_end", "cmd_start", "cmd_end"), _DATE),
    **dict.fromkeys(("duration", "cmd_duration", "time_limit", "soft_time_limit"), _DOUBLE),
    **dict.fromkeys(("status", "pid"), _LONG),
    "dedup": _TRUTH,
    "job_payload": _object(dict.fromkeys(("job_type", "payload_task_id"), _ID)),
    "facts": _OPEN,
    "metrics": _object(_METRICS),
}
JOB: Fields = {
    **dict.fromkeys(("type", "job_id", "task_id", "env"), _ID),
    **dict.fromkeys(("name", "tag", "username", "concurrency_key"), _WORD),
    **dict.fromkeys(("deadline", "ttl"), _DOUBLE),
    "priority": _LONG,
    "delivery_info": _object({"routing_key": _ID, "priority": _LONG, "redelivered": _TRUTH}),
    "params": _OPEN,
    "context": _OPEN,
    "resources": _OPEN,
    "retry": _OPEN,
    "job_info": _object(JOB_INFO),
}
_ATTEMPT = {
    **dict.fromkeys(("worker", "how", "failure", "phase", "execute_node", "short_error"), _ID),
    **dict.fromkeys(("attempt", "fence", "exit_code", "signum"), _LONG),
    **dict.fromkeys(("started", "ended"), _DATE),
}
_EVERY: Fields = {
    **dict.fromkeys(("resource", "uuid"), _ID),
    **dict.fromkeys(("type", "status", "celery_hostname"), _WORD),
    "id": {**_ID, "fields": {"keyword": _ID}},
    "tags": _LABEL,
    "@timestamp": _DATE,
    "@version": _EXACT,
    **dict.fromkeys(("revision", "generation"), _LONG),
    _ALL: {"type": "text"},
}
_OF_JOBS: Fields = {
    **_EVERY,
    **dict.fromkeys(("job_id", "payload_id", "payload_hash", "dedup_job", "retry_of", "retried_by"), _ID),
    **dict.fromkeys(("parent", "array", "queue", "phase", "progress", "waiting_reason"), _ID),
    **dict.fromkeys(("caused_by", "rule_lineage"), _ID),
    **dict.fromkeys(("failure_class", "schedule", "lost_workers", "rule"), _WORD),
    **dict.fromkeys(("error", "short_error"), _TITLE),
    **dict.fromkeys(("traceback", "dedup_msg", "hint"), _TEXT),
    **dict.fromkeys(("msg", "msg_details"), _MESSAGE),
    **dict.fromkeys(("not_before", "ttl_end", "deadline", "schedule_time"), _DATE),
    **dict.fromkeys(("timestamp", "local_received"), _SECONDS),
    **dict.fromkeys(("fence", "signum", "memory_bytes", "depth", "array_index", "rule_depth"), _LONG),
    **dict.fromkeys(("dedup", "cancel_requested"), _TRUTH),
    "job": _object(JOB),
    "children": _object(
        dict.fromkeys(("total", "queued", "running", "done", "failed", "revoked", "deduped"), _LONG)
    ),
    "usage": _object({"cpu_s": _DOUBLE, "max_rss_bytes": _LONG}),
    "phase_times": _object(dict.fromkeys(("prepare", "execute", "finish"), _DOUBLE)),
    "attempts": _object(_ATTEMPT),
    "after": _OPEN,
    "result": _KEPT,
}
_CELERY_EVENT = {
    **dict.fromkeys(("type", "uuid", "hostname", "sw_sys", "sw_ver", "sw_ident", "result"), _ID),
    **dict.fromkeys(("name", "exception"), _WORD),
    **dict.fromkeys(("timestamp", "local_received"), _SECONDS),
    **dict.fromkeys(("clock", "pid", "utcoffset", "processed", "active"), _LONG),
    **dict.fromkeys(("runtime", "loadavg", "freq"), _DOUBLE),
    "traceback": {"type": "text"},
}
_TERMS = {name.value: _EXACT for name in (*Term, *TEXT_SORTS)}
_NUMBERS = {sort.value: {"type": "long"} for sort in Sort if sort not in TEXT_SORTS}
_SEARCHED: Fields = {
    **_TERMS,
    **_NUMBERS,
    "id": _EXACT,
    "words": _TOKENS,
    "leaves": _TOKENS,
    "own_id": {"type": "boolean", "index": False, "doc_values": False},
    "rest": _KEPT,
    "fence": {"type": "long"},
}
_HAPPENED: Fields = {
    **_EVERY,
    "hostname": _WORD,
    "timestamp": _DATE,
    "searched": _object(
        {**dict.fromkeys(("id", "type", "hostname"), _EXACT), "revision": {"type": "long"}, "rest": _KEPT},
        "strict",
    ),
}

FIELDS: Mapping[Resource, Fields] = {
    Resource.JOB: {**_OF_JOBS, "event": _OPEN, "searched": _object(_SEARCHED, "strict")},
    Resource.TASK: {**_OF_JOBS, "event": _object(_CELERY_EVENT), "searched": _object(_SEARCHED, "strict")},
    Resource.EVENT: {**_HAPPENED, "event": _OPEN},
    Resource.WORKER: {**_HAPPENED, "event": _OPEN},
    Resource.DEAD_LETTER: {
        **_EVERY,
        "reason": {"type": "text", "fields": {"keyword": _ID}},
        "searched": _object({"id": _EXACT, "at": {"type": "long"}}, "strict"),
    },
}

KNOWN = {resource: frozenset(fields) - {"searched", _ALL} for resource, fields in FIELDS.items()}
"""The top-level names that a document may bring."""


def mapping(resource: Resource) -> dict[str, Any]:
    """The mappings of an index."""
    return {
        "dynamic": "strict",
        "_meta": {"made_by": MAKER, "version": VERSION},
        "properties": dict(FIELDS[resource]),
    }


def settings() -> dict[str, Any]:
    """The settings of an index. An operator may change replicas and the refresh interval; HySDS leaves them then."""
    return {
        "index": {
            "number_of_shards": 1,
            "auto_expand_replicas": "0-1",
            # Said outright, an index is refreshed also while nobody searches it.
            "refresh_interval": "500ms",
            "max_result_window": MAX_LIMIT + 1,
        }
    }
