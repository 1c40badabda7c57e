"""What kinds of job a system knows: job types, their creators, commands and limits, as frozen values.

`catalog_files` makes them from HySDS's files, `interfaces` from those of a job repository; the set that is valid for
all submitters lies in the ledger, as the JSON that `stored` writes, and is named by its digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hysds.core import budgets
from hysds.core.budgets import Retry
from hysds.core.errors import Complaint, Internal, InvalidSpec
from hysds.core.job_types import interfaces
from hysds.core.job_types.interfaces import Interface
from hysds.core.lean import lean
from hysds.core.spec import Resources, bare

NOTHING_PUBLISHED = ""
"""The digest where no catalogue was published."""


@dataclass(frozen=True, slots=True)
class Creator:
    """Makes jobs of one request. Durations are seconds; None: what the spec says, else the type."""

    job_name: str
    function: str
    """Its dotted name."""
    job_queues: tuple[str, ...] = ()
    """One job each; none: the queue of the spec, else that of the type."""
    soft_time_limit: float | None = None
    time_limit: float | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """What a job of the type runs: program, options, arguments; a whole argument `$name` is the parameter `name`."""

    path: str
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables of the command; a spec's own come before them."""


@dataclass(frozen=True, slots=True)
class Image:
    """A container image and how it is run, as HySDS's files say it."""

    name: str
    url: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    """By architecture."""
    mappings: Mapping[str, Any] = field(default_factory=dict)
    runtime_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for a job whose spec and creator do not say, and what none may exceed. None: nothing of its own."""

    soft_time_limit: float | None = None
    time_limit: float | None = None
    longest: float | None = None
    """Seconds that neither limit of a job may exceed."""
    priority: int | None = None
    highest_priority: int | None = None
    most: Mapping[str, float] = field(default_factory=dict)
    """What no job may need more of: slots, cpus, memory and disk in bytes."""


@dataclass(frozen=True, slots=True)
class Dedup:
    """When another job stands for one of the type. None: what the settings say."""

    enabled: bool = True
    """False: never, as if each spec had `enable_dedup: false`."""
    states: tuple[str, ...] | None = None
    window_s: float | None = None
    forever: bool = False
    """A completed job stands for its duplicates always; `window_s` is None then."""
    ignored: tuple[str, ...] = ()
    """Keys of the payload that do not count."""


@dataclass(frozen=True, slots=True)
class JobType:
    """One kind of job. What is left at its default is decided by spec and settings."""

    name: str
    """As a spec names it: `job:word-count`, `job-word-count:v1`."""
    creators: tuple[Creator, ...] = ()
    """None: a spec is one job."""
    command: Command | None = None
    """None: each spec brings its own `_command`."""
    interface: Interface | None = None
    """What `hysds types add` read of it: its parameters, and who may submit it."""
    queues: tuple[str, ...] = ()
    """Where its jobs go when neither creator nor spec says; the first one counts, the others are offered."""
    limits: Limits = field(default_factory=Limits)
    resources: Resources = field(default_factory=Resources)
    """Fills what a spec's own does not say."""
    retry: Retry = field(default_factory=Retry)
    dedup: Dedup = field(default_factory=Dedup)
    places: int | None = None
    """How many of its jobs may run at once; None: any number."""
    rate_per_s: float | None = None
    """How many of its jobs may start in a second; None: any number."""
    burst: int = 1
    image: Image | None = None
    dependency_images: tuple[Image, ...] = ()
    refusals: tuple[str, ...] = ()
    """Why no job of the type can be submitted yet; each a sentence."""
    sources: tuple[str, ...] = ()
    """The places that define it: file and JSON path."""
    is_added: bool = False
    """It came by `hysds types add`, and stays when the files of `catalog.paths` are read again."""

    @property
    def all_queues(self) -> tuple[str, ...]:
        """Where its jobs may go by its own words: its queues, then those of its creators, each once."""
        return tuple(
            dict.fromkeys([*self.queues, *(queue for one in self.creators for queue in one.job_queues)])
        )


