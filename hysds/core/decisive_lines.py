"""Which lines of a failed command's output say why it failed, and what to make of them.

Programs end with many lines: warnings, progress, a summary. The rule, over the ends of both outputs: each line is
looked up in the table of signs below, from the most telling to the vaguest; the last line of the most telling sign
wins, and a sign that agrees with the exit code comes before one that does not. Of a Python traceback the line of the
exception wins, with the place where it was raised. The last line that is any sign stands beside it, where that came
later. Where nothing is known, the last lines are shown as they are.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_LINES = 4
"""So many lines are chosen at most."""
_LAST = 3
_WIDEST = 400
"""Characters that are kept of a line."""


class Sign(StrEnum):
    """What a line is a sign of; the most telling first, and where two are alike, the more special one."""

    GPU_MEMORY = "gpu-out-of-memory"
    MEMORY = "out-of-memory"
    DISK = "disk-full"
    CRASH = "crash"
    PYTHON = "python-exception"
    NOT_FOUND = "command-not-found"
    PERMISSION = "permission-denied"
    NETWORK = "network"
    EXCEPTION = "exception"
    ERROR = "error"
    LAST = "last-lines"


HINTS = {
    Sign.GPU_MEMORY: "the GPU's memory was full: use smaller batches, or a larger GPU",
    Sign.MEMORY: "memory ran out: ask for more with resources.memory, or use less",
    Sign.DISK: "the disk was full: ask for resources.disk, or write less",
    Sign.CRASH: "a program crashed: a defect in it or in a library that it loads, or one built for other hardware",
    Sign.NOT_FOUND: "a program is missing on the worker, or its PATH lacks it: give its full path, or install it there",
    Sign.PERMISSION: "the worker's user may not do that: see the owner and the mode of the file that is named",
    Sign.NETWORK: "another host did not answer: see whether the worker reaches it",
}
"""What to do, where a sign says it; of others the line itself has to say it."""

_TABLE: Sequence[tuple[Sign, re.Pattern[str]]] = (
    (
        Sign.GPU_MEMORY,
        re.compile(
            r"(?i)\b(cuda|hip|gpu|cublas|cudnn)\b.*(out of memory|alloc_failed)|CUBLAS_STATUS_ALLOC_FAILED"
        ),
    ),
    (
        Sign.MEMORY,
        re.compile(
            r"(?i)\bout of memory\b|\boom[-_ ]?kill|std::bad_alloc|cannot allocate memory|java\.lang\.OutOfMemoryError"
            r"|^MemoryError\b|\b_ArrayMemoryError\b|memory exhausted|(^|: )(line \d+: +\d+ )?Killed\b"
        ),
    ),
    (Sign.DISK, re.compile(r"(?i)no space left on device|disk quota exceeded")),
    (
        Sign.CRASH,
        re.compile(
            r"(?i)segmentation fault|\bcore dumped\b|\bsigsegv\b|\bbus error\b|illegal instruction"
            r"|floating point exception|stack smashing detected|double free or corruption|malloc\(\): "
            r"|Fatal Python error"
        ),
    ),
    (
        Sign.NOT_FOUND,
        re.compile(
            r"(?i)command not found|: not found$|no such program|executable file not found"
            r"|error while loading shared libraries"
        ),
    ),
    (Sign.PERMISSION, re.compile(r"(?i)permission denied|operation not permitted")),
    (
        Sign.NETWORK,
        re.compile(
            r"(?i)could not resolve host|temporary failure in name resolution|connection refused|no route to host"
            r"|connection timed out|connection reset by peer|network is unreachable"
        ),
    ),
    (
        Sign.EXCEPTION,
        re.compile(
            r"^Exception in thread |^Caused by: |\bpanicked at\b|^panic: |^Uncaught |^\s*terminate called after"
            r"|Assertion .*failed|^([A-Za-z_]\w*[.:])*[A-Z]\w*(Error|Exception)\b(: |$)|^ERROR StatusLogger"
        ),
    ),
    (
        Sign.ERROR,
        re.compile(
            r"(?i)(?<![\w-])(fatal|critical|error|failed|failure|aborted|cannot|can't|could not|unable to)\b(?![-\w])"
        ),
    ),
)
_HARMLESS = re.compile(
    r"(?i)\b(0|no|without|zero) (errors?|failures?|failed)\b|\b(errors?|failures?|failed)\s*[:=]\s*(0|none|no|false)\b"
    r"|\bDEBUG\b|\bINFO\b|\bWARN(ING)?\b"
)
_OF_CODE = {
    -signal.SIGKILL: {Sign.MEMORY},
    128 + signal.SIGKILL: {Sign.MEMORY},
    -signal.SIGSEGV: {Sign.CRASH},
    128 + signal.SIGSEGV: {Sign.CRASH},
    -signal.SIGABRT: {Sign.CRASH, Sign.MEMORY},
    128 + signal.SIGABRT: {Sign.CRASH, Sign.MEMORY},
    126: {Sign.PERMISSION},
    127: {Sign.NOT_FOUND},
}
_RAISED = re.compile(r"^([A-Za-z_]\w*\.)*[A-Za-z_]\w*(: |$)")
_FRAME = re.compile(r'^\s+File "[^"]+", line \d+')


@dataclass(frozen=True, slots=True)
class Line:
    """One decisive line, whole but for what is beyond its 400th character. `stream`: stdout or stderr."""

    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Decisive:
    """The lines in the order in which they were written, and what they are a sign of; None: there was no output."""

    sign: Sign | None = None
    lines: tuple[Line, ...] = ()

    @property
    def hint(self) -> str:
        """What to do, "" where the lines have to say it."""
        return HINTS.get(self.sign, "") if self.sign is not None else ""


@dataclass(frozen=True, slots=True)
class _Found:
    sign: Sign
    at: int
    lines: tuple[str, ...]


def decisive(stdout: str, stderr: str, exit_code: int | None = None) -> Decisive:
    """The decisive lines in the ends of what a failed command wrote.

    `exit_code`: -N where signal N ended it, None where it is not known.
    """
    outputs = (("stderr", stderr), ("stdout", stdout))
    found = [(best, stream) for stream, text in outputs if (best := _best(text, exit_code)) is not None]
    if not found:
        return Decisive()
    best, stream = min(found, key=lambda pair: _rank(pair[0], exit_code))
    return Decisive(best.sign, tuple(Line(stream, _cut(text)) for text in best.lines[-MAX_LINES:]))


def _best(text: str, exit_code: int | None) -> _Found | None:
    """The most telling place of one output; None where it is empty."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    lines = [line for line in lines if line.strip()]
    if not lines:
        return None
    found = [*_signs(lines), *_tracebacks(lines)]
    if not found:
        return _Found(Sign.LAST, len(lines), tuple(lines[-_LAST:]))
    best = min(found, key=lambda one: (_rank(one, exit_code), -one.at))
    last = max(found, key=lambda one: one.at)
    # What came after it may be its consequence or the true cause of the end: it is shown beside it.
    return best if last.at <= best.at else _Found(best.sign, best.at, (*best.lines, *last.lines[-1:]))


