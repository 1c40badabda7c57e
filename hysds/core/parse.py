"""From JSON to a job spec: all complaints at once, each with its JSON path.

The only place that imports pydantic. The shape and bounds of a spec stand in `spec.py`; here stands what a type can't
say: units, names that no queue may have, a command that can be split. What a spec need not say because its type does is
seen to by the orchestrator.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import pydantic

from hysds.core import arrays, calls, ids, json_text, queue_names, spec_sense, spec_units
from hysds.core.budgets import RETRY_KEYS, TEN_YEARS_S, Budget, OomLadder
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.spec import TASK, After, JobSpec, Resources, split
from hysds.lib import units

MAX_SPEC_BYTES = 1_000_000
_LATER = {
    "localize_urls": "inputs can't be localized yet; let the command fetch them",
    "job_specification": "pre- and post-processors don't exist yet; let the command do their work",
}
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HASH = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_EXIT_CODE = re.compile(r"[1-9]\d?|1\d\d|2[0-4]\d|25[0-5]", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NAMES = ("job_type", "job_name", "tag", "username", "concurrency_key")
_SPEC = pydantic.TypeAdapter(JobSpec)


def parse(text: str | bytes, max_bytes: int = MAX_SPEC_BYTES) -> JobSpec:
    """The spec in a JSON text.

    Raises: InvalidSpec with everything that is wrong with it.
    """
    size_bytes = len(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    if size_bytes > max_bytes:
        raise InvalidSpec((json_text.too_large(max_bytes),))
    return _parsed(*json_text.decode(text), max_bytes)


def parse_document(document: object, max_bytes: int = MAX_SPEC_BYTES) -> JobSpec:
    """The spec in an already decoded document; see `parse`."""
    return _parsed(document, False, max_bytes)


def parse_task(task: object, queue: str, max_bytes: int = MAX_SPEC_BYTES) -> JobSpec:
    """The spec of a task as `run_task` takes it; `queue`: where it runs if it does not say.

    Raises: InvalidSpec, under the names that the task gave.
    """
    document = calls.job_document(task, queue)
    try:
        return parse_document(document, max_bytes)
    except InvalidSpec as refusal:
        raise calls.told(refusal) from refusal


def _parsed(document: object, is_doubled: bool, max_bytes: int) -> JobSpec:
    if not isinstance(document, dict):
        json_text.refuse("$", f"a job spec is a JSON object, not {json_text.kind(document)}")
    if is_doubled:
        raise InvalidSpec(tuple(json_text.given_twice(document, "$")))
    text = json_text.encode(document, max_bytes)
    complaints: list[Complaint] = []
    plain = spec_units.plain(document, JobSpec, "$", complaints)
    _take_nested_units(plain, complaints)
    _take_disk_usage(plain, complaints)
    spec = _validated(text if plain == document else json.dumps(plain), complaints)
    complaints += _reserved_complaints(plain)
    complaints += _name_complaints(plain)
    if plain.get("kind") == TASK:
        complaints += calls.complaints(plain)
    else:
        complaints += _payload_complaints(plain.get("payload"))
    complaints += env_complaints(plain.get("env"))
    complaints += _exit_code_complaints(plain.get("retry"))
    complaints += _kin_complaints(plain)
    if spec is not None:
        complaints += spec_sense.ladder_complaints(spec)
        complaints += spec_sense.limit_complaints(spec)
        complaints += spec_sense.time_complaints(spec)
    if complaints or spec is None:
        raise InvalidSpec(tuple(sorted(set(complaints), key=lambda complaint: complaint.path)))
    return spec


# ---- units and aliases -----------------------------------------------------------------------------------------------


def _take_nested_units(plain: dict[str, Any], complaints: list[Complaint]) -> None:
    if isinstance(plain.get("resources"), dict):
        plain["resources"] = spec_units.plain(plain["resources"], Resources, "$.resources", complaints)
    if isinstance(plain.get("retry"), dict):
        plain["retry"] = retry = _with_budgets(plain["retry"], "$.retry", complaints)
        if isinstance(retry.get("on_exit_codes"), dict):
            path = "$.retry.on_exit_codes"
            retry["on_exit_codes"] = _with_budgets(retry["on_exit_codes"], path, complaints)


def _with_budgets(given: Mapping[str, Any], path: str, complaints: list[Complaint]) -> dict[str, Any]:
    plain = dict(given)
    for name, budget in given.items():
        if isinstance(budget, dict) and name != "on_exit_codes":
            kind = OomLadder if name == "oom" else Budget
            plain[name] = spec_units.plain(budget, kind, json_text.below(path, name), complaints)
    return plain


def _take_disk_usage(plain: dict[str, Any], complaints: list[Complaint]) -> None:
    """`payload._disk_usage` is HySDS's name for `resources.disk`."""
    payload = plain.get("payload")
    if not isinstance(payload, dict) or "_disk_usage" not in payload:
        return
    path = "$.payload._disk_usage"
    try:
        size_bytes = units.parse_size(payload["_disk_usage"])
    except ValueError as error:
        complaints.append(Complaint(path, str(error)))
        return
    resources = plain.setdefault("resources", {})
    if not isinstance(resources, dict):
        return
    if resources.get("disk", size_bytes) != size_bytes:
        complaints.append(Complaint(path, "contradicts $.resources.disk; keep one of them"))
    plain["resources"] = {**resources, "disk": size_bytes}


# ---- checking ------------------------------------------------------------------------------------------------------


