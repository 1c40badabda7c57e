"""The Lua scripts as the server gets them: one a transition, each with all that they share.

A script is named by its file under `lua/`. Its first line, the flags, stays the first; the shared parts follow.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

_SHARED = (
    "writes",
    "clock",
    "record",
    "queues",
    "places",
    "kin",
    "steps",
    "throttles",
    "workers",
    "claims",
    "follow",
    "finish",
)
_MORE = {
    "accept": ("entering",),
    "cancel": ("cancelling",),
    "seal": ("staging",),
    "settle": ("entering", "cancelling"),
    "stage": ("entering", "staging"),
}
"""What only some share."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text, and its SHA-1 by which a server knows it."""

    name: str
    text: str
    sha: str


@cache
def transition(name: str) -> Script:
    """The script of a transition, with the shared parts."""
    return assembled(_folder(), name)


def assembled(folder: Traversable, name: str) -> Script:
    """The script of a transition from the files of a folder: the package's own, or a copy with something changed."""
    flags, _, body = (folder / f"{name}.lua").read_text("utf-8").partition("\n")
    shared = "\n".join(
        (folder / "shared" / f"{part}.lua").read_text("utf-8") for part in (*_SHARED, *_MORE.get(name, ()))
    )
    return _script(name, f"{flags}\n{shared}\n{body}")


@cache
def reading(name: str) -> Script:
    """A script over a stream; it shares nothing."""
    return _script(f"events/{name}", _read(f"events/{name}.lua"))


@cache
def records(name: str) -> Script:
    """A script that reads records; it shares nothing."""
    return _script(f"records/{name}", _read(f"records/{name}.lua"))


@cache
def journal(name: str) -> Script:
    """A script over the journal; it shares nothing."""
    return _script(f"journal/{name}", _read(f"journal/{name}.lua"))


@cache
def publishing() -> Script:
    """The script that publishes job types; it shares nothing."""
    return _script("catalog/publish", _read("catalog/publish.lua"))


@cache
def rules() -> Script:
    """The script that publishes rules; it shares nothing."""
    return _script("rules/publish", _read("rules/publish.lua"))


@cache
def schedules(name: str) -> Script:
    """A script over the schedules; it shares nothing."""
    return _script(f"schedules/{name}", _read(f"schedules/{name}.lua"))


@cache
def alarms(name: str) -> Script:
    """A script over alarms; it shares nothing."""
    return _script(f"alarms/{name}", _read(f"alarms/{name}.lua"))


@cache
def live_log(name: str) -> Script:
    """A script over live logs, with the part that those share."""
    flags, _, body = _read(f"log_{name}.lua").partition("\n")
    return _script(f"log_{name}", f"{flags}\n{_read('log_shared.lua')}\n{body}")


def _script(name: str, text: str) -> Script:
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def _folder() -> Traversable:
    return resources.files("hysds.adapters.ledger") / "lua"


def _read(path: str) -> str:
    return (_folder() / path).read_text("utf-8")
