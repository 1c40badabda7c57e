"""What a rule would have done over the past: found, judged and planned as when it fires, and nothing submitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hysds.core.conditions import condition
from hysds.core.errors import HysdsError, Unreachable
from hysds.core.rules import lineage
from hysds.core.rules.lineage import Occasion
from hysds.core.rules.published import OF_JOBS
from hysds.core.rules.rule import Rule
from hysds.core.rules.telling import Outcome
from hysds.core.spec import JobSpec
from hysds.orchestrator import occasions as reading
from hysds.orchestrator.occasions import Occasions
from hysds.orchestrator.rule_plans import RulePlans


@dataclass(frozen=True, slots=True)
class Trial:
    """One document that the rule matches, and what would come of it."""

    document: Mapping[str, Any]
    outcome: Outcome
    reason: str = ""
    spec: JobSpec | None = None
    """What would be submitted; creators are not called. None: nothing."""


def tried(
    rule: Rule, documents: Iterable[Mapping[str, Any]], occasions: Occasions, plans: RulePlans
) -> Iterator[Trial]:
    """The trials of all documents that the rule matches, in their order.

    Raises: Unreachable
    """
    asked = condition(rule.when)
    for told in documents:
        occasion = occasions.of_document(told) if rule.on in OF_JOBS else reading.of_told(told)
        if occasion.on is rule.on and asked.holds(told):
            yield _trial(rule, occasion, occasions, plans)


def _trial(rule: Rule, occasion: Occasion, occasions: Occasions, plans: RulePlans) -> Trial:
    if rule.on in OF_JOBS:
        occasion = replace(occasion, retries=occasions.retries(occasion))
    if why := lineage.objection(rule, occasion):
        return Trial(occasion.document, Outcome.STOPPED, why)
    try:
        return Trial(occasion.document, Outcome.FIRED, spec=plans.plan(rule, occasion).spec)
    except Unreachable:
        raise
    except HysdsError as error:
        return Trial(occasion.document, Outcome.FAILED, " ".join(str(error).split()))
