"""Redis, SQLite or Elasticsearch, Celery, processes: the adapters of a real system."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from hysds.core import ledger_clock
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
from hysds.ports.engines import Engine
from hysds.ports.events import Events
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
from hysds.settings import environment, outward, urls
from hysds.settings.metrics import Role
from hysds.settings.model import Settings
from hysds.wiring import examining
from hysds.wiring.terms import creator_bounds, egress_policy, ledger_name, mailer, retention_ms

if TYPE_CHECKING:
    from hysds.adapters.ledger.server import Server
    from hysds.adapters.store.elasticsearch.names import Names
    from hysds.adapters.store.elasticsearch.server import Server as Cluster


_SILENCE_S = 2.5
"""Whoever waits for the first answer of a ledger for longer is told so."""
_SPILL_LEAVES_BYTES = 500_000_000
"""What a spill leaves free of its disk: the ledger's own files, and jobs' directories, may lie there too."""
_log = logging.getLogger(__name__)


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

        server = self.redis(settings)
        ledger = RedisLedger(server, settings.ledger.prefix, retention_ms(settings))
        with overdue.told(_SILENCE_S, partial(_tell_of_silence, server.where, server.patience_s)):
            ledger.check()
        return ledger

    def events(self, settings: Settings) -> Events:
        from hysds.adapters.ledger.redis_events import RedisEvents

        return RedisEvents(self.redis(settings), settings.ledger.prefix)

    def logs(self, settings: Settings) -> Logs:
        from hysds.adapters.ledger.logs_redis import RedisLogs

        return RedisLogs(self.redis(settings), settings.ledger.prefix, settings.logs)

    def roster(self, settings: Settings) -> Roster:
        from hysds.adapters.ledger.roster_redis import RedisRoster

        return RedisRoster(self.redis(settings), settings.ledger.prefix)

    def litter(self, settings: Settings) -> Litter:
        from hysds.adapters.ledger.litter_redis import RedisLitter

        return RedisLitter(self.redis(settings), settings.ledger.prefix)

    def shelf(self, settings: Settings) -> CatalogShelf:
        from hysds.adapters.ledger.catalog_redis import RedisCatalogShelf

        return RedisCatalogShelf(self.redis(settings), settings.ledger.prefix)

    def creators(self, settings: Settings) -> Creators:
        from hysds.adapters.creators.child import Rules
        from hysds.adapters.creators.process import ProcessCreators

        of = settings.creators
        return ProcessCreators(Rules(of.prefixes, of.dir, creator_bounds(settings), environment.bare()))

    def notifier(self, settings: Settings) -> Notifier:
        """Raises: InvalidSettings where the file of the webhooks' key can't be read."""
        from hysds.adapters.notifier.outside import OutsideNotifier
        from hysds.adapters.notifier.webhooks import Webhooks

        key = outward.key(settings.notifier.webhook_key_file)
        webhooks = Webhooks(egress.Guard(egress_policy(settings)), key, Uuid7Source(), time.time)
        return OutsideNotifier(mailer(settings), webhooks)

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

        return RedisSchedules(self.redis(settings), settings.ledger.prefix)

    def rules(self, settings: Settings) -> RuleShelf:
        from hysds.adapters.ledger.rules_redis import RedisRuleShelf

        return RedisRuleShelf(self.redis(settings), settings.ledger.prefix)

    def journal(self, settings: Settings) -> Journal:
        from hysds.adapters.ledger.journal_redis import RedisJournal

        return RedisJournal(self.redis(settings), settings.ledger.prefix, settings.journal.memory_bytes)

    def alarms(self, settings: Settings) -> Alarms:
        from hysds.adapters.ledger.alarms_redis import RedisAlarms

        return RedisAlarms(self.redis(settings), settings.ledger.prefix)

    def store(self, settings: Settings) -> Store:
        if settings.is_searched_by_elasticsearch:
            from hysds.adapters.store.elasticsearch.store import ElasticStore

            return ElasticStore(self.cluster(settings), self.names(settings))
        from hysds.adapters.store.sqlite import SqliteStore

        return SqliteStore(settings.store_path)

    def indices(self, settings: Settings) -> Indices | None:
        if not settings.is_searched_by_elasticsearch:
            return None
        from hysds.adapters.store.elasticsearch.indices import ElasticIndices

        return ElasticIndices(self.cluster(settings), self.names(settings))

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

            return ElasticChronicle(self.cluster(settings), self.names(settings))
        from hysds.adapters.store.chronicle_sqlite import SqliteChronicle

        return SqliteChronicle(settings.store_path)

    def spill(self, settings: Settings) -> Spill:
        from hysds.adapters.spill.files import FileSpill, Room

        room = Room(settings.indexer.spill_limit_bytes, _SPILL_LEAVES_BYTES)
        return FileSpill(settings.spill_dir, ledger_name(settings), room)

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
        return examining.checks(self, settings, queues)

    def cluster(self, settings: Settings) -> Cluster:
        """Connections to Elasticsearch, made at the first call; whoever has them ends them."""
        from hysds.adapters.store.elasticsearch.server import ONCE, PERSISTENCE, Server, access

        persistence = PERSISTENCE if self._patience_s is None else ONCE
        return Server(access(settings.store, self._patience_s), persistence)

    def names(self, settings: Settings) -> Names:
        """What its indices are called."""
        from hysds.adapters.store.elasticsearch.names import Names

        return Names(settings.store.index_prefix or "")

    def redis(self, settings: Settings) -> Server:
        """The connections that ledger, events and logs share."""
        if self._server is None:
            from hysds.adapters.ledger.server import ONCE, PERSISTENCE, Server

            ledger, patience_s = settings.ledger, self._patience_s
            timeout_s, persistence = (
                (ledger.answer_timeout_s, PERSISTENCE) if patience_s is None else (patience_s, ONCE)
            )
            self._server = Server(settings.ledger_url, ledger.tls, timeout_s, persistence)
        return self._server


def _tell_of_silence(where: str, patience_s: float) -> None:
    _log.warning(
        "the ledger does not answer yet: %s; it is tried for %s in all",
        where,
        units.format_duration(patience_s),
    )
