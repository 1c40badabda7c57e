"""Both ways together: mail where a mail server is set, webhooks always."""

from __future__ import annotations

from hysds.adapters.notifier.smtp import SmtpMailer
from hysds.adapters.notifier.webhooks import Webhooks
from hysds.core.errors import Refused
from hysds.ports.notifier import Hook, Mail


class OutsideNotifier:
    """`mailer`: None where the settings name no mail server."""

    def __init__(self, mailer: SmtpMailer | None, webhooks: Webhooks) -> None:
        self._mailer = mailer
        self._webhooks = webhooks

    def mail(self, mail: Mail) -> None:
        if self._mailer is None:
            raise Refused("no mail is sent: set notifier.mail_url and notifier.mail_sender")
        self._mailer.mail(mail)

    def hook(self, hook: Hook) -> None:
        self._webhooks.hook(hook)
