"""Telling people and programs outside: mail, and calls of webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """One message in plain text. Addresses are bare ones (`ops@example.org`)."""

    to: tuple[str, ...]
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Hook:
    """One call of a webhook: the document is posted as JSON."""

    url: str
    document: Mapping[str, Any]


class Notifier(Protocol):
    """Sends at once, or says why not; what was said to be sent was taken by the other side."""

    def mail(self, mail: Mail) -> None:
        """Raises: Refused where the message, an address or the settings won't do; Unreachable where the mail server
        does not answer or takes nothing now.
        """

    def hook(self, hook: Hook) -> None:
        """Raises: Refused where the URL is not allowed or the receiver does not take the call; Unreachable where it
        does not answer, or fails.
        """