@dataclass(frozen=True)
class Catalog:
    """All job types by name. `digest` names what they say."""

    types: Mapping[str, JobType]
    digest: str
    _by_bare: Mapping[str, JobType] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_bare: dict[str, list[JobType]] = {}
        for name, one in self.types.items():
            if not one.is_added:  # what follows the colon of job-NAME:VERSION is no name
                by_bare.setdefault(bare(name), []).append(one)
        only = {name: found[0] for name, found in by_bare.items() if len(found) == 1}
        object.__setattr__(self, "_by_bare", only)

    def find(self, job_type: str) -> JobType | None:
        """The type that a spec names; None: no such type, so that the spec must say all itself.

        `job:x` is also the type `x`, as HySDS's job_worker.json names it, and a creator's `x` also the type `job:x`.
        """
        return self.types.get(job_type) or self.types.get(bare(job_type)) or self._by_bare.get(job_type)


def catalog(types: Iterable[JobType]) -> Catalog:
    """The catalogue of these types; of two of one name the later counts."""
    by_name = {one.name: one for one in types}
    ordered = {name: by_name[name] for name in sorted(by_name)}
    return Catalog(ordered, hashlib.sha256(_text(ordered.values()).encode()).hexdigest()[:32])


def with_added(known: Catalog, added: Iterable[JobType]) -> Catalog:
    """The catalogue with types that `hysds types add` brings, in place of those of the same name."""
    return catalog([*known.types.values(), *(replace(one, is_added=True) for one in added)])


def with_files(known: Catalog, of_files: Catalog) -> Catalog:
    """The catalogue with the types of files in place of those that files brought before; added types stay.

    Raises: InvalidSpec for each type that both files and `hysds types add` bring.
    """
    added = {name: one for name, one in known.types.items() if one.is_added}
    both = [
        Complaint(
            ", ".join(one.sources),
            f"{name} was also added by `hysds types add`, from {', '.join(added[name].sources)}",
        )
        for name, one in of_files.types.items()
        if name in added
    ]
    if both:
        raise InvalidSpec(tuple(both))
    return catalog([*added.values(), *of_files.types.values()])


def stored(known: Catalog) -> str:
    """The catalogue as compact JSON, equal for equal catalogues; what is at its default is left out."""
    return _text(known.types.values())


def from_stored(text: str) -> Catalog:
    """The catalogue that `stored` wrote; it is trusted, not checked again.

    Raises: Internal where it can't be read: another version of HySDS wrote it.
    """
    try:
        return catalog(_job_type(document) for document in json.loads(text))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise Internal(
            f"the published job types can't be read ({error}); was it another version of HySDS that published them? "
            "`hysds config reload` publishes those of this one"
        ) from error


def document(job_type: JobType) -> dict[str, Any]:
    """A type as JSON holds it; what is at its default is left out."""
    shown: dict[str, Any] = lean(replace(job_type, interface=None))
    return shown | ({"interface": interfaces.stored(job_type.interface)} if job_type.interface else {})


def _text(types: Iterable[JobType]) -> str:
    return json.dumps(
        [document(one) for one in types], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


def _job_type(given: dict[str, Any]) -> JobType:
    found = _tupled(given)
    for key, read in _READERS.items():
        if key in found:
            found[key] = read(found[key])
    return JobType(**found)


def _creators(given: Iterable[dict[str, Any]]) -> tuple[Creator, ...]:
    return tuple(Creator(**_tupled(one)) for one in given)


def _images(given: Iterable[dict[str, Any]]) -> tuple[Image, ...]:
    return tuple(Image(**one) for one in given)


def _tupled(given: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "creators": _creators,
    "command": lambda given: Command(**_tupled(given)),
    "interface": interfaces.from_stored,
    "limits": lambda given: Limits(**given),
    "resources": lambda given: Resources(**given),
    "retry": budgets.from_stored,
    "dedup": lambda given: Dedup(**_tupled(given)),
    "image": lambda given: Image(**given),
    "dependency_images": _images,
}


EMPTY = catalog(())
"""No type at all: what holds until a catalogue is published."""
