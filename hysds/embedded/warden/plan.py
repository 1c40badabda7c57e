"""What the warden is told to run: one JSON object on one line, the first of what is said to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

SERVER = "valkey"
"""The name of the ledger's server among the children."""


@dataclass(frozen=True, slots=True)
class Start:
    """One process: its command line, the whole of its environment, and its log.

    Children of a lower `stage` are ended, and gone, before those of a higher one are asked to.
    """

    name: str
    argv: list[str]
    env: Mapping[str, str]
    log: str
    stage: int
    grace_s: float
    """From the first SIGTERM to the second, which asks to end at once."""
    tells_ready: bool
    umask: int = -1
    """For the files that it makes; -1: as whoever started all this has it."""


@dataclass(frozen=True, slots=True)
class Rotation:
    """How much of each log is kept: files of about so many bytes, the one that is written to among them."""

    most_bytes: int = 10_000_000
    files: int = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """A server with its socket, and the roles, which start when it answers."""

    server: Start
    socket: str
    roles: list[Start]
    directory: str
    """Where all of them work."""
    ready_variable: str
    """The environment variable in which a role finds the descriptor to tell its readiness on."""
    orphaned_grace_s: float
    """The longest grace when the process that asked for all this is gone, or somebody asks to hurry."""
    hurry_s: float
    """From the second SIGTERM to SIGKILL."""
    control: str
    """The socket on which others may ask (`peers`)."""
    lock: str
    """The file that holds the home."""
    mark: str
    """Where the mark stands until all has ended in order (`mark`)."""
    log: str
    """The warden's own."""
    rotation: Rotation
    stands: bool
    """It is meant to stay; it does from `{"stand": true}` on."""

    def encode(self) -> bytes:
        """One line."""
        return line(asdict(self))

    @classmethod
    def decode(cls, text: bytes) -> Plan:
        """The plan in a line that `encode` made."""
        told = json.loads(text)
        told["server"] = Start(**told["server"])
        told["roles"] = [Start(**role) for role in told["roles"]]
        told["rotation"] = Rotation(**told["rotation"])
        return cls(**told)


def line(message: Mapping[str, Any]) -> bytes:
    """A message as it is sent."""
    return json.dumps(message).encode() + b"\n"
