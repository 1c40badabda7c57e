"""The servers that other tests rely on are real, are ours, and are gone when their owner is."""

from __future__ import annotations

import os
import select
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from kombu import Connection

from services.authority import Certificates
from services.rabbitmq import RabbitOptions, RabbitServer
from services.redis import Appendfsync, RedisOptions, RedisServer

StartRedis = Callable[[RedisOptions], RedisServer]
StartRabbit = Callable[[RabbitOptions], RabbitServer]

_OWNER = """
import sys
from services.redis import RedisServer, valkey_program
server = RedisServer(valkey_program())
server.start()
print(server.pid, server.directory, flush=True)
sys.stdin.read()
"""


def _client(url: str, **options: object) -> redis.Redis:
    return redis.Redis.from_url(url, **options)


def test_each_test_meets_an_empty_valkey(valkey_server: RedisServer) -> None:
    """The shared server answers on its port and on its socket, and both show the same empty database."""
    with _client(valkey_server.url) as by_port, _client(valkey_server.unix_url) as by_socket:
        before = by_socket.dbsize()
        by_port.set("left", "behind")

        assert before == 0
        assert by_socket.get("left") == b"behind"
        assert by_port.info("server")["valkey_version"].startswith("9.")

    valkey_server.flush()

    with _client(valkey_server.url) as client:
        assert client.dbsize() == 0


def test_debian_redis_has_the_same_interface(redis_server: RedisServer) -> None:
    """The shared Debian server answers under the same methods."""
    with _client(redis_server.url) as client:
        assert client.info("server")["redis_version"].startswith("7.")


def test_options_reach_the_server(start_valkey: StartRedis) -> None:
    """Durability, memory bound and password are those of the options."""
    options = RedisOptions(Appendfsync.ALWAYS, maxmemory_bytes=64 << 20, password="s3cret @/")
    server = start_valkey(options)

    with _client(server.url) as client:
        settings = client.config_get("append*", "maxmemory")

    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory"] == str(64 << 20)
    with _client(f"redis://127.0.0.1:{server.port}/0") as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_a_socket_only_server_has_no_port(start_valkey: StartRedis) -> None:
    """With `unix_socket_only` the server listens on its socket alone."""
    server = start_valkey(RedisOptions(unix_socket_only=True))

    with _client(server.url) as client:
        assert client.config_get("port") == {"port": "0"}
    with pytest.raises(ValueError, match="unix socket only"):
        _ = server.port


def test_a_killed_server_comes_back_with_its_data(start_valkey: StartRedis) -> None:
    """After `kill` the same directory and the same port serve again, with what was written durably."""
    server = start_valkey(RedisOptions(Appendfsync.ALWAYS))
    with _client(server.url) as client:
        client.set("kept", "yes")
    port = server.port

    server.kill()
    with _client(server.url) as client, pytest.raises(redis.ConnectionError):
        client.ping()
    server.start()

    assert server.port == port
    with _client(server.url) as client:
        assert client.get("kept") == b"yes"


def test_a_stopped_server_hangs_and_goes_on(start_valkey: StartRedis) -> None:
    """SIGSTOP makes the server unresponsive without closing anything; SIGCONT ends that."""
    server = start_valkey(RedisOptions())
    with _client(server.url, socket_timeout=0.2) as client:
        server.send(signal.SIGSTOP)
        with pytest.raises(redis.TimeoutError):
            client.ping()
        server.send(signal.SIGCONT)

        assert client.ping()


@pytest.mark.parametrize("wrong", ["wrong_name", "expired", "other"])
def test_only_the_right_certificate_is_accepted(
    start_redis: StartRedis, certificates: Certificates, wrong: str
) -> None:
    """A client that trusts the authority connects to the right server, and to no other."""
    right = start_redis(RedisOptions(certificate=certificates.right))
    other = start_redis(RedisOptions(certificate=getattr(certificates, wrong)))
    trust = {"ssl_ca_certs": str(certificates.authority), "ssl_check_hostname": True}

    with _client(right.url, **trust) as client:
        assert client.ping()
    with _client(other.url, **trust) as client, pytest.raises(redis.ConnectionError, match="certificate"):
        client.ping()


def test_rabbitmq_carries_messages(rabbitmq_server: RabbitServer, unique_name: str) -> None:
    """The shared broker takes a message and gives it back."""
    with Connection(rabbitmq_server.url) as connection:
        queue = connection.SimpleQueue(unique_name)
        queue.put({"hello": "world"})
        message = queue.get(timeout=10)
        message.ack()
        queue.close()

        assert message.payload == {"hello": "world"}


def test_rabbitmq_speaks_tls_and_leaves_nothing_behind(
    start_rabbitmq: StartRabbit, certificates: Certificates
) -> None:
    """With a certificate there is a TLS listener that a client can verify; a kill takes Erlang's epmd along."""
    server = start_rabbitmq(RabbitOptions(certificate=certificates.right))
    trust = {
        "ca_certs": str(certificates.authority),
        "cert_reqs": ssl.CERT_REQUIRED,
        "server_hostname": "localhost",
    }

    with Connection(server.tls_url, ssl=trust) as connection:
        connection.connect()

        assert connection.connected
    assert "epmd" in _programs_of(server)

    server.kill()

    assert not _programs_of(server)


def _programs_of(server: RabbitServer) -> set[str]:
    """The names of all processes that run with the server's directory in their environment."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(server.directory).encode() in (process / "environ").read_bytes():
                found.add((process / "comm").read_text().strip())
        except OSError:
            continue
    return found


@pytest.mark.parametrize("victim", ["owner", "watchdog"])
def test_no_server_outlives_its_owner(victim: str) -> None:
    """`kill -9` of the test process or of the watchdog ends the server; after the owner's its files go too."""
    folder = Path(__file__).parents[2]
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(folder)},
        text=True,
    )
    with owner:
        assert owner.stdout is not None
        pid_text, directory = owner.stdout.readline().split()
        server = os.pidfd_open(int(pid_text))
        watchdog_pid = int(Path(f"/proc/{pid_text}/stat").read_text().rpartition(")")[2].split()[1])
        watchdog = os.pidfd_open(watchdog_pid)

        signal.pidfd_send_signal(watchdog, signal.SIGKILL) if victim == "watchdog" else owner.kill()
        select.select([server], [], [])
        select.select([watchdog], [], [])
        owner.kill()

    for descriptor in (server, watchdog):
        os.close(descriptor)
    left = Path(directory).exists()
    shutil.rmtree(directory, ignore_errors=True)
    assert left == (victim == "watchdog")
