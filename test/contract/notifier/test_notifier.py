"""What every notifier takes and refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hysds.adapters.notifier.memory import MemoryNotifier
from hysds.adapters.notifier.outside import OutsideNotifier
from hysds.adapters.notifier.smtp import MailServer as Server
from hysds.adapters.notifier.smtp import SmtpMailer
from hysds.adapters.notifier.webhooks import Webhooks
from hysds.core.errors import Refused
from hysds.lib.egress import Guard, Policy
from hysds.ports.notifier import Hook, Mail, Notifier
from services.mail import MailServer
from services.web import WebServer, answer

OPS = "ops@example.org"


@pytest.fixture(params=["outside", "memory"])
def notifier(request: pytest.FixtureRequest, web: WebServer) -> Iterator[Notifier]:
    """Each adapter, with servers behind it that take everything."""
    if request.param == "memory":
        yield MemoryNotifier()
        return
    with MailServer() as server:
        guard = Guard(Policy(allow=("127.0.0.1",)))
        webhooks = Webhooks(guard, None, lambda: "one", lambda: 1.0)
        yield OutsideNotifier(
            SmtpMailer(Server(f"smtp://127.0.0.1:{server.port}", "hysds@example.org")), webhooks
        )


@pytest.fixture
def web() -> Iterator[WebServer]:
    """A receiver of webhooks."""
    with WebServer(lambda request: answer("204 No Content")) as server:
        yield server


def test_what_is_in_order_is_sent(notifier: Notifier, web: WebServer) -> None:
    """Neither says anything."""
    notifier.mail(Mail((OPS, "b@example.org"), "Job ended: ä", "It is over.\n.\n"))
    notifier.hook(Hook(f"http://127.0.0.1:{web.port}/hook", {"status": "job-completed"}))


@pytest.mark.parametrize(
    "mail",
    [
        Mail((OPS,), "Hello\r\nBcc: all@example.org", "x"),
        Mail((OPS,), "Hello\nX: y", "x"),
        Mail((OPS,), "Hello\u2028X: y", "x"),
        Mail((OPS,), "s" * 251, "x"),
        Mail((f"{OPS}\r\nBcc: all@example.org",), "Hello", "x"),
        Mail((f"{OPS}, all@example.org",), "Hello", "x"),
        Mail((f"Ops <{OPS}>",), "Hello", "x"),
        Mail((f"{OPS}>\nRCPT TO:<all@example.org",), "Hello", "x"),
        Mail(("ops",), "Hello", "x"),
        Mail(("öps@example.org",), "Hello", "x"),
        Mail((), "Hello", "x"),
        Mail((OPS,) * 51, "Hello", "x"),
        Mail((OPS,), "Hello", "x" * 1_000_001),
    ],
)
def test_what_would_be_another_message_than_it_seems_is_refused(notifier: Notifier, mail: Mail) -> None:
    """Nobody adds a header or a recipient through a subject or an address; nothing is without bound."""
    with pytest.raises(Refused):
        notifier.mail(mail)
