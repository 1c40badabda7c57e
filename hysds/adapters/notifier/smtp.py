"""Mail through one server: the operator's, by TLS that is verified unless its URL says plain `smtp://`."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from hysds.adapters.notifier.message import composed
from hysds.core.errors import Refused, Unreachable
from hysds.lib.transport_retry import Persistence, insist
from hysds.ports.notifier import Mail

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_PART = "mail server"
_PERSISTENCE = Persistence()


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `url`: `smtps://user:password@host`, `smtp+starttls://…` or `smtp://host`."""

    url: str = field(repr=False)
    sender: str
    ca_file: Path | None = None
    """The authorities that may vouch for it; None: those of the operating system."""
    timeout_s: float = 30.0
    """For each of its answers."""


class _NotNow(Exception):
    """The server did not take the message, and may take it later."""


class SmtpMailer:
    """Sends each message over a connection of its own."""

    def __init__(self, server: MailServer, persistence: Persistence = _PERSISTENCE) -> None:
        self._server = server
        self._persistence = persistence

    def mail(self, mail: Mail) -> None:
        """See `ports.notifier`."""
        message = composed(mail, self._server.sender)
        try:
            insist(lambda: self._handed_in(message, mail.to), (_NotNow,), self._persistence)
        except _NotNow as failure:
            raise Unreachable(_PART, str(failure)) from failure

    def greet(self) -> None:
        """Connect and log in as for a message, once, and hand in none.

        Raises: Refused, Unreachable
        """
        try:
            _left(self._opened())
        except _NotNow as failure:
            raise Unreachable(_PART, str(failure)) from failure

    def _handed_in(self, message: EmailMessage, to: Sequence[str]) -> None:
        """Raises: _NotNow only where the message was certainly not taken, so that a repeat sends it once."""
        connection = self._opened()
        try:
            # Its own send_message would put a > before lines that begin with From.
            refused = connection.sendmail(self._server.sender, to, message.as_bytes(policy=policy.SMTP))
        except smtplib.SMTPRecipientsRefused as error:
            raise _unsent(*next(iter(error.recipients.values()))) from error
        except smtplib.SMTPResponseException as error:
            raise _unsent(error.smtp_code, error.smtp_error) from error
        except (OSError, smtplib.SMTPException) as error:
            # It may have taken the message: a repeat could send it twice.
            raise Unreachable(
                _PART, f"it broke off, and may have taken the message ({_why(error)})"
            ) from error
        finally:
            _left(connection)
        if refused:
            raise Refused(f"the {_PART} took the message, but not for {', '.join(sorted(refused))}")

    def _opened(self) -> smtplib.SMTP:
        """Raises: _NotNow, Refused"""
        try:
            return self._connected()
        except ssl.SSLCertVerificationError as error:
            raise Refused(f"the {_PART}'s certificate is not valid ({error.verify_message})") from error
        except smtplib.SMTPAuthenticationError as error:
            raise Refused(
                f"the {_PART} does not take our user and password (code {error.smtp_code}); see notifier.mail_url"
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refused(f"the {_PART} can't do what notifier.mail_url asks for: {error}") from error
        except UnicodeEncodeError:  # it holds the password, so nothing is raised from it
            raise Refused("user and password of notifier.mail_url can be ASCII alone") from None
        except (OSError, smtplib.SMTPException) as error:
            raise _NotNow(_why(error)) from error

    def _connected(self) -> smtplib.SMTP:
        parts = urlsplit(self._server.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        timeout_s = self._server.timeout_s
        connection: smtplib.SMTP
        if parts.scheme == "smtps":
            connection = smtplib.SMTP_SSL(host, port, timeout=timeout_s, context=self._tls())
        else:
            connection = smtplib.SMTP(host, port, timeout=timeout_s)
        try:
            if parts.scheme == "smtp+starttls":
                connection.starttls(context=self._tls())
            if parts.username is not None:
                connection.login(unquote(parts.username), unquote(parts.password or ""))
        except BaseException:
            connection.close()
            raise
        return connection

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.ca_file)


def _unsent(code: int, said: bytes | str) -> Exception:
    """What an answer of the server means: 4yz is for now, 5yz for good (RFC 5321, 4.2.1)."""
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    told = f"it does not take the message: {code} {' '.join(text.split())[:200]}"
    return _NotNow(told) if 400 <= code < 500 else Refused(f"the {_PART}: {told}")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _left(connection: smtplib.SMTP) -> None:
    """What was taken was taken, whether the server hears our goodbye or not."""
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        connection.close()
