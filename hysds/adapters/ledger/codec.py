"""Requests as arguments of the scripts, and their answers as values.

Structures travel as JSON; a number that Lua reads stays below 2^53, so that it is exact there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from hysds.core import limit_keys
from hysds.core.errors import Internal
from hysds.core.floor_requests import Drain, Fit, WorkerState
from hysds.core.generations import Generations
from hysds.core.limit_keys import LimitState, RateState
from hysds.core.queue_tallies import Meter, Pause, QueueTally
from hysds.core.record import GROUP, Attempt, Record
from hysds.core.requests import (
    Acceptance,
    Accepting,
    Answer,
    Bid,
    Claimed,
    Commit,
    Committed,
    Committing,
    Event,
    Head,
    Lease,
    Moved,
    Place,
    Purged,
    Purging,
    Ready,
    Renewal,
    Renewed,
    Standing,
)
from hysds.core.status import Status
from hysds.ports.ledger import Pulse

_READERS: Mapping[str, Callable[[str], Any]] = {
    "int": int,
    "str": str,
    "bool": lambda text: text == "1",
    "Status": Status,
}
_FIELDS: Mapping[str, Callable[[str], Any]] = {
    field.name: _READERS[str(field.type)] for field in fields(Record)
}
# These have no default in a Record, but a zero that the hash leaves out.
_LEFT_OUT: Mapping[str, Any] = {"revision": 0, "digest": "", "queue": "", "shape": "", "priority": 0}


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_TOLD = tuple(
    (field.name, field.default)
    for field in fields(Acceptance)
    if field.name not in ("spec", "twins", "limits", "rates")
)
"""What is told of a submission, with the default that is left out; `shared/steps.lua` fills it in."""


def dumps(value: object) -> str:
    """Compact JSON, other characters than ASCII as they are."""
    return _JSON.encode(value)


def submission(item: Acceptance) -> dict[str, Any]:
    """A submission without its spec, which is an argument of its own, and without what is at its default."""
    told = {name: value for name, default in _TOLD if (value := getattr(item, name)) != default}
    if item.twins:
        told["twins"] = f" {' '.join(sorted(item.twins))} "
    if item.limits:
        told["limits"] = limit_keys.written_limits(item.limits)
    if item.rates:
        told["rates"] = limit_keys.written_rates(item.rates)
    return told


def shapes_of(items: Sequence[Acceptance]) -> str:
    """The queues and shapes that submissions are for, each pair once."""
    return dumps(sorted({(item.queue, item.shape) for item in items if item.kind != GROUP}))


def bid(bid: Bid) -> str:
    return dumps({field.name: getattr(bid, field.name) for field in fields(bid)} | {"fit": _fit(bid.fit)})


def commit(commit: Commit) -> str:
    names = (field.name for field in fields(commit) if field.name != "detail")
    return dumps({name: getattr(commit, name) for name in names})


def renewal(renewal: Renewal) -> str:
    said = renewal.announcement
    announcement = {
        "host": said.host,
        "name": said.name,
        "slots": said.slots,
        "facts": said.facts,
        "queues": said.queues,
        "fit": _fit(said.fit),
        "queues_json": dumps(said.queues),
        "now_json": dumps(said.fit.now),
        "empty_json": dumps(said.fit.empty),
        "never_json": dumps(said.fit.never),
    }
    held = [
        {"id": held.id, "fence": held.fence, "phase": held.phase, "progress": held.progress}
        for held in renewal.held
    ]
    return dumps(
        {
            "worker": renewal.worker,
            "announcement": announcement,
            "held": held,
            "given_up": renewal.given_up,
            "lease_ms": renewal.lease_ms,
            "announce_ms": renewal.announce_ms,
        }
    )


def record(flat: Sequence[str]) -> Record:
    """A record from alternating names and values, its id among them; unknown names are a later version's.

    Raises: Internal where it can't be read, as something else wrote there.
    """
    values = dict(_LEFT_OUT)
    told = dict(zip(flat[::2], flat[1::2], strict=True))
    for name, text in told.items():
        if name in _FIELDS:
            try:
                values[name] = _FIELDS[name](text)
            except ValueError as error:
                raise Internal(
                    f"job {told.get('id')}: the ledger's record is unreadable, as its {name} is {text!r}; "
                    "a reconciler's audit sets it aside"
                ) from error
    if "status" not in values:
        raise Internal(
            f"job {told.get('id')}: the ledger's record is unreadable, as it has no status; "
            "a reconciler's audit sets it aside"
        )
    return Record(**values)


def answer(reply: Sequence[str]) -> Answer:
    how, status, twin, twin_status = reply
    return Answer(Accepting(how), status, twin, twin_status)


def answers(text: str) -> tuple[Answer, ...]:
    """JSON of a list; Lua writes an empty one as an object."""
    return tuple(answer(reply) for reply in json.loads(text) or ())


def ready(reply: Sequence[Sequence[Any]]) -> tuple[Ready, ...]:
    return tuple(Ready(queue, jobs, unheard, hearers) for queue, jobs, unheard, hearers in reply)


def moved(reply: Sequence[Any]) -> Moved:
    answers, made, more = reply
    return Moved(tuple((id, word) for id, word in answers), ready(made), more == 1)


def purged(reply: Sequence[str]) -> Purged:
    how, status, revision = reply
    return Purged(Purging(how), status, int(revision))


def settled(reply: Sequence[Any]) -> Moved:
    """As `moved`, the answers in one JSON text; Lua writes an empty list as an object."""
    text, made, more = reply
    return Moved(tuple((id, word) for id, word in json.loads(text) or ()), ready(made), more == 1)


def claimed(reply: Sequence[Any]) -> Claimed:
    lease, unknown, head, more, order = reply
    return Claimed(
        Lease(record(lease[0]), lease[1]) if lease else None,
        tuple(sorted(unknown)),
        Head(*head) if head else None,
        more == 1,
        drain(*order) if order else None,
    )


def committed(reply: Sequence[Any]) -> Committed:
    how, status, claim, made = reply
    return Committed(Committing(how), status, claimed(claim) if claim else None, ready(made))


def renewed(reply: Sequence[Any]) -> Renewed:
    standings, unlisted, is_ready, unknown, woken, order = reply
    return Renewed(
        tuple(Standing(standing) for standing in standings),
        tuple(sorted((id, int(fence)) for id, fence in unlisted)),
        is_ready == 1,
        tuple(sorted(unknown)),
        ready(woken),
        drain(*order) if order else None,
    )


def drain(name: str, text: str) -> Drain:
    """An order as its hash keeps it: `<since> <within> <reason>` under the worker's name."""
    since_ms, within_ms, reason = text.split(" ", 2)
    return Drain(name, reason, int(since_ms), int(within_ms))


