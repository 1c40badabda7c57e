"""Tasks: light calls of Python functions by name, with arguments and results that JSON can carry.

A task is a job of kind `task`: its payload is `{function, args, kwargs}`, and all that is said of jobs holds for it.
`job_document` makes the job spec from what HySDS's `run_task` takes. Which functions may be called is the operator's
to say, by prefixes of module names: `a.b` allows every function of the modules `a.b`, `a.b.c`, …
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hysds.core import json_text
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.spec import TASK, JobSpec

MAX_RESULT_BYTES = 256 * 1024
"""Of a result as JSON. A larger one fails its task as `invalid`: results are kept with the job's record."""

_FUNCTION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)
_MAX_NAME = 240
_CALL = ("function", "args", "kwargs")
_PASSED_ON = (
    *("priority", "tag", "username", "enable_dedup", "payload_hash", "job_name"),
    *("soft_time_limit", "time_limit", "retry", "not_before", "ttl", "deadline"),
)
_RENAMED = {"type": "job_type", "queue": "job_queue", "job_queue": "job_queue", "job_type": "job_type"}
_REFUSED = {
    "sys_path": "a task worker imports functions from where its operator put them (its PYTHONPATH); leave it out",
}
_NOT_OF_TASKS = {
    "env": "a task has no environment of its own: pass values as arguments",
    "context": "a task has no context: pass values as arguments",
    "array": "a task can't be an array: call it once for each",
    "array_index": "a task is no member of an array: pass the index as an argument",
    "resources": "a task has a slot and no other resources: a job with a _command can have some",
}


@dataclass(frozen=True, slots=True)
class Call:
    """What a task calls."""

    function: str
    """Dotted: the module, then the function's name in it."""
    args: list[Any]
    kwargs: dict[str, Any]


def call_of(spec: JobSpec) -> Call:
    """What a task's spec calls."""
    payload = spec.payload
    return Call(payload["function"], payload.get("args") or [], payload.get("kwargs") or {})


def job_document(task: object, queue: str) -> dict[str, Any]:
    """The job spec, not yet checked, of a task as `run_task` takes it; `queue`: where it runs if it does not say.

    A task is no duplicate of an equal one unless it asks for that by `enable_dedup`.

    Raises: InvalidSpec for what can't be a part of it.
    """
    if not isinstance(task, Mapping):
        json_text.refuse("$", f"a task is a JSON object, not {json_text.kind(task)}")
    complaints = [Complaint(f"$.{name}", reason) for name, reason in _REFUSED.items() if name in task]
    known = {*_CALL, *_PASSED_ON, *_RENAMED, *_REFUSED}
    complaints += [
        Complaint(
            json_text.below("$", str(name)),
            f"unknown field; known are {', '.join(sorted(known - set(_REFUSED)))}",
        )
        for name in task
        if name not in known
    ]
    if complaints:
        raise InvalidSpec(tuple(complaints))
    given = {name: value for name, value in task.items() if value is not None}
    asked = {_RENAMED.get(name, name): value for name, value in given.items() if name not in _CALL}
    function = given.get("function")
    kind = f"task:{function[:_MAX_NAME]}" if isinstance(function, str) and function else "task:unknown"
    # Without arguments is without arguments, however it is said: a repeat must be told from another task.
    call = {name: given[name] for name in _CALL if given.get(name) not in (None, [], {})}
    return {
        "job_type": kind,
        "job_queue": queue,
        "enable_dedup": False,
        **asked,
        "kind": TASK,
        "payload": call,
    }


def told(refusal: InvalidSpec) -> InvalidSpec:
    """The complaints about a job spec that `job_document` made, under the names that the task gave."""
    names = {"$.job_type": "$.type", "$.job_queue": "$.queue"}
    return InvalidSpec(
        tuple(
            Complaint(names.get(one.path, one.path.replace("$.payload.", "$.", 1)), one.message)
            for one in refusal.complaints
        )
    )


def complaints(plain: Mapping[str, Any]) -> Iterator[Complaint]:
    """What is wrong with a task's spec beyond what is wrong with any."""
    for name, reason in _NOT_OF_TASKS.items():
        if plain.get(name) not in (None, {}):
            yield Complaint(f"$.{name}", reason)
    if "job_queue" not in plain:
        yield Complaint("$.job_queue", "is required: a queue that task workers hear")
    payload = plain.get("payload")
    if not isinstance(payload, Mapping):
        return
    for key in payload:
        if key not in _CALL:
            yield Complaint(
                json_text.below("$.payload", key), "a task's payload holds function, args and kwargs alone"
            )
    yield from _call_complaints(payload)


def _call_complaints(payload: Mapping[str, Any]) -> Iterator[Complaint]:
    function = payload.get("function")
    if not isinstance(function, str):
        yield Complaint(
            "$.payload.function", 'is required: the function\'s dotted name, as "package.module.function"'
        )
    elif len(function) > _MAX_NAME or not _FUNCTION.fullmatch(function):
        shown = json_text.shown(function)
        yield Complaint("$.payload.function", f"{shown} is no dotted name of a function in a module")
    for name, kind, word in (("args", list, "a list"), ("kwargs", dict, "an object")):
        value = payload.get(name)
        if value is not None and not isinstance(value, kind):
            yield Complaint(f"$.payload.{name}", f"must be {word}, not {json_text.kind(value)}")


def is_allowed(function: str, prefixes: Collection[str]) -> bool:
    """Whether the function's module is among the allowed ones, or below one of them."""
    module = function.rpartition(".")[0]
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def refuse_unless_allowed(spec: JobSpec, prefixes: Collection[str] | None, path: str = "$.function") -> None:
    """`prefixes` of None: it is not known here what is allowed; the worker knows. `path`: what to call the function.

    Raises: InvalidSpec
    """
    if spec.kind != TASK or prefixes is None:
        return
    function = call_of(spec).function
    if not is_allowed(function, prefixes):
        json_text.refuse(path, not_allowed(function, prefixes))


def not_allowed(function: str, prefixes: Collection[str]) -> str:
    """Why a function is not called."""
    named = ", ".join(prefixes) or "no module"
    return f"{function} is in no module that tasks.allow names ({named})"
