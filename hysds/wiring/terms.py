"""Settings as several adapters take them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hysds.lib import egress
from hysds.settings import urls
from hysds.settings.model import Settings

if TYPE_CHECKING:
    from hysds.adapters.creators.answers import Bounds
    from hysds.adapters.notifier.smtp import SmtpMailer


def creator_bounds(settings: Settings) -> Bounds:
    """What one call of a creator may take."""
    from hysds.adapters.creators.answers import Bounds

    of = settings.creators
    return Bounds(of.time_limit_s, of.memory_bytes, of.answer_bytes, of.jobs)


def mailer(settings: Settings, timeout_s: float | None = None) -> SmtpMailer | None:
    """`timeout_s`: how long one answer may take, asked once; None: as mail servers need, and asked again."""
    of = settings.notifier
    if of.mail_url is None or of.mail_sender is None:
        return None
    from hysds.adapters.notifier.smtp import MailServer, SmtpMailer

    if timeout_s is None:
        return SmtpMailer(MailServer(of.mail_url, of.mail_sender, of.mail_ca_file))
    return SmtpMailer(MailServer(of.mail_url, of.mail_sender, of.mail_ca_file, timeout_s))


def egress_policy(settings: Settings) -> egress.Policy:
    """Where calls to the outside may go."""
    of = settings.egress
    return egress.Policy(of.schemes, of.allow or (), of.timeout_s, of.answer_bytes, ca_file=of.ca_file)


def ledger_name(settings: Settings) -> str:
    """Which ledger it is, for what lies on a host's disk; no secret in it."""
    return f"{urls.masked(settings.ledger_url.partition('?')[0])} {settings.ledger.prefix}"


def retention_ms(settings: Settings) -> int:
    """How long records of ended jobs stay."""
    return round(settings.ledger.record_retention_s * 1000)
