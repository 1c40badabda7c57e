"""What a user asks for: the job spec, HySDS's fields and ours, as a frozen value.

Each field's metadata says two things of it: `work`, whether it changes what the job does (and so belongs to its dedup
digest), and `unit`, in which units a user may write it (`size`, `duration`, `time`, `end`: a time or a duration).
`parse.py` makes specs from JSON; `stored` and `from_stored` are the form that the ledger keeps.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Collection
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Le, Len

from hysds.core import budgets, cause
from hysds.core.budgets import MAX_MEMORY, STRICT, TEN_YEARS_S, Budget, OomLadder, Retry
from hysds.core.cause import Cause
from hysds.core.shapes import Shape, shape_of

MAX_NAME = 255
MAX_AFTER = 100
MAX_PRIORITY = 10
TASK = "task"
"""The kind of a Python call on a task worker."""

_QUOTES = frozenset("'\"\\")
_BLANKS = re.compile(r"[ \t\r\n]+")
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _work(**extra: Any) -> dict[str, Any]:
    return {"work": True, **extra}


def _manner(**extra: Any) -> dict[str, Any]:
    return {"work": False, **extra}


Seconds = Annotated[float, Gt(0), Le(TEN_YEARS_S)]
Name = Annotated[str, Len(1, MAX_NAME)]


@dataclass(frozen=True, slots=True)
class Resources:
    """What the job needs of its host. None: no need beyond a slot."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    slots: Annotated[int, Ge(1), Le(1024)] = 1
    cpus: Annotated[float, Gt(0), Le(4096)] | None = None
    memory: Annotated[int, Gt(0), Le(MAX_MEMORY)] | None = field(default=None, metadata={"unit": "size"})
    """Bytes that the whole process tree may hold; above them the job ends as `oom`."""
    disk: Annotated[int, Ge(0), Le(1 << 60)] | None = field(default=None, metadata={"unit": "size"})
    """Free bytes that the host's work directory must have at the claim."""


@dataclass(frozen=True, slots=True)
class Tick:
    """The schedule that a job comes from, and for which of its times (seconds since 1970)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    schedule: Name
    time: float


@dataclass(frozen=True, slots=True)
class After:
    """Jobs that must end before this one may start."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    jobs: Annotated[tuple[str, ...], Len(1, MAX_AFTER)]
    """Their ids; a group's stands for all of its members."""
    on: Literal["completed", "finished"] = "completed"
    """How each must end: completed, else this job is revoked; or anyhow."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job as a user asked for it. Durations are seconds, sizes bytes, times seconds since 1970 (UTC)."""

    __pydantic_config__: ClassVar[dict[str, Any]] = STRICT

    job_type: Name = field(metadata=_work())
    """Such as `job:word-count`; the part before the first colon is a namespace."""
    payload: dict[str, Any] = field(metadata=_work())
    """The job's parameters, written to `_context.json`; `_command` is what runs. A task's are
    `function`, `args` and `kwargs`."""
    kind: Literal["", "task"] = field(default="", metadata=_manner())
    """What runs it: "" a command, `task` a Python call on a task worker."""
    job_name: Name | None = field(default=None, metadata=_manner())
    job_queue: Annotated[str, Len(1, 128)] | None = field(default=None, metadata=_manner())
    priority: Annotated[int, Ge(0), Le(MAX_PRIORITY)] | None = field(default=None, metadata=_manner())
    """10 is the most urgent. None: that of the job's type, else 0."""
    tag: Name | None = field(default=None, metadata=_manner())
    username: Name | None = field(default=None, metadata=_manner())
    enable_dedup: bool = field(default=True, metadata=_manner())
    payload_hash: Annotated[str, Len(1, 64)] | None = field(default=None, metadata=_manner())
    """Takes the place of the dedup digest."""
    concurrency_key: Name | None = field(default=None, metadata=_manner())
    """Jobs of one key run at most so many at once as the settings' policy for it says."""
    context: dict[str, Any] = field(default_factory=dict, metadata=_work())
    soft_time_limit: Seconds | None = field(default=None, metadata=_manner(unit="duration"))
    """After it the job is asked to end (SIGTERM)."""
    time_limit: Seconds | None = field(default=None, metadata=_manner(unit="duration"))
    """After it the job is ended (SIGKILL)."""
    env: dict[str, str] = field(default_factory=dict, metadata=_work())
    resources: Resources = field(default_factory=Resources, metadata=_manner())
    retry: Retry = field(default_factory=Retry, metadata=_manner())
    not_before: Annotated[float, Ge(0), Le(1e11)] | None = field(default=None, metadata=_manner(unit="time"))
    ttl: Seconds | None = field(default=None, metadata=_manner(unit="duration"))
    """How long the job may stand unclaimed before it fails as `timeout`."""
    deadline: Annotated[float, Gt(0), Le(1e11)] | None = field(default=None, metadata=_manner(unit="end"))
    """When the job ends as `timeout` whatever it does: up to TEN_YEARS_S seconds from its acceptance, above that a time
    (seconds since 1970)."""

    after: After | None = field(default=None, metadata=_manner())
    array: Annotated[str, Len(1, 10_000)] | None = field(default=None, metadata=_work())
    """The indices of its members (`core.arrays`), where it is a whole array."""
    array_index: Annotated[int, Ge(0), Le(10**9)] | None = field(default=None, metadata=_work())
    """The index of an array's member; or that of a job which is to run as such a member would."""

    @property
    def name(self) -> str:
        """The job's name: its own, or made from its type."""
        return self.job_name or self.job_type.replace(":", "__")

    @property
    def bare_type(self) -> str:
        """The type without its namespace: the queue where no other is named."""
        return bare(self.job_type)

    tick: Tick | None = field(default=None, metadata=_work())
    """Set by schedules alone: two ticks never do the same work."""
    cause: Cause | None = field(default=None, metadata=_manner())
    """Set by rules alone: what the job comes of."""

    @property
    def deadline_for_s(self) -> float:
        """How long after its acceptance the job must have ended; 0 where nothing, or a time, says so."""
        return self.deadline if self.deadline is not None and self.deadline <= TEN_YEARS_S else 0

    @property
    def deadline_at_s(self) -> float:
        """The time (seconds since 1970) at which the job must have ended; 0 where nothing, or a duration, says so."""
        return self.deadline if self.deadline is not None and self.deadline > TEN_YEARS_S else 0

    @property
    def argv(self) -> tuple[str, ...]:
        """The command's arguments."""
        return tuple(split(self.payload["_command"]))

    @property
    def shape(self) -> Shape:
        """The resources, quantised."""
        return self.shape_with(self.resources.memory)

    def shape_with(self, memory_bytes: int | None) -> Shape:
        """The resources with another memory, quantised."""
        if self.kind == TASK:
            return Shape(is_task=True)
        needs = self.resources
        return shape_of(needs.slots, needs.cpus, memory_bytes, needs.disk)


