"""A proxy between an HTTP client and a server: records what was asked, and does harm to the requests a test chooses.

with HttpProxy(node.url) as proxy:
    proxy.harm = lambda asked: Say(429) if asked.path.startswith("/_bulk") else None
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

_PRODUCT = {"X-elastic-product": "Elasticsearch", "Content-Type": "application/json"}

_OF_ONE_HOP = ("host", "connection", "content-length", "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came, headers with small names."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> bytes:
        """The body, unpacked where it came compressed."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body


@dataclass(frozen=True, slots=True)
class Say:
    """The server is not asked; this is the answer."""

    status: int
    body: object = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delay:
    """The answer comes so much later."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection is closed without an answer: before the server is asked, or after it has done it."""

    is_done: bool = False


@dataclass(frozen=True, slots=True)
class RefuseItems:
    """Of a bulk request the items at these places (by number) don't reach the server, and are answered like this."""

    chosen: Callable[[int], bool]
    status: int = 429
    kind: str = "es_rejected_execution_exception"
    reason: str = "rejected execution"


Harm = Say | Delay | Cut | RefuseItems
Answer = tuple[int, Mapping[str, str], bytes]


def no_harm(asked: Asked) -> Harm | None:
    """Pass everything on."""
    return None


class HttpProxy:
    """Listens on 127.0.0.1 while it is entered. `requests` are all that came; `harm` decides of each, and may be
    set."""

    def __init__(self, target_url: str) -> None:
        self.target = urlsplit(target_url).netloc
        self.requests: list[Asked] = []
        self.harm: Callable[[Asked], Harm | None] = no_harm
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def asked(self, path: str) -> list[Asked]:
        """The requests so far whose path contains this."""
        return [request for request in list(self.requests) if path in request.path]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    def answer(self, asked: Asked) -> Answer | None:
        """What the client hears; None: nothing, and its connection ends."""
        harm = self.harm(asked)
        match harm:
            case Say(status, body):
                return status, _PRODUCT, json.dumps(body).encode()
            case Cut(is_done):
                if is_done:
                    self._pass_on(asked)
                return None
            case Delay(seconds):
                time.sleep(seconds)
            case RefuseItems():
                return self._pass_some_on(asked, harm)
        return self._pass_on(asked)

    def _pass_on(self, asked: Asked) -> Answer | None:
        headers = {name: told for name, told in asked.headers.items() if name not in _OF_ONE_HOP}
        connection = http.client.HTTPConnection(self.target, timeout=120)
        try:
            connection.request(asked.method, asked.path, asked.body, headers)
            answer = connection.getresponse()
            kept = {name: told for name, told in answer.getheaders() if name.lower() not in _OF_ONE_HOP}
            return answer.status, kept, answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def _pass_some_on(self, asked: Asked, harm: RefuseItems) -> Answer | None:
        # Neither way compressed: the items are read here.
        headers = {name: told for name, told in asked.headers.items() if not name.endswith("-encoding")}
        items = _bulk_items(asked.text)
        kept = b"".join(item for place, item in enumerate(items) if not harm.chosen(place))
        heard = self._pass_on(Asked(asked.method, asked.path, headers, kept)) if kept else _NOTHING_DONE
        if heard is None or heard[0] != 200:
            return heard
        told = json.loads(heard[2])
        done = iter(told["items"])
        told["items"] = [
            _refusal(item, harm) if harm.chosen(place) else next(done) for place, item in enumerate(items)
        ]
        told["errors"] = True
        return 200, heard[1], json.dumps(told).encode()


_NOTHING_DONE: Answer = (200, _PRODUCT, b'{"took": 0, "errors": false, "items": []}')


def _bulk_items(body: bytes) -> list[bytes]:
    """The lines of each item: its action, and its source where it has one."""
    lines, items = iter(body.splitlines(keepends=True)), []
    for line in lines:
        items.append(line if "delete" in json.loads(line) else line + next(lines))
    return items


def _refusal(item: bytes, harm: RefuseItems) -> dict[str, Any]:
    ((action, about),) = json.loads(item.splitlines()[0]).items()
    error = {"type": harm.kind, "reason": harm.reason}
    return {action: {"_index": about["_index"], "_id": about["_id"], "status": harm.status, "error": error}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: HttpProxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.proxy = proxy
        self.connections: set[socket.socket] = set()

    def end_connections(self) -> None:
        for connection in list(self.connections):
            connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Tests read `requests`."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): told for name, told in self.headers.items()}
        asked = Asked(self.command, self.path, headers, body)
        self.server.proxy.requests.append(asked)
        answer = self.server.proxy.answer(asked)
        if answer is None:
            self.close_connection = True
            return
        status, told, text = answer
        self.send_response_only(status)
        for name, value in {**told, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - the names that it looks for
