"""From an interface and what a submission gives to a job spec: each parameter is filled from its source, checked,
converted, and placed where the job-spec wants it; all complaints at once.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hysds.core import json_text
from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types import conversions, parameter_types
from hysds.core.job_types.hits import Absent, at
from hysds.core.job_types.interfaces import Destination, Interface, Parameter, Source
from hysds.core.job_types.objections import objections
from hysds.core.type_names import NAMESPACE


@dataclass(frozen=True, slots=True)
class Request:
    """What a submission by type gives. None, or "": it does not say."""

    params: Mapping[str, Any] = field(default_factory=dict)
    queue: str | None = None
    priority: int | None = None
    tag: str | None = None
    username: str | None = None
    name: str | None = None
    soft_time_limit: str | float | None = None
    time_limit: str | float | None = None
    query: str | None = None
    """What the hits were searched by; None: there are no hits."""
    repeat: bool = False
    """Submit also what is a duplicate."""


PASSED_ON: Mapping[str, str] = MappingProxyType(
    {
        "query": "--over",
        "name": "--name",
        "username": "--user",
        "priority": "--priority",
        "queue": "--queue",
        "tag": "--tag",
        "type": "",
        "job_type": "",
    }
)
"""The fields of a submission that a `passthrough` parameter may be called after, and the option that gives each; ""
for one that there always is."""


Hit = Mapping[str, Any]
"""`{"_id": …, "_index": …, "_source": {…}}`; see `hits`."""


class _Filling:
    """One job's parameters, being filled."""

    def __init__(
        self,
        interface: Interface,
        request: Request,
        hit: Hit | Sequence[Hit] | None,
        job_types: Collection[str],
    ) -> None:
        self.interface = interface
        self.request = request
        self.hit = hit
        self.job_types = job_types
        self.complaints: list[Complaint] = []

    def values(self) -> dict[str, Any]:
        """The value of each parameter as the job gets it; those with a complaint are left out."""
        found: dict[str, Any] = {}
        for param in self.interface.params:
            try:
                found[param.name] = self._value(param)
            except ValueError as error:
                self.complaints.append(Complaint(json_text.below("$.params", param.name), str(error)))
        return found

    def _value(self, param: Parameter) -> Any:
        value = self._raw(param)
        if value is None or not param.conversion:
            return value
        try:
            convert = conversions.parsed(param.conversion)
        except ValueError:
            return value  # `objections` says so
        return convert.apply(value)

    def _raw(self, param: Parameter) -> Any:
        """What its source gives; None where an optional one is not given."""
        if param.source is Source.VALUE:
            return param.value
        given = self.request.params.get(param.name)
        if given is None and param.source is Source.PASSTHROUGH:
            given = self._passed_through(param.name)
        if given is None and param.source is Source.HIT and self.hit is not None:
            given = self._of_hit(param)
        if given is None:
            given = param.default
        is_blank = given is None or (given == "" and param.type not in ("", "text", "textarea"))
        if not is_blank:
            is_asked = param.source is Source.SUBMITTER or param.name in self.request.params
            return parameter_types.checked(param, given, self.job_types) if is_asked else given
        if param.optional:
            return None
        raise ValueError(self._missing(param))

    def _of_hit(self, param: Parameter) -> Any:
        hits = self.hit
        if isinstance(hits, Mapping):
            return self._of_one(param, hits)
        return [self._of_one(param, hit) for hit in hits or ()]

    def _of_one(self, param: Parameter, hit: Hit) -> Any:
        try:
            return at(hit, param.path)
        except Absent as error:
            if param.optional or param.default is not None:
                return param.default
            raise ValueError(f"job {hit.get('_id')} has no {error}, which the value is taken from") from error

    def _passed_through(self, name: str) -> Any:
        request = self.request
        fields = {
            "query": request.query,
            "name": request.name,
            "username": request.username,
            "priority": request.priority,
            "queue": request.queue or self.interface.job.queue or None,
            "tag": request.tag,
            "type": self.interface.job_type,
            "job_type": self.interface.job_type,
        }
        return fields.get(name)

    def _missing(self, param: Parameter) -> str:
        if param.source is Source.HIT:
            return f"is taken from a hit ({param.path or 'the whole'}): search with --over, or give it"
        if param.source is Source.PASSTHROUGH:
            if param.name not in PASSED_ON:
                asked = f"give --param {param.name}=…"
                return f"is passed through from the submission, which has no field of this name: {asked}"
            return f"is passed through from the submission, which has no {param.name}: give {PASSED_ON[param.name]}"
        asked = f" ({param.label})" if param.label else ""
        return f"is required: the submitter gives it{asked}"


