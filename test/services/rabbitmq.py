"""A real RabbitMQ broker with an Erlang port mapper of its own, run by whoever runs the tests."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from services import required
from services.authority import Certificate
from services.ports import Reservation
from services.process import ServerProcess, own_directory

# Debian's /usr/sbin wrapper changes to the system user and its directories; this program runs as anybody.
_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_AMQP_0_9_1 = b"AMQP\x00\x00\x09\x01"


@dataclass(frozen=True, slots=True)
class RabbitOptions:
    """How a broker is configured.

    With a `certificate` it has a TLS listener beside the plain one. `consumer_timeout_ms` None keeps the
    broker's own bound on an unacknowledged delivery, 30 minutes.
    """

    certificate: Certificate | None = None
    consumer_timeout_ms: int | None = None


def rabbitmq_program() -> Path:
    """Debian's broker, 3.10."""
    if not _PROGRAM.exists():
        required.missing("rabbitmq-server", "rabbitmq-server")
    return _PROGRAM


class RabbitServer(ServerProcess):
    """One broker; user and password are `guest`. It starts in some ten seconds: share it."""

    def __init__(self, program: Path, options: RabbitOptions | None = None) -> None:
        self.options = options or RabbitOptions()
        directory = own_directory("rabbitmq")
        self._amqp, self._amqps, self._distribution, self._mapper = (Reservation() for _ in range(4))
        (directory / "rabbitmq.conf").write_text("\n".join(self._configuration()) + "\n")
        (directory / "enabled_plugins").write_text("[].\n")
        super().__init__(directory, [str(program)], self._variables(directory), self._greet)

    @property
    def url(self) -> str:
        """Where a client connects without TLS."""
        return f"amqp://guest:guest@127.0.0.1:{self._amqp.port}//"

    @property
    def tls_url(self) -> str:
        """Where a client connects with TLS; ValueError without a certificate."""
        if self.options.certificate is None:
            raise ValueError("this broker was given no certificate")
        return f"amqps://guest:guest@localhost:{self._amqps.port}//"

    def remove(self) -> None:
        """Kill the broker, delete its directory and give its ports back."""
        super().remove()
        for reservation in (self._amqp, self._amqps, self._distribution, self._mapper):
            reservation.close()

    def _greet(self) -> None:
        with socket.create_connection(("127.0.0.1", self._amqp.port), timeout=5) as connection:
            connection.sendall(_AMQP_0_9_1)
            if connection.recv(1) != b"\x01":  # the frame type of the broker's Connection.Start
                raise OSError("the broker closed the connection")

    def _configuration(self) -> list[str]:
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self._amqp.port}", "log.console = true", "log.file = false"]
        lines += ["disk_free_limit.absolute = 50MB"]
        if self.options.consumer_timeout_ms is not None:
            lines.append(f"consumer_timeout = {self.options.consumer_timeout_ms}")
        if (certificate := self.options.certificate) is not None:
            lines.append(f"listeners.ssl.1 = 127.0.0.1:{self._amqps.port}")
            lines += [
                f"ssl_options.certfile = {certificate.chain}",
                f"ssl_options.keyfile = {certificate.key}",
            ]
            lines += ["ssl_options.verify = verify_none", "ssl_options.fail_if_no_peer_cert = false"]
        return lines

    def _variables(self, directory: Path) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(directory),  # the Erlang cookie is written there
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._mapper.port),
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(directory / "none.conf"),
            "RABBITMQ_DIST_PORT": str(self._distribution.port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_NODENAME": f"hysds{self._amqp.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._amqp.port),
            "RABBITMQ_PID_FILE": str(directory / "rabbitmq.pid"),
            # Few schedulers, and none that spins: the broker shares a small machine with the tests.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
        }
