"""One Redis or Valkey server as the ledger uses it: bounded repeats, waits that can be ended.

Every send may be repeated when the transport fails: the ledger's steps bear that. Errors become the project's own, and
none names a password.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import redis
from redis.client import NEVER_DECODE
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.sentinel import MasterNotFoundError

from hysds.adapters.ledger import connecting
from hysds.adapters.ledger.scripts import Script
from hysds.core.errors import Full, HysdsError, Internal, InvalidSettings, Unreachable
from hysds.lib import transport_retry
from hysds.settings import urls
from hysds.settings.servers import Tls

Result = TypeVar("Result")

_TRANSPORT = (redis.ConnectionError, redis.TimeoutError, ReadOnlyError, OSError)
_CANNOT_SERVE = ("NOREPLICAS", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY ", "LOADING")
_OLDEST = {"valkey": (7, 2), "redis": (7, 0)}
# Three timeouts end well within a lease (`Ledger.answer_timeout_s`): who renews learns in time that nobody answers.
PERSISTENCE = transport_retry.Persistence(attempts=3, first_wait_s=0.05, longest_wait_s=0.5)
ONCE = transport_retry.Persistence(attempts=1)
"""For whoever would rather know at once."""


class Server:
    """Safe to share between threads. `timeout_s` bounds one connect, one send and one answer."""

    def __init__(
        self,
        url: str,
        tls: Tls | None = None,
        timeout_s: float = 5.0,
        persistence: transport_retry.Persistence = PERSISTENCE,
    ) -> None:
        self.where = urls.masked(url.partition("?")[0])
        self.patience_s = persistence.attempts * timeout_s
        """How long a server that hangs is tried, without the waits between."""
        self._timeout_s = timeout_s
        self._persistence = persistence
        self._pool = connecting.pool(url, tls or Tls(), timeout_s)
        self._client: Any = redis.Redis(connection_pool=self._pool)  # its commands carry no types
        self._client.response_callbacks.clear()  # answers as the server gives them, as scripts' are
        self._lock = threading.Lock()
        self._waiting: set[Any] = set()
        self._is_closed = False

    def send(self, *command: str | int | float) -> Any:
        """One command."""
        return self._insist(partial(self._client.execute_command, *command))

    def send_all(self, commands: Sequence[Sequence[str | int]]) -> list[Any]:
        """Several commands in one send, carried out together."""
        return self._insist(partial(self._send_all, commands))

    def run(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[str | int | bytes],
        as_bytes: bool = False,
    ) -> Any:
        """A script by its digest; by its text where the server does not know it (restarted, flushed, promoted).

        `as_bytes`: the answer's strings are anybody's bytes, no text.
        """
        return self._insist(partial(self._run, script, keys, arguments, as_bytes))

    def wait(self, *command: str | int | float, timeout_s: float, as_bytes: bool = False) -> Any:
        """A command that the server answers up to `timeout_s` later; None when nothing came, or after `close`.

        `as_bytes`: the answer's strings are anybody's bytes, no text.
        """
        return self._insist(partial(self._wait, command, timeout_s, as_bytes))

    def check(self) -> None:
        """Whether the server can hold a ledger.

        Raises: InvalidSettings where it is too old or evicts keys, Unreachable where it does not answer.
        """
        told = dict(
            line.split(":", 1)
            for line in str(self.send("INFO")).splitlines()
            if ":" in line and line[0] != "#"
        )
        name = told.get("server_name", "redis")
        version = told.get(f"{name}_version", told.get("redis_version", "0"))
        oldest = _OLDEST.get(name, _OLDEST["redis"])
        if tuple(int(part) for part in version.split(".")[:2]) < oldest:
            needed = ".".join(str(part) for part in oldest)
            raise InvalidSettings("ledger", f"{self.where} is {name} {version}; {needed} or later is needed")
        policy = told.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise InvalidSettings(
                "ledger",
                f"{self.where} has maxmemory-policy {policy}, which would delete jobs; set it to noeviction",
            )

    def close(self) -> None:
        """Let go of connections; whoever waits is answered None."""
        with self._lock:
            self._is_closed = True
            for connection in self._waiting:
                _end_read(connection)
        self._pool.disconnect(inuse_connections=False)

    def _send_all(self, commands: Sequence[Sequence[str | int]]) -> list[Any]:
        with self._client.pipeline(transaction=True) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            replies: list[Any] = pipeline.execute()
            return replies

    def _run(
        self, script: Script, keys: Sequence[str], arguments: Sequence[str | int | bytes], as_bytes: bool
    ) -> Any:
        how = {NEVER_DECODE: True} if as_bytes else {}
        try:
            return self._client.execute_command("EVALSHA", script.sha, len(keys), *keys, *arguments, **how)
        except NoScriptError:
            return self._client.execute_command("EVAL", script.text, len(keys), *keys, *arguments, **how)

    def _wait(self, command: Sequence[str | int | float], timeout_s: float, as_bytes: bool) -> Any:
        if self._has_closed():
            return None
        connection: Any = self._pool.get_connection()
        try:
            with self._lock:
                self._waiting.add(connection)
            if self._has_closed():
                return None
            connection.send_command(*command)
            return connection.read_response(timeout=timeout_s + self._timeout_s, disable_decoding=as_bytes)
        except (*_TRANSPORT, ValueError):
            if self._has_closed():
                return None
            raise
        finally:
            with self._lock:
                self._waiting.discard(connection)
            self._pool.release(connection)

    def _has_closed(self) -> bool:
        with self._lock:
            return self._is_closed

    def _insist(self, call: Callable[[], Result]) -> Result:
        try:
            return transport_retry.insist(partial(self._classified, call), (_Passing,), self._persistence)
        except _Passing as passing:
            raise self._translated(passing.error) from passing.error
        except RedisError as error:
            raise self._translated(error) from error

    def _classified(self, call: Callable[[], Result]) -> Result:
        """What a repeat may cure passes as _Passing; a wrong password it does not cure."""
        try:
            return call()
        except AuthenticationError:
            raise
        except _TRANSPORT as error:
            # Idle connections may hang like this one did (a router forgot them, a host vanished): each would cost
            # another timeout, and with three of them a server that answers would count as one that does not.
            self._pool.disconnect(inuse_connections=False)
            raise _Passing(error) from error

    def _translated(self, error: Exception) -> HysdsError:
        if isinstance(error, OutOfMemoryError):
            return Full(
                f"the memory of {self.where} is full, so nothing was accepted: submit again when jobs have "
                "ended, or raise its maxmemory"
            )
        if isinstance(error, (AuthenticationError, NoPermissionError)):
            return Unreachable(
                "ledger", f"{self.where} refuses our user or password, or what we may do with it"
            )
        if isinstance(error, BusyLoadingError):
            return Unreachable("ledger", f"{self.where} is still reading its files; try again")
        if isinstance(error, MasterNotFoundError):
            return Unreachable("ledger", self._no_primary(str(error)))
        text = str(error)
        is_refusal = isinstance(error, ResponseError) and not isinstance(error, ReadOnlyError)
        if is_refusal and not text.startswith(_CANNOT_SERVE):
            return Internal(f"a step of the ledger was refused and nothing was written: {text}")
        return Unreachable("ledger", f"{self.where}: {text}")

    def _no_primary(self, text: str) -> str:
        if "Authentication" in text or "NOAUTH" in text or "WRONGPASS" in text:
            return f"the Sentinels of {self.where} want another password: look at sentinel_password in ledger.url"
        if "certificate" in text.lower():
            return f"the certificate of the Sentinels of {self.where} is not accepted: look at ledger.ca_file"
        return (
            f"no Sentinel of {self.where} names a primary: they are away, a failover is under way (try again), "
            "or they know no service of this name"
        )


class _Passing(Exception):
    """A failure of the transport: the next attempt may succeed."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _end_read(connection: Any) -> None:
    """End another thread's read. redis-py has no way to: `disconnect` would take the parser from under that thread."""
    held: socket.socket | None = connection._sock
    if held is None:
        return
    try:
        held.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself
