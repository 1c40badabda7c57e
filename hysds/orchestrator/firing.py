"""One rule on one occasion: whether it matches, whether it may, and what becomes of its job at the front door.

The job's id follows from the rule and the occasion, so whoever fires it again, after a kill -9 or beside another, finds
it there: at most one job comes of each, whatever the rule says by then.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from hysds.core.errors import Conflict, Full, HysdsError, InvalidSpec, Refused, Unreachable
from hysds.core.ids import JobId
from hysds.core.rules import lineage
from hysds.core.rules.lineage import Occasion
from hysds.core.rules.published import OF_JOBS
from hysds.core.rules.rule import Rule
from hysds.core.rules.telling import Fired, Outcome
from hysds.core.status import FailureClass, Status
from hysds.orchestrator.occasions import Occasions
from hysds.orchestrator.past import Documents
from hysds.orchestrator.rule_book import Armed
from hysds.orchestrator.rule_plans import RulePlans, reasons
from hysds.orchestrator.submit import Orchestrator
from hysds.ports.ledger import Ledger

_OLD_MS = 3_600_000
"""Of what happened so long ago the ledger may have forgotten that a rule fired: the store is asked too."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """Where firings go, and where it is seen that they went."""

    orchestrator: Orchestrator
    ledger: Ledger
    documents: Documents


class Firing:
    """Safe to share between threads."""

    def __init__(self, door: Door, plans: RulePlans, occasions: Occasions) -> None:
        self._door = door
        self._plans = plans
        self._occasions = occasions

    def fired(self, rules: Sequence[Armed], occasion: Occasion) -> Iterator[Fired]:
        """What each of the rules that match did, by name.

        Raises: Unreachable, Full: then the whole may be repeated. Whatever else a rule comes to is its own failure, and
        keeps no other rule from firing.
        """
        failed: list[Fired] = []
        meant: list[Rule] = []
        for armed in rules:
            try:
                if armed.condition.holds(occasion.document) and self._is_new(armed.rule, occasion):
                    meant.append(armed.rule)
            except Unreachable:
                raise
            except Exception as error:  # noqa: BLE001 - the outer shell of a rule: no other may suffer from it
                failed.append(_broken(armed.rule, occasion, error))
        yield from failed
        if not meant:
            return
        counted = self._counted(occasion)
        counted = replace(counted, rules=sum(not lineage.objection(rule, counted) for rule in meant))
        for rule in meant:
            try:
                yield self._fire(rule, counted)
            except (Unreachable, Full):  # a ledger without memory takes it later
                raise
            except Exception as error:  # noqa: BLE001 - as above
                yield _broken(rule, occasion, error)

    def _is_new(self, rule: Rule, occasion: Occasion) -> bool:
        """Whether it happened while the rule was there. Where the clock was set back behind the rule's own time, all
        that still comes did: else the rule would be deaf until that time comes again.
        """
        if occasion.on not in OF_JOBS or _happened_ms(occasion) >= rule.since_ms:
            return True
        return self._door.ledger.now_ms() < rule.since_ms

    def _counted(self, occasion: Occasion) -> Occasion:
        """With the retries that it is away from its cause."""
        if occasion.on not in OF_JOBS or not occasion.document.get("retry_of"):
            return occasion
        return replace(occasion, retries=self._occasions.retries(occasion))

    def _fire(self, rule: Rule, occasion: Occasion) -> Fired:
        if why := lineage.objection(rule, occasion):
            return Fired(rule, occasion, Outcome.STOPPED, why)
        id_ = JobId(lineage.firing_id(rule, occasion))
        return self._before(rule, occasion, id_) or self._submitted(rule, occasion, id_)

    def _before(self, rule: Rule, occasion: Occasion, id_: JobId) -> Fired | None:
        """What this firing came to when it was carried out before; None: it was not."""
        kept = self._door.ledger.kept([id_])[0]
        if kept is not None:
            record = kept.record
            if (
                record.status is Status.FAILED
                and record.reason == FailureClass.INVALID.value
                and not record.claims
            ):
                error = str(json.loads(kept.error).get("error", "")) if kept.error else "it was refused"
                return Fired(rule, occasion, Outcome.FAILED, error)
            return Fired(rule, occasion, Outcome.FIRED, twin=record.dedup_job)
        if self._door.ledger.now_ms() - _happened_ms(occasion) > _OLD_MS and self._door.documents([id_])[0]:
            return Fired(rule, occasion, Outcome.FIRED)
        return None

    def _submitted(self, rule: Rule, occasion: Occasion, id_: JobId) -> Fired:
        try:
            plan = self._plans.plan(rule, occasion)
        except InvalidSpec as refusal:
            self._door.orchestrator.reject(id_, self._plans.told(rule, occasion), refusal)
            return Fired(rule, occasion, Outcome.FAILED, reasons(refusal))
        except Refused as refusal:
            return Fired(rule, occasion, Outcome.FAILED, reasons(refusal))
        retry_of = [JobId(plan.retry_of)] if plan.retry_of else None
        try:
            found = self._door.orchestrator.submit([plan.spec], [id_], retry_of)[0]
        except Full:
            raise
        except (InvalidSpec, Refused) as refusal:
            return Fired(rule, occasion, Outcome.FAILED, reasons(refusal))
        if isinstance(found.refused, Conflict) and self._door.ledger.kept([id_])[0] is not None:
            return Fired(
                rule, occasion, Outcome.FIRED
            )  # another orchestrator was faster, by the rule as it was
        if found.refused is not None:
            return Fired(rule, occasion, Outcome.FAILED, reasons(found.refused))
        return Fired(rule, occasion, Outcome.FIRED, twin=found.twin or "" if found.is_duplicate else "")


def _broken(rule: Rule, occasion: Occasion, error: Exception) -> Fired:
    if not isinstance(error, HysdsError):
        _log.error("rule %s broke on %s %s", rule.name, occasion.on, occasion.id, exc_info=error)
    return Fired(rule, occasion, Outcome.FAILED, f"{type(error).__name__}: {error}")


def _happened_ms(occasion: Occasion) -> int:
    """When, on the ledger's clock for jobs; on that of whoever told it for others."""
    if occasion.on in OF_JOBS:
        return occasion.revision // 1000
    return int(occasion.document.get("revision", 0))
