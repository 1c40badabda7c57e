"""The twin: what was sent stays here."""

from __future__ import annotations

from hysds.adapters.notifier.message import composed
from hysds.ports.notifier import Hook, Mail


class MemoryNotifier:
    """Sends to nobody; takes what a mail server would."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.hooks: list[Hook] = []

    def mail(self, mail: Mail) -> None:
        composed(mail, "hysds@example.org")
        self.mails.append(mail)

    def hook(self, hook: Hook) -> None:
        self.hooks.append(hook)
