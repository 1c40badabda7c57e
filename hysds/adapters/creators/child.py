"""One process of the program that calls creators, seen from outside: start, one call at a time, end."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hysds.adapters.creators.answers import Bounds
from hysds.adapters.creators.program import CRASHED, OVERDUE, TAKEN
from hysds.lib.process.guard import tree
from hysds.ports.creators import CallFailed

_END_S = 2.0
_READ_BYTES = 1 << 16
_OUTPUT_BYTES = 8_000
"""So much of what a creator printed last is kept for a message."""
_TAIL_LINES = 12


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all calls of a process."""

    prefixes: tuple[str, ...]
    folder: Path | None
    bounds: Bounds
    environment: Mapping[str, str]
    patience_s: float = 20.0
    """A busy host may take so long beyond the time limit, to start the interpreter and to end what is overdue."""


class Child:
    """Belongs to one thread at a time. After a call that ended out of order it is dead, and `is_well` says so."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        answers_fd, theirs_answers = os.pipe2(os.O_CLOEXEC)
        statuses_fd, theirs_statuses = os.pipe2(os.O_CLOEXEC)
        output_fd, theirs_output = os.pipe2(os.O_CLOEXEC)
        try:
            self._process = subprocess.Popen(
                _command(theirs_answers, theirs_statuses, rules),
                stdin=subprocess.PIPE,
                stdout=theirs_output,
                stderr=theirs_output,
                pass_fds=(theirs_answers, theirs_statuses),
                cwd="/",
                env=dict(rules.environment),
                start_new_session=True,
            )
        except OSError:
            for fd in (answers_fd, statuses_fd, output_fd):
                os.close(fd)
            raise
        finally:
            for fd in (theirs_answers, theirs_statuses, theirs_output):
                os.close(fd)
        self._answers_fd, self._statuses_fd, self._output_fd = answers_fd, statuses_fd, output_fd
        for fd in (answers_fd, statuses_fd, output_fd):
            os.set_blocking(fd, False)
        self.is_well = True

    @property
    def is_fit(self) -> bool:
        """Whether it may be called: it lives, and ended no call out of order."""
        return self.is_well and self._process.poll() is None

    def create(self, function: str, info: Mapping[str, Any], job_type: str) -> list[dict[str, Any]]:
        """Raises: CallFailed; BrokenPipeError where the process had died before it got the order."""
        order = json.dumps({"function": function, "info": info, "job_type": job_type}).encode() + b"\n"
        fds = _Fds(self._answers_fd, self._statuses_fd, self._output_fd)
        exchange = _Exchange(fds, self._rules)
        self.is_well = False  # until it ended in order
        try:
            self._send(order, exchange)
            document = exchange.document()
        except BaseException:
            self.close()
            raise
        self.is_well = True
        if "failed" in document:
            raise CallFailed(str(document["failed"]), tuple(document["tail"])[-_TAIL_LINES:])
        return list(document["jobs"])

    def close(self) -> None:
        """End it and all below it. A second time does nothing."""
        if self._process.stdin is None or self._process.stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        if self.is_well:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_S)
        self._kill()
        for fd in (self._answers_fd, self._statuses_fd, self._output_fd):
            os.close(fd)

    def _kill(self) -> None:
        sweep = tree.Sweep()
        while self._process.poll() is None:
            # Its children first: what it left behind would have no parent that we know.
            sweep.forget()
            sweep.kill([self._process.pid])
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)

    def _send(self, order: bytes, exchange: _Exchange) -> None:
        """Its pipe holds less than an order may have, so what it says meanwhile is read."""
        assert self._process.stdin is not None
        fd = self._process.stdin.fileno()
        os.set_blocking(fd, False)
        left = memoryview(order)
        while left:
            exchange.wait(writable_fd=fd)
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(fd, left) :]


class _Fds(NamedTuple):
    """Our ends of the pipes of a process."""

    answers: int
    statuses: int
    output: int


class _Exchange:
    """One order and what comes back."""

    def __init__(self, fds: _Fds, rules: Rules) -> None:
        self._fds = fds
        self._bounds = rules.bounds
        self._until_s = time.monotonic() + rules.bounds.time_limit_s + rules.patience_s
        self._answer = bytearray()
        self._status = b""
        self._output = b""
        self._is_closed = False
        """The process has closed its end: it is gone."""

    def document(self) -> dict[str, Any]:
        """What the program says of the call, once that is over.

        Raises: CallFailed where the call ended out of order, or will never end; BrokenPipeError where it never began.
        """
        while not self._is_over:
            if self._is_closed and not self._status:
                raise BrokenPipeError("the process died before it took the order")
            if self._is_closed:
                raise self._failed("ended its process")
            self.wait()
        if (status := int(self._status.removeprefix(TAKEN))) != 0:
            raise self._failed(_ended(status))
        try:
            document = json.loads(bytes(self._answer))
        except ValueError as error:
            raise self._failed("wrote into the pipe of its answer") from error
        if not isinstance(document, dict) or not document.keys() & {"jobs", "failed"}:
            raise self._failed("wrote into the pipe of its answer")
        return document

    def wait(self, writable_fd: int | None = None) -> None:
        """Until something can be read, which is read, or an order can be written.

        Raises: CallFailed where the time is up, or the answer has no end.
        """
        left_s = self._until_s - time.monotonic()
        if left_s <= 0:
            raise self._failed(f"did not end within {self._bounds.time_limit_s:g} s (creators.time_limit)")
        poll = select.poll()
        for fd in self._fds:
            poll.register(fd, select.POLLIN)
        if writable_fd is not None:
            poll.register(writable_fd, select.POLLOUT)
        ready = {fd for fd, _ in poll.poll(left_s * 1000)}
        if self._fds.output in ready:
            self._output = (self._output + _read(self._fds.output))[-_OUTPUT_BYTES:]
        if self._fds.statuses in ready:
            self._take_status()
        if self._fds.answers in ready or self._is_over:
            self._take_answer()

    @property
    def _is_over(self) -> bool:
        """Whether the call has ended; then all of its answer was read."""
        return self._status.endswith(b"\n")

    def _take_status(self) -> None:
        text = _read(self._fds.statuses)
        self._is_closed = not text
        self._status += text

    def _take_answer(self) -> None:
        while part := _read(self._fds.answers):
            self._answer += part
            if len(self._answer) > self._bounds.answer_bytes + _READ_BYTES:
                raise self._failed(f"wrote more than {self._bounds.answer_bytes:,} bytes (creators.answer)")

    def _failed(self, what: str) -> CallFailed:
        while part := _read(self._fds.output):
            self._output = (self._output + part)[-_OUTPUT_BYTES:]
        if OVERDUE in self._output:
            what = f"did not end within {self._bounds.time_limit_s:g} s (creators.time_limit)"
        return CallFailed(what, _tail(self._output))


def _tail(output: bytes) -> tuple[str, ...]:
    """The lines that tell most: a traceback of a crash or a hang has its innermost frame first."""
    starts = [start for mark in (OVERDUE, CRASHED) if (start := output.rfind(mark)) >= 0]
    lines = output[max(starts, default=0) :].decode(errors="replace").splitlines()
    told = tuple(line[:500] for line in lines if line.strip())
    return told[:_TAIL_LINES] if starts else told[-_TAIL_LINES:]


def _ended(status: int) -> str:
    if status < 0:
        return f"was ended by signal {-status}"
    return f"ended its process with exit code {status}"


def _read(fd: int) -> bytes:
    """What lies there; nothing where nothing does."""
    try:
        return os.read(fd, _READ_BYTES)
    except BlockingIOError:
        return b""


def _command(answers_fd: int, statuses_fd: int, rules: Rules) -> list[str]:
    return [
        sys.executable,
        "-P",  # the directory of whoever submits is no place for modules
        "-B",  # compiled beside the source, a module that is mended within a second may look as it was
        "-m",
        "hysds.adapters.creators.program",
        str(answers_fd),
        str(statuses_fd),
        ",".join(rules.prefixes),
        "" if rules.folder is None else str(rules.folder),
        json.dumps(dataclasses.asdict(rules.bounds)),
    ]
