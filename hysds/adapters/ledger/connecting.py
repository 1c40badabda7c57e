"""How the ledger's server is reached: by TCP, TLS, a unix socket, or through the Sentinels that know which is primary.

Whatever way, each connect, each send and each answer is bounded, and a certificate is verified.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.retry import Retry
from redis.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from hysds.core.errors import InvalidSettings
from hysds.lib import server_url
from hysds.settings import sentinels, urls
from hysds.settings.servers import Tls

_SENTINEL: Any = Sentinel  # both publish no types
_SENTINEL_POOL: Any = SentinelConnectionPool
_HEALTH_CHECK_S = 15
"""A connection that was idle for so long is asked whether it still lives before it is used."""


def pool(url: str, tls: Tls, timeout_s: float) -> ConnectionPool:
    """Connections to the server that a URL names; none is opened yet.

    Raises: InvalidSettings where the URL can't be used, or TLS files are named and the URL asks for no TLS.
    """
    complaint = urls.problem(url, urls.REDIS_SCHEMES)
    if complaint:
        raise InvalidSettings("ledger.url", complaint)
    if tls != Tls() and not urls.is_tls(url):
        raise InvalidSettings(
            "ledger", f"TLS files are set, but {urls.masked(url)} does not ask for TLS: use rediss://"
        )
    if sentinels.is_sentinel(url):
        return _watched(sentinels.read(url), tls, timeout_s)
    return ConnectionPool(**_place(url, tls), **_habits(timeout_s))


def _watched(service: sentinels.Service, tls: Tls, timeout_s: float) -> ConnectionPool:
    """One Sentinel that hangs leaves time to ask the others: together they get one timeout."""
    secured: dict[str, Any] = {"ssl": True, **_verified(tls)} if service.is_tls else {}
    asking = {**_habits(timeout_s / len(service.sentinels)), **secured}
    asking |= {"username": service.sentinel_user, "password": service.sentinel_password}
    watch = _SENTINEL(service.sentinels, sentinel_kwargs=asking)
    made: ConnectionPool = _SENTINEL_POOL(
        service.name,
        watch,
        connection_class=SentinelManagedSSLConnection if service.is_tls else SentinelManagedConnection,
        redis_connect_func=_greet_primary,
        db=service.database,
        username=service.user,
        password=service.password,
        socket_keepalive=True,
        **(_verified(tls) if service.is_tls else {}),
        **_habits(timeout_s),
    )
    return made


def _greet_primary(connection: Any) -> None:
    """A Sentinel that was away tells of yesterday's primary, which answers reads even as a replica: ask it."""
    connection.on_connect()
    connection.send_command("ROLE", check_health=False)
    if connection.read_response()[0] != "master":
        raise redis.ConnectionError(f"{connection.host}:{connection.port} is no primary any more")


def _place(url: str, tls: Tls) -> dict[str, Any]:
    """Where one server is."""
    parts = server_url.split(url)
    place: dict[str, Any] = {"db": urls.database(url)}
    if parts.username:
        place["username"] = unquote(parts.username)
    if parts.password:
        place["password"] = unquote(parts.password)
    if parts.scheme == "unix":
        return place | {"connection_class": UnixDomainSocketConnection, "path": unquote(parts.path)}
    place |= {"host": parts.hostname, "port": parts.port or 6379}
    if not urls.is_tls(url):
        return place | {"connection_class": Connection, "socket_keepalive": True}
    return place | {"connection_class": SSLConnection, "socket_keepalive": True} | _verified(tls)


def _habits(timeout_s: float) -> dict[str, Any]:
    return {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "health_check_interval": _HEALTH_CHECK_S,
        "retry": Retry(NoBackoff(), 0),  # repeats are `transport_retry`'s
        "protocol": 2,
        "decode_responses": True,
        "encoding_errors": "surrogatepass",
        "driver_info": None,
    }


def _verified(tls: Tls) -> dict[str, Any]:
    """The server's certificate and name are verified, always."""
    return {
        "ssl_cert_reqs": "required",
        "ssl_check_hostname": True,
        "ssl_ca_certs": str(tls.ca_file) if tls.ca_file else None,
        "ssl_certfile": str(tls.cert_file) if tls.cert_file else None,
        "ssl_keyfile": str(tls.key_file) if tls.key_file else None,
        "ssl_ciphers": tls.ciphers,
    }
