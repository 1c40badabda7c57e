"""Sizes, durations and rates with units: which notations exist, what they mean, and how people are shown them.

Sizes: `KB MB GB TB PB` are powers of 1000, `KiB MiB GiB TiB PiB` of 1024, `B` or nothing is bytes. A unit
is spelt exactly so: `Gb` and `Gib` mean bits elsewhere, and a guess would be wrong by a factor of eight.
Durations: `ms s m h d w`, joined from large to small (`1h30m`); nothing is seconds.
"""

from __future__ import annotations

import math
import re
from types import UnionType

_SIZES = {"B": 1} | {f"{letter}B": 1000**power for power, letter in enumerate("KMGTP", 1)}
_SIZES |= {"kB": 1000} | {f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", 1)}
_DURATIONS_MS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_SIZE_UNITS = "use plain bytes, or B, KB, MB, GB, TB, PB (powers of 1000), KiB, MiB, GiB, TiB, PiB (of 1024)"
_DURATION_UNITS = "use seconds as a plain number, or ms, s, m, h, d, w, joined from large to small: 1h30m"
_NUMBER = r"[0-9]{1,18}(?:\.[0-9]{1,18})?"
_ATTO = (
    10**18
)  # a decimal number is counted in these parts: exact, and without the cost of importing fractions
_SIZE = re.compile(rf"({_NUMBER})[ ]?([A-Za-z]*)")
_PART = re.compile(rf"({_NUMBER})[ ]?([a-z]+)")
_LARGEST = 2**63 - 1


def parse_size(value: str | int) -> int:
    """Bytes of a size such as `10GB`, `1.5 TiB` or `4096`; a fraction of a byte is dropped.

    Raises: ValueError, naming the units that exist, for all else: a bool, a negative, a unit not spelt so.
    """
    size: int | None = None
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match and (match[2] in _SIZES or (not match[2] and "." not in match[1])):
            size = _atto(match[1]) * _SIZES[match[2] or "B"] // _ATTO
    elif _is_number(value, int):
        size = value
    if size is None or not 0 <= size <= _LARGEST:
        raise ValueError(f"{_shown(value)} is not a size: {_meant(value)}{_SIZE_UNITS}")
    return size


def parse_duration(value: str | float) -> float:
    """Seconds of a duration such as `90s`, `1h30m`, `250ms` or `7200`.

    Raises: ValueError, naming the units that exist, for all else: a bool, nan, a negative, a unit twice.
    """
    seconds: float | None = None
    if isinstance(value, str):
        text = value.strip()
        seconds = _atto(text) / _ATTO if re.fullmatch(_NUMBER, text) else _sum_of_parts(text)
    elif _is_number(value, int | float):
        seconds = value
    if seconds is None or not 0 <= seconds <= _LARGEST:  # nan compares false
        raise ValueError(f"{_shown(value)} is not a duration: {_DURATION_UNITS}")
    return float(seconds)


def parse_rate(value: str | float) -> float:
    """Times a second of a rate such as `10/s`, `0.5/s`, `90/m` or `2/h`; a plain number is a second's.

    Raises: ValueError, naming the units that exist, for all else: a bool, nan, nothing at all.
    """
    rate: float | None = None
    if isinstance(value, str):
        match = re.fullmatch(rf"({_NUMBER})[ ]?(?:/[ ]?(s|m|min|h|d))?", value.strip())
        if match:
            rate = float(match[1]) * 1000 / _DURATIONS_MS["m" if match[2] == "min" else match[2] or "s"]
    elif _is_number(value, int | float):
        rate = float(value)
    if rate is None or not 0 < rate <= _LARGEST:  # nan compares false
        raise ValueError(f"{_shown(value)} is not a rate: use 10/s, 90/m, 2/h or 1/d, more than nothing")
    return rate


def format_rate(per_s: float) -> str:
    """A rate for people, as `parse_rate` reads it: `10/s`, `90/m`, `2/h`."""
    for unit in ("s", "m", "h", "d"):
        count = per_s * _DURATIONS_MS[unit] / 1000
        text = _trimmed(count)
        if count >= 1 and math.isclose(float(text), count, rel_tol=1e-9):
            return f"{text}/{unit}"
    return f"{per_s:.12f}".rstrip("0") + "/s"


def format_size(size_bytes: int) -> str:
    """A size for people, in powers of 1000 and at most three digits behind the point: `999 B`, `1.5 GB`."""
    for letter, power in zip("PTGMK", range(5, 0, -1), strict=True):
        if abs(size_bytes) >= 1000**power:
            return f"{_trimmed(size_bytes / 1000**power)} {letter}B"
    return f"{size_bytes} B"


def format_duration(duration_s: float) -> str:
    """A duration for people, as `parse_duration` reads it: `250ms`, `1h30m`; whole seconds from 60 s on."""
    if not math.isfinite(duration_s):
        return str(duration_s)
    if duration_s < 0:
        return f"-{format_duration(-duration_s)}"
    if 0 < duration_s < 1:
        return f"{_trimmed(duration_s * 1000)}ms"
    if duration_s < 60:
        return f"{_trimmed(duration_s)}s"
    left, parts = round(duration_s), []
    for unit in ("d", "h", "m", "s"):
        count, left = divmod(left, _DURATIONS_MS[unit] // 1000)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def counted(count: int, noun: str) -> str:
    """A number of things for people: `1 job`, `2 jobs`; for nouns whose plural ends in s."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _sum_of_parts(text: str) -> float | None:
    """Seconds of joined parts with falling units; None if it is not one."""
    order, total, at = list(_DURATIONS_MS), 0, 0
    while match := _PART.match(text, at):
        if match[2] not in order:
            return None
        total += _atto(match[1]) * _DURATIONS_MS[match[2]]
        order = order[order.index(match[2]) + 1 :]
        at = match.end()
        if at == len(text):
            return total / (1000 * _ATTO)
        at += text[at] == " "
    return None


def _meant(value: object) -> str:
    """What a size without its last letter may have meant: programs differ, so no guess is made."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match[2].upper() not in ("K", "M", "G", "T", "P"):
        return ""
    letter = match[2].upper()
    return f"write {match[1]}{letter}iB or {match[1]}{letter}B; "


def _atto(number: str) -> int:
    """A decimal number in parts of 10^-18."""
    whole, _, fraction = number.partition(".")
    return int(whole + fraction.ljust(18, "0"))


def _is_number(value: object, kind: type | UnionType) -> bool:
    """Whether a value is what its caller's types promise; True and False are no numbers here."""
    return isinstance(value, kind) and not isinstance(value, bool)


def _trimmed(number: float) -> str:
    """At most three digits behind the point, no zeros at the end."""
    return f"{number:.3f}".rstrip("0").rstrip(".")


def _shown(value: object) -> str:
    """The value as its writer knows it, cut to a line."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 2**70 else "a number so large"
    return text if len(text) <= 60 else f"{text[:57]}…"
