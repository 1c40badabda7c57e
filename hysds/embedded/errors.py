"""What keeps an embedded system from running; each message says what happened and what to do.

EmbeddedError
├── ForeignFiles   something lies in the home that is not ours: nothing was changed
├── HomeInUse      another process runs a system there
├── HomeLost       somebody removed or replaced the home of a running system, which has ended for it
├── NoAnswer       a system runs there, and does not say anything
├── NoServer       no Valkey or Redis program for this machine
└── ChildEnded     the server or a role did not start, or ended by itself; the end of its log is in the message
"""

from __future__ import annotations


class EmbeddedError(Exception):
    """The system does not run."""


class ForeignFiles(EmbeddedError):
    """Something that is not ours lies where a file of the system must be."""


class HomeInUse(EmbeddedError):
    """Another process has the home. `pid` is None where that process does not tell."""

    def __init__(self, message: str, pid: int | None) -> None:
        super().__init__(message, pid)
        self.pid = pid

    def __str__(self) -> str:
        return str(self.args[0])


class HomeLost(EmbeddedError):
    """The home is not there any more, or is another one."""


class NoAnswer(EmbeddedError):
    """The warden of a running system hangs or is stopped."""


class NoServer(EmbeddedError):
    """There is no server program to start."""


class ChildEnded(EmbeddedError):
    """A process that the system is made of is not there. `name` is its name."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(name, message)
        self.name = name

    def __str__(self) -> str:
        return str(self.args[1])
