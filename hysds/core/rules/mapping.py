"""What a rule asks for when it fires: the document of a job spec, made of the rule, the job type and what happened.

A value of `params` is given as it is, but for three forms: `{"from": PATH}` is what stands at a path of the document
(`job.params.url`; `_source.` before it, and `_id`, are HySDS's spelling), with `"default"` where nothing does;
`{"value": …}` is what it holds, whatever form that has.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hysds.core.errors import Complaint, InvalidSpec
from hysds.core.job_types import filling, hits
from hysds.core.job_types.catalog import Catalog, JobType
from hysds.core.job_types.filling import Request
from hysds.core.job_types.hits import Absent
from hysds.core.job_types.interfaces import Component
from hysds.core.rules import actions
from hysds.core.rules.rule import Rule

_FORMS = ({"from"}, {"from", "default"}, {"value"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known when a rule fires."""

    known: Catalog
    task_queue: str
    """Where tasks of actions go when the rule does not say."""
    job_queues: Collection[str] = ()
    """Of workers that run jobs, and so take no such task."""


def described(rule: Rule, document: Mapping[str, Any], ground: Ground) -> dict[str, Any]:
    """The document of the spec that the rule asks for; of the action RETRY there is none.

    Raises: InvalidSpec with every complaint: a path where nothing stands, a type that is not there, params that its
    interface does not take.
    """
    params = _mapped(rule.params, document)
    action = actions.action_of(rule.then)
    if action:
        return _of_action(rule, action, params, document, ground.task_queue)
    job_type = ground.known.find(rule.then)
    request = _request(rule, params, document)
    if job_type is None:
        if "_command" not in params:
            raise InvalidSpec(
                (
                    Complaint(
                        "$.then", f"job type {rule.then} is not registered (any more), see `hysds types`"
                    ),
                )
            )
        return filling.without_interface(rule.then, request)
    if job_type.creators:
        return filling.without_interface(job_type.name, _for_creators(rule, request, document))
    return _of_type(job_type, request, document, ground.known.types.keys())


def check(rule: Rule, ground: Ground) -> None:
    """Whether the rule could ever fire, as far as its own words, the job types of now and the settings' queues tell.

    Raises: InvalidSpec
    """
    if actions.is_errand(rule.then) and rule.queue in ground.job_queues:
        why = (
            f"{rule.then} is a task, and {rule.queue} is a queue of job workers, which take none: leave it out for "
            f"{ground.task_queue}, or name another queue of task workers"
        )
        raise InvalidSpec((Complaint("$.queue", why),))
    if actions.action_of(rule.then) or "_command" in rule.params:
        return
    job_type = ground.known.find(rule.then)
    complaints: tuple[Complaint, ...] = ()
    if job_type is None:
        complaints = (Complaint("$.then", f"job type {rule.then} is not registered, see `hysds types`"),)
    elif job_type.refusals:
        complaints = tuple(Complaint("$.then", f"{job_type.name}: {why}") for why in job_type.refusals)
    elif job_type.interface is not None and not job_type.creators:
        known = {param.name for param in job_type.interface.params}
        complaints = tuple(
            Complaint(
                f"$.params.{name}",
                f"{job_type.name} has no such parameter; it has {', '.join(sorted(known))}",
            )
            for name in rule.params
            if name not in known
        )
    if complaints:
        raise InvalidSpec(complaints)


def _mapped(params: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """Raises: InvalidSpec for each path where nothing stands."""
    found: dict[str, Any] = {}
    complaints = []
    for name, value in params.items():
        try:
            found[name] = _value(value, document)
        except Absent as error:
            complaints.append(Complaint(f"$.params.{name}", _absent(document, error)))
    if complaints:
        raise InvalidSpec(tuple(complaints))
    return found


def _value(value: Any, document: Mapping[str, Any]) -> Any:
    """Raises: Absent"""
    if not isinstance(value, Mapping) or set(value) not in _FORMS:
        return value
    if "value" in value:
        return value["value"]
    path = str(value["from"])
    try:
        if path.split(".", maxsplit=1)[0] in ("_id", "_index", "_source"):
            return hits.at(hits.hit_of(document), path)
        return hits.at(document, path)
    except Absent:
        if "default" in value:
            return value["default"]
        raise


def _absent(document: Mapping[str, Any], error: Absent) -> str:
    return f"{document.get('resource', 'job')} {document.get('id')} has no {error}, which the value is taken from"


def _request(rule: Rule, params: Mapping[str, Any], document: Mapping[str, Any]) -> Request:
    try:
        name = None if rule.job_name is None else str(_value(rule.job_name, document))[:255]
    except Absent as error:
        raise InvalidSpec((Complaint("$.job_name", _absent(document, error)),)) from error
    return Request(
        params=params,
        queue=rule.queue or None,
        priority=rule.priority,
        tag=rule.name,
        username=rule.owner or None,
        name=name,
    )


def _of_type(
    job_type: JobType, request: Request, document: Mapping[str, Any], names: Collection[str]
) -> dict[str, Any]:
    if job_type.interface is None:
        return filling.without_interface(job_type.name, request)
    if job_type.interface.component is Component.DATASETS:
        raise InvalidSpec(
            (Complaint("$.then", f"{job_type.name} is about data sets (component tosca), not about jobs"),)
        )
    return filling.fill(job_type.interface, request, hits.hit_of(document), names)


def _for_creators(rule: Rule, request: Request, document: Mapping[str, Any]) -> Request:
    """What HySDS's rules hand to creators."""
    said = {
        "rule_name": rule.name,
        "username": rule.owner or None,
        "kwargs": json.dumps(dict(request.params)),
        "priority": rule.priority or 0,
    }
    payload = {
        **request.params,
        "rule": said,
        "rule_hit": hits.hit_of(document),
        "job_id": document["id"],
        "objectid": document["id"],
    }
    return Request(
        params=payload,
        queue=request.queue,
        priority=request.priority,
        tag=request.tag,
        username=request.username,
        name=request.name,
    )


def _of_action(
    rule: Rule, action: str, params: Mapping[str, Any], document: Mapping[str, Any], queue: str
) -> dict[str, Any]:
    try:
        made = actions.errand(action, rule.name, params, document)
    except ValueError as error:
        raise InvalidSpec((Complaint("$.params", str(error)),)) from error
    said: dict[str, Any] = {"job_queue": rule.queue or queue, "tag": rule.name}
    said |= {"username": rule.owner} if rule.owner else {}
    if rule.priority is not None:
        said["priority"] = rule.priority
    return {**made, **said}
