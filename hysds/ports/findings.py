"""What a look at a part of the system found: what is wrong, where, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How much it matters; a greater one matters more."""

    OK = 0
    NOTE = 1
    """Worth knowing; nothing has to be done."""
    WARNING = 2
    """Works now, and is wrong or will be."""
    ERROR = 3
    """Does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `code` is stable, such as `ledger.evicts`; it begins with the part."""

    severity: Severity
    code: str
    what: str
    where: str = ""
    mend: str = ""
    """What to do; "" where nothing has to be done."""


def ok(code: str, what: str, where: str = "") -> Finding:
    """As it should be."""
    return Finding(Severity.OK, code, what, where)


def note(code: str, what: str, where: str = "", mend: str = "") -> Finding:
    """Worth knowing."""
    return Finding(Severity.NOTE, code, what, where, mend)


def warning(code: str, what: str, where: str, mend: str) -> Finding:
    """Works now, and is wrong or will be."""
    return Finding(Severity.WARNING, code, what, where, mend)


def error(code: str, what: str, where: str, mend: str) -> Finding:
    """Does not work."""
    return Finding(Severity.ERROR, code, what, where, mend)
