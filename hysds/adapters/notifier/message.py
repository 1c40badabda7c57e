"""A message as mail has it; what would be read as another header is refused, never repaired."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from hysds.core.errors import Refused
from hysds.ports.notifier import Mail

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_MOST_RECIPIENTS = 50
_MOST_SUBJECT = 250
_MOST_TEXT = 1_000_000


def composed(mail: Mail, sender: str) -> EmailMessage:
    """The message, ready to be sent.

    Raises: Refused where it can't be one.
    """
    if not 1 <= len(mail.to) <= _MOST_RECIPIENTS:
        raise Refused(f"a mail goes to 1 to {_MOST_RECIPIENTS} addresses, not to {len(mail.to)}")
    for address in mail.to:
        if not _ADDRESS.fullmatch(address):
            raise Refused(f"{address!r:.80} is no mail address, such as ops@example.org")
    if len(mail.subject) > _MOST_SUBJECT or not mail.subject.isprintable():
        raise Refused(
            f"the subject {mail.subject!r:.80} can't be one: at most {_MOST_SUBJECT} characters, all printable, on one "
            "line"
        )
    if len(mail.text) > _MOST_TEXT:
        raise Refused(f"the mail's text has {len(mail.text):,} characters; at most {_MOST_TEXT:,} are sent")
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(mail.to)
    message["Subject"] = mail.subject
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # no out-of-office answers it (RFC 3834)
    message.set_content(mail.text.encode(errors="replace").decode())
    return message
