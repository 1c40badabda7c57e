"""What happens beside jobs: a worker's life, an event; as a value, as text in the journal, and as a document.

The field names of documents are HySDS's (its `worker_status` and `event_status`), plus `revision`, which is when it
happened: of two documents of one id the later stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID, uuid5

from hysds.core import clip, moments
from hysds.core.errors import Internal
from hysds.core.generations import FIRST

WORKER, EVENT = "worker", "event"
"""The resources: the present state of a worker, one document a name; and what happened, a document each."""

RESOURCES = (WORKER, EVENT)

MAX_EVENT = 32_000
"""Characters of an event's JSON; a larger one is replaced by a note."""

MAX_NAME = 1_024
"""Characters of an id, a type, a status, a host's name or a tag; what is longer is cut."""


_LATEST_MS = 253_402_300_799_999
"""The last ms of the year 9999: no calendar goes further."""

_SPACE = UUID("5c0d2a52-7a0c-5b0e-9f6f-6c7d3e1d1a6e")
"""The space of the ids that are made of what they name."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. Of a WORKER `id` is the worker's name (`celery@host`), of an EVENT a UUID."""

    id: str
    resource: str
    type: str
    status: str
    at_ms: int
    """Wall ms. Happenings of one id are told apart, and ordered, by it."""
    hostname: str = ""
    """Where it happened: a worker's name, or a host's."""
    tags: tuple[str, ...] = ()
    event: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else there is to say; any JSON."""
    generation: int = 0
    """Which generation of indices it belongs to; 0: the one in which it is told. A WORKER belongs to none."""

    @property
    def key(self) -> str:
        """Two with the same are the same."""
        return f"{self.resource} {self.at_ms} {self.id}"


def bounded(happening: Happening) -> Happening:
    """The same within the bounds that every journal and store can hold.

    Raises: ValueError for one without an id, or of no known resource.
    """
    if not happening.id or happening.resource not in RESOURCES:
        raise ValueError(f"a happening has an id and is of {' or '.join(RESOURCES)}: {happening!r:.200}")
    event = clip.sound(dict(happening.event))
    size = len(json.dumps(event))
    if size > MAX_EVENT:
        event = {"note": f"left out: {size} characters"}
    names = (happening.id, happening.resource, happening.type, happening.status)
    id_, resource, type_, status = (_name(text) for text in names)
    return Happening(
        id=id_,
        resource=resource,
        type=type_,
        status=status,
        at_ms=min(max(happening.at_ms, 1), _LATEST_MS),
        hostname=_name(happening.hostname),
        tags=tuple(_name(tag) for tag in happening.tags),
        event=event,
        generation=happening.generation,
    )


def event_id(*parts: object) -> str:
    """The UUID of an event that is known by these parts: whoever tells it tells the same."""
    return str(uuid5(_SPACE, json.dumps([str(part) for part in parts])))


def born_in(happening: Happening, generation: int) -> Happening:
    """The same, an event as one of this generation where it names none."""
    if happening.resource != EVENT or happening.generation:
        return happening
    return replace(happening, generation=generation)


def unreadable(position: str, reason: str, now_ms: int) -> Happening:
    """What is told instead of an entry that can't be read."""
    id_ = event_id("unreadable", position)
    said = {"position": position, "reason": reason}
    return Happening(id_, EVENT, "journal-unreadable", "failed", now_ms, event=said)


def encoded(happening: Happening) -> str:
    """As JSON; what is at its default is left out."""
    told = {name: value for name, value in asdict(happening).items() if value or name == "at_ms"}
    return json.dumps(told, separators=(",", ":"), allow_nan=False)


def decoded(text: str) -> Happening:
    """Raises: Internal for what `encoded` never made; within bounds all the same, as others may write there."""
    try:
        told = json.loads(text)
        happening = Happening(
            id=str(told["id"]),
            resource=str(told["resource"]),
            type=str(told.get("type", "")),
            status=str(told.get("status", "")),
            at_ms=int(told["at_ms"]),
            hostname=str(told.get("hostname", "")),
            tags=tuple(str(tag) for tag in told.get("tags", ())),
            event=dict(told.get("event", {})),
            generation=int(told.get("generation", 0)),
        )
        return bounded(happening)
    except (OverflowError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise Internal(f"an entry of the journal is unreadable: {text[:80]!r}") from error


def document(happening: Happening) -> dict[str, Any]:
    """What is searched."""
    moment = moments.iso(happening.at_ms)
    of_worker = happening.resource == WORKER
    told: dict[str, Any] = {
        "id": happening.id,
        "resource": happening.resource,
        "type": happening.type,
        "status": happening.status,
        "celery_hostname" if of_worker else "hostname": happening.id if of_worker else happening.hostname,
        "uuid": [] if of_worker else happening.id,
        "tags": list(happening.tags),
        "event": dict(happening.event),
        "timestamp": moment,
        "@timestamp": moment,
        "@version": "1",
        "revision": happening.at_ms,
    }
    return told if of_worker else told | {"generation": happening.generation or FIRST}


def _name(text: str) -> str:
    return clip.encodable(text[:MAX_NAME])
