"""Whether a rule may fire on what happened, by what that comes of: so that no rule feeds itself for ever.

Two bounds hold, whatever rules there are. By *lineage*: a rule does not fire on what it caused itself, directly or by
other rules, more often than it says (`repeats`). By *depth*: a chain of causes and retries has an end; it comes the
sooner the more rules fire at once, as ten rules that match everything would else make ten million jobs of one.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hysds.core.cause import MAX_LINEAGE, Cause
from hysds.core.rules.rule import On, Rule

MAX_DEPTH = 16
"""Causes and retries of one chain."""

_NAMESPACE = uuid.UUID("6f1f5a3e-3a52-5c1f-9d07-6a4f2f6c1b9e")


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened, once: the end of a job, or a happening."""

    on: On
    id: str
    revision: int
    """Tells it from whatever else happens to the same."""
    document: Mapping[str, Any]
    cause: Cause | None = None
    retries: int = 0
    """By how many retries the job is away from the one that has this cause."""
    rules: int = 1
    """How many fire on it."""
    is_of_rules: bool = False
    """It is a rule's own happening."""

    @property
    def depth(self) -> int:
        """How far it is from what somebody asked for."""
        return (self.cause.depth if self.cause else 0) + self.retries


def firing_id(rule: Rule, occasion: Occasion) -> str:
    """The id of what the rule causes: the same whoever fires it, however often."""
    return str(uuid.uuid5(_NAMESPACE, f"{rule.name}\n{occasion.on}\n{occasion.id}\n{occasion.revision}"))


def cause_of(rule: Rule, occasion: Occasion) -> Cause:
    """What the job that the rule causes comes of."""
    before = occasion.cause.lineage if occasion.cause else ()
    spread = (occasion.rules - 1).bit_length()  # log2: a chain that doubles at each step is twice as deep
    return Cause(rule.name, occasion.id, occasion.depth + 1 + spread, (*before, rule.name)[-MAX_LINEAGE:])


def objection(rule: Rule, occasion: Occasion, max_depth: int = MAX_DEPTH) -> str:
    """Why the rule may not fire; "": it may."""
    lineage = occasion.cause.lineage if occasion.cause else ()
    times = lineage.count(rule.name)
    if times > rule.repeats:
        chain = " -> ".join(lineage[-8:])
        return f"it comes of this rule itself ({chain}); repeats, {rule.repeats}, says how often that may be"
    if occasion.depth >= max_depth:
        return f"it is {occasion.depth} causes and retries away from what somebody asked for; at most {max_depth} are"
    return ""