def fill(
    interface: Interface, request: Request, hit: Hit | Sequence[Hit] | None, job_types: Collection[str]
) -> dict[str, Any]:
    """The document of the job's spec. `hit`: what the job is about, one or several; None: there is none.
    `job_types`: the names of all types.

    Raises: InvalidSpec with every complaint.
    """
    filling = _Filling(interface, request, hit, job_types)
    values = filling.values()
    complaints = [
        *objections(interface),
        *_of_names(interface, request, hit),
        *_of_account(interface, request),
        *_of_queue(interface, request),
        *filling.complaints,
    ]
    if complaints:
        raise InvalidSpec(tuple(complaints))
    return _document(interface, request, values)


def without_interface(name: str, request: Request) -> dict[str, Any]:
    """The document of a spec of a type that no interface describes: the parameters are its payload."""
    given = {
        "job_queue": request.queue,
        "job_name": request.name,
        "priority": request.priority,
        "tag": request.tag,
        "username": request.username,
        "soft_time_limit": request.soft_time_limit,
        "time_limit": request.time_limit,
        "enable_dedup": False if request.repeat else None,
    }
    return {
        "job_type": name,
        "payload": dict(request.params),
        **{key: value for key, value in given.items() if value is not None},
    }


# ---- what was given ------------------------------------------------------------------------------------------------


def _of_names(interface: Interface, request: Request, hit: object) -> Iterator[Complaint]:
    known = [param.name for param in interface.params if param.source is not Source.VALUE]
    for name in request.params:
        param, path = interface.param(name), json_text.below("$.params", name)
        if param is None:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
            yield Complaint(path, f"{interface.job_type} has no such parameter; {hint}")
        elif param.source is Source.VALUE:
            yield Complaint(path, f"can't be given: the interface says {json_text.shown(param.value)}")
        elif param.source is Source.HIT and hit is not None:
            yield Complaint(path, f"can't be given: it is taken from each hit ({param.path or 'the whole'})")


def _of_account(interface: Interface, request: Request) -> Iterator[Complaint]:
    if not interface.takes_account(request.username):
        who = f"{request.username} is none of them" if request.username else "give --user"
        allowed = ", ".join(interface.allowed_accounts)
        yield Complaint("$.username", f"{interface.job_type} is for the accounts {allowed}; {who}")


def _of_queue(interface: Interface, request: Request) -> Iterator[Complaint]:
    if request.queue and not interface.job.takes(request.queue):
        required = ", ".join(interface.job.required_queues)
        yield Complaint(
            "$.job_queue", f"{interface.job_type} runs in {required} only, not in {request.queue}"
        )


# ---- the spec ------------------------------------------------------------------------------------------------------


def _document(interface: Interface, request: Request, values: Mapping[str, Any]) -> dict[str, Any]:
    job, type_ = interface.job, interface.job_type
    plain = without_interface(f"{NAMESPACE}{type_}", request)
    given = {
        "job_queue": request.queue or job.queue or type_,
        "job_name": request.name or type_.replace(":", "__"),
        **_limits(interface, request),
        "resources": None if job.disk_bytes is None else {"disk": job.disk_bytes},
        "payload_hash": _dedup_hash(interface, values),
    }
    return {
        **plain,
        "payload": _payload(interface, values),
        "enable_dedup": interface.enable_dedup and not request.repeat,
        **{key: value for key, value in given.items() if value is not None},
    }


def _limits(interface: Interface, request: Request) -> dict[str, Any]:
    """The submitter's limits, else those of the file; one that is given alone does not meet the other of the file."""
    if request.soft_time_limit is not None or request.time_limit is not None:
        return {"soft_time_limit": request.soft_time_limit, "time_limit": request.time_limit}
    return {"soft_time_limit": interface.job.soft_time_limit_s, "time_limit": interface.job.time_limit_s}


def _payload(interface: Interface, values: Mapping[str, Any]) -> dict[str, Any]:
    by_place: dict[Destination, dict[str, Any]] = {place: {} for place in Destination}
    for param in interface.params:
        by_place[param.destination][param.name] = values[param.name]
    words = [shlex.quote(_argument(value)) for value in by_place[Destination.POSITIONAL].values()]
    return {**by_place[Destination.CONTEXT], "_command": " ".join([interface.job.command, *words])}


def _argument(value: Any) -> str:
    """A value on a command line: texts as they are, none as an empty argument that keeps the place, others as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _dedup_hash(interface: Interface, values: Mapping[str, Any]) -> str | None:
    """What tells the type's jobs apart, where the interface names what does. None: everything does."""
    if not interface.dedup_keys:
        return None
    parts = [interface.job_type, interface.image, {key: values[key] for key in interface.dedup_keys}]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode(errors="surrogatepass")).hexdigest()
