"""A rule: when this happens, do that. Its own words, checked whole: every complaint at once, by JSON path."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from hysds.core import json_text, queue_names
from hysds.core.conditions import condition
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.rules import actions
from hysds.core.spec import MAX_NAME, MAX_PRIORITY

MAX_BYTES = 65_536
"""Of a rule's JSON."""

MAX_REPEATS = 30

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class On(StrEnum):
    """What a rule looks at."""

    JOB = "job"
    """Jobs and groups that ended, refused submissions among them."""
    TASK = "task"
    """Tasks that ended."""
    WORKER = "worker"
    """A worker's life."""
    EVENT = "event"
    """What else happened, as `hysds events` shows it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it is kept."""

    name: str
    when: Mapping[str, Any]
    """A query of `core.conditions`, asked of the document of what happened."""
    then: str
    """A job type, or `action:` and one of `actions.ACTIONS`."""
    on: On = On.JOB
    params: Mapping[str, Any] = field(default_factory=dict)
    """What the job type, or the action, is given; `mapping` says what its values mean."""
    job_name: Any = None
    """The job's name, as a value of `params`. None: that of its type."""
    priority: int | None = None
    queue: str = ""
    """Where its jobs go; "": where those of the type do."""
    enabled: bool = True
    owner: str = ""
    """The user whom its jobs belong to."""
    repeats: int = 0
    """How often a rule that retries may fire again on what it caused itself; of any other it is 0."""
    since_ms: int = 0
    """It fires on what happens after this (ledger's wall ms): when it was added, changed or enabled."""


def read(given: object) -> Rule:
    """The rule that a document says.

    Raises: InvalidSpec with every complaint.
    """
    if not isinstance(given, Mapping):
        json_text.refuse("$", f"must be an object, not {json_text.kind(given)}")
    json_text.encode(given, MAX_BYTES)
    known = {item.name for item in fields(Rule)} - {"since_ms"}
    complaints = [
        Complaint(
            json_text.below("$", str(key)), f"is no field of a rule; there are {', '.join(sorted(known))}"
        )
        for key in given
        if key not in known
    ]
    complaints += [
        Complaint(f"$.{name}", "is required") for name in ("name", "when", "then") if name not in given
    ]
    for name, check in _CHECKS.items():
        if given.get(name) is not None:
            complaints += [Complaint(f"$.{name}{at}", why) for at, why in check(given[name])]
    then, params = given.get("then"), given.get("params")
    if isinstance(then, str) and isinstance(params, Mapping | None):
        complaints += actions.complaints(then, params or {})
    if given.get("repeats") and then != f"{actions.PREFIX}{actions.RETRY}":
        # What fans out would grow with each repetition.
        complaints.append(
            Complaint("$.repeats", "is for a rule that retries: another fires once on what comes of it")
        )
    if complaints:
        raise InvalidSpec(tuple(complaints))
    values = {name: value for name, value in given.items() if value is not None}
    return Rule(**{**values, "on": On(values.get("on", On.JOB))})


def from_stored(given: Mapping[str, Any]) -> Rule:
    """The rule that `core.lean` wrote; it is trusted."""
    return Rule(**{**given, "on": On(given.get("on", On.JOB))})


_Check = Callable[[Any], Iterator[tuple[str, str]]]
"""What is wrong with a value: (path below it, why)."""


def _name(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        yield "", "letters, digits and . _ - only, the first a letter or digit, 128 at most"


def _when(value: Any) -> Iterator[tuple[str, str]]:
    try:
        condition(value)
    except InvalidSpec as refusal:
        yield from ((one.path.removeprefix("$"), one.message) for one in refusal.complaints)


def _on(value: Any) -> Iterator[tuple[str, str]]:
    if value not in tuple(On):
        yield "", f"is one of {', '.join(On)}"


def _text(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME or not value.isprintable():
        yield "", f"must be a text of 1 to {MAX_NAME} characters on one line"


def _owner(value: Any) -> Iterator[tuple[str, str]]:
    if value != "":
        yield from _text(value)


def _queue(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str):
        yield "", "must be a queue's name"
    elif value:
        yield from (("", one.message) for one in queue_names.check(value))


def _params(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
        yield "", "must be an object"


def _bounded(most: int) -> _Check:
    def check(value: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            yield "", f"must be a whole number from 0 to {most}"

    return check


def _truth(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, bool):
        yield "", "must be true or false"


_CHECKS: Mapping[str, _Check] = {
    "name": _name,
    "when": _when,
    "then": _text,
    "on": _on,
    "params": _params,
    "priority": _bounded(MAX_PRIORITY),
    "queue": _queue,
    "enabled": _truth,
    "owner": _owner,
    "repeats": _bounded(MAX_REPEATS),
}


def of_hysds(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule of HySDS (`rule_name`, `query_string`, `kwargs`, …) says, in our words.

    Raises: InvalidSpec with every complaint, for what can't be honoured too.
    """
    complaints = [
        Complaint(
            json_text.below("$", str(key)),
            "can't be honoured: the job's type says it, or it is about data sets",
        )
        for key in given
        if key not in _OF_HYSDS and key not in _NO_MATTER and given[key] not in (None, "", False)
    ]
    if given.get("query_all"):
        complaints.append(Complaint("$.query_all", "a rule looks at what happened, not at all that there is"))
    when = _json("query_string", given, complaints)
    params = _json("kwargs", given, complaints)
    if complaints:
        raise InvalidSpec(tuple(complaints))
    told = {
        ours: given[theirs] for theirs, ours in _OF_HYSDS.items() if ours and given.get(theirs) is not None
    }
    path = given.get("job_name_path")
    named = {"job_name": {"from": path}} if path else {}
    return {**told, **named, "then": _type(str(told.get("then", ""))), "when": when, "params": params}


def is_of_hysds(given: Mapping[str, Any]) -> bool:
    """Whether a document is written as HySDS writes rules."""
    return "rule_name" in given or "query_string" in given


def _json(name: str, given: Mapping[str, Any], complaints: list[Complaint]) -> Any:
    """HySDS keeps objects as their text."""
    value = given.get(name) or "{}"
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        complaints.append(Complaint(f"$.{name}", f"is no JSON: {error}"))
        return {}


def _type(job_type: str) -> str:
    """HySDS's rules name the interface of a type."""
    prefix = "hysds-io-"
    return f"job-{job_type.removeprefix(prefix)}" if job_type.startswith(prefix) else job_type


_OF_HYSDS = {
    "rule_name": "name",
    "job_type": "then",
    "priority": "priority",
    "username": "owner",
    "enabled": "enabled",
    "queue": "queue",
    "query_string": "",
    "kwargs": "",
    "query_all": "",
    "job_name_path": "",
}
_NO_MATTER = frozenset(
    {
        "id",
        "_id",
        "creation_time",
        "modified_time",
        "modification_time",
        "workflow",
        "job_spec",
        "public",
        "tags",
    }
)
"""What their documents hold beside, for pages."""
