"""The one guard on calls to URLs that a user named: where they may go, how long they may take, how much they may bring.

A host's name is resolved once and the connection goes to that address, so a name that changes its answer between check
and use gains nothing. Each hop of a redirect is checked like the first. No proxy of the environment is used, and no
header that could be a secret follows a redirect to another origin.
"""

from __future__ import annotations

import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from hysds.lib import addresses

Resolve = Callable[[str, int], Sequence[str]]
"""The addresses of a host. Raises OSError where it has none."""

_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOLLOWING = frozenset({"GET", "HEAD"})
"""Whatever else is sent is sent to the URL that was named, and nowhere else."""
_KEPT_ELSEWHERE = frozenset({"accept", "user-agent"})
_READ_BYTES = 65536


class Forbidden(Exception):
    """The policy does not let this call be made, or its answer be taken; a repeat would end alike."""


class Failed(Exception):
    """No whole answer came: the host, the network or the time. A repeat may do better."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What calls may do.

    `allow`: networks (`10.1.0.0/16`) and hosts (`hooks.example.org`) that may be called although their addresses are
    not public ones. `timeout_s`: for the whole call, all hops. `answer_bytes`: of the body. `ca_file`: the authorities
    that may vouch for a host; None: those of the operating system.
    """

    schemes: tuple[str, ...] = ("https", "http")
    allow: tuple[str, ...] = ()
    timeout_s: float = 30.0
    answer_bytes: int = 1_000_000
    hops: int = 5
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One call. GET and HEAD follow redirects, others do not."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reads_body: bool = True
    """False: the status is all that counts, and the answer's body is not read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` by lower-case names; `url`: of the last hop."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the operating system's resolver says."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class Guard:
    """Makes calls within a policy. Safe to share between threads."""

    def __init__(self, policy: Policy, resolve: Resolve = system_addresses) -> None:
        self._policy = policy
        self._resolve = resolve
        self._tls: ssl.SSLContext | None = None

    def call(self, request: Request) -> Answer:
        """Raises: Forbidden, Failed; neither message shows more of a URL than its origin."""
        until_s = time.monotonic() + self._policy.timeout_s
        for _ in range(self._policy.hops + 1):
            parts = self._checked(request.url)
            answer = self._hop(request, parts, until_s)
            if answer.status not in _REDIRECTS or request.method not in _FOLLOWING:
                return answer
            request = self._redirected(request, parts, answer)
        raise Forbidden(f"{origin(request.url)}: more than {self._policy.hops} redirects")

    def permit(self, url: str) -> None:
        """Whether the URL may be called now, without a call: its form and its addresses, not what a redirect names.

        Raises: Forbidden, Failed
        """
        parts = self._checked(url)
        until_s = time.monotonic() + self._policy.timeout_s
        try:
            self._permitted(parts.hostname or "", parts.port or _PORTS[parts.scheme], until_s)
        except TimeoutError as error:
            raise Failed(f"{origin(url)}: its name was not resolved in time") from error

    def _checked(self, url: str) -> SplitResult:
        if not url.isascii() or not url.isprintable() or " " in url or len(url) > 8000:
            raise Forbidden("the URL holds characters that no URL can, or more than 8,000")
        try:
            parts = urlsplit(url)
            parts.port  # noqa: B018  reading it checks it
        except ValueError:
            raise Forbidden("the URL can't be read") from None
        if parts.scheme not in self._policy.schemes:
            raise Forbidden(
                f"the URL begins with none of {', '.join(f'{one}://' for one in self._policy.schemes)}"
            )
        if parts.username is not None or parts.password is not None:
            raise Forbidden("the URL holds a user or a password; name neither in it")
        if not parts.hostname:
            raise Forbidden("the URL names no host")
        return parts

    def _redirected(self, request: Request, parts: SplitResult, answer: Answer) -> Request:
        url = urljoin(request.url, answer.headers.get("location", ""))
        if "location" not in answer.headers:
            raise Failed(f"{origin(request.url)}: a redirect to nowhere (status {answer.status})")
        if parts.scheme == "https" and not url.startswith("https:"):
            raise Forbidden(f"{origin(request.url)}: a redirect from https to something else")
        if _origin(self._checked(url)) == _origin(parts):
            return replace(request, url=url)
        headers = {name: text for name, text in request.headers.items() if name.lower() in _KEPT_ELSEWHERE}
        return replace(request, url=url, headers=headers)

    def _hop(self, request: Request, parts: SplitResult, until_s: float) -> Answer:
        where = origin(request.url)
        try:
            with self._connected(parts, until_s) as wire:
                return self._exchanged(request, parts, wire)
        except ssl.SSLCertVerificationError as error:
            raise Forbidden(f"{where}: its certificate is not valid ({error.verify_message})") from error
        except TimeoutError as error:
            raise Failed(f"{where}: no whole answer within {self._policy.timeout_s:g} s") from error
        except http.client.HTTPException as error:
            raise Failed(f"{where}: no HTTP answer ({type(error).__name__})") from error
        except OSError as error:
            raise Failed(f"{where}: {error.strerror or type(error).__name__}") from error

    def _connected(self, parts: SplitResult, until_s: float) -> _Wire:
        """A connection to an address that was checked.

        Raises: OSError of the last address, where none takes it.
        """
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        failure = OSError("no address")
        for address in self._permitted(host, port, until_s):
            try:
                return _Wire(self._socket(parts.scheme, host, (address, port), until_s), until_s)
            except ssl.SSLCertVerificationError:
                raise
            except OSError as error:
                failure = error
        raise failure

    def _socket(self, scheme: str, host: str, place: tuple[str, int], until_s: float) -> socket.socket:
        plain = socket.create_connection(place, timeout=_left_s(until_s))
        if scheme == "http":
            return plain
        try:
            plain.settimeout(_left_s(until_s))
            return self._context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _permitted(self, host: str, port: int, until_s: float) -> list[str]:
        found = list(dict.fromkeys(self._resolved(host, port, until_s)))
        permitted = [one for one in found if addresses.may_be_called(one, host, self._policy.allow)]
        if not permitted:
            raise Forbidden(
                f"{host} is no public address ({', '.join(found[:3]) or 'it has none'}), and egress.allow does not "
                "name it"
            )
        return permitted

    def _resolved(self, host: str, port: int, until_s: float) -> Sequence[str]:
        """The resolver has no time limit of its own, so it is asked on a thread that may be left behind."""
        answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error if isinstance(error, OSError) else OSError("no name"))

        threading.Thread(target=ask, name="egress-resolver", daemon=True).start()
        try:
            found = answers.get(timeout=_left_s(until_s))
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(found, OSError):
            raise Failed(f"the host {host} has no address") from found
        return found

    def _exchanged(self, request: Request, parts: SplitResult, wire: _Wire) -> Answer:
        connection = http.client.HTTPConnection(parts.hostname or "")
        connection.sock = wire  # all that it uses of a socket
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {**request.headers, "Host": _host_header(parts), "Connection": "close"}
        connection.request(request.method, target, request.body or None, headers)
        response = connection.getresponse()
        found = {name.lower(): text for name, text in response.getheaders()}
        is_wanted = request.reads_body and not (
            response.status in _REDIRECTS and request.method in _FOLLOWING
        )
        return Answer(
            response.status, found, self._body(response, request.url) if is_wanted else b"", request.url
        )

    def _body(self, response: http.client.HTTPResponse, url: str) -> bytes:
        most = self._policy.answer_bytes
        body = bytearray()
        while part := response.read(min(_READ_BYTES, most + 1 - len(body))):
            body += part
            if len(body) > most:
                raise Forbidden(f"{origin(url)}: its answer has more than {most:,} bytes")
        if response.length:  # http.client takes an end that comes too early for the end
            raise Failed(f"{origin(url)}: its answer breaks off {response.length:,} bytes before its end")
        return bytes(body)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._policy.ca_file)
        return self._tls


def origin(url: str) -> str:
    """What of a URL may stand in a message: scheme, host and port; a path or a query may be a secret."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    except ValueError:
        return "the URL"


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme]


def _host_header(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]


def _left_s(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


class _Wire:
    """What http.client needs of a socket, under one end of time for all that is sent and received."""

    def __init__(self, sock: socket.socket, until_s: float) -> None:
        self._sock = sock
        self._until_s = until_s

    def __enter__(self) -> _Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def sendall(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            self._sock.settimeout(_left_s(self._until_s))
            left = left[self._sock.send(left) :]

    def makefile(self, mode: str) -> io.BufferedReader:
        """For reading; `mode` is always `rb`."""
        return io.BufferedReader(_Incoming(self._sock, self._until_s))

    def close(self) -> None:
        """http.client lets go when a body has no end of its own; the body is still to be read then."""


class _Incoming(io.RawIOBase):
    """What a socket receives: a byte a minute does not keep a call alive."""

    def __init__(self, sock: socket.socket, until_s: float) -> None:
        self._sock = sock
        self._until_s = until_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._sock.settimeout(_left_s(self._until_s))
        return self._sock.recv_into(buffer)
