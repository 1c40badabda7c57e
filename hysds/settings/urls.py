"""The URLs of servers: which forms are taken, which database they name, and how they are shown without secrets."""

import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode

from hysds.lib import server_url
from hysds.settings import search_url, sentinels

REDIS_SCHEMES = ("redis", "rediss", "unix", *sentinels.SCHEMES)
BROKER_SCHEMES = ("amqp", "amqps", *REDIS_SCHEMES)
STORE_SCHEMES = ("sqlite", *search_url.SCHEMES)
RPC = "rpc"
"""Results as messages, to whoever asked: the broker itself carries them."""
RESULT_SCHEMES = (RPC, *REDIS_SCHEMES)
MAIL_SCHEMES = ("smtps", "smtp+starttls", "smtp")
TLS_SCHEMES = ("rediss", "amqps", "rediss+sentinel")
_SECRET = re.compile(r"(?i)([?&;][^=&;]*(?:pass|pw|secret|token|key)[^=&;]*=)[^&;]*")
_SOCKET_PATH_MOST = 107  # bytes that the kernel has for the path of a unix socket
_VERIFIED = ("required", "cert_required", "2")


def masked(text: str) -> str:
    """The text with the password of a URL, and parameters that sound like secrets, replaced by `***`.

    Whatever stands before the last `@` counts as user and password: a password with an unquoted `/` or `@` hides too.
    """
    scheme, mark, rest = text.partition("://")
    if not mark:
        return text
    userinfo, at, host = rest.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    return _SECRET.sub(r"\1***", f"{scheme}://{user}{colon}{'***' if colon else ''}{at}{host}")


def normalised(url: str) -> str:
    """The URL in our own notation: Celery's `redis+socket://` and `pyamqp://` and an explicit demand for
    verification have one form here."""
    for theirs, ours in (("redis+socket://", "unix://"), ("pyamqp://", "amqp://")):
        if url.startswith(theirs):
            url = ours + url.removeprefix(theirs)
    parts = server_url.split(url)
    if not parts.query:
        return url
    query = [
        ("db" if key == "virtual_host" else key, value)
        for key, value in parse_qsl(parts.query, keep_blank_values=True)
        if not (key == "ssl_cert_reqs" and value.lower() in _VERIFIED)
    ]
    return f"{url.partition('?')[0]}{'?' if query else ''}{urlencode(query)}"


def problem(url: str, schemes: tuple[str, ...]) -> str | None:
    """What is wrong with a URL in our own notation; None if nothing is.

    Shows nothing of it but its scheme: in a URL that is wrong, a password may stand anywhere.
    """
    try:
        parts = server_url.split(url)
        if not (sentinels.is_sentinel(url) or search_url.is_search(url)):
            parts.port  # noqa: B018  reading it checks it
    except ValueError:
        return "the URL can't be read: special characters of a password must be quoted, such as %40 for @"
    if parts.scheme not in schemes:
        return f"the URL begins with none of {', '.join(f'{scheme}://' for scheme in schemes)}"
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if complaint := _parameter_problem(parts.scheme, key, value):
            return complaint
    return search_url.problem(parts) if parts.scheme in search_url.SCHEMES else _place_problem(parts)


def database(url: str) -> int:
    """The number of the Redis database that a good URL names; 0 if it names none."""
    parts = server_url.split(url)
    query = dict(parse_qsl(parts.query))
    in_path = "" if parts.scheme == "unix" or sentinels.is_sentinel(url) else parts.path.strip("/")
    return int(query.get("db") or in_path or 0)


def in_database(url: str, number: int) -> str:
    """The same Redis server, another database."""
    parts = server_url.split(url)
    if sentinels.is_sentinel(url):
        return sentinels.in_database(url, number)
    if parts.scheme == "unix":
        return f"{url.partition('?')[0]}?db={number}"
    return f"{parts.scheme}://{parts.netloc}/{number}"


def is_rpc(url: str) -> bool:
    """Whether results travel as messages of the broker."""
    return url.partition("://")[0] == RPC


def is_tls(url: str) -> bool:
    """Whether the URL asks for TLS."""
    return url.partition("://")[0] in TLS_SCHEMES


def turns_verification_off(text: str) -> bool:
    """Whether a URL has a parameter that would let a server with a wrong certificate pass."""
    asked = re.findall(r"(?i)[?&;]ssl_cert_reqs=([^&;]*)", text)
    return any(value.lower() not in _VERIFIED for value in asked) or bool(
        re.search(r"(?i)[?&;]ssl_check_hostname=(false|0|no|off|none|)(?:[&;]|$)", text)
    )


def without_tls_options(url: str) -> tuple[str, dict[str, str]]:
    """A URL as redis clients take it, and the TLS options that its parameters named, without their `ssl_`."""
    bare, _, query = url.partition("?")
    options, rest = {}, []
    for key, value in parse_qsl(query, keep_blank_values=True):
        if key.startswith("ssl_"):
            options[key.removeprefix("ssl_")] = value
        else:
            rest.append((key, value))
    return f"{bare}{'?' if rest else ''}{urlencode(rest)}", options


def quoted_path(path: Path) -> str:
    """A path as a URL holds it."""
    return quote(str(path))


def sqlite_path(url: str) -> Path:
    """The file that a `sqlite:///path` URL names; three slashes or four, always absolute."""
    return Path("/" + unquote(server_url.split(url).path).lstrip("/"))


def _parameter_problem(scheme: str, key: str, value: str) -> str | None:
    if key in ("ssl_cert_reqs", "ssl_check_hostname"):
        return f"certificates are always verified: take {key} out of the URL"
    if key.startswith("ssl_"):
        return f"take {key} out of the URL and set ca_file, cert_file, key_file or ciphers"
    if scheme in sentinels.SCHEMES and key in sentinels.PARAMETERS and key != "db":
        return None if value else f"{key} in the URL is empty"
    if key != "db" or scheme not in REDIS_SCHEMES:
        return f"a {scheme}:// URL has no parameter {key!r} here"
    return None if re.fullmatch(r"[0-9]{1,4}", value) else "db in the URL is no database number"


def _place_problem(parts: SplitResult) -> str | None:
    if parts.scheme in ("unix", "sqlite"):
        path = unquote(parts.path)
        host = parts.netloc.rpartition("@")[2]
        if host or not path.startswith("/") or path.endswith("/"):
            return f"a {parts.scheme}:// URL names a file by its absolute path: {parts.scheme}:///path"
        if parts.scheme == "unix" and len(path.encode()) > _SOCKET_PATH_MOST:
            return f"the path of a unix socket has at most {_SOCKET_PATH_MOST} bytes, this one {len(path.encode())}"
        return None
    if parts.scheme in sentinels.SCHEMES:
        return sentinels.problem(parts)
    if parts.scheme == RPC:
        return (
            None
            if not (parts.netloc or parts.path)
            else "rpc:// names no place: the broker carries the results"
        )
    if not parts.hostname:
        return f"the {parts.scheme}:// URL names no host"
    if parts.scheme in MAIL_SCHEMES and parts.path.strip("/"):
        return f"the {parts.scheme}:// URL has something after the host"
    if parts.scheme == "smtp" and parts.username is not None:
        return "an smtp:// URL would send the password in the clear: take smtps:// or smtp+starttls://"
    if parts.scheme in REDIS_SCHEMES and not re.fullmatch(r"/?(?:[0-9]{1,4})?/?", parts.path):
        return f"the {parts.scheme}:// URL has something else than a database number after the host"
    return None
