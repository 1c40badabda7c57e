"""When a cron expression comes true: five fields in a time zone, with Debian cron's rules for daylight saving.

The only place that imports cronsim. Where clocks go forward, a time of day that is skipped comes right after the gap;
where they go back, one that is repeated comes once; expressions for every hour or minute follow the clock on the wall.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from cronsim import CronSim, CronSimError

from hysds.core import json_text
from hysds.core.errors import Complaint, InvalidSpec

MAX_EXPRESSION = 255
ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_FIELDS = "minute, hour, day of month, month, day of week"


@dataclass(frozen=True, slots=True)
class Cron:
    """A checked expression; `cron` makes it."""

    expression: str
    zone: tzinfo

    def after(self, moment_ms: int) -> int:
        """The first time that it comes true later than this one; both ms since 1970."""
        return _ms(next(self._times(moment_ms, backwards=False)))

    def until(self, moment_ms: int) -> int:
        """The last time that it came true, not later than this one; both ms since 1970."""
        if _ms(next(self._times(moment_ms - 1, backwards=False))) == moment_ms:
            return moment_ms
        return _ms(next(self._times(moment_ms, backwards=True)))

    def _times(self, moment_ms: int, backwards: bool) -> Iterator[datetime]:
        moment = datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(self.zone)
        return CronSim(self.expression, moment, reverse=backwards)


def cron(expression: str, zone: str) -> Cron:
    """The expression of five fields, or one of ALIASES, in a zone such as `Europe/Berlin` or `UTC`.

    Raises: InvalidSpec with all that is wrong with both.
    """
    complaints: list[Complaint] = []
    found, times = _zone(zone, complaints), ALIASES.get(expression.strip().lower(), expression)
    reason = _complaint(times)
    if reason:
        complaints.append(Complaint("cron", f"{json_text.shown(expression)} {reason}"))
    if complaints or found is None:
        raise InvalidSpec(tuple(complaints))
    return Cron(times, found)


def _zone(name: str, complaints: list[Complaint]) -> tzinfo | None:
    if name == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # an absolute path, a directory of zones
        shown = json_text.shown(name)
        complaints.append(
            Complaint("tz", f"{shown} is no time zone; write UTC, or a name such as Europe/Berlin")
        )
        return None


def _complaint(expression: str) -> str:
    """What is wrong with it, "" where nothing is."""
    if len(expression) > MAX_EXPRESSION:
        return f"is too long: {len(expression)} characters, at most {MAX_EXPRESSION}"
    if expression.startswith("@"):
        return f"is no word for times; there are {', '.join(ALIASES)}"
    if len(expression.split()) != 5:
        return f"has {len(expression.split())} fields and should have 5: {_FIELDS}"
    try:
        next(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        return f"is no cron expression: {str(error)[:1].lower()}{str(error)[1:]} ({_FIELDS})"
    except StopIteration:
        return "never comes true"
    return ""


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