def _rank(found: _Found, exit_code: int | None) -> tuple[bool, int]:
    agrees = found.sign in _OF_CODE.get(exit_code or 0, ())
    return (not agrees, list(Sign).index(found.sign))


def _signs(lines: Sequence[str]) -> list[_Found]:
    found = []
    for at, line in enumerate(lines):
        sign = next((sign for sign, pattern in _TABLE if pattern.search(line)), None)
        if sign is None or (sign is Sign.ERROR and _HARMLESS.search(line)):
            continue
        found.append(_Found(sign, at, (line,)))
    return found


def _tracebacks(lines: Sequence[str]) -> list[_Found]:
    """The exception of each Python traceback, with the innermost frame: where it was raised, and that line's code."""
    found = []
    for start, line in enumerate(lines):
        if "Traceback (most recent call last):" not in line:
            continue
        margin = line[: line.index("Traceback")]
        frame: list[str] = []
        for at in range(start + 1, len(lines)):
            inner = lines[at].removeprefix(margin)
            if _FRAME.match(inner):
                frame = [inner.strip()]
            elif inner.startswith((" ", "\t")):
                frame = [*frame[:1], inner.strip()] if len(frame) == 1 else frame
            else:
                if _RAISED.match(inner):
                    found.append(_Found(_sign_of(inner), at, (*frame, inner)))
                break
    return found


def _sign_of(exception: str) -> Sign:
    """A traceback that ends in a memory's or a disk's own exception is a sign of that."""
    special = (Sign.GPU_MEMORY, Sign.MEMORY, Sign.DISK)
    return next(
        (sign for sign, pattern in _TABLE if sign in special and pattern.search(exception)), Sign.PYTHON
    )


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"
