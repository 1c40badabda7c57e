"""Types of options: times as people say them, statuses with and without `job-`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
from click.shell_completion import CompletionItem

from hysds.core.status import OFFLINE, Status
from hysds.lib import units


class Moment(click.ParamType[int]):
    """A time: how long ago (`2h`), or ISO 8601 (UTC where it names no zone). In ms since 1970."""

    name = "time"

    def __init__(self, now_s: Callable[[], float] = time.time) -> None:
        self._now_s = now_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Ms since 1970."""
        if isinstance(value, int):
            return value
        try:
            return round((self._now_s() - units.parse_duration(value)) * 1000)
        except ValueError:
            pass  # then it must be a time
        try:
            moment = datetime.fromisoformat(value)
            return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is neither how long ago (90s, 2h, 7d) nor a time (2030-01-31T18:00:00Z)",
                param,
                ctx,
            )


class StatusWord(click.Choice[str]):
    """A status as documents have it; its `job-` may be left out."""

    def __init__(self) -> None:
        super().__init__([*(status.value for status in Status), OFFLINE])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The whole word."""
        whole = value if value.startswith("job-") else f"job-{value}"
        if whole not in self.choices:
            names = ", ".join(word.removeprefix("job-") for word in self.choices)
            self.fail(f"{value!r} is none of {names}", param, ctx)
        return whole

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The words without what may be left out."""
        short = (word.removeprefix("job-") for word in self.choices)
        return [CompletionItem(word) for word in short if word.startswith(incomplete)]

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Without the part that may be left out."""
        return f"[{'|'.join(word.removeprefix('job-') for word in self.choices)}]"
