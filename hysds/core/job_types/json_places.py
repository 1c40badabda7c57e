"""Where a key stands that an object of a JSON text gives more than once: JSON readers keep the last and say nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hysds.core import json_text

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class GivenTwice:
    """One key of one object, given again. The last value is the one that readers take."""

    path: str
    lines: tuple[int, ...]
    """Where each of its values begins, from 1."""
    values: tuple[Any, ...]

    @property
    def is_harmless(self) -> bool:
        """Whether it says the same each time; `1` and `true` are not the same."""
        return len({json.dumps(value, sort_keys=True) for value in self.values}) == 1


@dataclass(slots=True)
class _Level:
    """An object or a list that is not closed yet."""

    path: str
    is_object: bool
    position: int = 0
    key: str | None = None
    starts: dict[str, list[int]] = field(default_factory=dict)

    @property
    def below(self) -> str:
        return (
            json_text.below(self.path, self.key or "") if self.is_object else f"{self.path}[{self.position}]"
        )


def given_twice(text: str) -> tuple[GivenTwice, ...]:
    """The keys that objects give more than once, in the order in which the objects end. The text must be valid JSON."""
    return tuple(_found(text))


def _found(text: str) -> Iterator[GivenTwice]:
    levels: list[_Level] = []
    for token in _TOKEN.finditer(text):
        sign, level = token[0], levels[-1] if levels else None
        if level is not None and level.is_object and level.key is None and sign[0] == '"':
            level.key = json.loads(sign)
        elif sign in ("}", "]"):
            yield from _twice(levels.pop(), text)
        elif sign == "," and level is not None:
            level.position, level.key = level.position + 1, None
        elif sign != ":":
            if level is not None and level.key is not None:
                level.starts.setdefault(level.key, []).append(token.start())
            if sign in ("{", "["):
                levels.append(_Level("$" if level is None else level.below, sign == "{"))


def _twice(level: _Level, text: str) -> Iterator[GivenTwice]:
    for key, starts in level.starts.items():
        if len(starts) > 1:
            lines = tuple(text.count("\n", 0, start) + 1 for start in starts)
            values = tuple(json.JSONDecoder().raw_decode(text, start)[0] for start in starts)
            yield GivenTwice(json_text.below(level.path, key), lines, values)
