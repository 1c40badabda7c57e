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
from typing import IO, Protocol

import pytest

from services.elastic_node import ElasticNode


class Shareable(Protocol):
    """A server that answers requests of processes that did not start it."""

    @property
    def pid(self) -> int:
        """Its process, while it is started."""

    @property
    def node(self) -> ElasticNode:
        """How to reach it."""

    def start(self) -> None:
        """Returns once it is ready."""

    def remove(self) -> None:
        """End it and clear what it left."""


def session_directory(factory: pytest.TempPathFactory) -> Path:
    """A directory that all workers of this test session share, and no other session."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@contextlib.contextmanager
def shared(directory: Path, name: str, make: Callable[[], Shareable]) -> Iterator[ElasticNode]:
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
    if not _is_held(Path(told["owner"])):  # it was killed, and its server dies with it
        return None
    stack.enter_context(_locked(Path(told["users"]), fcntl.LOCK_SH))
    return node


def _started(place: Path, server: Shareable, stack: contextlib.ExitStack) -> ElasticNode:
    stack.callback(server.remove)
    server.start()
    owner, users = (place.with_name(f"{place.stem}-{server.pid}.{role}") for role in ("owner", "users"))
    stack.enter_context(_locked(owner, fcntl.LOCK_EX))
    told = {"node": asdict(server.node), "owner": owner, "users": users}
    place.write_text(json.dumps(told, default=str))
    stack.callback(_await_last, place, users)
    return server.node


def _await_last(place: Path, users: Path) -> None:
    with _locked(place.with_suffix(".lock"), fcntl.LOCK_EX):
        place.unlink()
    with _locked(users, fcntl.LOCK_EX):
        pass


def _is_held(path: Path) -> bool:
    try:
        with _locked(path, fcntl.LOCK_SH | fcntl.LOCK_NB):
            return False
    except BlockingIOError:
        return True


@contextlib.contextmanager
def _locked(path: Path, how: int) -> Iterator[IO[bytes]]:
    with path.open("ab") as file:
        fcntl.flock(file, how)
        yield file
