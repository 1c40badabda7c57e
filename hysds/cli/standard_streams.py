"""Standard streams that whoever called us closed (`hysds status >&-`): Python then has None in their place.

Each gets something that behaves as a closed stream should, before anything else is opened: the kernel gives the lowest
free number to whatever is opened next, and what we print would end up in a socket or a database. A closed stdout is a
pipe that nobody reads, so it ends a command as `| head` does; a closed stderr swallows what it is told; a closed stdin
is empty.
"""

from __future__ import annotations

import os
import sys
from io import BufferedReader, BufferedWriter, FileIO, TextIOWrapper

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def fill() -> None:
    """Put something in the place of each closed one. What we start finds it closed, as we did."""
    if sys.stdin is None and not _is_open(_STDIN):
        _place(os.open(os.devnull, os.O_RDONLY), _STDIN)
        sys.stdin = _text(_STDIN, "r")
    if sys.stdout is None and not _is_open(_STDOUT):
        reader, writer = os.pipe()
        os.close(reader)
        _place(writer, _STDOUT)
        sys.stdout = _text(_STDOUT, "w")
    if sys.stderr is None and not _is_open(_STDERR):
        _place(os.open(os.devnull, os.O_WRONLY), _STDERR)
        sys.stderr = _text(_STDERR, "w")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _place(opened: int, number: int) -> None:
    if opened != number:
        os.dup2(opened, number, inheritable=False)
        os.close(opened)


def _text(number: int, mode: str) -> TextIOWrapper:
    raw = FileIO(number, mode, closefd=False)
    buffered = BufferedReader(raw) if mode == "r" else BufferedWriter(raw)
    return TextIOWrapper(buffered, encoding="utf-8", errors="backslashreplace")
