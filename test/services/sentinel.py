"""A Redis service with a replica and the Sentinels that watch it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from services.authority import Certificates
from services.faults import FaultyProxy
from services.ports import Reservation
from services.process import ServerProcess, own_directory
from services.redis import Appendfsync, RedisOptions, RedisServer

SERVICE = "hysds-ledger"
_DOWN_AFTER_MS = 2_000
_CLIENT: Any = Redis  # its Sentinel commands carry no types
_ONCE = Retry(NoBackoff(), 0)


@dataclass(frozen=True, slots=True)
class SentinelOptions:
    """How a Sentinel is configured: its own password, that of the servers, and TLS towards everybody."""

    password: str | None = None
    server_password: str | None = None
    tls: Certificates | None = None


class SentinelServer(ServerProcess):
    """One Sentinel; it writes what it learns into its configuration."""

    def __init__(
        self, program: Path, primary_port: int, quorum: int, options: SentinelOptions | None = None
    ) -> None:
        self._options = options or SentinelOptions()
        directory = own_directory("sentinel")
        self._reservation = Reservation()
        self.port = self._reservation.port
        lines = [
            *self._listener(),
            "bind 127.0.0.1",
            f"dir {directory}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {primary_port} {quorum}",
            f"sentinel down-after-milliseconds {SERVICE} {_DOWN_AFTER_MS}",
            f"sentinel failover-timeout {SERVICE} 60000",
            *self._passwords(),
        ]
        configuration = directory / "sentinel.conf"
        configuration.write_text("\n".join(lines) + "\n")
        command = [str(program), str(configuration), "--sentinel"]
        super().__init__(directory, command, {"PATH": os.defpath, "LC_ALL": "C"}, self._probe)

    def _listener(self) -> list[str]:
        if (tls := self._options.tls) is None:
            return [f"port {self.port}"]
        files = {"cert-file": tls.right.chain, "key-file": tls.right.key, "ca-cert-file": tls.authority}
        lines = [f"tls-{name} {path}" for name, path in files.items()]
        return ["port 0", f"tls-port {self.port}", "tls-replication yes", "tls-auth-clients no", *lines]

    def _passwords(self) -> list[str]:
        options, lines = self._options, []
        if options.password is not None:
            lines.append(f"requirepass {options.password}")
        if options.server_password is not None:
            lines.append(f"sentinel auth-pass {SERVICE} {options.server_password}")
        return lines

    def remove(self) -> None:
        """Kill it, delete its directory and give its port back."""
        super().remove()
        self._reservation.close()

    def _probe(self) -> None:
        self.state()

    def state(self) -> dict[str, Any]:
        """What it knows of the service. Raises: OSError while it does not answer."""
        options = self._options
        trust = {"ssl": True, "ssl_ca_certs": str(options.tls.authority)} if options.tls else {}
        client: Any = _CLIENT(
            port=self.port, password=options.password, socket_timeout=5, retry=_ONCE, **trust
        )
        with client:
            try:
                known: dict[str, Any] = client.sentinel_master(SERVICE)
            except RedisError as error:
                raise OSError(str(error)) from error
        return known


class WatchedService:
    """A primary, a replica that follows it through `cable`, and three Sentinels, two of which must agree."""

    def __init__(self, program: Path, **variables: str) -> None:
        """`variables` are the primary's alone."""
        prompt = ("--repl-diskless-sync-delay", "0")
        self.primary = RedisServer(
            program, RedisOptions(Appendfsync.EVERYSEC, arguments=prompt, variables=variables)
        )
        self.cable = FaultyProxy(self.primary.port)
        follows = ("--replicaof", f"127.0.0.1 {self.cable.port}", "--repl-timeout", "3600")
        self.replica = RedisServer(program, RedisOptions(Appendfsync.EVERYSEC, arguments=follows))
        self.sentinels = [SentinelServer(program, self.primary.port, 2) for _ in range(3)]

    def start(self) -> None:
        """Start all of it; `is_ready` comes later."""
        for server in (self.primary, self.replica, *self.sentinels):
            server.start()

    @property
    def url(self) -> str:
        """Where a client asks."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}"

    def is_ready(self) -> bool:
        """Whether the replica follows, and each Sentinel knows of it and of both others."""
        with Redis.from_url(self.replica.url) as client:
            if client.info("replication")["master_link_status"] != "up":
                return False
        states = [sentinel.state() for sentinel in self.sentinels]
        return all((state["num-other-sentinels"], state["num-slaves"]) == (2, 1) for state in states)

    def close(self) -> None:
        """End all of it, started or not."""
        self.cable.close()
        for server in (*self.sentinels, self.replica, self.primary):
            server.remove()
