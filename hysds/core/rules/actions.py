"""The actions that come with HySDS: what a rule may do without a job type of its own.

A mail and a call of a webhook are tasks, as only a task worker knows the mail server and the keys; a retry is the job
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hysds.core.errors import Complaint

PREFIX = "action:"
MAIL, WEBHOOK, RETRY = "mail", "webhook", "retry"

ACTIONS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    MAIL: (("to",), ("subject", "text")),
    WEBHOOK: (("url",), ("document",)),
    RETRY: ((), ()),
}
"""By name, the params that each needs, and those that it takes."""

_FUNCTIONS = {MAIL: "hysds.sdk.errands.send_mail", WEBHOOK: "hysds.sdk.errands.call_webhook"}
_LINES = (
    "id",
    "type",
    "status",
    "failure_class",
    "short_error",
    "hint",
    "celery_hostname",
    "hostname",
    "@timestamp",
)


def action_of(then: str) -> str:
    """The name of the action; "": it is a job type."""
    return then.removeprefix(PREFIX) if then.startswith(PREFIX) else ""


def is_errand(then: str) -> bool:
    """Whether it is an action that a task carries out."""
    return action_of(then) in _FUNCTIONS


def complaints(then: str, params: Mapping[str, Any]) -> Iterator[Complaint]:
    """What is wrong with an action of a rule; nothing with a job type."""
    if not then.startswith(PREFIX):
        return
    known = ACTIONS.get(action_of(then))
    if known is None:
        names = ", ".join(f"{PREFIX}{name}" for name in ACTIONS)
        yield Complaint("$.then", f"there is no such action; there are {names}")
        return
    needed, taken = known
    for name in needed:
        if name not in params:
            yield Complaint(f"$.params.{name}", "is required")
    for name in params:
        if name not in (*needed, *taken):
            has = ", ".join((*needed, *taken)) or "none"
            yield Complaint(f"$.params.{name}", f"is no parameter of {then}; it has {has}")


def errand(action: str, rule: str, params: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """The document of the task that carries out a MAIL or a WEBHOOK.

    Raises: ValueError for params of a wrong kind.
    """
    given = _mail(rule, params, document) if action == MAIL else _hook(rule, params, document)
    return {
        "job_type": f"rule-{action}",
        "kind": "task",
        # Two notices that say the same are two notices.
        "enable_dedup": False,
        "payload": {"function": _FUNCTIONS[action], "kwargs": given},
    }


def _mail(rule: str, params: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    to = params["to"]
    addresses = [part.strip() for part in to.split(",")] if isinstance(to, str) else to
    if not isinstance(addresses, list) or not all(isinstance(one, str) and one for one in addresses):
        raise ValueError("to: must be addresses, commas between them, or a list of them")
    about = " ".join(str(document.get(key)) for key in ("type", "status") if document.get(key))
    subject = params.get("subject", f"{rule}: {about} {document.get('id')}")
    text = params.get("text", _told(rule, document))
    if not isinstance(subject, str) or not isinstance(text, str):
        raise ValueError("subject and text: must be texts")
    return {"to": addresses, "subject": subject, "text": text}


def _hook(rule: str, params: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    told = params.get("document", {"rule": rule, "document": dict(document)})
    if not isinstance(params["url"], str) or not isinstance(told, Mapping):
        raise ValueError("url: must be a text; document: an object")
    return {"url": params["url"], "document": told}


def _told(rule: str, document: Mapping[str, Any]) -> str:
    lines = [f"rule: {rule}"]
    lines += [f"{name}: {document[name]}" for name in _LINES if document.get(name)]
    return "\n".join(lines) + "\n"
