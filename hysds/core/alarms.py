"""Alarms: from what watchdogs see, look after look, to what people are told, once and not by every reconciler.

An alarm stands from the first look that sees its trouble until none has seen it for CALM_MS. Its beginning and its end
are each an event; both, and repeats while it stands, are told over channels. Alarms are kept in the ledger's server
and change by compare-and-set, so that any number of reconcilers share them: a step here is one such change.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from hysds.core import moments
from hysds.core.watchdogs import Kind, Trouble

CALM_MS = 60_000
"""A trouble that is back before so much has passed was never over."""
_REFRESH_MS = 60_000
"""The text of an alarm changes no more often: each look says another age."""
_UNTOLD_MS = 86_400_000
"""For how long an end that nobody can be told of is kept."""
_LISTED = 30


@dataclass(frozen=True, slots=True)
class Alarm:
    """One trouble that was seen. Times are ms on the ledger server's wall clock."""

    key: str
    kind: str
    subject: str
    what: str
    since_ms: int
    seen_ms: int
    """When its text was last brought up to date."""
    hint: str = ""
    worker: str = ""
    job: str = ""
    over_ms: int = 0
    """Since when no look sees its trouble; 0: it stands."""
    is_noted: bool = False
    """Its beginning is an event."""
    is_settled: bool = False
    """What was to be done about it was done: its worker was drained."""
    told: Mapping[str, int] = field(default_factory=dict)
    """When it was last told, by channel; a channel that was told of its end is taken out."""
    revision: int = 1

    @property
    def stands(self) -> bool:
        """Whether its trouble was there at the last look."""
        return not self.over_ms

    def is_over(self, now_ms: int) -> bool:
        """Whether it has ended, and does not only pause; a clock that was set back makes no pause longer."""
        return bool(self.over_ms) and not 0 <= now_ms - self.over_ms < CALM_MS


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look saw. `kinds`: those that could be looked at; what of others was seen before still holds."""

    troubles: Sequence[Trouble]
    kinds: Collection[Kind]
    settled: Collection[str] = ()
    """Keys of troubles about which everything was done."""


def seen(alarms: Iterable[Alarm], sight: Sight, now_ms: int) -> list[Alarm]:
    """What changes with a look: new alarms (revision 1), and others with their next revision."""
    standing = {alarm.key: alarm for alarm in alarms}
    there = {trouble.key: trouble for trouble in sight.troubles}
    changed = [begun(one, now_ms, key in sight.settled) for key, one in there.items() if key not in standing]
    for key, alarm in standing.items():
        if key in there:
            new = _confirmed(alarm, there[key], now_ms, key in sight.settled)
        elif alarm.stands and alarm.kind in sight.kinds:
            new = replace(alarm, over_ms=now_ms)
        else:
            continue
        if new != alarm:
            changed.append(stepped(new))
    return changed


def stepped(alarm: Alarm, **changes: Any) -> Alarm:
    """Its next revision."""
    return replace(alarm, **changes, revision=alarm.revision + 1)


def is_forgettable(alarm: Alarm, channels: Collection[str], now_ms: int) -> bool:
    """Whether nothing has to be told of its end any more. `channels`: those that there are."""
    waits = any(channel in channels for channel in alarm.told) and now_ms - alarm.over_ms < _UNTOLD_MS
    return alarm.is_over(now_ms) and not waits


@dataclass(frozen=True, slots=True)
class Message:
    """What is told over one channel at once."""

    begun: tuple[Alarm, ...] = ()
    """Not told before."""
    again: tuple[Alarm, ...] = ()
    over: tuple[Alarm, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.begun or self.again or self.over)


def message(alarms: Iterable[Alarm], channel: str, repeat_ms: int | None, now_ms: int) -> Message:
    """All that the channel is due to be told; `repeat_ms` of None: nothing twice."""
    begun, again, over = [], [], []
    for alarm in sorted(alarms, key=lambda one: (one.since_ms, one.key)):
        told_ms = alarm.told.get(channel, 0)
        if alarm.stands and not told_ms:
            begun.append(alarm)
        elif alarm.stands and repeat_ms is not None and not 0 <= now_ms - told_ms < repeat_ms:
            again.append(alarm)
        elif alarm.is_over(now_ms) and told_ms:
            over.append(alarm)
    return Message(tuple(begun), tuple(again), tuple(over))


def after(sent: Message, channel: str, now_ms: int) -> list[Alarm]:
    """The alarms of a message that was sent."""
    kept = [stepped(one, told={**one.told, channel: now_ms}) for one in (*sent.begun, *sent.again)]
    gone = [
        stepped(one, told={name: ms for name, ms in one.told.items() if name != channel}) for one in sent.over
    ]
    return [*kept, *gone]


def subject(sent: Message, system: str) -> str:
    """The head of a message: the first of what it tells, and how many more."""
    lines = [*(_head(one) for one in sent.begun), *(f"still: {_head(one)}" for one in sent.again)]
    lines += [f"over: {_head(one)}" for one in sent.over]
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return f"{_plain(system)}: {lines[0][:160]}{more}"


def text(sent: Message) -> str:
    """The whole of a message; of many the first alone."""
    parts = [("New", sent.begun), ("Still so", sent.again), ("Over", sent.over)]
    blocks = [f"{title}:\n{_listed(alarms)}" for title, alarms in parts if alarms]
    return "\n".join([*blocks, "All that stands: hysds alarms", ""])


def documents(sent: Message) -> list[dict[str, Any]]:
    """The alarms of a message as JSON has them."""
    parts = [("begun", sent.begun), ("stands", sent.again), ("over", sent.over)]
    return [{"status": name} | document(alarm) for name, alarms in parts for alarm in alarms[:_LISTED]]


def document(alarm: Alarm) -> dict[str, Any]:
    """As events, webhooks and `hysds alarms --json` have it."""
    found = {
        "key": alarm.key,
        "kind": alarm.kind,
        "subject": alarm.subject,
        "what": alarm.what,
        "hint": alarm.hint,
        "worker": alarm.worker,
        "job": alarm.job,
        "since": moments.iso(alarm.since_ms),
        "over": moments.iso(alarm.over_ms) if alarm.over_ms else "",
        "drained": alarm.is_settled,
    }
    return {name: value for name, value in found.items() if value not in ("", False)}


def stored(alarm: Alarm) -> str:
    """As JSON."""
    return json.dumps(asdict(alarm), separators=(",", ":"))


def from_stored(written: str) -> Alarm:
    """What `stored` wrote.

    Raises: ValueError, TypeError for what it did not.
    """
    alarm = Alarm(**json.loads(written))
    if not isinstance(alarm.told, dict) or not all(type(ms) is int for ms in alarm.told.values()):
        raise TypeError("when it was told is no table of times")
    return alarm


def begun(trouble: Trouble, now_ms: int, is_settled: bool) -> Alarm:
    """The alarm that a trouble is at first."""
    return Alarm(
        trouble.key,
        trouble.kind.value,
        trouble.subject,
        trouble.what,
        now_ms,
        now_ms,
        trouble.hint,
        trouble.worker,
        trouble.job,
        is_settled=is_settled,
    )


def _confirmed(alarm: Alarm, trouble: Trouble, now_ms: int, is_settled: bool) -> Alarm:
    new = replace(alarm, over_ms=0, is_settled=alarm.is_settled or is_settled)
    if now_ms - alarm.seen_ms < _REFRESH_MS or (trouble.what, trouble.hint) == (alarm.what, alarm.hint):
        return new
    return replace(new, what=trouble.what, hint=trouble.hint, seen_ms=now_ms)


def _head(alarm: Alarm) -> str:
    return _plain(f"{alarm.subject} {alarm.what}")


def _listed(alarms: Sequence[Alarm]) -> str:
    lines = []
    for one in alarms[:_LISTED]:
        lines.append(f"- {_head(one)} (since {moments.iso(one.since_ms)}, {one.kind})")
        if one.hint and one.stands:
            lines.append(f"  {_plain(one.hint)}")
    if len(alarms) > _LISTED:
        lines.append(f"- and {len(alarms) - _LISTED} more")
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    """On one line, whatever stands in the name of a queue or a type."""
    return "".join(letter if letter.isprintable() else "?" for letter in words)
