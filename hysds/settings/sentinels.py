"""The URL of a Redis service that Sentinels watch: who is asked, for which service, and who we say that we are.

    redis+sentinel://[user:password@]host[:port][,host[:port]…]/service[?db=0]

User and password are those of the servers; Sentinels that want their own get them as `sentinel_user` and
`sentinel_password` behind the `?`. With `rediss+sentinel://` servers and Sentinels speak TLS, verified.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from hysds.lib import server_url

SCHEMES = ("redis+sentinel", "rediss+sentinel")
PARAMETERS = ("db", "sentinel_user", "sentinel_password")
_PORT = 26379
_SERVICE = r"[A-Za-z0-9._-]{1,128}"  # what Sentinel itself allows
_FORM = "host:port,host:port/service"


@dataclass(frozen=True)
class Service:
    """What a good URL says. `user` and `password` of None: none is told."""

    sentinels: tuple[tuple[str, int], ...]
    name: str
    database: int
    is_tls: bool
    user: str | None
    password: str | None
    sentinel_user: str | None
    sentinel_password: str | None


def is_sentinel(url: str) -> bool:
    """Whether the URL names a service behind Sentinels."""
    return url.partition("://")[0] in SCHEMES


def problem(parts: SplitResult) -> str | None:
    """What is wrong with the places that a URL names; None if nothing is. It shows nothing of the URL."""
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if not all(_host(text) for text in hosts):
        return f"the {parts.scheme}:// URL names no Sentinels: {parts.scheme}://{_FORM}"
    if not re.fullmatch(_SERVICE, parts.path.strip("/")):
        return f"the {parts.scheme}:// URL names no service after the Sentinels: {parts.scheme}://{_FORM}"
    return None


def read(url: str) -> Service:
    """The parts of a good URL."""
    parts = server_url.split(url)
    query = dict(parse_qsl(parts.query))
    return Service(
        sentinels=tuple(
            found for text in parts.netloc.rpartition("@")[2].split(",") if (found := _host(text))
        ),
        name=parts.path.strip("/"),
        database=int(query.get("db", 0)),
        is_tls=parts.scheme.startswith("rediss"),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        sentinel_user=query.get("sentinel_user"),
        sentinel_password=query.get("sentinel_password"),
    )


def in_database(url: str, number: int) -> str:
    """The same service, another database."""
    kept = [(key, value) for key, value in parse_qsl(server_url.split(url).query) if key != "db"]
    return f"{url.partition('?')[0]}?{urlencode([('db', str(number)), *kept])}"


def for_kombu(service: Service) -> str:
    """One URL a Sentinel, as kombu wants them; the service's name and the Sentinels' password go beside it."""
    user = "" if service.user is None else quote(service.user, safe="")
    password = "" if service.password is None else f":{quote(service.password, safe='')}"
    at = f"{user}{password}@" if user or password else ""
    return ";".join(
        f"sentinel://{at}{f'[{host}]' if ':' in host else host}:{port}/{service.database}"
        for host, port in service.sentinels
    )


def _host(text: str) -> tuple[str, int] | None:
    """`host:port`; None where it is none."""
    try:
        place = urlsplit(f"//{text}")
        port = place.port
    except ValueError:
        return None
    return (place.hostname, port or _PORT) if place.hostname and not place.path else None
