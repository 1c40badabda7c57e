"""What a pair of files says that teams already have: `job-spec.json.NAME` (how the job runs) with `hysds-io.json.NAME`
(where its parameters come from), as HySDS's container builder registers it: job type `job-NAME:VERSION`, interface
`hysds-io-NAME:VERSION`.

Values alone, and their JSON. `interface_files` reads the files, `objections` says what can't be honoured, `filling`
makes a job spec of an interface and of what a submission gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from hysds.core.errors import Complaint
from hysds.core.lean import lean


class Destination(StrEnum):
    """Where the value of a parameter goes."""

    POSITIONAL = "positional"
    """Appended to the command, in the order of the job-spec."""
    CONTEXT = "context"
    """Into `_context.json`."""
    LOCALIZE = "localize"
    """A URL, or several, fetched before the start."""


class Source(StrEnum):
    """Who gives the value of a parameter."""

    VALUE = "value"
    """The interface itself."""
    SUBMITTER = "submitter"
    PASSTHROUGH = "passthrough"
    """The submission: a field of it has the parameter's name."""
    HIT = "dataset_jpath"
    """A path in the hit that the job is about."""


class Submitting(StrEnum):
    """How many jobs a submission over several hits makes."""

    ITERATION = "iteration"
    """One a hit."""
    INDIVIDUAL = "individual"
    """One for all of them; a path gives the list of their values."""


class Component(StrEnum):
    """What the hits are."""

    JOBS = "figaro"
    DATASETS = "tosca"


class Action(StrEnum):
    """Who starts it: a person, a rule, or both."""

    ON_DEMAND = "on-demand"
    TRIGGER = "trigger"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a job type: where its value comes from, what it may be, and where it goes."""

    name: str
    destination: Destination
    source: Source = Source.SUBMITTER
    path: str = ""
    """Of `Source.HIT`: such as `_source.job.params.x`, or `_id`."""
    value: Any = None
    """Of `Source.VALUE`."""
    type: str = ""
    """As the file has it: text, number, enum, …; "" where it says none, and any JSON value will do."""
    default: Any = None
    """Taken where the submitter gives none; None: there is none."""
    optional: bool = False
    enumerables: tuple[Any, ...] = ()
    version_regex: str = ""
    """Of `jobspec_version`: which job types' versions it may be."""
    conversion: str = ""
    """The `lambda` as the file has it; `conversions` parses it, and nothing evaluates it. "": none."""
    label: str = ""
    """The placeholder: what people are asked for."""


@dataclass(frozen=True, slots=True)
class JobFile:
    """What a job-spec says of running the job. What is None or empty it does not say."""

    command: str
    """As a command line; positional parameters are appended."""
    recommended_queues: tuple[str, ...] = ()
    required_queues: tuple[str, ...] = ()
    """No other queue is taken."""
    soft_time_limit_s: float | None = None
    time_limit_s: float | None = None
    disk_bytes: int | None = None
    imported_worker_files: Mapping[str, Any] = field(default_factory=dict)
    dependency_images: tuple[Mapping[str, Any], ...] = ()
    pre: tuple[str, ...] = ()
    post: tuple[str, ...] = ()
    disable_pre_builtins: bool = False
    disable_post_builtins: bool = False

    @property
    def queue(self) -> str:
        """The queue of a submission that names none; "": the files name none either."""
        recommended = [queue for queue in self.recommended_queues if self.takes(queue)]
        return (*recommended, *self.required_queues, "")[0]

    def takes(self, queue: str) -> bool:
        """Whether the job may be sent to this queue."""
        return not self.required_queues or queue in self.required_queues


@dataclass(frozen=True, slots=True)
class Interface:
    """A job type as its two files describe it."""

    name: str
    """`hysds-io-NAME:VERSION`."""
    job: JobFile
    params: tuple[Parameter, ...] = ()
    """In the order of the job-spec."""
    image: str = ""
    """The container image that it was registered with; "": its command runs on the worker itself."""
    label: str = ""
    component: Component | None = None
    submitting: Submitting = Submitting.ITERATION
    action: Action = Action.BOTH
    allowed_accounts: tuple[str, ...] = ()
    """Who may submit it; empty, or with `_all` in it: everybody."""
    enable_dedup: bool = True
    dedup_keys: tuple[str, ...] = ()
    """The parameters whose values alone tell its jobs apart; empty: everything does."""
    doubts: tuple[Complaint, ...] = ()
    """What the files say that can't be meant, such as a key twice with two values: no job of the type can be submitted
    until they are mended."""

    @property
    def job_type(self) -> str:
        """`job-NAME:VERSION`."""
        return f"job-{self.name.removeprefix('hysds-io-')}"

    @property
    def version(self) -> str:
        """What stands behind the name's colon."""
        return self.name.partition(":")[2]

    def takes_account(self, username: str | None) -> bool:
        """Whether this user may submit it; a name is what somebody said, and proves nothing."""
        return (
            not self.allowed_accounts or "_all" in self.allowed_accounts or username in self.allowed_accounts
        )

    def param(self, name: str) -> Parameter | None:
        """The parameter of this name."""
        return next((param for param in self.params if param.name == name), None)


def stored(interface: Interface) -> dict[str, Any]:
    """The interface as JSON holds it; what stands at its default is left out."""
    plain: dict[str, Any] = lean(interface)
    return plain


def from_stored(document: Mapping[str, Any]) -> Interface:
    """The value that `stored` wrote; it is trusted, not checked again.

    Raises: TypeError, ValueError for a document that `stored` did not write.
    """
    given = dict(document)
    component = given.get("component")
    return Interface(
        **{key: given[key] for key in ("name", "image", "label", "enable_dedup") if key in given},
        job=_job_file(given["job"]),
        params=tuple(_parameter(param) for param in given.get("params", ())),
        component=None if component is None else Component(component),
        submitting=Submitting(given.get("submitting", Submitting.ITERATION)),
        action=Action(given.get("action", Action.BOTH)),
        allowed_accounts=tuple(given.get("allowed_accounts", ())),
        dedup_keys=tuple(given.get("dedup_keys", ())),
        doubts=tuple(Complaint(**doubt) for doubt in given.get("doubts", ())),
    )


_LISTS = ("recommended_queues", "required_queues", "dependency_images", "pre", "post")


def _job_file(document: Mapping[str, Any]) -> JobFile:
    lists = {key: tuple(document[key]) for key in _LISTS if key in document}
    return JobFile(**{**document, **lists})


def _parameter(document: Mapping[str, Any]) -> Parameter:
    given = dict(document)
    given["destination"] = Destination(given["destination"])
    given["source"] = Source(given.get("source", Source.SUBMITTER))
    given["enumerables"] = tuple(given.get("enumerables", ()))
    return Parameter(**given)
