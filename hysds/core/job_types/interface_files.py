"""From the texts of `job-spec.json.NAME` and `hysds-io.json.NAME` to an interface, with all that is odd about them.

A complaint: the file is wrong beyond use. A doubt: the type is registered, and refuses submissions until the file is
mended. A note: worth knowing, no more. What comes with later releases is none of these; see `objections`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hysds.core import json_text, queue_names
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types import json_places, parameter_types
from hysds.core.job_types.filling import PASSED_ON
from hysds.core.job_types.interfaces import (
    Action,
    Component,
    Destination,
    Interface,
    JobFile,
    Parameter,
    Source,
    Submitting,
)
from hysds.core.job_types.json_fields import Findings, JsonFields
from hysds.core.spec import split
from hysds.lib import units

MAX_BYTES = 1_000_000
"""Of one file."""
MAX_DEPTH = 50
"""Objects and lists in each other."""
_MOST_ENCODED = 6 * MAX_BYTES
"""Written again it may take more room than it had: an escape for a byte."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")
"""What NAME and VERSION may be."""
NAME_RULE = "letters, digits and _ . + - only, 100 at most, the first a letter or digit"
RESERVED = frozenset({"_command", "_disk_usage", "localize_urls", "job_specification"})
"""Keys of a payload that mean something of their own; no parameter may have such a name."""

