"""The published rules as one process sees them: cached by digest, asked for at most once an interval."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hysds.core.conditions import Condition, condition
from hysds.core.errors import Conflict, Internal
from hysds.core.rules import published
from hysds.core.rules.published import Change, Rules
from hysds.core.rules.rule import On, Rule
from hysds.ports.events import Events
from hysds.ports.journal import Journal
from hysds.ports.rules import GROUP, RuleShelf

FRESH_S = 2.0
"""So long ago a rule may have been changed that is still carried out as it was."""


@dataclass(frozen=True, slots=True)
class Armed:
    """A rule that is enabled, with its condition read."""

    rule: Rule
    condition: Condition


@dataclass(frozen=True, slots=True)
class Streams:
    """What is read, and told to."""

    events: Events
    journal: Journal


class RuleBook:
    """Safe to share between threads. `now_s` is a monotonic clock."""

    def __init__(self, shelf: RuleShelf, now_s: Callable[[], float]) -> None:
        self._shelf = shelf
        self._now_s = now_s
        self._lock = threading.Lock()
        self._known = published.EMPTY
        self._digest = published.NOTHING_PUBLISHED
        self._armed: dict[On, tuple[Armed, ...]] = {}
        self._asked_s: float | None = None

    def current(self) -> Rules:
        """The rules that are in force, as of FRESH_S ago at most.

        Raises: Unreachable; Internal where those that are published can't be read here.
        """
        with self._lock:
            if self._asked_s is None or self._now_s() - self._asked_s > FRESH_S:
                self._ask()
            return self._known

    def latest(self) -> Rules:
        """The rules that are in force now.

        Raises: as `current`.
        """
        with self._lock:
            self._ask()
            return self._known

    def armed(self, on: On) -> Sequence[Armed]:
        """The enabled rules that look at this, by name, as `current` last saw them."""
        with self._lock:
            return self._armed.get(on, ())

    def change(self, change: Change) -> Rules:
        """Publish what `change` makes of the rules in force, and answer it.

        Raises: Conflict where another operator published meanwhile; nothing of this change is in force then.
        """
        with self._lock:
            self._ask()
            changed = change(self._known)
            self._publish(changed)
            return changed

    def remove_all(self) -> None:
        """Have no rule at all, also where those that are published can't be read here.

        Raises: Conflict as `change`
        """
        with self._lock:
            self._digest = self._shelf.digest()
            self._publish(published.EMPTY)

    def keep(self) -> None:
        """Have the streams kept for the rules in force, also where somebody emptied the server."""
        with self._lock:
            if self._known.rules:
                self._shelf.publish(self._known, self._digest)

    def _publish(self, changed: Rules) -> None:
        if not self._shelf.publish(changed, self._digest):
            raise Conflict("somebody else published rules just now: look at them, and repeat the command")
        self._take(changed)

    def _ask(self) -> None:
        asked_s = self._now_s()
        digest = self._shelf.digest()
        if digest != self._digest:
            found = self._shelf.published()
            self._take(published.EMPTY if found is None else found)
            if found is None:
                self._digest = published.NOTHING_PUBLISHED
        self._asked_s = asked_s

    def _take(self, known: Rules) -> None:
        armed: dict[On, list[Armed]] = {}
        for rule in known.rules.values():
            if rule.enabled:
                armed.setdefault(rule.on, []).append(Armed(rule, _condition(rule)))
        self._known, self._digest = known, known.digest
        self._armed = {on: tuple(found) for on, found in armed.items()}


def _condition(rule: Rule) -> Condition:
    try:
        return condition(rule.when)
    except Exception as error:  # a later HySDS may know more queries than this one
        raise Internal(f"rule {rule.name}: its condition can't be read here: {error}") from error


def behind(book: RuleBook, streams: Streams) -> int:
    """How many entries the rules in force have still to see; 0 where there are none.

    Raises: Unreachable
    """
    try:
        known = book.current()
    except Internal:  # a later HySDS published them; what it needs is kept all the same
        return streams.events.backlog(GROUP)
    jobs = streams.events.backlog(GROUP) if known.look_at_jobs else 0
    return jobs + (streams.journal.backlog(GROUP) if known.look_at_happenings else 0)
