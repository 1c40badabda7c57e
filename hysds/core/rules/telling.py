"""What is told of a rule that fired, could not, or was stopped: an event, under an id that a repetition has too."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from hysds.core import cause, clip
from hysds.core.happenings import EVENT, Happening
from hysds.core.rules import lineage
from hysds.core.rules.lineage import Occasion
from hysds.core.rules.rule import Rule

PREFIX = "rule-"
"""How the types of these events begin."""

_MAX_REASON = 2_000


class Outcome(StrEnum):
    """What became of a rule that matched."""

    FIRED = "fired"
    """Its job was submitted, or a twin of it stands for it."""
    FAILED = "failed"
    """There is no job of it: it could not be made, or was refused."""
    STOPPED = "stopped"
    """It would have fed itself."""


@dataclass(frozen=True, slots=True)
class Fired:
    """What one rule did on one occasion."""

    rule: Rule
    occasion: Occasion
    outcome: Outcome
    reason: str = ""
    """Why not; "" where it fired."""
    twin: str = ""
    """The job that stands for the one that was submitted."""

    @property
    def job_id(self) -> str:
        """What the rule's job is called, or would be."""
        return lineage.firing_id(self.rule, self.occasion)

    @property
    def is_silent(self) -> bool:
        """Whether nothing is told of it: telling would be what it fires on next."""
        return self.outcome is Outcome.STOPPED and self.occasion.is_of_rules


def happening(fired: Fired, at_ms: int) -> Happening:
    """The event. `at_ms`: now, wall ms."""
    rule, occasion = fired.rule, fired.occasion
    told = {
        **cause.fields(lineage.cause_of(rule, occasion)),
        "on": occasion.on.value,
        "of_type": occasion.document.get("type"),
        "of_status": occasion.document.get("status"),
        "then": rule.then,
        "job_id": fired.job_id,
        "twin": fired.twin,
        "reason": clip.clipped(fired.reason, _MAX_REASON),
    }
    return Happening(
        id=str(uuid.uuid5(uuid.UUID(fired.job_id), fired.outcome.value)),
        resource=EVENT,
        type=f"{PREFIX}{fired.outcome.value}",
        status=fired.outcome.value,
        at_ms=at_ms,
        tags=(rule.name,),
        event={name: value for name, value in told.items() if value not in (None, "")},
    )
