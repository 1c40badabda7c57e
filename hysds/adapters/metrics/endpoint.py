"""Answers whoever asks for this process's metrics over HTTP: a few at a time, each for a few seconds at most.

It must never harm the process that it tells of. A port in use is said once and tried again; whoever sends what is no
request, or nothing, is left; nobody can make it hold more than a few threads and a few kilobytes.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hysds.ports.metrics import Address

_AT_ONCE = 4
"""Askers that are answered side by side; one more waits, as the kernel lets it."""
_MOST_ASKED = 8_192
"""Bytes of a request."""
_BACKLOG = 16
_AGAIN_S = 15.0
"""A port in use is tried again: it may be the process's own former life that still drains."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """What is told: `text` writes it, each time it is asked for."""

    text: Callable[[], bytes]
    content_type: str
    asker_s: float = 5.0
    """So long may one take to ask, and to take its answer."""


class HttpEndpoint:
    """One listening thread, and a few that answer. `told` hears the address as soon as there is one."""

    def __init__(
        self, who: str, at: Address, page: Page, told: Callable[[Address], None], again_s: float = _AGAIN_S
    ) -> None:
        """`who`: the role, for people. `at`: its port may be 0, for any that is free."""
        self._who = who
        self._at = at
        self._page = page
        self._told = told
        self._again_s = again_s
        self._closed = threading.Event()
        self._room = threading.Semaphore(_AT_ONCE)
        self._listening: socket.socket | None = None
        self._address: Address | None = None

    @property
    def address(self) -> Address | None:
        """Where it answers; None: it has no port yet."""
        return self._address

    def start(self) -> None:
        """Answer from now on; from now on this process has a thread."""
        has_port = self._bound(is_first=True)
        threading.Thread(target=self._run, args=(has_port,), name="metrics", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._closed.set()
        listening, self._listening = self._listening, None
        if listening is not None:
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept() does not hear a close
            listening.close()

    def _run(self, has_port: bool) -> None:
        while not has_port:
            if self._closed.wait(self._again_s):
                return
            has_port = self._bound(is_first=False)
        while (listening := self._listening) is not None:
            self._room.acquire()
            try:
                asker, _ = listening.accept()
            except OSError as error:
                self._room.release()
                if self._closed.is_set():
                    return
                _LOG.warning("an asker for metrics was lost: %s", error)
                self._closed.wait(1.0)  # out of descriptors, say: that ends no sooner by asking again at once
                continue
            try:
                threading.Thread(
                    target=self._serve, args=(asker,), name="metrics-answer", daemon=True
                ).start()
            except (
                RuntimeError
            ) as error:  # no thread can be had now: this one must be there when there are some
                self._room.release()
                asker.close()
                _LOG.warning("an asker for metrics was left: %s", error)

    def _bound(self, is_first: bool) -> bool:
        family = socket.AF_INET6 if ipaddress.ip_address(self._at.host).version == 6 else socket.AF_INET
        try:
            listening = _listen(family, self._at)
        except OSError as error:
            if is_first:
                _LOG.error("%s", _sentence(self._who, self._at, error, self._again_s))
            return False
        self._address = Address(self._at.host, listening.getsockname()[1])
        self._listening = listening
        if self._closed.is_set():  # it came between
            self.close()
            return True
        _LOG.info("metrics of this %s: %s", self._who, self._address.url)
        self._told(self._address)
        return True

    def _serve(self, asker: socket.socket) -> None:
        # What went wrong is said before the asker is left: who sees that it ended finds the reason.
        with asker:
            try:
                _answer(asker, self._page, time.monotonic() + self._page.asker_s)
            except OSError as gone:
                _LOG.debug("an asker for metrics left: %s", gone)
            except Exception:  # noqa: BLE001  a thread's outer shell: what breaks here is no business of the process's
                _LOG.exception("metrics could not be told")
            finally:
                self._room.release()


def _listen(family: socket.AddressFamily, at: Address) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((at.host, at.port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def _sentence(who: str, at: Address, error: OSError, again_s: float) -> str:
    return (
        f"the metrics of this {who} are told nowhere: {at.host} port {at.port} can't be had ({error.strerror}); it "
        f"works all the same, and tries again every {again_s:g} s. Set HYSDS_METRICS_PORT for it to another port, or "
        "to 0 for any that is free"
    )


def _answer(asker: socket.socket, page: Page, until_s: float) -> None:
    asked = _asked(asker, until_s)
    if asked is None:
        return
    words = asked.split(b"\n", 1)[0].split()
    if len(words) != 3 or not words[2].startswith(b"HTTP/"):
        code, kind, body = "400 Bad Request", "text/plain", b"this is no request\n"
    elif words[0] not in (b"GET", b"HEAD"):
        code, kind, body = "405 Method Not Allowed", "text/plain", b"metrics can only be read\n"
    elif words[1].partition(b"?")[0] != b"/metrics":
        code, kind, body = "404 Not Found", "text/plain", b"metrics are at /metrics\n"
    else:
        code, kind, body = "200 OK", page.content_type, page.text()
    head = (
        f"HTTP/1.1 {code}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    asker.settimeout(max(until_s - time.monotonic(), 0.001))
    asker.sendall(head.encode() + (b"" if words[:1] == [b"HEAD"] else body))


def _asked(asker: socket.socket, until_s: float) -> bytes | None:
    """The request's head; None of whoever sends none in time, or one that is too long."""
    asked = b""
    while b"\r\n\r\n" not in asked and b"\n\n" not in asked:
        left_s = until_s - time.monotonic()
        if left_s <= 0 or len(asked) > _MOST_ASKED:
            return None
        asker.settimeout(left_s)
        more = asker.recv(_MOST_ASKED)
        if not more:
            return None
        asked += more
    return asked
