"""How far a walk over all documents has come, on stderr, every few seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

import click

from hysds.cli.words import clean
from hysds.indexer.rebuilding import Made

_EVERY_S = 5.0
_SHOWN = 20


class Steps:
    """Tells of a walk that takes longer than some seconds. `now_s` never goes back; `stream` of None: stderr."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic, stream: TextIO | None = None) -> None:
        self._now_s = now_s
        self._stream = sys.stderr if stream is None else stream
        self._next_s = now_s() + _EVERY_S

    def __call__(self, what: str, count: int) -> None:
        """So many of these were looked at."""
        if self._now_s() >= self._next_s:
            self._next_s = self._now_s() + _EVERY_S
            self._stream.write(f"{what}: {count:,} so far\n")
            self._stream.flush()


def warn(lines: Sequence[str], what: str) -> None:
    """Print the first of these, and how many more there are."""
    for line in lines[:_SHOWN]:
        click.echo(f"warning: {clean(line)}", err=True)
    if len(lines) > _SHOWN:
        click.echo(f"warning: {len(lines) - _SHOWN:,} more {what}", err=True)


def tell(made: Made) -> None:
    """What a rebuild or a copy did, for people."""
    counts = {
        "written": made.written,
        "held already, as new or newer": made.held,
        "refused by the store (dead letters now)": made.refused,
        "left out, as their time is over": made.dropped,
        "left out, as they were purged": made.purged,
    }
    for what, count in counts.items():
        if count or what == "written":
            click.echo(f"{count:>12,}  {what}")
    warn(made.unread, "places of the archive that can't be read")
    warn(made.reasons, "reasons")
