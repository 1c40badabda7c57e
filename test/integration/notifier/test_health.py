"""Whether people can be told, found out without telling any."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

from hysds.adapters.notifier import health
from hysds.adapters.notifier.smtp import MailServer as Server
from hysds.adapters.notifier.smtp import SmtpMailer
from hysds.core.errors import InvalidSettings
from hysds.lib import egress
from hysds.ports.findings import Finding, Severity
from services import authority
from services.mail import MailServer, Manners

_LOOPBACK = egress.Policy(("http",), ("127.0.0.0/8",), 5.0, 1_000)


def looked(mailer: SmtpMailer | None = None, webhooks: Sequence[str] = ()) -> list[Finding]:
    return list(health.check(mailer, egress.Guard(_LOOPBACK), lambda: webhooks, lambda: None))


def mailer(url: str, ca_file: Path | None = None) -> SmtpMailer:
    return SmtpMailer(Server(url, "hysds@example.org", ca_file, timeout_s=5.0))


def test_a_mail_server_that_takes_us_is_handed_nothing() -> None:
    """It is greeted, and left."""
    with MailServer() as server:
        [found] = looked(mailer(f"smtp://127.0.0.1:{server.port}"))

    assert (found.severity, found.code) == (Severity.OK, "notifier.mail")
    assert (server.taken, server.connections) == ([], 1)


def test_a_mail_server_that_does_not_answer_is_an_error() -> None:
    """Its port is closed."""
    server = MailServer()
    with server:
        pass
    [found] = looked(mailer(f"smtp://127.0.0.1:{server.port}"))

    assert (found.severity, found.code) == (Severity.ERROR, "notifier.mail")
    assert "mail server can't be reached" in found.what


def test_a_wrong_password_and_a_wrong_authority_are_errors_without_the_password(tmp_path: Path) -> None:
    """Each says which setting to correct."""
    certificates = authority.issue(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.right.chain, certificates.right.key)
    manners = Manners(tls=context, is_tls_from_start=True, password=("user", "right"))
    found = []
    for ca_file in (certificates.authority, None):
        with MailServer(manners) as server:
            found += looked(mailer(f"smtps://user:wr0ng@localhost:{server.port}", ca_file))

    assert [one.severity for one in found] == [Severity.ERROR, Severity.ERROR]
    assert "does not take our user and password" in found[0].what
    assert "certificate is not valid" in found[1].what
    assert "wr0ng" not in str(found)


def test_webhooks_that_will_not_be_called_are_errors_by_their_line() -> None:
    """A forbidden address, a scheme that is not allowed, a name that nobody knows; nothing of a path is shown."""
    urls = [
        "http://127.0.0.1:9/secret",
        "http://10.0.0.1/secret",
        "ftp://127.0.0.1/secret",
        "http://nowhere.invalid/secret",
    ]
    found = looked(webhooks=urls)

    assert [(one.severity, one.where[:5]) for one in found] == [
        (Severity.ERROR, "URL 2"),
        (Severity.ERROR, "URL 3"),
        (Severity.ERROR, "URL 4"),
        (Severity.OK, ""),
    ]
    assert "egress.allow" in found[0].mend
    assert "secret" not in str(found)


def test_where_nothing_is_set_nobody_is_told() -> None:
    """Which is as it should be."""
    assert [(one.severity, one.code) for one in looked()] == [(Severity.OK, "notifier.none")]


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    """And the mail server is looked at all the same."""

    def unreadable() -> Sequence[str]:
        raise InvalidSettings("/etc/hysds/hooks", "can't be read: Permission denied")

    with MailServer() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        found = list(health.check(mailer(url), egress.Guard(_LOOPBACK), unreadable, lambda: None))

    assert [one.code for one in found] == ["notifier.file", "notifier.mail"]
