"""What builds all adapters of a system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from hysds.doctor.examination import Check
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
