"""What a source says before it is understood: one given value, and what is to be said about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

Origins = Mapping[str, str]
"""Dotted name of each setting to where its value came from."""

DEFAULT = "default"
"""The origin of a value that nobody set."""


@dataclass(frozen=True)
class Given:
    """A raw value and where it stood."""

    raw: object
    origin: str
    """For people: a file and a name in it, an environment variable, an argument."""
    base: Path
    """Where a relative path in it starts."""


@dataclass(frozen=True)
class Remark:
    """What is to be said about something that was read, and where it stood. Shows no secret."""

    source: str
    message: str

    def __str__(self) -> str:
        return f"{self.source}: {self.message}"


@dataclass
class Reading:
    """What was read so far; each source adds to it, a later one wins."""

    given: dict[str, Given]
    notices: list[Remark]
    """What an operator should know, and that stops nothing."""
    complaints: list[Remark]
    """What can't be used."""

    def complain(self, source: str, message: str) -> None:
        self.complaints.append(Remark(source, message))

    def notice(self, source: str, message: str) -> None:
        self.notices.append(Remark(source, message))
