"""The errors that HySDS raises: one root, one class for each decision that someone can take.

    HysdsError
    ├── InvalidSpec        the spec is wrong: mend it, all complaints are listed
    ├── InvalidSettings    a setting is wrong: mend its source
    ├── Refused            the system will not take this request as it stands
    │   ├── Conflict       another job has this id, or the state does not allow the step
    │   ├── TooOld         the id's time lies before what the ledger still remembers
    │   ├── Full           a bound of the system is reached: wait, or raise it
    │   └── CreatorFailed  a job creator gave no jobs: mend it, or the job type that names it
    ├── NotFound           nobody knows a job of this id, or a worker of this name
    ├── Unreachable        a part of the system does not answer: look after that part
    │   └── NotInitialised the store lacks an index: make it (the indexer does, or `hysds index init`)
    ├── TaskFailed         a task ended without a result: its error says why
    └── Internal           HySDS broke a rule of its own: report it

Every error carries a stable `code` for machines. Its positional arguments equal `args`, so it survives pickling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with a document, and where.

    `path` is a JSON path such as `$.resources.memory`; `$` is the document itself.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class HysdsError(Exception):
    """The root of the tree; catch it at a door, never deeper."""

    code: ClassVar[str] = "error"


class InvalidSpec(HysdsError):
    """A job spec that can't be accepted, with every complaint at once."""

    code = "invalid-spec"

    def __init__(self, complaints: tuple[Complaint, ...]) -> None:
        super().__init__(complaints)
        self.complaints = complaints

    def __str__(self) -> str:
        return "; ".join(str(complaint) for complaint in self.complaints)


class InvalidSettings(HysdsError):
    """A setting that can't be used. `source` names where it was read (a file, a variable, an argument)."""

    code = "invalid-settings"

    def __init__(self, source: str, message: str) -> None:
        super().__init__(source, message)
        self.source = source

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.args[1]}"


class Refused(HysdsError):
    """The system will not take this request as it stands; the message says what to change."""

    code = "refused"


class Conflict(Refused):
    """Another job has this id, or the job's state does not allow the step."""

    code = "conflict"


class TooOld(Refused):
    """The id's time lies before the shortest retention: the ledger can't tell a repeat from a new job."""

    code = "too-old"


class Full(Refused):
    """A bound of the system is reached."""

    code = "full"


class CreatorFailed(Refused):
    """A job creator gave no jobs that can be submitted, and nothing was. `details`: the last lines of its traceback,
    or what is wrong with its jobs, one a line.
    """

    code = "creator-failed"

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message, details)
        self.details = details

    def __str__(self) -> str:
        return "\n  ".join((self.args[0], *self.details))


class NotFound(HysdsError):
    """No job of this id, or no worker of this name, is known."""

    code = "not-found"


class Unreachable(HysdsError):
    """A part of the system does not answer. `part` names it (ledger, broker, store, …)."""

    code = "unreachable"

    def __init__(self, part: str, message: str) -> None:
        super().__init__(part, message)
        self.part = part

    def __str__(self) -> str:
        return f"the {self.args[0]} can't be reached: {self.args[1]}"


class NotInitialised(Unreachable):
    """The store answers, and has no index for some of what was to be written; it may have written the rest."""

    code = "not-initialised"

    def __str__(self) -> str:
        return f"the {self.args[0]} is not initialised: {self.args[1]}"


class TaskFailed(HysdsError):
    """A task ended without a result: it failed, or was cancelled."""

    code = "task-failed"

    def __init__(self, job_id: str, failure_class: str, message: str) -> None:
        super().__init__(job_id, failure_class, message)
        self.job_id = job_id
        self.failure_class = failure_class

    def __str__(self) -> str:
        return f"task {self.args[0]} has no result ({self.args[1]}): {self.args[2]}"


class Internal(HysdsError):
    """HySDS broke a rule of its own."""

    code = "internal"
