"""All adapters in one process: a fake clock and workloads that a script plays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from hysds.doctor.examination import Check
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
from hysds.ports.indices import Indices
from hysds.ports.journal import Journal
from hysds.ports.ledger import Ledger
from hysds.ports.litter import Litter
from hysds.ports.logs import Logs
from hysds.ports.metrics import Endpoint, Metrics
from hysds.ports.notifier import Notifier
from hysds.ports.overheard import Overheard
from hysds.ports.roster import Roster
from hysds.ports.rules import RuleShelf
from hysds.ports.schedules import Schedules
from hysds.ports.spill import Spill
from hysds.ports.store import Store
from hysds.settings.metrics import Role
from hysds.settings.model import Settings
from hysds.wiring.terms import creator_bounds, retention_ms

if TYPE_CHECKING:
    from hysds.adapters.ledger.alarms_memory import MemoryAlarms
    from hysds.adapters.ledger.journal_memory import MemoryJournal
    from hysds.adapters.ledger.memory import MemoryLedger
    from hysds.adapters.ledger.memory_events import MemoryEvents
    from hysds.adapters.ledger.schedules_memory import MemorySchedules


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

        return MemoryCreators(settings.creators.prefixes, creator_bounds(settings))

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

            self._ledger = MemoryLedger(retention_ms(settings), self._now_us)
        return self._ledger
