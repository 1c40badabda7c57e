"""Which adapter stands behind which port: the only file that imports adapters.

Each is imported inside the function that builds it, so a process pays for what it uses.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from hysds.core import ledger_clock
from hysds.core.errors import Complaint
from hysds.core.job_types.catalog import Catalog
from hysds.core.spec import JobSpec
from hysds.doctor.examination import Check
from hysds.leasing import marks
from hysds.lib import egress, overdue, units
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.alarms import Alarms
from hysds.ports.archive import Archive
from hysds.ports.bell import Bell
from hysds.ports.calls import Calls
from hysds.ports.catalog import CatalogShelf
from hysds.ports.chronicle import Chronicle
from hysds.ports.creators import Creators
from hysds.ports.engines import Engine, Play, Workload
from hysds.ports.events import Events
from hysds.ports.findings import Finding
from hysds.ports.indices import Indices
from hysds.ports.journal import Journal
from hysds.ports.ledger import Ledger
from hysds.ports.litter import Litter
from hysds.ports.logs import Logs
from hysds.ports.metrics import Address, Endpoint, Metrics
from hysds.ports.notifier import Notifier
from hysds.ports.overheard import Overheard
from hysds.ports.roster import Roster
from hysds.ports.rules import RuleShelf
from hysds.ports.schedules import Schedules
from hysds.ports.spill import Spill
from hysds.ports.store import Store
from hysds.settings import environment, outward, urls, watchdogs
from hysds.settings.metrics import Role
from hysds.settings.model import Settings

if TYPE_CHECKING:
    from hysds.adapters.creators.answers import Bounds
    from hysds.adapters.ledger.alarms_memory import MemoryAlarms
    from hysds.adapters.ledger.journal_memory import MemoryJournal
    from hysds.adapters.ledger.memory import MemoryLedger
    from hysds.adapters.ledger.memory_events import MemoryEvents
    from hysds.adapters.ledger.schedules_memory import MemorySchedules
    from hysds.adapters.ledger.server import Server
    from hysds.adapters.notifier.smtp import SmtpMailer
    from hysds.adapters.store.elasticsearch.names import Names
    from hysds.adapters.store.elasticsearch.server import Server as Cluster
    from hysds.orchestrator.occasions import Occasions
    from hysds.orchestrator.past import Documents
    from hysds.orchestrator.receiving import Receiver
    from hysds.orchestrator.rule_book import RuleBook
    from hysds.orchestrator.rule_plans import RulePlans
    from hysds.orchestrator.rules import RuleRunner
    from hysds.orchestrator.submit import Orchestrator


_GREETING_S = 1.5
"""How long `doctor` waits for an answer of a mail server, and for a name."""
_SILENCE_S = 2.5
"""Whoever waits for the first answer of a ledger for longer is told so."""
_SPILL_LEAVES_BYTES = 500_000_000
"""What a spill leaves free of its disk: the ledger's own files, and jobs' directories, may lie there too."""
_log = logging.getLogger(__name__)


class Adapters(Protocol):
    """One way to stand behind all ports."""

    def ledger(self, settings: Settings) -> Ledger: ...

    def events(self, settings: Settings) -> Events: ...

    def logs(self, settings: Settings) -> Logs: ...

    def roster(self, settings: Settings) -> Roster: ...

    def litter(self, settings: Settings) -> Litter: ...

    def shelf(self, settings: Settings) -> CatalogShelf: ...

    def creators(self, settings: Settings) -> Creators: ...

    def notifier(self, settings: Settings) -> Notifier: ...

    def metrics(self, settings: Settings) -> Metrics: ...

    def endpoint(self, settings: Settings, metrics: Metrics, role: Role) -> Endpoint | None: ...

    def schedules(self, settings: Settings) -> Schedules: ...

    def rules(self, settings: Settings) -> RuleShelf: ...

    def journal(self, settings: Settings) -> Journal: ...

    def alarms(self, settings: Settings) -> Alarms: ...

    def store(self, settings: Settings) -> Store: ...

    def indices(self, settings: Settings) -> Indices | None: ...

    def archive(self, settings: Settings) -> Archive | None: ...

    def chronicle(self, settings: Settings) -> Chronicle: ...

    def spill(self, settings: Settings) -> Spill: ...

    def bell(self, settings: Settings) -> Bell: ...

    def overheard(self, settings: Settings) -> Overheard | None: ...

    def calls(self, settings: Settings) -> Calls: ...

    def engine(self, settings: Settings, incarnation: str) -> Engine: ...

    def environ(self) -> Mapping[str, str]: ...

    def new_id(self) -> Callable[[], str]: ...

    def checks(self, settings: Settings, queues: Callable[[], Iterable[str]]) -> Mapping[str, Check]: ...


class RealAdapters:
    """Redis, SQLite, Celery, processes.

    `handed_on`: the environment in which a child finds the same settings. `patience_s`: how long a server may take to
    answer, asked once; None: as the settings say, and asked again.
    """

    def __init__(self, handed_on: Mapping[str, str], patience_s: float | None = None) -> None:
        self._handed_on = handed_on
        self._patience_s = patience_s
        self._server: Server | None = None

    def ledger(self, settings: Settings) -> Ledger:
        """Raises: InvalidSettings where the server can't hold a ledger, Unreachable where it does not answer."""
        from hysds.adapters.ledger.redis import RedisLedger

        server = self._redis(settings)
        ledger = RedisLedger(server, settings.ledger.prefix, _retention_ms(settings))
        with overdue.told(_SILENCE_S, partial(_tell_of_silence, server.where, server.patience_s)):
            ledger.check()
        return ledger

    def events(self, settings: Settings) -> Events:
        from hysds.adapters.ledger.redis_events import RedisEvents

        return RedisEvents(self._redis(settings), settings.ledger.prefix)

    def logs(self, settings: Settings) -> Logs:
        from hysds.adapters.ledger.logs_redis import RedisLogs

        return RedisLogs(self._redis(settings), settings.ledger.prefix, settings.logs)

    def roster(self, settings: Settings) -> Roster:
        from hysds.adapters.ledger.roster_redis import RedisRoster

        return RedisRoster(self._redis(settings), settings.ledger.prefix)

    def litter(self, settings: Settings) -> Litter:
        from hysds.adapters.ledger.litter_redis import RedisLitter

        return RedisLitter(self._redis(settings), settings.ledger.prefix)

    def shelf(self, settings: Settings) -> CatalogShelf:
        from hysds.adapters.ledger.catalog_redis import RedisCatalogShelf

        return RedisCatalogShelf(self._redis(settings), settings.ledger.prefix)

    def creators(self, settings: Settings) -> Creators:
        from hysds.adapters.creators.child import Rules
        from hysds.adapters.creators.process import ProcessCreators

        of = settings.creators
        return ProcessCreators(Rules(of.prefixes, of.dir, _creator_bounds(settings), environment.bare()))

    def notifier(self, settings: Settings) -> Notifier:
        """Raises: InvalidSettings where the file of the webhooks' key can't be read."""
        from hysds.adapters.notifier.outside import OutsideNotifier
        from hysds.adapters.notifier.webhooks import Webhooks

        key = outward.key(settings.notifier.webhook_key_file)
        webhooks = Webhooks(egress.Guard(_egress(settings)), key, Uuid7Source(), time.time)
        return OutsideNotifier(_mailer(settings), webhooks)

    def metrics(self, settings: Settings) -> Metrics:
        if settings.metrics.port is None:
            from hysds.adapters.metrics.off import NoMetrics

            return NoMetrics()
        from hysds.adapters.metrics.memory import MemoryMetrics

        return MemoryMetrics()

    def endpoint(self, settings: Settings, metrics: Metrics, role: Role) -> Endpoint | None:
        """One that answers, of this role's metrics; None where they are told nowhere."""
        of = settings.metrics
        port = of.port_of(role)
        if port is None:
            return None
        from hysds.adapters.metrics.memory import MemoryMetrics
        from hysds.adapters.metrics.telling import Place, Told

        assert isinstance(metrics, MemoryMetrics), "made by `metrics` with the same settings"
        return Told(metrics, Place(role.word, Address(of.bind, port), settings.metric_targets)).start()

    def schedules(self, settings: Settings) -> Schedules:
        from hysds.adapters.ledger.schedules_redis import RedisSchedules

        return RedisSchedules(self._redis(settings), settings.ledger.prefix)

    def rules(self, settings: Settings) -> RuleShelf:
        from hysds.adapters.ledger.rules_redis import RedisRuleShelf

        return RedisRuleShelf(self._redis(settings), settings.ledger.prefix)

    def journal(self, settings: Settings) -> Journal:
        from hysds.adapters.ledger.journal_redis import RedisJournal

        return RedisJournal(self._redis(settings), settings.ledger.prefix, settings.journal.memory_bytes)

    def alarms(self, settings: Settings) -> Alarms:
        from hysds.adapters.ledger.alarms_redis import RedisAlarms

        return RedisAlarms(self._redis(settings), settings.ledger.prefix)

    def store(self, settings: Settings) -> Store:
        if settings.is_searched_by_elasticsearch:
            from hysds.adapters.store.elasticsearch.store import ElasticStore

            return ElasticStore(self._cluster(settings), self._names(settings))
        from hysds.adapters.store.sqlite import SqliteStore

        return SqliteStore(settings.store_path)

    def indices(self, settings: Settings) -> Indices | None:
        if not settings.is_searched_by_elasticsearch:
            return None
        from hysds.adapters.store.elasticsearch.indices import ElasticIndices

        return ElasticIndices(self._cluster(settings), self._names(settings))

    def archive(self, settings: Settings) -> Archive | None:
        """Raises: InvalidSettings where its URL can't be used."""
        of = settings.archive
        if of.directory is not None:
            from hysds.adapters.archive.directory import DirectoryArchive

            return DirectoryArchive(of.directory)
        if of.url is None:
            return None
        from hysds.adapters.archive.remote import RemoteArchive

        return RemoteArchive(of.url, urls.masked(of.url))

    def chronicle(self, settings: Settings) -> Chronicle:
        if settings.is_searched_by_elasticsearch:
            from hysds.adapters.store.elasticsearch.chronicle import ElasticChronicle

            return ElasticChronicle(self._cluster(settings), self._names(settings))
        from hysds.adapters.store.chronicle_sqlite import SqliteChronicle

        return SqliteChronicle(settings.store_path)

    def spill(self, settings: Settings) -> Spill:
        from hysds.adapters.spill.files import FileSpill, Room

        room = Room(settings.indexer.spill_limit_bytes, _SPILL_LEAVES_BYTES)
        return FileSpill(settings.spill_dir, _ledger_name(settings), room)

    def bell(self, settings: Settings) -> Bell:
        from hysds.adapters.bell.celery import CeleryBell

        return CeleryBell(settings)

    def overheard(self, settings: Settings) -> Overheard | None:
        if settings.journal.celery_events is None:
            return None
        from hysds.adapters.bell.celery_events import CeleryEvents

        return CeleryEvents(settings, frozenset(settings.journal.celery_events))

    def calls(self, settings: Settings) -> Calls:
        from hysds.adapters.bell.calls import CeleryCalls

        return CeleryCalls(settings)

    def engine(self, settings: Settings, incarnation: str) -> Engine:
        from hysds.adapters.engines.base import EngineSettings
        from hysds.adapters.engines.factory import engine

        return engine(
            "process",
            EngineSettings(
                silence_limit_s=settings.ledger.worker_lease_s,
                # Ended before the ledger's own, slower clock can hand the job to another worker.
                isolation_limit_s=ledger_clock.sure_s(settings.worker.isolation_limit_s),
                on_gone=(sys.executable, "-m", "hysds.cli.gone", incarnation),
                on_gone_env=environment.for_child(self._handed_on),
                marks={marks.WORKER: incarnation},
            ),
        )

    def environ(self) -> Mapping[str, str]:
        """The environment of a child that loads the same settings."""
        return environment.for_child(self._handed_on)

    def new_id(self) -> Callable[[], str]:
        return Uuid7Source()

    def checks(self, settings: Settings, queues: Callable[[], Iterable[str]]) -> Mapping[str, Check]:
        def ledger() -> Iterable[Finding]:
            from hysds.adapters.ledger.health import LedgerHealth

            return LedgerHealth(self._redis(settings), settings.ledger.prefix).check()

        def broker() -> Iterable[Finding]:
            from hysds.adapters.bell import health

            return health.check(self.bell(settings), queues(), urls.masked(settings.broker_url))

        def store() -> Iterable[Finding]:
            if settings.is_searched_by_elasticsearch:
                from hysds.adapters.store.elasticsearch import health as elastic_health

                return elastic_health.check(self._cluster(settings), self._names(settings))
            from hysds.adapters.store import sqlite_health

            return sqlite_health.check(settings.store_path)

        def sandbox() -> Iterable[Finding]:
            from hysds.adapters.engines import health

            return health.check()

        def journal() -> Iterable[Finding]:
            from hysds.adapters.ledger import journal_health
            from hysds.indexer import chronicler

            where = urls.masked(settings.ledger_url)
            return journal_health.check(self.journal(settings), chronicler.GROUP, where)

        def spill() -> Iterable[Finding]:
            from hysds.adapters.spill import health

            return health.check(settings.spill_dir, _ledger_name(settings))

        return {
            "ledger": ledger,
            "broker": broker,
            "store": store,
            "archive": partial(_archive_found, settings),
            "journal": journal,
            "spill": spill,
            "metrics": partial(_metrics_found, settings),
            "sandbox": sandbox,
            "notifier": partial(_notifier_found, settings),
        }

    def _cluster(self, settings: Settings) -> Cluster:
        """Connections to Elasticsearch, made at the first call; whoever has them ends them."""
        from hysds.adapters.store.elasticsearch.server import ONCE, PERSISTENCE, Server, access

        persistence = PERSISTENCE if self._patience_s is None else ONCE
        return Server(access(settings.store, self._patience_s), persistence)

    def _names(self, settings: Settings) -> Names:
        from hysds.adapters.store.elasticsearch.names import Names

        return Names(settings.store.index_prefix or "")

    def _redis(self, settings: Settings) -> Server:
        """The connections that ledger, events and logs share."""
        if self._server is None:
            from hysds.adapters.ledger.server import ONCE, PERSISTENCE, Server

            ledger, patience_s = settings.ledger, self._patience_s
            timeout_s, persistence = (
                (ledger.answer_timeout_s, PERSISTENCE) if patience_s is None else (patience_s, ONCE)
            )
            self._server = Server(settings.ledger_url, ledger.tls, timeout_s, persistence)
        return self._server


