"""One server for all processes of a test session: the first who needs it starts it, and stops it after the last.

Whoever uses it holds a shared lock for as long, which ends with its process, kill -9 included. Who started it waits
at its own end until nobody else holds one. A worker that comes after that starts a server anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

import pytest

from services.elastic_node import ElasticNode
from services.elasticsearch import ElasticServer


def session_directory(factory: pytest.TempPathFactory) -> Path:
    """A directory that all workers of this test session share, and no other session."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextlib.contextmanager
def shared(directory: Path, name: str, make: Callable[[], ElasticServer]) -> Iterator[ElasticNode]:
    """The server called `name` in `directory`; `make` is called where nobody has started it yet."""
    place = directory / f"{name}.json"
    with contextlib.ExitStack() as stack:
        with _locked(directory / f"{name}.lock", fcntl.LOCK_EX):
            node = _found(place, stack)
            if node is None:
                node = _started(place, make(), stack)
        yield node


def _found(place: Path, stack: contextlib.ExitStack) -> ElasticNode | None:
    if not place.exists():
        return None
    told = json.loads(place.read_text())
    node = ElasticNode(**told["node"])
    node = replace(node, authority=None if node.authority is None else Path(node.authority))
    try:
        node.request("GET", "/_cluster/health")
    except OSError:  # its owner was killed, and it with it
        return None
    stack.enter_context(_locked(Path(told["users"]), fcntl.LOCK_SH))
    return node


def _started(place: Path, server: ElasticServer, stack: contextlib.ExitStack) -> ElasticNode:
    stack.callback(server.remove)
    server.start()
    users = place.with_name(f"{place.stem}-{server.pid}.users")
    place.write_text(json.dumps({"node": asdict(server.node), "users": str(users)}, default=str))
    stack.callback(_await_last, place, users)
    return server.node


def _await_last(place: Path, users: Path) -> None:
    with _locked(place.with_suffix(".lock"), fcntl.LOCK_EX):
        place.unlink()
    with _locked(users, fcntl.LOCK_EX):
        pass


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[IO[bytes]]:
    with path.open("ab") as file:
        fcntl.flock(file, how)
        yield file
