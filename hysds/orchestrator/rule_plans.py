"""What a rule's firing would submit: the spec, with its cause; nothing is submitted here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hysds.core import cause, repetition
from hysds.core.errors import InvalidSpec, Refused
from hysds.core.job_types.catalog import Catalog
from hysds.core.repetition import Changes
from hysds.core.rules import actions, lineage, mapping
from hysds.core.rules.lineage import Occasion
from hysds.core.rules.mapping import Ground
from hysds.core.rules.published import OF_JOBS
from hysds.core.rules.rule import Rule
from hysds.core.spec import JobSpec
from hysds.ports.ledger import Ledger


@dataclass(frozen=True, slots=True)
class RulePlan:
    """`retry_of`: the ended job that it does again, "" for none."""

    spec: JobSpec
    retry_of: str = ""


@dataclass(frozen=True, slots=True)
class Queues:
    """Where tasks of actions go, as far as their rules do not say; and where they may not go."""

    of_tasks: str
    of_jobs: Sequence[str] = ()


class RulePlans:
    """Makes plans. Safe to share between threads. `parse` makes a spec of a document, as `core.parse`."""

    def __init__(
        self,
        ledger: Ledger,
        known: Callable[[], Catalog],
        queues: Queues,
        parse: Callable[[object], JobSpec],
    ) -> None:
        self._ledger = ledger
        self._known = known
        self._queues = queues
        self._parse = parse

    def plan(self, rule: Rule, occasion: Occasion) -> RulePlan:
        """What the rule asks for on an occasion.

        Raises: InvalidSpec with every complaint, Refused for a retry of what can't be retried.
        """
        if actions.action_of(rule.then) == actions.RETRY:
            plan = RulePlan(self._again(rule, occasion), occasion.id)
        else:
            plan = RulePlan(self._parse(self._described(rule, occasion)))
        return replace(plan, spec=replace(plan.spec, cause=lineage.cause_of(rule, occasion)))

    def check(self, rule: Rule) -> None:
        """Whether the rule could ever fire, by the job types of now and the settings.

        Raises: InvalidSpec
        """
        mapping.check(rule, self._ground())

    def told(self, rule: Rule, occasion: Occasion) -> str:
        """What a record says of a firing of which no spec could be made, as JSON."""
        named: dict[str, Any] = {
            "job_type": rule.then,
            "tag": rule.name,
            "username": rule.owner,
            "cause": _stored(lineage.cause_of(rule, occasion)),
        }
        return json.dumps({key: value for key, value in named.items() if value})

    def _described(self, rule: Rule, occasion: Occasion) -> dict[str, Any]:
        return mapping.described(rule, occasion.document, self._ground())

    def _ground(self) -> Ground:
        return Ground(self._known(), self._queues.of_tasks, self._queues.of_jobs)

    def _again(self, rule: Rule, occasion: Occasion) -> JobSpec:
        if occasion.on not in OF_JOBS:
            raise Refused(f"rule {rule.name}: a {occasion.on} is no job, and can't be retried")
        changes = Changes(rule.queue or None, rule.priority)
        kept = self._ledger.kept([occasion.id])[0]
        if kept is None:
            return repetition.of_document(occasion.document, changes)
        return repetition.of_record(kept.record, kept.spec, changes)


def _stored(of: cause.Cause) -> dict[str, Any]:
    return {"rule": of.rule, "of": of.of, "depth": of.depth, "lineage": list(of.lineage)}


def reasons(error: InvalidSpec | Refused) -> str:
    """In one line."""
    return " ".join(str(error).split())
