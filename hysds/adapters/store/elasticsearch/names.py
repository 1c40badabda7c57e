"""What indices, aliases and templates are called. HySDS's names, behind the system's prefix.

Of jobs: the index `job_status-000001` of generation 1, which is written by `job_status-000001-write`, read with all
others of its kind by `job_status-current`; what failed by `job_failed`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hysds.core.generations import FIRST
from hysds.ports.indices import ROLLED, Resource

_MOST_ID_BYTES = 512
_INDEX = re.compile(
    r"(?P<kind>job_status|task_status|event_status|worker_status|dead_letter)-(?P<number>[0-9]{6,18})"
)

_KINDS = {
    Resource.JOB: "job_status",
    Resource.TASK: "task_status",
    Resource.EVENT: "event_status",
    Resource.WORKER: "worker_status",
    Resource.DEAD_LETTER: "dead_letter",
}
_RESOURCES = {kind: resource for resource, kind in _KINDS.items()}

JOBS = (Resource.JOB, Resource.TASK)
"""The resources that a `JobQuery` looks at."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one system. `prefix` may be ""."""

    prefix: str = ""

    def index(self, resource: Resource, generation: int) -> str:
        """Where documents of a generation lie."""
        return f"{self.prefix}{_KINDS[resource]}-{generation if resource in ROLLED else FIRST:06}"

    def writing(self, resource: Resource, generation: int) -> str:
        """The alias of that one index: a write by it never makes an index by accident."""
        return f"{self.index(resource, generation)}-write"

    def reading(self, resource: Resource) -> str:
        """The alias over all generations."""
        return f"{self.prefix}{_KINDS[resource]}-current"

    def readings(self, *resources: Resource) -> str:
        """The aliases over all generations of several resources, as a URL has them."""
        return ",".join(self.reading(resource) for resource in resources)

    def pattern(self, resource: Resource) -> str:
        """What the template of a resource is for; `of_index` tells which of the names it fits are ours."""
        return f"{self.prefix}{_KINDS[resource]}-*"

    def patterns(self, *resources: Resource) -> str:
        """The patterns of several resources, as a URL has them."""
        return ",".join(self.pattern(resource) for resource in resources)

    def template(self, resource: Resource) -> str:
        """What new indices of a resource are made after."""
        return f"{self.prefix}hysds-{_KINDS[resource]}"

    @property
    def failed(self) -> str:
        """HySDS's alias of failed jobs."""
        return f"{self.prefix}job_failed"

    def of_index(self, name: str) -> tuple[Resource, int] | None:
        """What an index is for; None for one that is not this system's."""
        found = _INDEX.fullmatch(name.removeprefix(self.prefix)) if name.startswith(self.prefix) else None
        return (_RESOURCES[found["kind"]], int(found["number"])) if found else None

    def is_ours(self, name: str, aliases: Collection[str]) -> bool:
        """Whether an index is this system's: others too call theirs `job_status-20260831`, and our template gives
        them the aliases of readers."""
        return self.of_index(name) is not None and f"{name}-write" in aliases


def key(id: str) -> str:
    """The `_id` of a document: its id, or a digest of one that is too long to be one."""
    if len(id) * 4 <= _MOST_ID_BYTES or len(id.encode()) <= _MOST_ID_BYTES:
        return id
    return f"sha256:{hashlib.sha256(id.encode()).hexdigest()}"


def resource_of(document: Mapping[str, Any]) -> Resource:
    """Which indices a document of a job belongs to."""
    return Resource.TASK if document.get("resource") == Resource.TASK.value else Resource.JOB


def generation_of(document: Mapping[str, Any]) -> int:
    """The generation that a document was born in; the first where it names none."""
    generation = document.get("generation")
    return generation if type(generation) is int and 0 <= generation < 10**18 else FIRST
