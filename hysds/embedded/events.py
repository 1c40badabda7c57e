"""What the warden has told so far."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ended:
    """How one process ended. `code` is its exit code, negative for a signal; `killed`: it had to be, by the warden."""

    name: str
    code: int
    killed: bool
    reason: str
    """Why it could not even be started; empty otherwise."""
    again_s: float | None = None
    """How long after it the next one is started; None: none is."""

    @property
    def how(self) -> str:
        """For a sentence that begins with the name."""
        if self.reason:
            return f"could not be started: {self.reason}"
        if self.code < 0:
            return f"was ended by {_signal(-self.code)}"
        return f"ended with exit code {self.code}"

    @property
    def sentence(self) -> str:
        """The whole of it."""
        return f"{self.name} {self.how}{' (it had to be killed)' if self.killed else ''}"


@dataclass(slots=True)
class Events:
    """The state that the warden's messages add up to."""

    pids: dict[str, int] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    ended: dict[str, Ended] = field(default_factory=dict)
    """Of each process that does not run now, how it ended."""
    news: list[Ended] = field(default_factory=list)
    """Ends that nobody has looked at yet; whoever does takes them out."""
    is_standing: bool = False
    is_stopping: bool = False
    lost: str = ""
    """Why all of it is ended though nobody asked: what became of the home."""
    is_gone: bool = False
    """All has ended in order."""
    is_over: bool = False
    """Nothing more comes: all is gone, or the warden is."""
    _rest: bytes = b""

    def take(self, data: bytes) -> None:
        """Some bytes from the control socket, cut anywhere; none: it was closed."""
        if not data:
            self.is_over = True
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._note(json.loads(line))

    def _note(self, told: dict[str, Any]) -> None:
        if "started" in told:
            name = str(told["started"])
            self.pids[name] = int(told["pid"])
            self.ended.pop(name, None)
            self.ready.discard(name)
        elif "ready" in told:
            self.ready.add(str(told["ready"]))
        elif "ended" in told:
            end = Ended(told["ended"], told["code"], told["killed"], told["reason"], told["again_s"])
            self.ended[end.name] = end
            self.ready.discard(end.name)
            self.news.append(end)
        self.lost = str(told.get("lost", self.lost))
        self.is_standing = self.is_standing or "standing" in told
        self.is_stopping = self.is_stopping or "stopping" in told
        self.is_gone = self.is_gone or "gone" in told
        self.is_over = self.is_over or self.is_gone


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
