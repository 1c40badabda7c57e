"""A call over the broker, read strictly: which task, the one argument, its id, who waits for the result.

Celery would carry out whatever else a message holds (callbacks, a time to start, limits); of a call that is left out,
and one that asks for it is refused, so that nobody waits for what never happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery.app.task import Context

from hysds.bootsteps.message import has_expired
from hysds.celery import RUN_TASK, SUBMIT_JOB
from hysds.core.errors import Refused

CALLS = frozenset({RUN_TASK, SUBMIT_JOB})
_NAMES = {SUBMIT_JOB: ("spec", "j"), RUN_TASK: ("payload", "task")}
_WHAT = {SUBMIT_JOB: "the job spec", RUN_TASK: "the task"}
_OF_CELERY = ("callbacks", "errbacks", "chain", "chord")


@dataclass(frozen=True, slots=True)
class Call:
    """What a message asks. `request`: as Celery's result backends want to know it."""

    id: str
    task: str
    argument: object
    priority: int
    wants_result: bool
    request: Context


def address(message: Any) -> tuple[str, Context]:
    """The id of a call and who sent it, which can be known also of one that can't be read any further."""
    headers, properties = message.headers, message.properties
    request = Context(
        id=headers.get("id"),
        task=headers.get("task"),
        reply_to=properties.get("reply_to"),
        correlation_id=properties.get("correlation_id") or headers.get("id"),
        root_id=headers.get("root_id"),
        parent_id=headers.get("parent_id"),
    )
    return str(headers.get("id")), request


def read(message: Any, now: datetime) -> Call | None:
    """The call; None where nobody waits for it any more. `now` is aware.

    Raises: Refused for what can't be honoured, and whatever kombu raises for a body that it does not read.
    """
    headers = message.headers
    if has_expired(message, now):
        return None
    if headers.get("eta"):
        raise Refused(
            "a call over the broker begins at once: say not_before in what it submits, instead of eta"
        )
    id_, request = address(message)
    priority = message.properties.get("priority")
    return Call(
        id=id_,
        task=str(headers["task"]),
        argument=_argument(message.payload, str(headers["task"])),
        priority=priority if type(priority) is int else 0,
        wants_result=not headers.get("ignore_result"),
        request=request,
    )


def _argument(payload: object, task: str) -> object:
    match payload:
        case [list() as given, dict() as named, *rest]:
            asked = [name for name in _OF_CELERY if rest and isinstance(rest[0], dict) and rest[0].get(name)]
            if asked:
                raise Refused(
                    f"{task} does not honour Celery's {', '.join(asked)}: wait for its result instead"
                )
            values = [*given, *(value for name, value in named.items() if name in _NAMES[task])]
            if len(values) == 1 and len(given) + len(named) == 1:
                return values[0]
    raise Refused(f"{task} takes one argument, {_WHAT[task]}")
