"""What the warden has told so far."""

from __future__ import annotations

import json
import signal
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Ended:
    """How one process ended. `code` is its exit code, negative for a signal; `killed`: it had to be, by the warden."""

    name: str
    code: int
    killed: bool
    reason: str
    """Why it could not even be started; empty otherwise."""

    @property
    def how(self) -> str:
        """For a sentence that begins with the name."""
        if self.reason:
            return f"could not be started: {self.reason}"
        if self.code < 0:
            return f"was ended by {signal.Signals(-self.code).name}"
        return f"ended with exit code {self.code}"


@dataclass(slots=True)
class Events:
    """The state that the warden's messages add up to."""

    pids: dict[str, int] = field(default_factory=dict)
    ready: set[str] = field(default_factory=set)
    ended: dict[str, Ended] = field(default_factory=dict)
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

    def _note(self, told: dict[str, object]) -> None:
        if "started" in told:
            self.pids[str(told["started"])] = int(str(told["pid"]))
        elif "ready" in told:
            self.ready.add(str(told["ready"]))
        elif "ended" in told:
            name = str(told["ended"])
            self.ended[name] = Ended(name, int(str(told["code"])), bool(told["killed"]), str(told["reason"]))
        elif "gone" in told:
            self.is_over = True
