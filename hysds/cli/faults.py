"""Errors as people see them: one block on stderr, and the exit code that says what kind it was."""

from __future__ import annotations

import errno

import click

from hysds.cli import crashes, words
from hysds.cli.exits import Exit
from hysds.core.errors import (
    CreatorFailed,
    HysdsError,
    Internal,
    InvalidSettings,
    InvalidSpec,
    TaskFailed,
    Unreachable,
)
from hysds.embedded.errors import ChildEnded, EmbeddedError, HomeInUse, HomeLost, NoAnswer
from hysds.embedded.home import Home
from hysds.settings import load

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""How a file or a terminal refuses what we print; files that we open ourselves are named in their errors."""


def told(error: Exception) -> tuple[str, Exit] | None:
    """What to print for an expected error, and how to exit; None for one that nobody expected."""
    if isinstance(error, click.ClickException):
        return _usage(error), Exit.REFUSED
    if isinstance(error, InvalidSpec):
        return _lines("refused:", [str(complaint) for complaint in error.complaints]), Exit.REFUSED
    if isinstance(error, InvalidSettings):
        return _lines("the settings can't be used:", [*str(error).split("; "), *_notes(error)]), Exit.REFUSED
    if isinstance(error, EmbeddedError):
        return _embedded(error)
    if isinstance(error, Unreachable):
        return _lines(str(error), [*_notes(error), *_where_to_look(error.part)]), Exit.UNREACHABLE
    if isinstance(error, Internal | TaskFailed):
        defect = "; this is a defect: please report it" if isinstance(error, Internal) else ""
        return f"hysds: {words.clean(str(error))}{defect}", Exit.FAILED
    if isinstance(error, CreatorFailed):
        return _lines(str(error.args[0]), list(error.details)), Exit.REFUSED
    if isinstance(error, HysdsError):
        return f"hysds: {words.clean(str(error))}", Exit.REFUSED
    if isinstance(error, OSError) and error.filename is None and error.errno in _NO_ROOM:
        return f"hysds: the output can't be written: {error.strerror}", Exit.FAILED
    return None


def _where_to_look(part: str) -> list[str]:
    """A ledger that nobody set is the one of the system under the home: most likely none runs."""
    try:
        settings = load.load().settings
    except HysdsError:
        settings = None
    if part != "ledger" or settings is None or settings.ledger.url is not None:
        return ["is it running, and is it the one that you mean? See: hysds config show --origin"]
    home = Home(settings.home)
    try:
        is_attended = home.is_attended()
    except EmbeddedError as refusal:
        return [str(refusal)]
    if is_attended:
        return [f"a system is running under {home.path} all the same: see `hysds status`, and {home.log}"]
    text = (
        f"no system is running under {home.path} (HYSDS_HOME): start it with `hysds up`, use `hysds run`, or set "
        "HYSDS_LEDGER_URL to one elsewhere"
    )
    return [text, *filter(None, [crashes.told(home)])]


def _embedded(error: EmbeddedError) -> tuple[str, Exit]:
    code = Exit.UNREACHABLE if isinstance(error, ChildEnded | HomeLost | NoAnswer) else Exit.REFUSED
    parts = [*str(error).splitlines(), *_notes(error)]
    if isinstance(error, HomeInUse | NoAnswer):  # there is a system, but not for this
        return _lines(parts[0], parts[1:]), code
    return _lines("the embedded system does not run:", parts), code


def _notes(error: Exception) -> list[str]:
    """What whoever passed it on had to add."""
    return list(getattr(error, "__notes__", []))


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"\nTry '{context.command_path} --help' for help." if context is not None else ""
    return f"hysds: {words.clean(error.format_message())}{hint}"


def _lines(heading: str, parts: list[str]) -> str:
    return "\n".join([f"hysds: {words.clean(heading)}", *(f"  {words.clean(part)}" for part in parts)])
