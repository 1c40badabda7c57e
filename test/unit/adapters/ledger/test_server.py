"""Which servers are talked to, and how."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from hysds.adapters.ledger.server import Server
from hysds.core.errors import InvalidSettings, Unreachable


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


def _answer_once(connection: socket.socket, gathered: threading.Barrier, then: list[bytes]) -> None:
    """Answer one command when as many others have one; note what comes next, and end."""
    with connection:
        # A connection is looked at by a PING before it is used.
        while b"PING" in connection.recv(65_536):
            connection.sendall(b"+PONG\r\n")
        gathered.wait()
        connection.sendall(b"+hi\r\n")
        then.append(connection.recv(65_536))


def test_one_dead_connection_costs_a_failure_and_the_idle_others_none(listener: socket.socket) -> None:
    """A peer that vanished took all connections with it: those that wait in the pool are not tried one by one."""
    kept = 3
    then: list[bytes] = []
    gathered = threading.Barrier(kept)
    server = Server(f"redis://127.0.0.1:{listener.getsockname()[1]}/0", timeout_s=60)
    callers = [threading.Thread(target=server.send, args=("ECHO", "hi")) for _ in range(kept)]
    for caller in callers:
        caller.start()
    answering = [
        threading.Thread(target=_answer_once, args=(listener.accept()[0], gathered, then))
        for _ in range(kept)
    ]
    for thread in answering:
        thread.start()
    for caller in callers:
        caller.join()
    threading.Thread(target=_answer_all_with, args=(listener, "hi"), daemon=True).start()

    assert server.send("ECHO", "hi") == "hi"
    for thread in answering:
        thread.join()
    assert sorted(map(bool, then)) == [False, False, True]
    server.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [("*0", "no Sentinel of"), ("-NOAUTH Authentication required.", "sentinel_password in ledger.url")],
)
def test_sentinels_that_name_no_primary_are_told_in_plain_words(
    listener: socket.socket, answer: str, told: str
) -> None:
    """They may be in a failover, know no such service, or want a password; ours is not shown."""

    def speak() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=repeat, args=(connection,), daemon=True).start()

    def repeat(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while connection.recv(65_536):
                connection.sendall(f"{answer}\r\n".encode())

    threading.Thread(target=speak, daemon=True).start()
    server = Server(f"redis+sentinel://:word@127.0.0.1:{listener.getsockname()[1]}/main", timeout_s=1.0)

    with pytest.raises(Unreachable, match=told) as caught:
        server.send("PING")

    assert "word@" not in str(caught.value)
    server.close()
