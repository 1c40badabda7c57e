"""Talking with a system that some process runs under a home: what of it runs, and to end it.

Its warden is asked, on a socket that only the home's owner can reach; whether it is there is not read from any file.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from hysds.embedded.errors import EmbeddedError, NoAnswer
from hysds.embedded.events import Ended, Events
from hysds.embedded.home import Home
from hysds.embedded.warden.plan import line

STARTING, RUNNING, STOPPING = "starting", "running", "stopping"
"""The phases of a system."""

_ANSWER_WITHIN_S = 5.0
_FREE_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.02


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a system."""

    name: str
    pid: int | None
    """None: it does not run now."""
    is_ready: bool
    uptime_s: float | None
    restarts: int
    again_s: float | None
    """How long until it is started again; None: it runs, or is not."""
    last_end: Ended | None
    """How the one before it ended."""
    last_end_at_s: float
    """When; wall seconds."""
    log: str


@dataclass(frozen=True, slots=True)
class State:
    """What a warden says of its system."""

    pid: int
    """The warden's."""
    since_s: float
    """When it was started; wall seconds."""
    uptime_s: float
    phase: str
    is_standing: bool
    """It goes on until it is told to stop; else it ends with a job of `hysds run`."""
    is_detached: bool
    processes: tuple[Process, ...]


def state(home: Home, timeout_s: float = _ANSWER_WITHIN_S) -> State | None:
    """What runs there; None where nothing does.

    Raises: NoAnswer where its warden does not say anything in time, ForeignFiles where it is another user's.
    """
    connection = _connected(home, timeout_s)
    if connection is None:
        return None
    with connection:
        told = _ask(connection, home, {"tell": "state"}, timeout_s)
    return _state(told["state"]) if told else None


def settled(home: Home) -> State | None:
    """What runs there once it has begun, or once it has ended: of one that is ending, None.

    Raises: NoAnswer where its warden does not say anything in time.
    """
    while (found := state(home)) is not None:
        if found.phase == RUNNING or (found.phase == STARTING and not found.is_standing):
            return found
        time.sleep(_LOOK_EVERY_S)
    return None


def stop(home: Home, hurry: bool = False) -> Iterator[Ended]:
    """End what runs there; yields each process as it has ended, and returns when the home is free.

    `hurry`: running jobs are not waited for. May be asked again while it ends. Nothing runs there: yields nothing.
    Raises: NoAnswer; EmbeddedError where something goes on to hold the home.
    """
    if (connection := _connected(home, _ANSWER_WITHIN_S)) is not None:
        with connection:
            events = Events()
            with suppress(ConnectionError):  # it has ended by itself, as reading shows
                connection.sendall(line({"stop": True, "hurry": hurry}))
            while not events.is_over:
                _await(connection, home, None if events.is_stopping else _ANSWER_WITHIN_S)
                events.take(_read(connection))
                news, events.news = events.news, []
                yield from news
    _await_free(home)


def _connected(home: Home, timeout_s: float) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect(str(home.door))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        connection.close()
        return None
    except TimeoutError:
        connection.close()
        raise _no_answer(home) from None
    except PermissionError as error:
        connection.close()
        raise home.refusal() from error
    except BaseException:
        connection.close()
        raise
    return connection


def _ask(
    connection: socket.socket, home: Home, question: Mapping[str, Any], timeout_s: float
) -> dict[str, Any]:
    """The answer; {} where the warden left instead."""
    until_s = time.monotonic() + timeout_s
    try:
        connection.sendall(line(question))
    except ConnectionError:
        return {}
    text = b""
    while not text.endswith(b"\n"):
        _await(connection, home, max(until_s - time.monotonic(), 0))
        part = _read(connection)
        if not part:
            return {}
        text += part
    answer: dict[str, Any] = json.loads(text)
    return answer


def _await(connection: socket.socket, home: Home, timeout_s: float | None) -> None:
    """Until something can be read."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if not poll.poll(None if timeout_s is None else timeout_s * 1000):
        raise _no_answer(home)


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionError:
        return b""


def _no_answer(home: Home) -> NoAnswer:
    holder = home.holder()
    who = "its warden" if holder is None else f"process {holder}"
    return NoAnswer(
        f"the system under {home.path} does not answer: {who} hangs or is stopped; wait, or kill it"
    )


def _await_free(home: Home) -> None:
    """Whoever ran it has still to leave, and what was killed with it to die."""
    until_s = time.monotonic() + _FREE_WITHIN_S
    while home.is_locked():
        if home.is_attended():
            return  # somebody has begun the next one
        if time.monotonic() >= until_s:
            holder = home.holder()
            who = "another process" if holder is None else f"process {holder}"
            raise EmbeddedError(f"{who} goes on to hold {home.path}")
        time.sleep(_LOOK_EVERY_S)


def _state(told: Mapping[str, Any]) -> State:
    processes = tuple(_process(one) for one in told["processes"])
    return State(**{**told, "processes": processes})


def _process(told: Mapping[str, Any]) -> Process:
    end = told["last_end"]
    last = Ended(told["name"], end["code"], end["killed"], end["reason"]) if end else None
    return Process(**{**told, "last_end": last, "last_end_at_s": end["at_s"] if end else 0.0})
