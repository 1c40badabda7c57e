"""What the payload of a request says: plainly, or as HySDS's rules hand it to their creators.

A rule hands on `{"rule": {"rule_name", "username", "kwargs": JSON text}, "rule_hit": {"_source": …}, "job_id": …}`;
whoever submits by hand writes the same facts as plain fields.
"""

from __future__ import annotations

import json
from typing import Any


class Request:
    """One payload."""

    def __init__(self, info: dict[str, Any]) -> None:
        """Raises: ValueError where the rule's arguments are no JSON object."""
        rule = info.get("rule") or {}
        self.info = info
        self.rule_name: str | None = rule.get("rule_name")
        self.username: str | None = rule.get("username")
        self.source: dict[str, Any] = (info.get("rule_hit") or {}).get("_source") or {}
        self.arguments = _object(rule.get("kwargs") or "{}")

    def text(self, *names: str) -> str:
        """The first of these that a rule's arguments or the payload give.

        Raises: ValueError where none is there, or is no text.
        """
        for name in names:
            value = self.arguments.get(name, self.info.get(name))
            if value is not None:
                return _text(value, name)
        raise ValueError(f"the payload has no {' or '.join(names)}")

    def labels(self) -> dict[str, Any]:
        """The words of the job that a rule makes to find it by."""
        words = {"tag": self.rule_name, "username": self.username}
        return {name: word for name, word in words.items() if word is not None}


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} is {type(value).__name__}, where a text is needed")
    return value


def _object(kwargs: object) -> dict[str, Any]:
    found = json.loads(kwargs) if isinstance(kwargs, str) else kwargs
    if not isinstance(found, dict):
        raise ValueError("the rule's kwargs are no JSON object")
    return found
