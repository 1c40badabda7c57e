"""JSON text and documents: read, written within bounds, and named by path; each complaint says where and what.

What is checked here makes sense for any document of ours, whatever its fields.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NoReturn

from hysds.core.errors import Complaint, InvalidSpec


class _Doubled(dict[str, Any]):
    """An object in which keys were given twice."""

    keys_twice: tuple[str, ...] = ()


def decode(text: str | bytes) -> tuple[object, bool]:
    """The document, and whether any of its objects gives a key twice."""
    doubled: list[_Doubled] = []
    try:
        document = json.loads(
            text,
            object_pairs_hook=partial(_object, doubled),
            parse_constant=_constant,
            parse_float=_finite,
        )
        return document, bool(doubled)
    except json.JSONDecodeError as error:
        refuse("$", f"not JSON: {error.msg} (line {error.lineno}, column {error.colno})")
    except UnicodeDecodeError as error:
        refuse("$", f"not JSON: byte {error.start} is not UTF-8")
    except RecursionError:
        refuse("$", "not readable: nested too deeply")
    except ValueError:  # an integer of thousands of digits
        refuse("$", "not readable: a number is too long")


def _object(doubled: list[_Doubled], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    counts = Counter(name for name, _ in pairs)
    strange = _Doubled(found)
    strange.keys_twice = tuple(sorted(name for name, count in counts.items() if count > 1))
    doubled.append(strange)
    return strange


def _constant(name: str) -> NoReturn:
    refuse("$", f"not JSON: {name} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        shown = text if len(text) <= 60 else f"{text[:57]}…"
        refuse("$", f"not readable: the number {shown} is too large")
    return number


def given_twice(value: object, path: str) -> Iterator[Complaint]:
    """Each key that an object below gives twice."""
    if isinstance(value, _Doubled):
        for key in value.keys_twice:
            yield Complaint(below(path, key), "given twice; keep one of them")
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from given_twice(part, below(path, key))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from given_twice(part, f"{path}[{position}]")


def encode(document: Mapping[str, object], max_bytes: int) -> str:
    """The document as JSON: what none can hold, or a spec may not, is refused here."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        size_bytes = len(text.encode())
    except RecursionError:
        refuse("$", "nested too deeply")
    except UnicodeEncodeError:
        refuse("$", "holds half of a surrogate pair, which no UTF-8 text can hold")
    except (TypeError, ValueError) as error:
        refuse("$", f"holds what JSON can't: {error}")
    if size_bytes > max_bytes:
        raise InvalidSpec((too_large(max_bytes),))
    return text


def refuse(path: str, message: str) -> NoReturn:
    """Raises: InvalidSpec with this one complaint."""
    raise InvalidSpec((Complaint(path, message),))


def too_large(max_bytes: int) -> Complaint:
    """The complaint about a document above its bound."""
    return Complaint(
        "$", f"more than {max_bytes:,} bytes, which a spec may have at most; pass large data by file"
    )


def below(path: str, key: str) -> str:
    """The path of a key below a path."""
    return f"{path}.{key}" if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) else f"{path}[{shown(key)}]"


def kind(value: object) -> str:
    """What JSON calls a value."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return next((name for kind, name in names.items() if type(value) is kind), "a number")


def shown(value: object) -> str:
    """A value in few characters, safe in any message."""
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"
