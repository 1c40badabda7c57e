"""The process that calls creators: it imports them once, and forks for each call, so that no call finds what another
one left behind.

    python -P -m hysds.adapters.creators.program ANSWERS STATUSES PREFIXES DIR BOUNDS

Orders come on standard input, a line of JSON each. The forked process writes its answer to the descriptor ANSWERS and
exits; this one ends all that the call left running, and then writes the exit code of the call to STATUSES. So all of an
answer is there before its status. Whatever a creator prints goes to standard output and error, which are one pipe.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple

from hysds.adapters.creators import answers, functions
from hysds.lib.process.guard import tree

OVERDUE = b"Timeout ("
CRASHED = b"Fatal Python error"
"""How the traceback of a call begins that took too long, and of one that crashed; faulthandler writes them."""
TAKEN = b"+"
"""What stands before a status: the order was taken, and its creator may have been called."""


class Place(NamedTuple):
    """What the program is told when it starts."""

    answers_fd: int
    statuses_fd: int
    prefixes: tuple[str, ...]
    folder: str
    """Where creators are looked for when no installed module has the name; empty: nowhere else."""
    bounds: answers.Bounds


class Resolved(NamedTuple):
    """A function, and what its file was like when it was imported."""

    function: Callable[..., Any]
    stamp: tuple[int, int, int] | None


def main(arguments: list[str]) -> None:
    """Carry out orders until there are no more."""
    place = _place(arguments)
    orders_fd = _apart(place)
    tree.Kernel().become_subreaper()
    # Nobody asks a creator to dump its memory, and its arguments may be a secret.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (place.bounds.memory_bytes, place.bounds.memory_bytes))
    faulthandler.enable()
    if place.folder:
        sys.path.append(place.folder)
    resolved: dict[str, Resolved] = {}
    with os.fdopen(orders_fd, "rb") as orders:
        for line in orders:
            order = json.loads(line)
            known = resolved.get(order["function"])
            if known is not None and known.stamp != _stamp(known.function):
                return  # somebody mended its module; whoever asked starts a process that reads it anew
            os.write(place.statuses_fd, TAKEN)
            status = _carried_out(order, place, resolved)
            os.write(place.statuses_fd, f"{status}\n".encode())


def _place(arguments: list[str]) -> Place:
    answers_fd, statuses_fd, prefixes, folder, bounds = arguments
    return Place(
        int(answers_fd),
        int(statuses_fd),
        tuple(prefixes.split(",")),
        folder,
        answers.Bounds(**json.loads(bounds)),
    )


def _apart(place: Place) -> int:
    """Keep our descriptors from what creators start, and standard input from creators. Answers that of orders."""
    for fd in (place.answers_fd, place.statuses_fd):
        os.set_inheritable(fd, False)
    orders_fd = os.dup(0)
    null_fd = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null_fd, 0)
    os.close(null_fd)
    return orders_fd


def _carried_out(order: dict[str, Any], place: Place, resolved: dict[str, Resolved]) -> int:
    """The exit code of the call; negative: the signal that ended it."""
    faulthandler.dump_traceback_later(place.bounds.time_limit_s, exit=True)  # an import may hang too
    try:
        name = order["function"]
        if name not in resolved:
            function = functions.resolved(name, place.prefixes)
            resolved[name] = Resolved(function, _stamp(function))
    except BaseException as error:  # noqa: BLE001  also SystemExit: of an import we are the outer shell
        _write(place.answers_fd, _failure(error))
        return 0
    finally:
        faulthandler.cancel_dump_traceback_later()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            os.close(place.statuses_fd)
            _call(resolved[name].function, order, place)
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    _end_what_is_left()
    return os.waitstatus_to_exitcode(status)


def _stamp(function: Callable[..., Any]) -> tuple[int, int, int] | None:
    """What changes when somebody writes the file of the function's module; None: it has none."""
    module = sys.modules.get(function.__module__)
    try:
        told = os.stat(getattr(module, "__file__", None) or "")
    except OSError:
        return None
    return told.st_ino, told.st_size, told.st_mtime_ns


def _call(function: Callable[..., Any], order: dict[str, Any], place: Place) -> None:
    """In the forked process: the answer, or why there is none."""
    faulthandler.dump_traceback_later(place.bounds.time_limit_s, exit=True)
    try:
        answer = functions.called(function, order["info"], order["job_type"])
        text = b'{"jobs":' + answers.encoded(answer, place.bounds.jobs, place.bounds.answer_bytes) + b"}"
    except BaseException as error:  # noqa: BLE001  whatever it raises is its answer
        text = _failure(error)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    _write(place.answers_fd, text)


def _failure(error: BaseException) -> bytes:
    if isinstance(error, answers.Unfit | functions.NoCreator):
        return json.dumps({"failed": str(error), "tail": []}).encode()
    told = error.with_traceback(_beyond_us(error.__traceback__))
    lines = "".join(traceback.format_exception(told)).splitlines()[-20:]
    what = f"raised {type(error).__name__}: {error}"
    return json.dumps({"failed": what[:2000], "tail": [line[:500] for line in lines]}).encode()


def _beyond_us(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the creator's own frames on; all of it where it never got there."""
    found = trace
    while found is not None and found.tb_frame.f_code.co_filename in (__file__, functions.__file__):
        found = found.tb_next
    return found or trace


def _write(fd: int, text: bytes) -> None:
    left = memoryview(text)
    while left:
        left = left[os.write(fd, left) :]


def _end_what_is_left() -> None:
    """Kill all that the call started and left; as the subreaper, this process is parent of them all."""
    sweep = tree.Sweep()
    with contextlib.suppress(ChildProcessError):
        while True:
            if found := tree.children(os.getpid()):
                sweep.kill(found)
            os.waitpid(-1, 0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for whoever waits for the answer
    main(sys.argv[1:])
