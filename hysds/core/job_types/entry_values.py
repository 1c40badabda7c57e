"""Values of a file of job types, read one by one: each is what it must be, or there is a complaint with its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hysds.core import json_text
from hysds.core.errors import Complaint


@dataclass(slots=True)
class Notes:
    """What was found while files were read: `complaints` stop it, `notes` somebody may want to know."""

    complaints: list[Complaint] = field(default_factory=list)
    notes: list[Complaint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a value stands, and where what is wrong with it goes."""

    path: str
    found: Notes

    def complain(self, message: str, key: str = "") -> None:
        """Say what is wrong with the value, or with what stands in it under a key."""
        self.found.complaints.append(
            Complaint(json_text.below(self.path, key) if key else self.path, message)
        )

    def at(self, key: str | int) -> Reading:
        """What stands in it under a key, or at a position."""
        path = f"{self.path}[{key}]" if isinstance(key, int) else json_text.below(self.path, key)
        return Reading(path, self.found)

    def parts(self, given: object, what: str) -> list[Any]:
        """A list; [] where there is none."""
        if isinstance(given, list):
            return given
        self.complain(f"must be a list of {what}, not {json_text.kind(given)}")
        return []

    def texts(self, given: object) -> tuple[str, ...]:
        """A list of texts that an argument can hold."""
        for position, one in enumerate(parts := self.parts(given, "strings")):
            self.at(position).text(one)
        return tuple(one for one in parts if isinstance(one, str))

    def text(self, given: object) -> str:
        """A text that an argument can hold; "" where there is none."""
        if not isinstance(given, str):
            self.complain(f"must be a string, not {json_text.kind(given)}")
            return ""
        if "\0" in given:
            self.complain("holds a NUL character, which no argument can")
        return given

    def table(self, given: object, known: tuple[str, ...] = ()) -> dict[str, Any]:
        """An object, of these keys if any are named; {} where there is none."""
        if not isinstance(given, dict):
            self.complain(f"must be an object, not {json_text.kind(given)}")
            return {}
        if known:
            self.found.complaints += unknown(given, known, self.path)
        return given

    def measure(self, given: object, read: Callable[[Any], Any], least: float = 0) -> Any:
        """A size, a duration, a rate; None where it is none, or not above `least`."""
        try:
            value = read(given)
        except ValueError as error:
            self.complain(str(error))
            return None
        if value > least:
            return value
        self.complain(f"must be above {least:g}, not {json_text.shown(given)}")
        return None

    def count(self, given: object) -> int | None:
        """A number of things; None where there is none."""
        if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= 10**9:
            self.complain(f"must be a whole number from 1 to 10^9, not {json_text.shown(given)}")
            return None
        return given


def unknown(given: Mapping[str, Any], known: tuple[str, ...], path: str) -> Iterator[Complaint]:
    """The keys that nobody knows."""
    for key in given:
        if key not in known:
            yield Complaint(json_text.below(path, key), f"unknown key; known are {', '.join(known)}")
