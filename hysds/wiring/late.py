"""Use cases that load what most processes need not: the parser of specs, the interfaces of job types."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from hysds.core.errors import Complaint
from hysds.core.job_types.catalog import Catalog
from hysds.core.spec import JobSpec
from hysds.ports.events import Events
from hysds.ports.journal import Journal
from hysds.ports.ledger import Ledger
from hysds.ports.metrics import Metrics
from hysds.ports.roster import Roster
from hysds.settings.model import Settings

if TYPE_CHECKING:
    from hysds.orchestrator.occasions import Occasions
    from hysds.orchestrator.past import Documents
    from hysds.orchestrator.receiving import Receiver
    from hysds.orchestrator.rule_book import RuleBook
    from hysds.orchestrator.rule_plans import RulePlans
    from hysds.orchestrator.rules import RuleRunner
    from hysds.orchestrator.submit import Orchestrator


def parsed(document: object, max_bytes: int) -> JobSpec:
    """The spec in a document, by `core.parse`, which is loaded by whoever needs it: a worker never does.

    Raises: InvalidSpec
    """
    from hysds.core import parse

    return parse.parse_document(document, max_bytes)


def receiver(
    orchestrator: Orchestrator, ledger: Ledger, events: Events, settings: Settings, metrics: Metrics
) -> Receiver:
    """What takes in specs that come over the broker. It loads the parser of specs, which no other worker needs."""
    from hysds.orchestrator.receiving import Receiver, Rules

    rules = Rules(settings.jobs.max_spec_size_bytes, settings.tasks.queues[0], settings.tasks.allow)
    return Receiver(orchestrator, ledger, events, rules, metrics)


def rule_plans(ledger: Ledger, known: Callable[[], Catalog], settings: Settings) -> RulePlans:
    """What makes specs of rules that match. It loads the interfaces of job types, which workers need not."""
    from hysds.orchestrator.rule_plans import Queues, RulePlans

    parse = partial(parsed, max_bytes=settings.jobs.max_spec_size_bytes)
    return RulePlans(ledger, known, Queues(settings.tasks.queues[0], settings.worker.queues), parse)


class RuleParts(Protocol):
    """What carrying out rules needs of a system."""

    @property
    def orchestrator(self) -> Orchestrator: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def events(self) -> Events: ...

    @property
    def journal(self) -> Journal: ...

    @property
    def metrics(self) -> Metrics: ...

    @property
    def roster(self) -> Roster: ...

    @property
    def rules(self) -> RuleBook: ...

    @property
    def rule_plans(self) -> RulePlans: ...

    @property
    def occasions(self) -> Occasions: ...


def rule_runner(parts: RuleParts, documents: Documents, member: str, patience_s: float) -> RuleRunner:
    """What carries out rules, under the name `member`. It loads what plans are made with, which workers need not."""
    from hysds.orchestrator import rules
    from hysds.orchestrator.firing import Door, Firing
    from hysds.orchestrator.rule_book import Streams

    door = Door(parts.orchestrator, parts.ledger, documents)
    carry_out = rules.CarryOut(parts.occasions, Firing(door, parts.rule_plans, parts.occasions))
    around = rules.Surroundings(parts.metrics, partial(parts.roster.sign, rules.ROLE, member))
    pace = rules.Pace(member, patience_s=patience_s)
    return rules.RuleRunner(parts.rules, Streams(parts.events, parts.journal), carry_out, pace, around)


def type_files(settings: Settings) -> tuple[Catalog, tuple[Complaint, ...]]:
    """What the files of job types say that the settings name, and notes; see `orchestrator.catalog_files.read`.

    A creator that these settings do not allow is noted: those of whoever submits decide, and may name more.
    """
    from hysds.adapters.creators import functions
    from hysds.orchestrator import catalog_files  # loads the parser of specs, which workers need not

    found, notes = catalog_files.read(settings.catalog.paths)
    for job_type in found.types.values():
        place = (*job_type.sources, job_type.name)[0]
        for creator in job_type.creators:
            if why := functions.objection(creator.function, settings.creators.prefixes):
                notes = (*notes, Complaint(place, f"creator {creator.function} {why}"))
    return found, notes