def _validated(text: str, complaints: list[Complaint]) -> JobSpec | None:
    try:
        # As JSON: there, and only there, strict types and objects for dataclasses go together.
        return _SPEC.validate_json(text)
    except pydantic.ValidationError as error:
        unreadable = {
            complaint.path for complaint in complaints
        }  # left out of the text, and so missing there
        found = [_complaint(detail) for detail in error.errors(include_url=False)]
        complaints += [complaint for complaint in found if complaint.path not in unreadable]
        return None


def _complaint(detail: Any) -> Complaint:
    path = "$"
    location = [part for part in detail["loc"] if part != "[key]"]
    for part in location:
        path = f"{path}[{part}]" if isinstance(part, int) else json_text.below(path, str(part))
    kind = detail["type"]
    if kind in ("missing", "missing_argument"):
        return Complaint(path, "is required")
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return Complaint(path, _unknown(str(location[-1]), [str(part) for part in location[:-1]]))
    if kind == "less_than_equal" and detail["ctx"]["le"] == TEN_YEARS_S:
        return Complaint(path, f"can't be longer than 10 years, not {units.format_duration(detail['input'])}")
    return Complaint(path, f"{_lowered(detail['msg'])}, not {json_text.shown(detail['input'])}")


def _unknown(name: str, parents: list[str]) -> str:
    what, known = "unknown field", [item.name for item in fields(_kind_at(parents))]
    if parents == ["retry"]:
        what, known = "is no failure class that can be tried again", list(RETRY_KEYS)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return f"{what}; {hint}"


def _kind_at(parents: list[str]) -> type:
    """What a spec holds at this place."""
    if parents[:1] == ["resources"]:
        return Resources
    if parents[:1] == ["after"]:
        return After
    if parents[:1] == ["retry"]:
        return OomLadder if parents[1:] == ["oom"] else Budget
    return JobSpec


def _reserved_complaints(plain: Mapping[str, Any]) -> Iterator[Complaint]:
    if "tick" in plain:
        yield Complaint("$.tick", "is set by schedules alone; see `hysds schedule add`")
    if "cause" in plain:
        yield Complaint("$.cause", "is set by rules alone; see `hysds rules add`")


def _name_complaints(plain: Mapping[str, Any]) -> Iterator[Complaint]:
    for name in _NAMES:
        value = plain.get(name)
        if isinstance(value, str) and _CONTROL.search(value):
            yield Complaint(f"$.{name}", f"holds a control character: {json_text.shown(value)}")
    queue = plain.get("job_queue")
    if isinstance(queue, str):
        yield from queue_names.check(queue)
    given_hash = plain.get("payload_hash")
    if isinstance(given_hash, str) and not _HASH.fullmatch(given_hash):
        yield Complaint("$.payload_hash", "letters, digits and _ . : - only, 64 at most")


def _payload_complaints(payload: object) -> Iterator[Complaint]:
    if not isinstance(payload, dict):
        return
    for key, reason in _LATER.items():
        if key in payload:
            yield Complaint(f"$.payload.{key}", reason)
    if "_command" not in payload:
        return  # the job's type may have one; whoever knows the types complains
    command = payload["_command"]
    if not isinstance(command, str):
        yield Complaint("$.payload._command", f"must be a string, not {json_text.kind(command)}")
        return
    if "\0" in command:
        yield Complaint("$.payload._command", "holds a NUL character, which no argument can")
        return
    try:
        words = split(command)
    except ValueError as error:
        yield Complaint("$.payload._command", f"can't be split into arguments: {_lowered(str(error))}")
        return
    if not words or not words[0]:
        yield Complaint("$.payload._command", "names no program")


def env_complaints(env: object) -> Iterator[Complaint]:
    """What is wrong with the variables of a command."""
    if not isinstance(env, dict):
        return
    for name, value in env.items():
        path = json_text.below("$.env", name)
        if not _VARIABLE.fullmatch(name):
            yield Complaint(path, "is no variable's name: letters, digits and _, not a digit first")
        elif name.startswith("HYSDS_"):
            yield Complaint(path, "is reserved: HySDS sets the variables that begin with HYSDS_")
        if isinstance(value, str) and "\0" in value:
            yield Complaint(path, "holds a NUL character, which no variable can")


def _exit_code_complaints(retry: object) -> Iterator[Complaint]:
    codes = retry.get("on_exit_codes") if isinstance(retry, dict) else None
    for code in codes if isinstance(codes, dict) else ():
        if not _EXIT_CODE.fullmatch(code):
            yield Complaint(
                json_text.below("$.retry.on_exit_codes", code),
                'is no exit code of a failure: "1" to "255"; a command that a signal ended has none',
            )


def _kin_complaints(plain: Mapping[str, Any]) -> Iterator[Complaint]:
    """What an array and the jobs that a job comes after can't be."""
    array, after = plain.get("array"), plain.get("after")
    if isinstance(array, str):
        try:
            arrays.parse(array)
        except ValueError as error:
            yield Complaint("$.array", str(error))
        if plain.get("array_index") is not None:
            yield Complaint("$.array_index", "contradicts $.array; keep one of them")
    named = after.get("jobs") if isinstance(after, dict) else None
    for position, id_ in enumerate(named if isinstance(named, list) else ()):
        try:
            ids.job_id(id_, f"$.after.jobs[{position}]")
        except InvalidSpec as refusal:
            yield from refusal.complaints


def _lowered(message: str) -> str:
    return message[:1].lower() + message[1:]
