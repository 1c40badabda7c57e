"""One Elasticsearch cluster: who is asked and how, and what its refusals mean to us.

Every trouble that concerns the store as a whole is Unreachable: nothing was answered, all may be repeated. It is
repeated here only while the server says that it is busy or another host may answer; who calls decides about the rest.
"""

from __future__ import annotations

import base64
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elastic_transport import NodeConfig, Urllib3HttpNode
from elastic_transport import TransportError as _TransportError
from elasticsearch import ApiError, Elasticsearch
from elasticsearch import exceptions as failures

from hysds.core.errors import Unreachable
from hysds.lib import transport_retry
from hysds.lib.transport_retry import Persistence
from hysds.settings import search_url
from hysds.settings.servers import Store

OLDEST_VERSION = 8
PERSISTENCE = Persistence(attempts=4, first_wait_s=0.2, longest_wait_s=2.0)
"""How hard a call is tried while the server is busy or a host does not answer."""
ONCE = Persistence(attempts=1)

CLOSED = "index_closed_exception"
BUSY = frozenset({429, 502, 503, 504})
_REASON = 500  # characters of what a server said that are shown
_JSON = "application/json"
_LINES = "application/x-ndjson"


class Busy(Unreachable):
    """Not now: the same may be asked again in a moment."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the cluster is, and who we are to it; at most one of `user` and `api_key`. `timeout_s`: for one answer."""

    hosts: tuple[tuple[str, int], ...]
    is_tls: bool
    path: str
    user: tuple[str, str] | None
    api_key: str | None
    ca_file: Path | None
    timeout_s: float

    @property
    def is_named(self) -> bool:
        """Whether we say who we are."""
        return self.user is not None or self.api_key is not None

    @property
    def where(self) -> str:
        """For people; no secret in it."""
        scheme = "https" if self.is_tls else "http"
        places = (f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        return f"{scheme}://{','.join(places)}{self.path}"


def access(store: Store, patience_s: float | None = None) -> Access:
    """What the settings of a store in Elasticsearch say. `patience_s`: another timeout; None: the settings'."""
    cluster = search_url.read(store.url or "")
    user, password = store.username or cluster.user, store.password or cluster.password
    return Access(
        hosts=cluster.hosts,
        is_tls=cluster.is_tls,
        path=cluster.path,
        user=(user, password) if user is not None and password is not None else None,
        api_key=store.api_key,
        ca_file=store.ca_file,
        timeout_s=store.timeout_s if patience_s is None else patience_s,
    )


class Server:
    """Calls to one cluster. Safe to share between threads; it connects at its first call."""

    def __init__(self, access: Access, persistence: Persistence = PERSISTENCE) -> None:
        self.access = access
        self.persistence = persistence
        self._lock = threading.Lock()
        self._client: Elasticsearch | None = None
        self._version = ""

    def ask(
        self, method: str, path: str, body: object = None, params: Mapping[str, str] | None = None
    ) -> Any:
        """The server's answer; a body of bytes is one of lines.

        Raises: Unreachable; ApiError for what the server says of this request alone (400, 404, 409, 413).
        """
        return transport_retry.insist(
            lambda: self.ask_once(method, path, body, params), (Busy,), self.persistence
        )

    def ask_once(
        self, method: str, path: str, body: object = None, params: Mapping[str, str] | None = None
    ) -> Any:
        """The same, not repeated.

        Raises: Busy too, where the same may be asked again.
        """
        self.version()
        return self._said(method, path, body, params)

    def version(self) -> str:
        """The server's version; "" where we may not know it. Asked once.

        Raises: Unreachable for one that HySDS can't use.
        """
        if not self._version:
            self._version = self._examined() or "unknown"
        return "" if self._version == "unknown" else self._version

    def now_ms(self) -> int | None:
        """The server's wall clock; None where we may not know it. Raises: Unreachable"""
        try:
            said = self.ask("GET", "/_nodes/_local/stats/os", params={"filter_path": "nodes.*.timestamp"})
        except _Forbidden:
            return None
        return max((node["timestamp"] for node in said.get("nodes", {}).values()), default=None)

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _examined(self) -> str:
        # Not `GET /`: who may write documents need not be allowed to ask that, and some builds lack it.
        try:
            told = self._said("GET", "/_nodes/_local", None, {"filter_path": "nodes.*.version"})
        except ApiError as error:
            raise self._unusable(error) from error
        except _Forbidden:
            return ""
        versions = [node["version"] for node in told.get("nodes", {}).values()]
        for version in versions:
            if int(version.partition(".")[0]) < OLDEST_VERSION:
                raise Unreachable("store", self._too_old(version))
        return versions[0] if versions else ""

    def _unusable(self, error: ApiError) -> Unreachable:
        if error.meta.status in (400, 406):
            return Unreachable("store", self._too_old("one that does not know our requests"))
        return Unreachable("store", f"{self.access.where} is no Elasticsearch: {reason(error)}")

    def _too_old(self, version: str) -> str:
        return (
            f"{self.access.where} is Elasticsearch {version}; HySDS needs version {OLDEST_VERSION} or later"
        )

    def _said(self, method: str, path: str, body: object, params: Mapping[str, str] | None) -> Any:
        headers = {"accept": _JSON}
        if body is not None:
            headers["content-type"] = _LINES if isinstance(body, bytes) else _JSON
        try:
            return (
                self._connected()
                .perform_request(method, path, params=params, headers=headers, body=body)
                .body
            )
        except failures.UnsupportedProductError as error:
            raise Unreachable(
                "store", f"{self.access.where} does not say that it is Elasticsearch"
            ) from error
        except ApiError as error:
            raise self._meaning(error) from error
        except failures.ConnectionTimeout as error:
            raise Unreachable(
                "store", f"{self.access.where} did not answer within {self.access.timeout_s:g} s"
            ) from error
        except failures.SSLError as error:
            raise Unreachable("store", self._untrusted(error)) from error
        except failures.ConnectionError as error:
            raise Busy("store", f"{self.access.where}: {_cut(error.message)}") from error
        except _TransportError as error:
            raise Unreachable("store", f"{self.access.where}: {_cut(error.message)}") from error

    def _meaning(self, error: ApiError) -> Exception:
        """The error itself where it is about this request alone."""
        status, why = error.meta.status, reason(error)
        if status == 401:
            told = (
                "check store.username, store.password, store.api_key"
                if self.access.is_named
                else "name a user"
            )
            return Unreachable("store", f"{self.access.where} refuses our credentials ({told}): {why}")
        if status in BUSY:
            return Busy("store", f"{self.access.where} answers {status}: {why}")
        if status == 403:
            return _Forbidden("store", f"{self.access.where} does not allow it: {why}")
        return error if status < 500 else Unreachable("store", f"{self.access.where} answers {status}: {why}")

    def _untrusted(self, error: failures.SSLError) -> str:
        trusted = f"store.ca_file ({self.access.ca_file})" if self.access.ca_file else "the operating system"
        mend = "set store.ca_file to its authority's certificate, and use the name that it vouches for"
        return f"{self.access.where}: no TLS that {trusted} vouches for: {_cut(error.message)}; {mend}"

    def _connected(self) -> Elasticsearch:
        with self._lock:
            if self._client is None:
                self._client = _client(self.access)
            return self._client


class _Forbidden(Unreachable):
    """We are known, and may not."""


def reason(error: ApiError) -> str:
    """What the server said, cut."""
    body = error.body
    told = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(told, dict):
        told = f"{told.get('type', '')}: {told.get('reason', told)}"
    return _cut(str(told or error.message))


def kind(error: ApiError) -> str:
    """The server's own name of the error, such as `resource_already_exists_exception`; "" where it gave none."""
    told = error.body.get("error") if isinstance(error.body, dict) else None
    return str(told.get("type", "")) if isinstance(told, dict) else ""


def _cut(text: str) -> str:
    return text if len(text) <= _REASON else f"{text[:_REASON]}…"


def _tls(access: Access) -> ssl.SSLContext:
    """Verifies certificate and name. The client's own choice of authorities would not be the operating system's."""
    try:
        return ssl.create_default_context(cafile=access.ca_file)
    except (ssl.SSLError, OSError) as error:
        raise Unreachable(
            "store", f"store.ca_file: {access.ca_file} holds no certificates: {error}"
        ) from error


def _encoded(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def _client(access: Access) -> Elasticsearch:
    scheme, tls = ("https", _tls(access)) if access.is_tls else ("http", None)
    nodes = [
        NodeConfig(scheme, host, port, path_prefix=access.path, ssl_context=tls)
        for host, port in access.hosts
    ]
    return Elasticsearch(
        nodes,
        # As one text it is the encoded pair: of a pair the client itself encodes ASCII alone.
        basic_auth=None if access.user is None else _encoded(*access.user),
        api_key=access.api_key,
        node_class=Urllib3HttpNode,
        request_timeout=access.timeout_s,
        # It is decided here what is repeated, and when.
        max_retries=0,
        retry_on_timeout=False,
        retry_on_status=(),
        http_compress=False,
        max_dead_node_backoff=5.0,
    )
