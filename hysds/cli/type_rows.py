"""Job types in words: a line each for the list, all that is known of one for whoever asks."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hysds.cli import words
from hysds.cli.tables import Table
from hysds.core import policies
from hysds.core.job_types import catalog, type_example
from hysds.core.job_types.catalog import Creator, Dedup, Image, JobType, Limits
from hysds.core.job_types.interfaces import Parameter
from hysds.core.policies import Policies, QueuePolicy, Share
from hysds.lib import units
from hysds.settings import policies as policy_words

_COLUMNS = ("type", "can be submitted", "queues", "runs", "creators", "at once")
_IMPORTANCE = ("type", "can be submitted", "queues", "runs", "at once", "creators")


def table(types: Iterable[JobType]) -> Table:
    """A list of types."""
    return Table(_COLUMNS, [_row(one) for one in types], _IMPORTANCE)


def as_document(job_type: JobType, known: Policies) -> dict[str, Any]:
    """All that is known of a type, as JSON holds it."""
    return catalog.document(job_type) | {
        "can_be_submitted": not job_type.refusals,
        "parameters": list(type_example.names(job_type)),
        "example": type_example.spec(job_type),
        "example_command": type_example.command(job_type) or None,
        "policies": dict(_policies(job_type, known)),
    }


def details(job_type: JobType, known: Policies) -> list[tuple[str, str]]:
    """Name and value of all that a type says; what it does not say is left out."""
    pairs: list[tuple[str, str]] = [
        ("type", job_type.name),
        *(("refused", reason) for reason in job_type.refusals),
        ("runs", _runs(job_type)),
        ("variables", _env(job_type)),
        *(("parameter", text) for text in _parameters(job_type)),
        *(("creator", _creator(one)) for one in job_type.creators),
        ("queues", ", ".join(job_type.queues)),
        ("limits", ", ".join(_limits(job_type.limits))),
        ("at most", ", ".join(_ceilings(job_type.limits))),
        ("needs", _needs(job_type)),
        ("retry", _retry(job_type)),
        ("duplicates", _dedup(job_type.dedup)),
        ("at once", _bounds(Share(job_type.places, job_type.rate_per_s, job_type.burst))),
        ("image", _image(job_type.image)),
        *(("image beside", _image(one)) for one in job_type.dependency_images),
        *(("policy", f"{json.dumps(said)} ({source})") for source, said in _policies(job_type, known)),
        *(("defined by", source) for source in job_type.sources),
    ]
    return [(name, words.clean(value)) for name, value in pairs if value]


def example(job_type: JobType) -> str:
    """What to write to submit the first one."""
    document = type_example.spec(job_type)
    return words.clean(type_example.command(job_type)) if document is None else json.dumps(document, indent=2)


def _row(job_type: JobType) -> tuple[str, ...]:
    bounds = Share(job_type.places, job_type.rate_per_s, job_type.burst)
    cells = (
        job_type.name,
        "no" if job_type.refusals else "yes",
        ", ".join(job_type.all_queues),
        _runs(job_type),
        ", ".join(one.function for one in job_type.creators),
        _bounds(bounds),
    )
    return tuple(words.clean(cell) for cell in cells)


def _runs(job_type: JobType) -> str:
    command = job_type.command
    if command is not None:
        # Parameters stand there as $name, without the quotes that they would have as literal text.
        return " ".join([shlex.join([command.path, *command.options]), *map(_argument, command.arguments)])
    return job_type.interface.job.command if job_type.interface is not None else ""


def _argument(argument: str) -> str:
    return argument if argument.startswith("$") and argument[1:].isidentifier() else shlex.quote(argument)


def _env(job_type: JobType) -> str:
    return ", ".join(job_type.command.env) if job_type.command is not None else ""


def _parameters(job_type: JobType) -> Iterator[str]:
    if job_type.interface is None:
        yield from type_example.names(job_type)
    else:
        yield from (_parameter(one) for one in job_type.interface.params)


def _parameter(param: Parameter) -> str:
    parts = [
        param.type,
        f"from {param.source.value}{':' + param.path if param.path else ''}",
        "optional" if param.optional else "",
        f"default {json.dumps(param.default)}" if param.default is not None else "",
        f"one of {', '.join(map(str, param.enumerables))}" if param.enumerables else "",
        f"to {param.destination.value}",
    ]
    return f"{param.name} ({', '.join(part for part in parts if part)})"


def _creator(creator: Creator) -> str:
    queues = f" into {', '.join(creator.job_queues)}" if creator.job_queues else ""
    limits = ", ".join(_limits(Limits(creator.soft_time_limit, creator.time_limit)))
    return f"{creator.job_name}: {creator.function}{queues}{f' ({limits})' if limits else ''}"


def _limits(limits: Limits) -> Iterator[str]:
    if limits.soft_time_limit is not None:
        yield f"soft_time_limit {units.format_duration(limits.soft_time_limit)}"
    if limits.time_limit is not None:
        yield f"time_limit {units.format_duration(limits.time_limit)}"
    if limits.priority is not None:
        yield f"priority {limits.priority}"


def _ceilings(limits: Limits) -> Iterator[str]:
    if limits.longest is not None:
        yield f"time_limit {units.format_duration(limits.longest)}"
    if limits.highest_priority is not None:
        yield f"priority {limits.highest_priority}"
    yield from (_amount(name, value) for name, value in limits.most.items())


def _needs(job_type: JobType) -> str:
    document = catalog.document(job_type).get("resources", {})
    return ", ".join(_amount(name, value) for name, value in document.items())


def _amount(name: str, value: float) -> str:
    return f"{name} {units.format_size(int(value)) if name in ('memory', 'disk') else f'{value:g}'}"


def _retry(job_type: JobType) -> str:
    document = catalog.document(job_type).get("retry")
    return json.dumps(document) if document else ""


def _dedup(dedup: Dedup) -> str:
    if not dedup.enabled:
        return "never"
    window = "for ever" if dedup.forever else ""
    if dedup.window_s is not None:
        window = f"for {units.format_duration(dedup.window_s)}"
    parts = [
        f"of {', '.join(dedup.states) or 'none'}" if dedup.states is not None else "",
        window,
        f"without {', '.join(dedup.ignored)}" if dedup.ignored else "",
    ]
    return " ".join(part for part in parts if part)


def _bounds(share: Share) -> str:
    parts = [
        f"{share.max_running} running" if share.max_running else "",
        f"{units.format_rate(share.rate_per_s)} (burst {share.burst})" if share.rate_per_s else "",
    ]
    return ", ".join(part for part in parts if part)


def _image(image: Image | None) -> str:
    return "" if image is None else " from ".join(part for part in (image.name, image.url) if part)


def _policies(job_type: JobType, known: Policies) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The policies of this process's settings for the type and its queues."""
    found: list[QueuePolicy | Share | None] = [policies.of_name(known.types, job_type.name)]
    found += (policies.of_queue(known.queues, queue) for queue in job_type.all_queues)
    for policy in found:
        if policy is not None:
            yield policy.source, policy_words.plain(policy)
