"""Where documents wait on this host's disk while the store is away, once the ledger should keep no more of them.

What is appended is durable, and its events are then done with and its ended jobs confirmed: from that moment on, until
it is drained into the store, the spill may be the only place where an ended job's document is. Several processes of
one host share a spill; each portion is given to one of them at a time, and one of a process that ended to any other.
A portion may be given again after it was written to the store: stores compare revisions, so a repeat is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hysds.ports.store import DeadLetter


@dataclass(frozen=True, slots=True)
class Portion:
    """What was appended at once. `documents`: each as its JSON text."""

    documents: tuple[str, ...]
    letters: tuple[DeadLetter, ...] = ()

    def __len__(self) -> int:
        return len(self.documents) + len(self.letters)


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in the spill of this host, whoever put it there. Letters count as documents."""

    documents: int = 0
    size_bytes: int = 0
    since_ms: int = 0
    """Wall ms when the oldest of it was put there; 0: there is none."""


class Spill(Protocol):
    """Portions in the order in which they came. One thread; `held` may be asked from any."""

    def append(self, portion: Portion) -> None:
        """Keep this; it survives a power loss once this has returned, and was not kept otherwise.

        Raises: Full where its bound or the disk's is reached, Unreachable where the disk fails.
        """

    def oldest(self) -> Portion | None:
        """The oldest portion that no other living process is at; None where there is none. The same until `done`.

        Raises: Unreachable
        """

    def done(self) -> None:
        """What `oldest` gave is in the store, and is dropped. Raises: Unreachable"""

    def held(self) -> Held:
        """How much there is. Raises: Unreachable"""

    def close(self) -> None:
        """Let go; what is left may be taken by others of this host."""
