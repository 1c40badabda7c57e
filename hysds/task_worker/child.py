"""A child of a task worker: calls functions by name, one at a time, for as long as its parent wants.

    python -P -u child.py SOCKET DIRECTORY MAX_RESULT_BYTES PREFIX …

It runs as a file, with the standard library alone: whatever else is imported, the called functions brought along. All
that it knows of the world is its parent's socket. A request is a length and JSON `{function, args, kwargs, id,
start_by_s, soft_at_s}`, times being of the boot-time clock; an answer is a length, the memory held, how it went
(`KINDS`), and JSON: the result, or `{error, traceback}`.
SIGUSR1 says that the soft limit may have passed; one that comes late, for a call that is over, changes nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

REQUEST = struct.Struct(">I")
ANSWER = struct.Struct(">IQc")
DONE, FAILED, SOFT_LIMIT, INVALID, NO_FUNCTION, BROKEN_MODULE, TOO_LATE = (
    b"d", b"f", b"s", b"i", b"n", b"b", b"l",
)  # fmt: skip
KINDS = (DONE, FAILED, SOFT_LIMIT, INVALID, NO_FUNCTION, BROKEN_MODULE, TOO_LATE)
_MAX_ERROR = 4_000
_MAX_TRACEBACK = 16_000
_PAGE_BYTES = resource.getpagesize()


class SoftTimeLimitExceeded(Exception):
    """Raised in a function that runs for longer than its soft limit, where Celery's own is not loaded."""


class NoFunction(Exception):
    """There is no such function, or it may not be called."""


class BrokenModule(Exception):
    """The function's module can't be imported."""


class Functions:
    """Those that may be called: of modules that a prefix allows, and defined in one. Each is looked up once."""

    def __init__(self, prefixes: Sequence[str]) -> None:
        self._prefixes = prefixes
        self._known: dict[str, Callable[..., Any]] = {}

    def get(self, name: str) -> Callable[..., Any]:
        """Raises: NoFunction, BrokenModule"""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._look_up(name)
        return found

    def _look_up(self, name: str) -> Callable[..., Any]:
        module_name, _, attribute = name.rpartition(".")
        if not self._allows(module_name):
            named = ", ".join(self._prefixes) or "no module"
            raise NoFunction(f"{name} is in no module that tasks.allow names ({named})")
        module = _module(module_name)
        function = getattr(module, attribute, None)
        if not callable(function):
            what = (
                "has nothing of that name" if function is None else f"holds {type(function).__name__} there"
            )
            raise NoFunction(f"there is no function {name}: the module {what}")
        # What a module only imported was not offered by it: `from os import system` allows nobody to call it.
        home = getattr(function, "__module__", None)
        if not isinstance(home, str) or not self._allows(home):
            raise NoFunction(f"{name} is defined in {home}, which tasks.allow does not name")
        return function  # type: ignore[no-any-return]

    def _allows(self, module: str) -> bool:
        return any(module == prefix or module.startswith(f"{prefix}.") for prefix in self._prefixes)


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise NoFunction(f"there is no module {name} for this worker: see its PYTHONPATH") from None
        raise BrokenModule(f"the module {name} can't be imported: {error}") from error
    except _limit_errors():
        raise
    except Exception as error:
        raise BrokenModule(f"the module {name} can't be imported: {type(error).__name__}: {error}") from error


