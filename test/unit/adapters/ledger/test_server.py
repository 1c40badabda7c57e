"""Which servers are talked to, and how."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from hysds.adapters.ledger.server import Server
from hysds.core.errors import InvalidSettings


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A socket on loopback; a test answers on it as a server would."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def _answer_all_with(listener: socket.socket, info: str) -> None:
    """One client: `info` to INFO, and its PING."""
    connection, _ = listener.accept()
    with connection:
        while command := connection.recv(65_536):
            answer = "+PONG" if b"PING" in command else f"${len(info)}\r\n{info}"
            connection.sendall(f"{answer}\r\n".encode())


@pytest.mark.parametrize(
    ("info", "complaint"),
    [
        ("redis_version:6.2.14", "redis 6.2.14; 7.0 or later"),
        ("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:7.0.1", "valkey 7.0.1; 7.2 or later"),
        ("redis_version:7.4.0\r\nmaxmemory_policy:volatile-lru", "volatile-lru"),
    ],
)
def test_a_server_that_cannot_hold_a_ledger_is_refused(
    listener: socket.socket, info: str, complaint: str
) -> None:
    """It is too old, or it would delete jobs."""
    threading.Thread(target=_answer_all_with, args=(listener, info), daemon=True).start()
    server = Server(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")

    with pytest.raises(InvalidSettings, match=complaint):
        server.check()
    server.close()


@pytest.mark.parametrize(
    "url",
    [
        "rediss://:word@localhost/0?ssl_cert_reqs=none",
        "rediss://:word@localhost/0?ssl_check_hostname=false",
        "http://:word@localhost/",
        "redis://:word@localhost/0?password=word",
    ],
)
def test_a_url_that_can_not_be_honoured_is_refused_without_its_password(url: str) -> None:
    """Verification is never off, and nothing in a URL is passed over."""
    with pytest.raises(InvalidSettings) as caught:
        Server(url)

    assert "word@" not in str(caught.value)
