"""Processes of one test session share a server, whoever of them ends first and however."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest

import services
from services.elastic_node import ElasticNode
from services.ports import Reservation
from services.process import ServerProcess, own_directory
from services.sharing import shared

_ANSWERS = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

_SHARER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_sharing import LightServer
from services.sharing import shared
with shared(Path(sys.argv[1]), "light", LightServer) as node:
    print(node.url, flush=True)
    sys.stdin.read()
"""


class LightServer(ServerProcess):
    """Answers everything with nothing, within a moment of its start."""

    def __init__(self) -> None:
        directory = own_directory("light")
        self._port = Reservation()
        command = [sys.executable, "-I", "-S", "-c", _ANSWERS, str(self._port.port)]
        super().__init__(directory, command, {}, lambda: self.node.request("GET", "/"))

    @property
    def node(self) -> ElasticNode:
        """How to reach it."""
        return ElasticNode(f"http://127.0.0.1:{self._port.port}")

    def remove(self) -> None:
        """End it and give its port back."""
        super().remove()
        self._port.close()


@contextmanager
def _sharer(directory: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that shares the server until its input ends, and the server's URL."""
    places = (Path(__file__).parent, Path(services.__path__[0]).parent)
    command = [sys.executable, "-c", _SHARER, str(directory), *map(str, places)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait()


def _refuses(url: str) -> bool:
    with pytest.raises(URLError, match="refused"):
        ElasticNode(url).request("GET", "/")
    return True


def test_who_comes_second_gets_the_same_server_until_the_last_has_gone(tmp_path: Path) -> None:
    """The owner waits for whoever still uses it, stops it then, and whoever comes after that starts another."""
    with _sharer(tmp_path) as (owner, url):
        with _sharer(tmp_path) as (user, same):
            assert same == url
            assert owner.stdin is not None
            owner.stdin.close()
            while (tmp_path / "light.json").exists():  # the owner is at its end, and waits
                assert owner.poll() is None
            ElasticNode(url).request("GET", "/")
            _end(user)
        owner.wait()

    assert _refuses(url)
    with shared(tmp_path, "light", LightServer) as node:
        node.request("GET", "/")


@pytest.mark.parametrize("killed", ["owner", "user"])
def test_nobody_waits_for_whoever_was_killed(tmp_path: Path, killed: str) -> None:
    """A killed owner's server is not found any more; a killed user's owner ends at once."""
    with ExitStack() as stack:
        owner, url = stack.enter_context(_sharer(tmp_path))
        user, _ = stack.enter_context(_sharer(tmp_path))
        if killed == "owner":
            owner.kill()
            owner.wait()
            with shared(tmp_path, "light", LightServer) as node:
                assert node.url != url
                node.request("GET", "/")
            _end(user)
        else:
            user.kill()
            user.wait()
            _end(owner)
            assert _refuses(url)