class MemoryAdapters:
    """All in this process: a fake clock and workloads that a script plays. For tests."""

    def __init__(self, now_us: Callable[[], int], script: Callable[[Workload], Play]) -> None:
        self._now_us = now_us
        self._script = script
        self._ledger: MemoryLedger | None = None
        self._shelf: CatalogShelf | None = None
        self._schedules: MemorySchedules | None = None
        self._alarms: MemoryAlarms | None = None
        self._events: MemoryEvents | None = None
        self._journal: MemoryJournal | None = None
        self._rules: RuleShelf | None = None
        self._archive: Archive | None = None

    def ledger(self, settings: Settings) -> Ledger:
        return self._book(settings)

    def events(self, settings: Settings) -> Events:
        return self._stream(settings)

    def logs(self, settings: Settings) -> Logs:
        from hysds.adapters.ledger.logs_memory import MemoryLogs

        return MemoryLogs(settings.logs)

    def roster(self, settings: Settings) -> Roster:
        from hysds.adapters.ledger.roster_memory import MemoryRoster

        return MemoryRoster(self._now_us)

    def litter(self, settings: Settings) -> Litter:
        from hysds.adapters.ledger.litter_memory import MemoryLitter

        return MemoryLitter()

    def shelf(self, settings: Settings) -> CatalogShelf:
        if self._shelf is None:
            from hysds.adapters.ledger.catalog_memory import MemoryCatalogShelf

            self._shelf = MemoryCatalogShelf()
        return self._shelf

    def creators(self, settings: Settings) -> Creators:
        from hysds.adapters.creators.memory import MemoryCreators

        return MemoryCreators(settings.creators.prefixes, _creator_bounds(settings))

    def notifier(self, settings: Settings) -> Notifier:
        from hysds.adapters.notifier.memory import MemoryNotifier

        return MemoryNotifier()

    def metrics(self, settings: Settings) -> Metrics:
        from hysds.adapters.metrics.memory import MemoryMetrics

        return MemoryMetrics()

    def endpoint(self, settings: Settings, metrics: Metrics, role: Role) -> Endpoint | None:
        return None

    def schedules(self, settings: Settings) -> Schedules:
        if self._schedules is None:
            from hysds.adapters.ledger.schedules_memory import MemorySchedules

            self._schedules = MemorySchedules(self._now_us)
        return self._schedules

    def rules(self, settings: Settings) -> RuleShelf:
        if self._rules is None:
            from hysds.adapters.ledger.rules_memory import MemoryRuleShelf

            self._rules = MemoryRuleShelf(self._stream(settings), self._book_of_days(settings))
        return self._rules

    def journal(self, settings: Settings) -> Journal:
        return self._book_of_days(settings)

    def alarms(self, settings: Settings) -> Alarms:
        if self._alarms is None:
            from hysds.adapters.ledger.alarms_memory import MemoryAlarms

            self._alarms = MemoryAlarms(self._now_us)
        return self._alarms

    def store(self, settings: Settings) -> Store:
        from hysds.adapters.store.memory import MemoryStore

        return MemoryStore()

    def indices(self, settings: Settings) -> Indices | None:
        return None

    def archive(self, settings: Settings) -> Archive | None:
        if self._archive is None:
            from hysds.adapters.archive.memory import MemoryArchive

            self._archive = MemoryArchive()
        return self._archive

    def chronicle(self, settings: Settings) -> Chronicle:
        from hysds.adapters.store.chronicle_memory import MemoryChronicle

        return MemoryChronicle()

    def spill(self, settings: Settings) -> Spill:
        from hysds.adapters.spill.memory import MemorySpill

        return MemorySpill(settings.indexer.spill_limit_bytes)

    def bell(self, settings: Settings) -> Bell:
        from hysds.adapters.bell.memory import MemoryBell

        return MemoryBell()

    def overheard(self, settings: Settings) -> Overheard | None:
        return None

    def calls(self, settings: Settings) -> Calls:
        from hysds.adapters.bell.memory import MemoryCalls

        return MemoryCalls()

    def engine(self, settings: Settings, incarnation: str) -> Engine:
        from hysds.adapters.engines.simulated import SimulatedEngine

        return SimulatedEngine(self._script)

    def environ(self) -> Mapping[str, str]:
        return {}

    def new_id(self) -> Callable[[], str]:
        return Uuid7Source(lambda: self._now_us() // 1000)

    def checks(self, settings: Settings, queues: Callable[[], Iterable[str]]) -> Mapping[str, Check]:
        return {}

    def _stream(self, settings: Settings) -> MemoryEvents:
        if self._events is None:
            from hysds.adapters.ledger.memory_events import MemoryEvents

            self._events = MemoryEvents(self._book(settings))
        return self._events

    def _book_of_days(self, settings: Settings) -> MemoryJournal:
        if self._journal is None:
            from hysds.adapters.ledger.journal_memory import MemoryJournal

            self._journal = MemoryJournal(self._book(settings), settings.journal.memory_bytes)
        return self._journal

    def _book(self, settings: Settings) -> MemoryLedger:
        if self._ledger is None:
            from hysds.adapters.ledger.memory import MemoryLedger

            self._ledger = MemoryLedger(_retention_ms(settings), self._now_us)
        return self._ledger


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
    from hysds.orchestrator.rule_plans import RulePlans

    parse = partial(parsed, max_bytes=settings.jobs.max_spec_size_bytes)
    return RulePlans(ledger, known, settings.tasks.queues[0], parse)


def _metrics_found(settings: Settings) -> Iterable[Finding]:
    from hysds.adapters.metrics import health

    return health.check(settings.metrics, settings.metric_targets)


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


def _tell_of_silence(where: str, patience_s: float) -> None:
    _log.warning(
        "the ledger does not answer yet: %s; it is tried for %s in all",
        where,
        units.format_duration(patience_s),
    )


def _creator_bounds(settings: Settings) -> Bounds:
    from hysds.adapters.creators.answers import Bounds

    of = settings.creators
    return Bounds(of.time_limit_s, of.memory_bytes, of.answer_bytes, of.jobs)


def _archive_found(settings: Settings) -> Iterable[Finding]:
    """Whether ended jobs are kept elsewhere."""
    from hysds.adapters.archive import health

    of = settings.archive
    if of.directory is not None:
        return health.of_directory(of.directory)
    if of.url is None:
        return health.no_archive(settings.is_searched_by_elasticsearch)
    return health.of_url(of.url, urls.masked(of.url))


def _notifier_found(settings: Settings) -> Iterable[Finding]:
    """Whether mail and webhooks would work."""
    from hysds.adapters.notifier import health

    guard = egress.Guard(replace(_egress(settings), timeout_s=_GREETING_S))
    hooks = partial(watchdogs.webhooks, settings.watchdogs.webhooks_file)
    key = partial(outward.key, settings.notifier.webhook_key_file)
    return health.check(_mailer(settings, _GREETING_S), guard, hooks, key)


def _mailer(settings: Settings, timeout_s: float | None = None) -> SmtpMailer | None:
    """`timeout_s`: how long one answer may take, asked once; None: as mail servers need, and asked again."""
    of = settings.notifier
    if of.mail_url is None or of.mail_sender is None:
        return None
    from hysds.adapters.notifier.smtp import MailServer, SmtpMailer

    if timeout_s is None:
        return SmtpMailer(MailServer(of.mail_url, of.mail_sender, of.mail_ca_file))
    return SmtpMailer(MailServer(of.mail_url, of.mail_sender, of.mail_ca_file, timeout_s))


def _egress(settings: Settings) -> egress.Policy:
    of = settings.egress
    return egress.Policy(of.schemes, of.allow or (), of.timeout_s, of.answer_bytes, ca_file=of.ca_file)


def _ledger_name(settings: Settings) -> str:
    """Which ledger it is, for what lies on a host's disk; no secret in it."""
    return f"{urls.masked(settings.ledger_url.partition('?')[0])} {settings.ledger.prefix}"


def _retention_ms(settings: Settings) -> int:
    return round(settings.ledger.record_retention_s * 1000)


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