class Caller:
    """Makes one call after the other."""

    def __init__(self, functions: Functions, max_result_bytes: int) -> None:
        self._functions = functions
        self._max_result_bytes = max_result_bytes
        self._ends_s: float | None = None
        """When the soft limit of the call that runs has passed, on the boot-time clock; None: nothing is limited."""

    def limit(self, number: int, frame: FrameType | None) -> None:
        """SIGUSR1."""
        if self._ends_s is not None and _boot_s() >= self._ends_s:
            self._ends_s = None
            raise _limit_error()

    def answer(self, request: dict[str, Any]) -> tuple[bytes, bytes]:
        """How it went, and what to tell of it as JSON."""
        if _boot_s() >= request["start_by_s"]:
            return TOO_LATE, b"{}"
        try:
            result = self._called(request)
        except NoFunction as error:
            return NO_FUNCTION, _told(str(error))
        except BrokenModule as error:
            return BROKEN_MODULE, _told(str(error), error.__cause__)
        except BaseException as error:  # noqa: BLE001  whatever a function raises is its outcome
            is_limit = isinstance(error, _limit_errors())
            text = f"{type(error).__name__}: {_text(error)}"
            return SOFT_LIMIT if is_limit else FAILED, _told(text, error)
        return self._carried(result)

    def _called(self, request: dict[str, Any]) -> Any:
        self._ends_s = request["soft_at_s"]
        os.environ["HYSDS_TASK_ID"] = request["id"]  # noqa: TID251 - told to the function and what it starts
        try:
            function = self._functions.get(request["function"])
            return function(*request["args"], **request["kwargs"])
        finally:
            self._ends_s = None

    def _carried(self, result: Any) -> tuple[bytes, bytes]:
        try:
            _check_keys(result)
            text = json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        except RecursionError:
            return INVALID, _told("its result is nested too deeply for JSON, or holds itself")
        except (
            TypeError,
            ValueError,
        ) as error:  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
            return INVALID, _told(f"its result, {_kind(result)}, can't be carried by JSON: {error}")
        if len(text) > self._max_result_bytes:
            return INVALID, _told(
                f"its result has {len(text):,} bytes as JSON, more than the {self._max_result_bytes:,} that a task may "
                "return; have it write a file or an object, and return its name"
            )
        return DONE, text


def _check_keys(value: Any) -> None:
    """JSON has texts for keys; Python would quietly make them of numbers and None. Raises: TypeError"""
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys are texts, not {_kind(key)}")
            _check_keys(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _check_keys(part)


def _kind(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def _limit_error() -> Exception:
    """Celery's own exception where the function's module has loaded it, so that an `except` of it works."""
    return _limit_errors()[-1]("the soft time limit has passed")


def _limit_errors() -> tuple[type[Exception], ...]:
    theirs = sys.modules.get("billiard.exceptions")
    return (
        (SoftTimeLimitExceeded,) if theirs is None else (SoftTimeLimitExceeded, theirs.SoftTimeLimitExceeded)
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  an exception whose text can't be made is still one
        return "(its text can't be made)"


def _told(text: str, error: BaseException | None = None) -> bytes:
    said = {"error": text[:_MAX_ERROR]}
    if error is not None:
        said["traceback"] = "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:]
    return json.dumps(said).encode()


def _boot_s() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def held_bytes() -> int:
    """The memory that this process holds."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES


def trim_output() -> None:
    """What earlier calls printed is told of by nobody."""
    if os.fstat(1).st_size:
        os.ftruncate(1, 0)


def _received(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            sys.exit(0)  # the parent wants no more, or is dead
        parts += part
    return bytes(parts)


def serve(connection: socket.socket, caller: Caller) -> None:
    """Until the parent lets go."""
    own = os.getpid()
    while True:
        (length,) = REQUEST.unpack(_received(connection, REQUEST.size))
        request = json.loads(_received(connection, length))
        trim_output()
        kind, text = caller.answer(request)
        if os.getpid() != own:
            # The function forked, and this is its child, which came back too: its answer would be the next call's.
            os._exit(0)
        connection.sendall(ANSWER.pack(len(text), held_bytes(), kind) + text)


def main(arguments: list[str]) -> None:
    """See the module."""
    name, directory, max_result_bytes, *prefixes = arguments
    sys.path.insert(0, directory)
    caller = Caller(Functions(prefixes), int(max_result_bytes))
    signal.signal(signal.SIGUSR1, caller.limit)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.connect(f"\0{name}")
    serve(connection, caller)


if __name__ == "__main__":
    main(sys.argv[1:])
