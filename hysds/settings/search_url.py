"""The URL of an Elasticsearch cluster: which of its hosts are asked, and who we say that we are.

    https://[user:password@]host[:port][,host[:port]…][/path]

All hosts belong to one cluster; whoever does not answer is passed over. A path is that of a proxy before it. With
`http://` no password or key is sent but to this very host, as anyone could read it.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from hysds.lib import server_url

SCHEMES = ("https", "http")
_PORT = 9200
_FORM = "host:port,host:port"
_LOOPBACK = re.compile(r"localhost|127(?:\.[0-9]{1,3}){3}|::1")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*/?")


@dataclass(frozen=True)
class Cluster:
    """What a good URL says. `user` and `password` of None: none is told. `path` is "" or begins with a slash."""

    hosts: tuple[tuple[str, int], ...]
    is_tls: bool
    path: str
    user: str | None
    password: str | None

    @property
    def is_here(self) -> bool:
        """Whether no host is another machine."""
        return all(_LOOPBACK.fullmatch(host) for host, _ in self.hosts)


def is_search(url: str) -> bool:
    """Whether the URL names an Elasticsearch cluster."""
    return url.partition("://")[0] in SCHEMES


def problem(parts: SplitResult) -> str | None:
    """What is wrong with the places that a URL names; None if nothing is. It shows nothing of the URL."""
    hosts = parts.netloc.rpartition("@")[2].split(",")
    if not all(_host(text) for text in hosts):
        return f"the {parts.scheme}:// URL names no hosts: {parts.scheme}://{_FORM}"
    if not _PATH.fullmatch(parts.path):
        return f"the {parts.scheme}:// URL has a path of other than letters, digits and . _ ~ -"
    if (parts.username is None) != (parts.password is None):
        return "a user needs a password, and a password a user: user:password@host"
    return None


def read(url: str) -> Cluster:
    """The parts of a good URL."""
    parts = server_url.split(url)
    return Cluster(
        hosts=tuple(found for text in parts.netloc.rpartition("@")[2].split(",") if (found := _host(text))),
        is_tls=parts.scheme == "https",
        path=parts.path.rstrip("/"),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _host(text: str) -> tuple[str, int] | None:
    """`host:port`; None where it is none."""
    try:
        place = urlsplit(f"//{text}")
        port = place.port
    except ValueError:
        return None
    return (place.hostname, port or _PORT) if place.hostname and not place.path and "@" not in text else None