def drains(flat: Sequence[str]) -> tuple[Drain, ...]:
    """All orders of the hash, by name."""
    return tuple(drain(name, text) for name, text in sorted(zip(flat[::2], flat[1::2], strict=True)))


def generations(flat: Sequence[str]) -> Generations:
    """What the hash says; nothing, where no store was ever rolled over."""
    try:
        return Generations(**{name: int(text) for name, text in zip(flat[::2], flat[1::2], strict=True)})
    except (TypeError, ValueError) as error:
        raise Internal(f"the ledger's hash `generations` is unreadable: {error}") from error


def worker_state(reply: Sequence[Any]) -> WorkerState:
    incarnation, left_ms, flat, held, order = reply
    said = dict(zip(flat[::2], flat[1::2], strict=True))
    return WorkerState(
        incarnation,
        said["host"],
        said["name"],
        tuple(json.loads(said["queues"])),
        int(said["slots"]),
        Fit(*(tuple(json.loads(said[name])) for name in ("now", "empty", "never"))),
        said["facts"],
        int(left_ms),
        tuple((id, int(fence)) for id, fence in held),
        drain(*order) if order else None,
        said.get("reserved", ""),
    )


def place(reply: Sequence[Any]) -> Place | None:
    if not reply:
        return None
    ahead, all_ready, paused, reserved_by, since_ms, why = reply
    return Place(ahead, all_ready, Pause(int(since_ms), why) if paused == 1 else None, reserved_by)


def tally(reply: Sequence[Any]) -> QueueTally:
    queue, ready, oldest_ms, flat = reply
    told = dict(zip(flat[::2], flat[1::2], strict=True))
    waiting = {name.removeprefix("waits "): int(text) for name, text in told.items() if name[:6] == "waits "}
    return QueueTally(
        queue=queue,
        ready=ready,
        oldest_ms=int(oldest_ms),
        running=int(told.get("running", 0)),
        waiting=tuple(sorted(waiting.items())),
        came=_meter(told.get("came", "")),
        went=_meter(told.get("went", "")),
        pause=Pause(int(told.get("paused_ms", 0)), told.get("why", "")) if "paused" in told else None,
    )


def _meter(text: str) -> Meter:
    """`<minute> <count> <count of the minute before> …`"""
    if not text:
        return Meter()
    minute, *counts = map(int, text.split())
    return Meter(minute, tuple(counts))


def limit_state(key: str, reply: Sequence[Any]) -> LimitState:
    places, used, holders, waiting, rate = reply
    about_rate = RateState(*(int(value) for value in rate)) if rate else None
    return LimitState(key, places, used, tuple(holders), waiting, about_rate)


def pulse(info: str, started: int, due: int) -> Pulse:
    """What INFO tells of the server, and the sizes of two of the ledger's sets."""
    told = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    name = told.get("server_name", "redis")
    version = told.get(f"{name}_version", told.get("redis_version", "?"))
    limit = int(told.get("maxmemory", 0))
    return Pulse(f"{name} {version}", int(told.get("used_memory", 0)), limit or None, started, due)


def attempt(text: str, id: str = "") -> Attempt:
    """One entry of the list of a job's ended attempts.

    Raises: Internal where it can't be read.
    """
    try:
        fence, owner, started_ms, ended_ms, how, detail = json.loads(text)
        return Attempt(int(fence), owner, int(started_ms), int(ended_ms), how, detail)
    except (ValueError, TypeError) as error:
        raise Internal(f"job {id}: the ledger's list of its attempts is unreadable: {text[:80]!r}") from error


def event(flat: Sequence[str]) -> Event:
    told = dict(zip(flat[::2], flat[1::2], strict=True))
    return Event(told["id"], int(told["revision"]), int(told["fence"]), told["status"], told["step"])


def _fit(fit: Fit) -> dict[str, Sequence[str]]:
    return {"now": fit.now, "empty": fit.empty, "never": fit.never}