_JOB_KEYS = (
    "command",
    "params",
    "imported_worker_files",
    "dependency_images",
    "recommended-queues",
    "recommended_queues",
    "required-queues",
    "required_queues",
    "disk_usage",
    "soft_time_limit",
    "time_limit",
    "pre",
    "post",
    "disable_pre_builtins",
    "disable_post_builtins",
)
_JOB_PARAM_KEYS = ("name", "destination")
_IO_KEYS = (
    "label",
    "component",
    "submission_type",
    "action-type",
    "allowed_accounts",
    "enable_dedup",
    "dedup_keys",
    "params",
)
_IO_PARAM_KEYS = (
    "name",
    "from",
    "value",
    "type",
    "default",
    "optional",
    "placeholder",
    "enumerables",
    "version_regex",
    "lambda",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """The two files of a job type. `io` of None: there is none, and every parameter is the submitter's."""

    name: str
    """NAME of `job-spec.json.NAME`."""
    job: bytes
    io: bytes | None
    version: str
    image: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a pair. `interface` of None: `job` or `io` has complaints."""

    interface: Interface | None
    job: Findings = field(default_factory=Findings)
    io: Findings = field(default_factory=Findings)


def read(pair: Pair) -> Reading:
    """The interface that a pair of files describes."""
    job, io = Findings(), Findings()
    job_fields = _document(pair.job, job)
    io_fields = _document(b"{}" if pair.io is None else pair.io, io)
    if job_fields is None or io_fields is None:
        return Reading(None, job, io)
    places = _places(job_fields)
    job_file = _job_file(job_fields)
    made = _interface(f"hysds-io-{pair.name}:{pair.version}", job_file, io_fields)
    sources = _sources(io_fields)
    params = tuple(_placed(name, place, sources, io) for name, place in places.items())
    _note_without_place(sources, places, io)
    made = replace(made, params=params, image=pair.image, dedup_keys=_dedup_keys(io_fields, places))
    if job.complaints or io.complaints:
        return Reading(None, job, io)
    return Reading(replace(made, doubts=(*_named("job-spec", job), *_named("hysds-io", io))), job, io)


def _named(file: str, found: Findings) -> Iterator[Complaint]:
    return (Complaint(f"{file} {doubt.path}", doubt.message) for doubt in found.doubts)


def _document(text: bytes, found: Findings) -> JsonFields | None:
    """The object in a file; of a key that it gives twice the last value, as HySDS takes it."""
    if len(text) > MAX_BYTES:
        found.complaints.append(Complaint("$", f"has more than {MAX_BYTES:,} bytes"))
        return None
    try:
        document, is_doubled = json_text.decode(text)
        if isinstance(document, dict):
            json_text.encode(document, _MOST_ENCODED)
    except InvalidSpec as refusal:
        found.complaints.extend(refusal.complaints)
        return None
    if not isinstance(document, dict):
        found.complaints.append(Complaint("$", f"must be an object, not {json_text.kind(document)}"))
        return None
    if _is_deep(document):
        found.complaints.append(Complaint("$", f"is nested more than {MAX_DEPTH} levels deep"))
        return None
    if is_doubled:
        _tell_doubled(text.decode(json.detect_encoding(text)), found)
    return JsonFields(document, "$", found)


def _is_deep(document: object) -> bool:
    """Whether it is nested more deeply than every reader of a catalogue can follow."""
    level: list[Any] = [document]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for value in level
            if isinstance(value, dict | list)
            for part in (value.values() if isinstance(value, dict) else value)
        ]
    return bool(level)


def _tell_doubled(text: str, found: Findings) -> None:
    for twice in json_places.given_twice(text):
        lines = " and ".join(str(line) for line in twice.lines)
        if twice.is_harmless:
            found.notes.append(
                Complaint(twice.path, f"is given more than once, on lines {lines}, each time the same")
            )
        else:
            message = f"is given more than once, on lines {lines}, with different values; keep one of them"
            found.doubts.append(Complaint(twice.path, message))


# ---- job-spec ------------------------------------------------------------------------------------------------------


def _job_file(fields: JsonFields) -> JobFile:
    fields.note_unknown(_JOB_KEYS)
    soft_s, hard_s = _limits(fields)
    return JobFile(
        command=_command(fields),
        recommended_queues=_queues(fields, "recommended"),
        required_queues=_queues(fields, "required"),
        soft_time_limit_s=soft_s,
        time_limit_s=hard_s,
        disk_bytes=fields.measure("disk_usage", units.parse_size),
        imported_worker_files=fields.mapping("imported_worker_files"),
        dependency_images=fields.objects("dependency_images"),
        pre=fields.texts("pre"),
        post=fields.texts("post"),
        disable_pre_builtins=fields.flag("disable_pre_builtins", False),
        disable_post_builtins=fields.flag("disable_post_builtins", False),
    )


def _command(fields: JsonFields) -> str:
    command = fields.required("command")
    try:
        if command and not split(command):
            fields.complain("command", "names no program")
    except ValueError as error:
        fields.complain("command", f"can't be split into arguments: {error}")
    return command


def _queues(fields: JsonFields, what: str) -> tuple[str, ...]:
    """The queues under either spelling."""
    queues: list[str] = []
    for key in (f"{what}-queues", f"{what}_queues"):
        queues += fields.texts(key)
        for queue in fields.texts(key):
            fields.found.doubts.extend(queue_names.check(queue, fields.at(key)))
    return tuple(dict.fromkeys(queues))


def _limits(fields: JsonFields) -> tuple[float | None, float | None]:
    """The soft and the hard limit. One that is not above the soft one is left to the gap, as HySDS does."""
    soft_s = fields.measure("soft_time_limit", _positive)
    hard_s = fields.measure("time_limit", _positive)
    if soft_s is not None and hard_s is not None and hard_s <= soft_s:
        message = (
            f"is not above the soft limit of {soft_s:g} s: the job is ended the settings' gap after that"
        )
        fields.found.notes.append(Complaint(fields.at("time_limit"), message))
        return soft_s, None
    return soft_s, hard_s


def _positive(value: Any) -> float:
    duration_s = units.parse_duration(value)
    if not duration_s:
        raise ValueError("must be more than 0 s")
    return duration_s


def _places(fields: JsonFields) -> dict[str, Destination]:
    """Where each parameter goes, in the order of the command."""
    places: dict[str, Destination] = {}
    for name, param in _by_name(fields, "params"):
        param.note_unknown(_JOB_PARAM_KEYS)
        if name in RESERVED:
            param.complain("name", f"{name} is reserved: HySDS gives it a meaning of its own")
        if param.get("destination") is None:
            param.complain("destination", "is required")
        place = param.word("destination", Destination)
        if place is not None:
            places[name] = place
    return places


def _by_name(fields: JsonFields, key: str) -> Iterator[tuple[str, JsonFields]]:
    """The parameters that have a name of their own."""
    seen: set[str] = set()
    for position, param in enumerate(fields.objects(key)):
        one = JsonFields(param, f"{fields.at(key)}[{position}]", fields.found)
        name = one.required("name")
        if name in seen:
            one.complain("name", f"another parameter is named {json_text.shown(name)}")
        elif name:
            seen.add(name)
            yield name, one


# ---- hysds-io ------------------------------------------------------------------------------------------------------


def _interface(name: str, job: JobFile, fields: JsonFields) -> Interface:
    fields.note_unknown(_IO_KEYS)
    return Interface(
        name=name,
        job=job,
        label=fields.text("label"),
        component=fields.word("component", Component),
        submitting=fields.word("submission_type", Submitting) or Submitting.ITERATION,
        action=fields.word("action-type", Action) or Action.BOTH,
        allowed_accounts=fields.texts("allowed_accounts"),
        enable_dedup=fields.flag("enable_dedup", True),
    )


def _dedup_keys(fields: JsonFields, places: Mapping[str, Destination]) -> tuple[str, ...]:
    keys = fields.texts("dedup_keys")
    for key in keys:
        if key not in places:
            message = f"{json_text.shown(key)} is no parameter of the job"
            fields.found.doubts.append(Complaint(fields.at("dedup_keys"), message))
    return keys


def _sources(fields: JsonFields) -> dict[str, Parameter]:
    """Where each parameter comes from; where it goes is the job-spec's to say."""
    return {name: _parameter(name, param) for name, param in _by_name(fields, "params")}


def _parameter(name: str, fields: JsonFields) -> Parameter:
    fields.note_unknown(_IO_PARAM_KEYS)
    source, path = _source(fields)
    made = Parameter(
        name=name,
        destination=Destination.CONTEXT,
        source=source,
        path=path,
        value=fields.get("value"),
        type=fields.text("type"),
        default=fields.get("default"),
        optional=fields.flag("optional", False),
        enumerables=fields.parts("enumerables"),
        version_regex=fields.text("version_regex"),
        conversion=fields.text("lambda"),
        label=fields.text("placeholder"),
    )
    _check_type(made, fields)
    return made


def _source(fields: JsonFields) -> tuple[Source, str]:
    """Who gives the value, and of a hit the path in it."""
    word, colon, path = fields.required("from").partition(":")
    if word == Source.HIT and colon:
        return Source.HIT, path.strip()
    if word in (Source.VALUE, Source.SUBMITTER, Source.PASSTHROUGH) and not colon:
        return Source(word), ""
    if word:
        given = json_text.shown(fields.get("from"))
        fields.complain("from", f"must be value, submitter, passthrough or dataset_jpath:PATH, not {given}")
    return Source.SUBMITTER, ""


def _check_type(param: Parameter, fields: JsonFields) -> None:
    """What of a parameter can't be meant, or is not checked."""
    doubts, notes = fields.found.doubts, fields.found.notes
    if param.source is Source.VALUE and param.value is None and not param.optional:
        doubts.append(Complaint(fields.at("value"), "is required, as the value comes from here"))
    if param.source is not Source.VALUE and param.value is not None:
        notes.append(Complaint(fields.at("value"), "has no effect, as the value comes from elsewhere"))
    if param.source is Source.PASSTHROUGH and param.name not in PASSED_ON:
        said = f"no field of a submission is called so ({', '.join(PASSED_ON)}): --param gives it"
        notes.append(Complaint(fields.at("from"), said))
    if param.type == "enum" and not param.enumerables:
        doubts.append(Complaint(fields.at("enumerables"), "is required, as the type is enum"))
    try:
        re.compile(param.version_regex)
    except (re.error, RecursionError) as error:
        doubts.append(Complaint(fields.at("version_regex"), f"is no regular expression: {error}"))
    if not parameter_types.is_known(param.type):
        notes.append(
            Complaint(fields.at("type"), f"{param.type!r} is not known: values are taken as they are")
        )


# ---- both ----------------------------------------------------------------------------------------------------------


def _placed(name: str, place: Destination, sources: Mapping[str, Parameter], io: Findings) -> Parameter:
    if name in sources:
        return replace(sources[name], destination=place)
    message = f"says nothing of the job-spec's parameter {json_text.shown(name)}: the submitter gives it"
    io.notes.append(Complaint("$.params", message))
    return Parameter(name, place)


def _note_without_place(
    sources: Mapping[str, Parameter], places: Mapping[str, Destination], io: Findings
) -> None:
    for name in sources:
        if name not in places:
            message = f"{json_text.shown(name)} is no parameter of the job-spec, and goes nowhere"
            io.notes.append(Complaint("$.params", message))
