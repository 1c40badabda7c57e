"""What the watchdogs call wrong, and whom they tell."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hysds.core.errors import InvalidSettings
from hysds.core.watchdogs import Kind
from hysds.lib import units
from hysds.settings.declaring import bounded, names

_ADDRESS = names(
    r"[^@\s<>,]{1,64}@[A-Za-z0-9.-]{1,253}", "receiver", "bare mail addresses, such as ops@example.org"
)
_KINDS = tuple(kind.value for kind in Kind)
_LONGEST_S = 31_536_000.0


def _period_complaint(entry: str) -> str | None:
    """What is wrong with `TYPE=PERIOD`; None if nothing is."""
    name, mark, period = entry.rpartition("=")
    if not mark or not name:
        return f"{entry!r:.80} is no TYPE=PERIOD, such as job:nightly=25h"
    try:
        seconds = units.parse_duration(period)
    except ValueError as error:
        return f"{entry!r:.80}: {error}"
    return None if 1 <= seconds <= _LONGEST_S else f"{entry!r:.80}: a period is from 1s to 365d"


@dataclass(frozen=True)
class Watchdogs:
    """What reconcilers watch for, and whom they tell."""

    off: tuple[str, ...] | None = field(default=None, metadata={"choices": _KINDS})
    """What is not watched. None: all is."""

    interval_s: float = bounded(5.0, least=0.05, most=3_600)
    """Between two looks of a reconciler at all of this."""

    queue_age_s: float = bounded(3_600.0, least=0.001, most=_LONGEST_S)
    """A queue that is not paused is stuck when its oldest job has been ready for longer."""

    silence_s: float = bounded(30.0, least=1, most=86_400)
    """A worker that was not heard of for longer, and did not leave, is silent. Half of `ledger.lease` at least, and at
    most three halves of it (45 s), as the ledger then forgets the worker."""

    failures: int = bounded(10, least=1, most=1_000)
    """A worker with so many failures in a row is drained: of different jobs, and of such kinds that they may be its
    own doing. Those that most likely are the job's own count once a job type."""

    failing_percent: int = bounded(50, least=1, most=100)
    """Of all workers that stand, no more are drained so at once; one always may be. Where more fail, the cause is what
    they share."""

    overdue_factor: int = bounded(3, least=2, most=1_000)
    """A job runs for too long when it takes so many times what nine of ten of its type took that completed last."""

    overdue_least_s: float = bounded(1_800.0, least=0.001, most=_LONGEST_S)
    """No job that has run for less is called overdue."""

    disk_low_bytes: int = bounded(5 * 10**9, least=0)
    """The disk of a worker's work directories is low with less free."""

    behind: int = bounded(10_000, least=1, most=10**9)
    """Indexers, and rules, are behind with more events before them, for `behind_for`."""

    behind_for_s: float = bounded(300.0, least=0, most=86_400)
    """For how long they must be."""

    memory_percent: int = bounded(80, least=1, most=100)
    """The ledger's server is nearly full with more of its memory in use."""

    expect: tuple[str, ...] | None = field(default=None, metadata={"complaint": _period_complaint})
    """Job types of which one job must complete within a period: `job:nightly=25h`. None: none must."""

    mail_to: tuple[str, ...] | None = field(default=None, metadata=_ADDRESS)
    """Who is told by mail. None: nobody."""

    webhooks_file: Path | None = None
    """A file with URLs that are told by a JSON document, one a line, as the URL of a chat room is the key to it. None:
    none are."""

    repeat_s: float | None = field(
        default=21_600.0, metadata={"least": 60, "most": _LONGEST_S, "none": "never"}
    )
    """After how long it is told again what still is so. `never` (None): it is told once."""

    gather_s: float = bounded(60.0, least=0, most=86_400)
    """The least between two messages to the same address; what comes up meanwhile is told together."""


def periods_ms(entries: Iterable[str] | None) -> dict[str, int]:
    """By job type, within what period one must complete, from good entries."""
    pairs = (entry.rpartition("=") for entry in entries or ())
    return {name: round(units.parse_duration(period) * 1000) for name, _, period in pairs}


def webhooks(path: Path | None) -> tuple[str, ...]:
    """The URLs in a file, without empty lines and those that begin with `#`; (): there is no file.

    Raises: InvalidSettings
    """
    if path is None:
        return ()
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise InvalidSettings(str(path), f"can't be read: {reason}") from error
    found = tuple(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not found:
        raise InvalidSettings(str(path), "holds no URL of a webhook; one a line")
    return found
