"""The fields of a JSON object, read one by one by what they must be; complaints and notes are collected on the way.

null is as if the key were not there. What is of the wrong kind is a complaint, and reads as if it were not there.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from hysds.core import json_text
from hysds.core.errors import Complaint

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found while a document was read."""

    complaints: list[Complaint] = field(default_factory=list)
    """It can't be used so."""
    doubts: list[Complaint] = field(default_factory=list)
    """It can be read, but not be meant."""
    notes: list[Complaint] = field(default_factory=list)
    """It is as good as any, and somebody may want to know."""


class JsonFields:
    """One object of a document, at `path`."""

    def __init__(self, document: Mapping[str, Any], path: str, found: Findings) -> None:
        self._document = document
        self._path = path
        self.found = found

    def at(self, key: str) -> str:
        """The path of a key."""
        return json_text.below(self._path, key)

    def get(self, key: str) -> Any:
        """Whatever stands there; None where nothing does."""
        return self._document.get(key)

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        return self._of_kind(key, str, "a string", default)

    def required(self, key: str) -> str:
        """A text that is not empty; "" where it is missing."""
        if self.get(key) is None or self.get(key) == "":
            self.complain(key, "is required")
            return ""
        return self.text(key)

    def flag(self, key: str, default: bool) -> bool:
        """A boolean; the texts true and false will do."""
        value = self.get(key)
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        return self._of_kind(key, bool, "a boolean", default)

    def word(self, key: str, words: type[E]) -> E | None:
        """One of a closed set; None where nothing stands there."""
        value = self.text(key)
        if not value:
            return None
        try:
            return words(value)
        except ValueError:
            known = ", ".join(word.value for word in words)
            self.complain(key, f"must be one of {known}, not {json_text.shown(value)}")
            return None

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        parts = self.parts(key)
        if any(not isinstance(part, str) for part in parts):
            self.complain(key, "must be a list of strings")
            return ()
        return parts

    def objects(self, key: str) -> tuple[dict[str, Any], ...]:
        """A list of objects."""
        parts = self.parts(key)
        if any(not isinstance(part, dict) for part in parts):
            self.complain(key, "must be a list of objects")
            return ()
        return parts

    def parts(self, key: str) -> tuple[Any, ...]:
        """A list of anything."""
        return tuple(self._of_kind(key, list, "a list", []))

    def mapping(self, key: str) -> dict[str, Any]:
        """An object."""
        return self._of_kind(key, dict, "an object", {})

    def measure(self, key: str, read: Callable[[Any], T]) -> T | None:
        """A size or a duration, as `read` reads it; one that it can't read is a doubt."""
        if self.get(key) is None:
            return None
        try:
            return read(self.get(key))
        except ValueError as error:
            self.found.doubts.append(Complaint(self.at(key), str(error)))
            return None

    def note_unknown(self, known: Collection[str]) -> None:
        """Note the keys that have no effect."""
        for key in self._document:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.7)
                hint = f"; did you mean {near[0]}?" if near else ""
                self.found.notes.append(Complaint(self.at(key), f"is not known, and has no effect{hint}"))

    def complain(self, key: str, message: str) -> None:
        """Complain about what stands at a key."""
        self.found.complaints.append(Complaint(self.at(key), message))

    def _of_kind(self, key: str, kind: type[T], what: str, default: T) -> T:
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, kind):
            self.complain(key, f"must be {what}, not {json_text.kind(value)}")
            return default
        return value
