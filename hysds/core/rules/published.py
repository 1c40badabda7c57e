"""The set of all rules, as it is published: frozen, named by its digest, kept as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from hysds.core.errors import Complaint, Conflict, Internal, InvalidSpec, NotFound
from hysds.core.lean import lean
from hysds.core.rules import rule as rules
from hysds.core.rules.rule import On, Rule

NOTHING_PUBLISHED = ""
"""The digest where no rules were published."""

MAX_RULES = 1_000
OF_JOBS = frozenset({On.JOB, On.TASK})
"""What the ledger's events tell of; the journal tells of the others."""


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules by name. `digest` names what they say."""

    rules: Mapping[str, Rule]
    digest: str

    @property
    def look_at_jobs(self) -> bool:
        """Whether any needs the ledger's events."""
        return any(one.enabled and one.on in OF_JOBS for one in self.rules.values())

    @property
    def look_at_happenings(self) -> bool:
        """Whether any needs the journal."""
        return any(one.enabled and one.on not in OF_JOBS for one in self.rules.values())

    def get(self, name: str) -> Rule:
        """Raises: NotFound"""
        if name not in self.rules:
            raise NotFound(f"there is no rule {name}; see `hysds rules list`")
        return self.rules[name]


def rules_of(found: Iterable[Rule]) -> Rules:
    """The set of these rules.

    Raises: InvalidSpec for too many.
    """
    ordered = {one.name: one for one in sorted(found, key=lambda one: one.name)}
    if len(ordered) > MAX_RULES:
        raise InvalidSpec((Complaint("$", f"there would be more than {MAX_RULES} rules: remove some"),))
    return Rules(ordered, hashlib.sha256(_text(ordered.values()).encode()).hexdigest()[:32])


def stored(known: Rules) -> str:
    """The set as compact JSON, equal for equal sets."""
    return _text(known.rules.values())


def from_stored(text: str) -> Rules:
    """The set that `stored` wrote.

    Raises: Internal where it can't be read: another version of HySDS wrote it.
    """
    try:
        return rules_of(rules.from_stored(one) for one in json.loads(text))
    except (TypeError, ValueError, KeyError, AttributeError, InvalidSpec) as error:
        raise Internal(
            f"the published rules can't be read ({error}); was it another version of HySDS that published them? Use "
            "that one, or remove them all: hysds rules remove --all"
        ) from error


Change = Callable[[Rules], Rules]


def added(new: Rule, may_replace: bool) -> Change:
    """A rule more, or in place of that of its name."""

    def change(known: Rules) -> Rules:
        if new.name in known.rules and not may_replace:
            raise Conflict(f"there is a rule {new.name} already: remove it, or replace it (--replace)")
        return rules_of([*(one for one in known.rules.values() if one.name != new.name), new])

    return change


def removed(name: str) -> Change:
    """A rule less."""

    def change(known: Rules) -> Rules:
        known.get(name)
        return rules_of(one for one in known.rules.values() if one.name != name)

    return change


def switched(name: str, enabled: bool, now_ms: int) -> Change:
    """A rule enabled, from now on, or disabled; the same where it is so already."""

    def change(known: Rules) -> Rules:
        old = known.get(name)
        if old.enabled == enabled:
            return known
        new = replace(old, enabled=enabled, since_ms=now_ms if enabled else old.since_ms)
        return rules_of([*(one for one in known.rules.values() if one.name != name), new])

    return change


def _text(found: Iterable[Rule]) -> str:
    return json.dumps([lean(one) for one in found], sort_keys=True, separators=(",", ":"), ensure_ascii=False)


EMPTY = rules_of(())
