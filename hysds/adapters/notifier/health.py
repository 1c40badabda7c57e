"""Whether people can be told, found out without telling any: the mail server's greeting, the webhooks' addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hysds.adapters.notifier.smtp import SmtpMailer
from hysds.core.errors import HysdsError, InvalidSettings, Refused
from hysds.lib import egress
from hysds.lib.units import counted
from hysds.ports import findings
from hysds.ports.findings import Finding


def check(
    mailer: SmtpMailer | None,
    guard: egress.Guard,
    webhooks: Callable[[], Sequence[str]],
    key: Callable[[], bytes | None],
) -> Iterator[Finding]:
    """`mailer`: None where no mail server is set. `webhooks` reads URLs, of which no more than the host is shown, and
    `key` what signs calls; each may raise InvalidSettings.
    """
    urls: Sequence[str] = ()
    is_read = False
    try:
        key()
        urls, is_read = webhooks(), True
    except InvalidSettings as wrong:
        yield findings.error("notifier.file", str(wrong), "", "correct it: reconcilers do not start with it")
    if mailer is not None:
        yield from _mail(mailer)
    yield from _hooks(guard, urls)
    if mailer is None and not urls and is_read:
        yield findings.ok("notifier.none", "neither mail nor webhooks are set: nobody is told of alarms")


def _mail(mailer: SmtpMailer) -> Iterator[Finding]:
    try:
        mailer.greet()
    except Refused as refusal:
        yield findings.error(
            "notifier.mail",
            str(refusal),
            "notifier.mail_url",
            "correct notifier.mail_url, or notifier.mail_ca_file",
        )
    except HysdsError as away:
        mend = "look whether it runs, and whether this host may reach it"
        yield findings.error("notifier.mail", str(away), "notifier.mail_url", mend)
    else:
        yield findings.ok("notifier.mail", "the mail server takes us")


def _hooks(guard: egress.Guard, webhooks: Sequence[str]) -> Iterator[Finding]:
    good = 0
    for number, url in enumerate(webhooks, 1):
        where = f"URL {number} of watchdogs.webhooks_file"
        try:
            guard.permit(url)
        except egress.Forbidden as refusal:
            mend = "name another URL, or allow its host: egress.allow"
            yield findings.error("notifier.webhook", f"it will not be called: {refusal}", where, mend)
        except egress.Failed as failure:
            mend = "look at the name and at this host's resolver"
            yield findings.error("notifier.webhook", f"it can't be called: {failure}", where, mend)
        else:
            good += 1
    if good:
        yield findings.ok("notifier.webhook", f"{counted(good, 'webhook')} may be called")