def bare(job_type: str) -> str:
    """The type without its namespace, the part before the first colon."""
    _, colon, rest = job_type.partition(":")
    return rest if colon and rest else job_type


def split(command: str) -> list[str]:
    """The arguments of a command line, as a POSIX shell would split it.

    Raises: ValueError for a quotation without an end.
    """
    if _QUOTES.isdisjoint(command):
        return [word for word in _BLANKS.split(command) if word]  # what shlex answers, ten times faster
    return shlex.split(command)


def stored(spec: JobSpec) -> str:
    """The spec as compact JSON, equal for equal specs; fields at their default are left out."""
    return _JSON.encode(_plain(spec))


def from_stored(text: str) -> JobSpec:
    """The spec that `stored` wrote; it is trusted, not checked again."""
    document = json.loads(text)
    if "resources" in document:
        document["resources"] = Resources(**document["resources"])
    if "after" in document:
        said = document["after"]
        document["after"] = After(tuple(said["jobs"]), said.get("on", "completed"))
    if "tick" in document:
        document["tick"] = Tick(**document["tick"])
    if "cause" in document:
        document["cause"] = cause.from_stored(document["cause"])
    if "retry" in document:
        document["retry"] = budgets.from_stored(document["retry"])
    return JobSpec(**document)


def identity(stored_spec: str) -> str:
    """Tells a spec, as it is stored, from another under the same id: 32 hexadecimal digits."""
    return hashlib.sha256(stored_spec.encode()).hexdigest()[:32]


def dedup_digest(spec: JobSpec, ignored: Collection[str] = (), template: str = "") -> str:
    """Equal for jobs that do the same work: sha256 over the fields marked `work`, or the caller's `payload_hash`.

    `ignored`: further keys of the payload that do not count. `template`: what counts in place of `_command`.
    """
    if spec.payload_hash is not None:
        return spec.payload_hash
    work = {name: _plain(getattr(spec, name)) for name in _WORK}
    work["payload"] = {
        key: value for key, value in spec.payload.items() if not _is_bookkeeping(key) and key not in ignored
    }
    if template:
        work["payload"]["_command"] = template
    return hashlib.sha256(_JSON.encode(work).encode()).hexdigest()


def _is_bookkeeping(key: str) -> bool:
    """Payload keys that say how a job is run or who asked, not what it does."""
    return key == "_disk_usage" or key.startswith("_sciflo_")


def _plain(value: Any) -> Any:
    """What JSON holds of a value; fields at their default are left out."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()} if value else value
    if not isinstance(value, _KINDS):
        return value
    shown = {}
    for name, key, default in _DEFAULTS[type(value)]:
        part = getattr(value, name)
        if part is default:
            continue
        part = _plain(part)
        if part != default or type(part) is not type(default):
            shown[key] = part
    return shown


def _default(item: Field[Any]) -> Any:
    return item.default if item.default_factory is MISSING else _plain(item.default_factory())


_WORK = tuple(item.name for item in fields(JobSpec) if item.metadata["work"] and item.name != "payload")
_KINDS = (Budget, OomLadder, Retry, Resources, Tick, Cause, After, JobSpec)
_DEFAULTS: dict[type, tuple[tuple[str, str, Any], ...]] = {}
"""Each field with its key in JSON and its default as JSON holds it; MISSING where it has none."""
for _kind in _KINDS:  # a default of the last is written with those of the others
    _DEFAULTS[_kind] = tuple(
        (item.name, item.metadata.get("key", item.name), _default(item)) for item in fields(_kind)
    )
