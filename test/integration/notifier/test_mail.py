"""Mail is handed in to real servers: encrypted, verified, once."""

from __future__ import annotations

import email
import email.policy
import ssl
from pathlib import Path
from urllib.parse import quote

import pytest

from hysds.adapters.notifier.smtp import MailServer as Server
from hysds.adapters.notifier.smtp import SmtpMailer
from hysds.core.errors import Refused, Unreachable
from hysds.lib.transport_retry import Persistence
from hysds.ports.notifier import Mail
from services import authority
from services.authority import Certificate, Certificates
from services.mail import MailServer, Manners

MAIL = Mail(("ops@example.org", "b@example.org"), "Job 7 ended: ä", "It failed.\n.\n..two\nFrom here\n")
SENDER = "hysds@example.org"
AT_ONCE = Persistence(attempts=3, first_wait_s=0.0)
PASSWORD = ("us:er", "p@ss/w%rd")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Made once for all tests of this file."""
    return authority.issue(tmp_path_factory.mktemp("certificates"))


def _context(certificate: Certificate) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context


def _mailer(url: str, ca_file: Path | None = None) -> SmtpMailer:
    return SmtpMailer(Server(url, SENDER, ca_file), AT_ONCE)


def _with_password(scheme: str, port: int, host: str = "localhost") -> str:
    user, password = (quote(part, safe="") for part in PASSWORD)
    return f"{scheme}://{user}:{password}@{host}:{port}"


def test_a_message_arrives_as_it_was_written() -> None:
    """Text, subject, both recipients; lines that begin with a dot too."""
    with MailServer() as server:
        _mailer(f"smtp://127.0.0.1:{server.port}").mail(MAIL)

    [taken] = server.taken
    found = email.message_from_string(taken.text, policy=email.policy.default)
    assert (taken.sender, taken.recipients) == (SENDER, list(MAIL.to))
    assert found.get_content().rstrip("\n") == MAIL.text.rstrip("\n")
    assert (found["Subject"], found["From"], found["To"]) == (MAIL.subject, SENDER, ", ".join(MAIL.to))
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Message-ID"]
    assert not taken.was_encrypted


@pytest.mark.parametrize(("scheme", "from_start"), [("smtps", True), ("smtp+starttls", False)])
def test_by_tls_with_a_password(certificates: Certificates, scheme: str, from_start: bool) -> None:
    """From the first byte, or before the password."""
    manners = Manners(_context(certificates.right), from_start, PASSWORD)
    with MailServer(manners) as server:
        _mailer(_with_password(scheme, server.port), certificates.authority).mail(MAIL)

    assert [(one.was_encrypted, one.was_authenticated) for one in server.taken] == [(True, True)]


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
@pytest.mark.parametrize("which", ["wrong_name", "expired", "other"])
def test_a_server_that_proves_nothing_gets_nothing(
    certificates: Certificates, scheme: str, which: str
) -> None:
    """Neither message nor password, and no second try."""
    manners = Manners(_context(getattr(certificates, which)), scheme == "smtps", PASSWORD)
    with MailServer(manners) as server, pytest.raises(Refused, match="certificate is not valid"):
        _mailer(_with_password(scheme, server.port), certificates.authority).mail(MAIL)

    assert (server.taken, server.connections) == ([], 1)


def test_without_the_tls_that_was_asked_for_nothing_is_sent() -> None:
    """A server, or somebody between, that offers none."""
    with MailServer(Manners(password=PASSWORD)) as server, pytest.raises(Refused, match="can't do what"):
        _mailer(_with_password("smtp+starttls", server.port)).mail(MAIL)

    assert server.taken == []


def test_a_wrong_password_is_told_without_showing_it(certificates: Certificates) -> None:
    """And not tried again: servers lock accounts."""
    manners = Manners(_context(certificates.right), True, ("other", "one"))
    with MailServer(manners) as server, pytest.raises(Refused, match="user and password") as caught:
        _mailer(_with_password("smtps", server.port), certificates.authority).mail(MAIL)

    assert server.connections == 1
    assert all(part not in str(caught.value) for part in PASSWORD)


def test_a_password_that_can_not_be_sent_is_told_without_showing_it(certificates: Certificates) -> None:
    """Python sends ASCII alone."""
    manners = Manners(_context(certificates.right), True, PASSWORD)
    with MailServer(manners) as server, pytest.raises(Refused, match="ASCII alone") as caught:
        _mailer(f"smtps://user:w%C3%B6rd@localhost:{server.port}", certificates.authority).mail(MAIL)

    assert "wörd" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA"])
def test_a_refusal_for_now_is_tried_again(word: str) -> None:
    """The message arrives once."""
    replies = {word: ["451 try later"] * (2 if word == "RCPT" else 1)}
    with MailServer(Manners(replies=replies)) as server:
        _mailer(f"smtp://127.0.0.1:{server.port}").mail(MAIL)

    assert (len(server.taken), server.connections) == (1, 2)


@pytest.mark.parametrize("word", ["MAIL", "DATA"])
def test_a_refusal_for_good_is_told(word: str) -> None:
    """With the server's own words."""
    with (
        MailServer(Manners(replies={word: ["550 no such luck"]})) as server,
        pytest.raises(Refused, match="550 no such luck"),
    ):
        _mailer(f"smtp://127.0.0.1:{server.port}").mail(MAIL)

    assert (server.taken, server.connections) == ([], 1)


def test_a_recipient_that_is_refused_is_named() -> None:
    """The others got the message, so it is not sent again."""
    with (
        MailServer(Manners(replies={"RCPT": ["550 unknown"]})) as server,
        pytest.raises(Refused, match=r"not for ops@example\.org"),
    ):
        _mailer(f"smtp://127.0.0.1:{server.port}").mail(MAIL)

    assert [one.recipients for one in server.taken] == [["b@example.org"]]


def test_nobody_there_is_unreachable_after_some_tries() -> None:
    """Whoever asked may try again later."""
    with MailServer() as server:
        port = server.port
    with pytest.raises(Unreachable, match="mail server can't be reached: Connection refused"):
        _mailer(f"smtp://127.0.0.1:{port}").mail(MAIL)


def test_a_message_that_may_have_been_taken_is_not_sent_twice() -> None:
    """The server broke off between the message and its answer."""
    with (
        MailServer(Manners(breaks_off_after_data=True)) as server,
        pytest.raises(Unreachable, match="may have taken the message"),
    ):
        _mailer(f"smtp://127.0.0.1:{server.port}").mail(MAIL)

    assert len(server.taken) == 1
