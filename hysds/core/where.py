"""A condition on a value inside a job's params or context: it is a text, begins with one, or is there at all.

Values are compared as texts (`core.leaves` says which), because every job brings keys and types of its own: 10 is found
by "10", and there is no order among them, so no range.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from hysds.core import clip
from hysds.core.errors import Refused
from hysds.core.leaves import MAX_PATH_LENGTH, MAX_VALUE_LENGTH, ROOTS

NO_RANGE = (
    "values of params and context are kept as texts, whatever type each job gave them, so they have no order and no "
    "range; ask for a value, a prefix, or whether there is one"
)
"""Why a range over them is refused."""

_FORM = re.compile(r"(?P<path>[^=<>^~]+)(?:(?P<sign>\^=|=)(?P<value>.*))?", re.DOTALL)
_RANGE = re.compile(r"[^=<>^~]+(?:[<>]=?)")


class How(StrEnum):
    """How a value is compared."""

    IS = "is"
    """It is this text, wholly."""
    PREFIX = "prefix"
    """It begins with this text."""
    EXISTS = "exists"
    """There is a value; null, an empty list and an object are none."""


@dataclass(frozen=True, slots=True)
class Where:
    """One condition. Of several values at a path (a list's) one that fits is enough.

    `path`: `params.input.url` or `context.pass`; `payload.` and `job.params.`, as documents have it, mean `params.`.

    Raises: Refused for a path or a value that no document can have.
    """

    path: str
    how: How = How.EXISTS
    value: str = ""

    def __post_init__(self) -> None:
        root, dot, rest = self.leaf.partition(".")
        if root not in ROOTS or not dot or not rest:
            raise Refused(
                f"{self.path[:80]!r} is no value inside a job: a path begins with params. or context., such as "
                "params.input"
            )
        if len(self.leaf) > MAX_PATH_LENGTH or clip.encodable(self.path) != self.path:
            raise Refused(f"the path {self.path[:80]!r}… is too long or holds half a character")
        if len(self.value) > MAX_VALUE_LENGTH or clip.encodable(self.value) != self.value:
            raise Refused(f"a value of {self.path} to search for has at most {MAX_VALUE_LENGTH} characters")
        if (self.how is How.EXISTS and self.value) or (self.how is How.PREFIX and not self.value):
            raise Refused(
                f"{self.path}: a prefix has a value of at least one character, and `exists` has none"
            )

    @property
    def leaf(self) -> str:
        """The path as `core.leaves` has it."""
        path = self.path.removeprefix("job.")
        return f"params.{path.removeprefix('payload.')}" if path.startswith("payload.") else path

    def holds(self, leaves: tuple[tuple[str, str], ...]) -> bool:
        """Whether a document with these leaves is meant."""
        wanted = self.leaf
        return any(path == wanted and self._fits(value) for path, value in leaves)

    def _fits(self, value: str) -> bool:
        match self.how:
            case How.IS:
                return value == self.value
            case How.PREFIX:
                return value.startswith(self.value)
            case How.EXISTS:
                return True


def read(text: str) -> Where:
    """The condition of a line: `params.x=abc`, `params.x^=ab` (begins with), `params.x` (there is one).

    Raises: Refused for any other, a range among them.
    """
    if _RANGE.match(text):
        raise Refused(f"{text[:80]!r}: {NO_RANGE}")
    found = _FORM.fullmatch(text)
    if found is None:
        raise Refused(f"{text[:80]!r} is no condition: PATH=VALUE, PATH^=PREFIX, or PATH for any value")
    how = {"=": How.IS, "^=": How.PREFIX, None: How.EXISTS}[found["sign"]]
    return Where(found["path"], how, found["value"] or "")
