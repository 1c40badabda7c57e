"""The composition root: settings in, a working system out.

Each part is built when it is first asked for, so a process pays for what it uses; `wiring` knows the adapters.
"""

from __future__ import annotations

import json
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hysds
from hysds.core.acceptance import DedupPolicy
from hysds.core.errors import Complaint
from hysds.core.generations import Generations
from hysds.core.job_types.catalog import Catalog
from hysds.core.metric_names import Metric
from hysds.core.record import FOREVER
from hysds.core.status import Status
from hysds.core.watchdogs import Kind
from hysds.core.worker_life import Rhythm
from hysds.dispatcher import Dispatcher
from hysds.doctor.examination import Check
from hysds.indexer import relief
from hysds.indexer.chronicler import Chronicler, Keeping, Shelves
from hysds.indexer.indexer import Aids, Indexer, Pace
from hysds.indexer.measuring import Measuring
from hysds.job_worker import assembly
from hysds.leasing import assembly as leasing_assembly
from hysds.leasing.orphans import Orphans
from hysds.leasing.presence import Identity
from hysds.leasing.worker import LeaseWorker
from hysds.lib import host_facts, machine
from hysds.orchestrator import rule_book
from hysds.orchestrator.expansion import Bounds, Expansion
from hysds.orchestrator.job_types import JobTypes
from hysds.orchestrator.occasions import Occasions
from hysds.orchestrator.planning import Planner
from hysds.orchestrator.routing import Ground, Router
from hysds.orchestrator.rule_book import RuleBook, Streams
from hysds.orchestrator.schedules import Timetable
from hysds.orchestrator.submit import Orchestrator
from hysds.ports.alarms import Alarms
from hysds.ports.archive import Archive
from hysds.ports.bell import Bell
from hysds.ports.calls import Calls
from hysds.ports.chronicle import Chronicle
from hysds.ports.creators import Call, Creators
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
from hysds.ports.spill import Spill
from hysds.ports.store import Store
from hysds.reconciler import assembly as reconciler_assembly
from hysds.reconciler import duties, indices, lives
from hysds.reconciler.beside import Beside
from hysds.reconciler.census import Census
from hysds.reconciler.duties import Reconciler
from hysds.reconciler.lives import Lives
from hysds.reconciler.paced import Paced
from hysds.reconciler.unheard import Unheard
from hysds.reconciler.watch import Watch
from hysds.reconciler.watchdogs import Books, Watchdogs
from hysds.settings import load, servers
from hysds.settings.metrics import Role
from hysds.settings.model import Settings
from hysds.task_worker import assembly as task_assembly
from hysds.wiring import late
from hysds.wiring.adapters import Adapters
from hysds.wiring.late import parsed, type_files
from hysds.wiring.real import RealAdapters

if TYPE_CHECKING:
    from hysds.orchestrator.receiving import Receiver
    from hysds.orchestrator.rule_plans import RulePlans
    from hysds.orchestrator.rules import RuleRunner

_INDICES_EVERY_S = 15.0
"""So often a reconciler looks whether indices are rolled over or dropped."""
_log = logging.getLogger(__name__)


class System:
    """One process's view of a HySDS system. Made once, handed on, closed at the end."""

    def __init__(self, settings: Settings, adapters: Adapters | None = None) -> None:
        self.settings = settings
        self._adapters = RealAdapters({}) if adapters is None else adapters
        self._closing: list[Callable[[], None]] = []

    @classmethod
    def read(cls, arguments: Mapping[str, object] | None = None) -> System:
        """The system that arguments, environment and file name. Notices on settings go to the log.

        Raises: InvalidSettings
        """
        loaded = load.load(arguments)
        for notice in loaded.notices:
            _log.warning("%s", notice)
        return cls(loaded.settings, RealAdapters(loaded.handed_on()))

    @cached_property
    def ledger(self) -> Ledger:
        """The truth about live jobs."""
        ledger = self._adapters.ledger(self.settings)
        self._closing.append(ledger.close)
        return ledger

    @cached_property
    def events(self) -> Events:
        """The stream of transitions."""
        return self._adapters.events(self.settings)

    @cached_property
    def logs(self) -> Logs:
        """Live output."""
        return self._adapters.logs(self.settings)

    @cached_property
    def roster(self) -> Roster:
        """Which reconcilers and indexers work."""
        return self._adapters.roster(self.settings)

    @cached_property
    def catalog(self) -> JobTypes:
        """The job types that are in force."""
        # It checks that the server keeps what is published, and ends the connection that both share.
        _ = self.ledger
        shelf = self._adapters.shelf(self.settings)
        return JobTypes(shelf, time.monotonic, self.type_files if self.settings.catalog.paths else None)

    def type_files(self) -> tuple[Catalog, tuple[Complaint, ...]]:
        """What the files of job types say that the settings name, and notes about what has no effect in them.

        Raises: InvalidSpec with everything wrong in them; Refused where the settings name none.
        """
        return type_files(self.settings)

    @cached_property
    def creators(self) -> Creators:
        """What calls job creators."""
        creators = self._adapters.creators(self.settings)
        self._closing.append(creators.close)
        return creators

    @cached_property
    def notifier(self) -> Notifier:
        """What tells people and programs outside."""
        return self._adapters.notifier(self.settings)

    @cached_property
    def metrics(self) -> Metrics:
        """What this process tells of its work in numbers."""
        return self._adapters.metrics(self.settings)

    def expose(self, role: Role) -> Endpoint | None:
        """Answer whoever asks for this process's metrics, where the settings say so. Once a process, and not before it
        may have threads. None: they are told nowhere.
        """
        endpoint = self._adapters.endpoint(self.settings, self.metrics, role)
        if endpoint is not None:
            self.metrics.gauge(Metric.ROLE, 1, role=role.word, version=hysds.__version__)
            self._closing.append(endpoint.close)
        return endpoint

    @cached_property
    def alarms(self) -> Alarms:
        """What watchdogs found and whom it was told."""
        return self._adapters.alarms(self.settings)

    @cached_property
    def litter(self) -> Litter:
        """Directories of purged jobs that workers are to remove."""
        return self._adapters.litter(self.settings)

    @cached_property
    def store(self) -> Store:
        """Where documents are searched."""
        store = self._adapters.store(self.settings)
        self._closing.append(store.close)
        return store

    @cached_property
    def indices(self) -> Indices | None:
        """The upkeep of the store's indices; None for a store that has none."""
        indices = self._adapters.indices(self.settings)
        if indices is not None:
            self._closing.append(indices.close)
        return indices

    @cached_property
    def archive(self) -> Archive | None:
        """Where documents of ended jobs are kept for good; None where the settings name no place."""
        archive = self._adapters.archive(self.settings)
        if archive is not None:
            self._closing.append(archive.close)
        return archive

    @cached_property
    def journal(self) -> Journal:
        """What happens beside jobs, on its way."""
        # It checks that the server keeps what is told, and ends the connection that both share.
        _ = self.ledger
        return self._adapters.journal(self.settings)

    @cached_property
    def chronicle(self) -> Chronicle:
        """Where documents of workers and events are searched."""
        chronicle = self._adapters.chronicle(self.settings)
        self._closing.append(chronicle.close)
        return chronicle

    @cached_property
    def spill(self) -> Spill:
        """Where documents wait on this host while the store is away."""
        spill = self._adapters.spill(self.settings)
        self._closing.append(spill.close)
        return spill

    @cached_property
    def bell(self) -> Bell:
        """What wakes who listens on the broker; only the dispatcher rings it."""
        return _LateBell(lambda: self._adapters.bell(self.settings))

    @cached_property
    def dispatcher(self) -> Dispatcher:
        """What rings."""
        dispatcher = Dispatcher(self.bell)
        self._closing.append(dispatcher.close)
        return dispatcher

    @cached_property
    def calls(self) -> Calls:
        """What sends calls over the broker."""
        calls = self._adapters.calls(self.settings)
        self._closing.append(calls.close)
        return calls

    @cached_property
    def orchestrator(self) -> Orchestrator:
        """Takes specs to the ledger."""
        jobs = self.settings.jobs
        window_ms = FOREVER if jobs.dedup_window_s is None else round(jobs.dedup_window_s * 1000)
        policy = DedupPolicy(frozenset(Status(state) for state in jobs.dedup_states), window_ms)
        router = Router(
            self.catalog.current, Ground(policy, jobs.hard_time_limit_gap_s, self.settings.policies)
        )
        parse = partial(parsed, max_bytes=jobs.max_spec_size_bytes)
        bounds = Bounds(self.settings.creators.jobs, jobs.hard_time_limit_gap_s)
        planner = Planner(router, Expansion(_LateCreators(lambda: self.creators), parse, bounds))
        return Orchestrator(self.ledger, self.dispatcher, planner, self._adapters.new_id(), self._documents)

    def _documents(self, wanted: Sequence[str]) -> Sequence[Mapping[str, Any] | None]:
        """The store's; it is opened for the first submission that asks."""
        return self.store.get(wanted)

    @cached_property
    def schedules(self) -> Timetable:
        """Submits jobs at their times."""
        shelf = self._adapters.schedules(self.settings)
        return Timetable(shelf, self.orchestrator, self._adapters.new_id(), self.ledger.now_ms)

    @cached_property
    def rules(self) -> RuleBook:
        """The rules that are in force."""
        _ = self.ledger
        return RuleBook(self._adapters.rules(self.settings), time.monotonic)

    @cached_property
    def rule_plans(self) -> RulePlans:
        """What a rule would submit."""
        return late.rule_plans(self.ledger, self.catalog.current, self.settings)

    @cached_property
    def occasions(self) -> Occasions:
        """What rules look at."""
        return Occasions(self.ledger, self._documents)

    def carrying_out_rules(self, patience_s: float = 1.0) -> RuleRunner:
        """The part of the orchestrator's role that fires rules. `patience_s`: how long one read waits."""
        return late.rule_runner(self, self._documents, incarnation(socket.gethostname()), patience_s)

    def behind_of_rules(self) -> int:
        """How many entries the rules in force have still to see; 0 where there are none."""
        return rule_book.behind(self.rules, Streams(self.events, self.journal))

    def receiver(self) -> Receiver:
        """Takes in what producers send over the broker."""
        return late.receiver(self.orchestrator, self.ledger, self.events, self.settings, self.metrics)

    def indexer(self) -> Indexer:
        """The role that turns events into documents."""
        settings = self.settings.indexer
        pace = Pace(
            incarnation(socket.gethostname()),
            batch=settings.batch,
            interval_s=settings.interval_s,
            ghosts_every_s=settings.ghost_interval_s,
        )
        bounds = relief.Bounds(settings.spill_at_events, settings.spill_at_memory_percent)
        spills = relief.Relief(self.ledger, self.spill, bounds) if settings.spill_limit_bytes else None
        sign = partial(self.roster.sign, "indexer", pace.member)
        aids = Aids(sign, spills, Measuring(self.metrics), self.archive, self.indices)
        return Indexer(self.events, self.ledger, self.store, pace, aids=aids)

    def chronicler(self) -> Chronicler:
        """What writes the documents of workers and events; the indexer's role."""
        settings = self.settings.journal
        keeping = Keeping(
            incarnation(socket.gethostname()),
            event_retention_s=settings.event_retention_s,
            worker_retention_s=settings.worker_retention_s,
            interval_s=self.settings.indexer.interval_s,
        )
        return Chronicler(
            self.journal, Shelves(self.chronicle, self.store), keeping, self.metrics, self._make_indices
        )

    def _make_indices(self) -> Generations:
        """What the store says that it lacks; answers which generations there are."""
        stand = self.ledger.generations()
        if self.indices is not None:
            self.indices.init(stand.oldest, stand.current)
        return stand

    def overheard(self) -> Overheard | None:
        """What listens to Celery's own events; None where the settings want none of them."""
        return self._adapters.overheard(self.settings)

    def reconciler(self, fire_due: Callable[[], int] | None = None) -> Reconciler:
        """The role that puts right. `fire_due` fires schedules; None: within each round."""
        settings = self.settings
        pace = duties.Pace(settings.reconciler.interval_s, settings.reconciler.batch)
        reconciler = Reconciler(
            self.ledger,
            self.dispatcher,
            pace,
            Unheard(settings.broker.bell_expires_s, time.monotonic),
            Watch(self.ledger, self.roster, incarnation(socket.gethostname())),
            self.schedules.fire_due if fire_due is None else fire_due,
        )
        rhythm = Rhythm(heartbeat_ms=round(settings.journal.worker_interval_s * 1000))
        reconciler.also(Paced(Lives(self.ledger, self.journal, rhythm), lives.EVERY_S))
        if self.indices is not None:
            # Beside the rounds: a cluster may take long to make an index, and the ledger's clock must not wait for it.
            upkeep = indices.Upkeep(
                self.ledger, self.indices, _index_bounds(settings.store), metrics=self.metrics
            )
            reconciler.also(Paced(Beside(upkeep), _INDICES_EVERY_S))
        return reconciler

    def census(self) -> Census:
        """What counts what stands in the ledger, for the metrics."""
        return Census(self.ledger, self.events, self.roster, self.metrics)

    def watchdogs(self) -> Watchdogs:
        """What a reconciler watches for, beside its duties.

        Raises: InvalidSettings where the file of webhooks can't be read.
        """
        world = reconciler_assembly.World(
            self.ledger,
            self.roster,
            {
                Kind.INDEXER_BEHIND: partial(self.events.backlog, "indexer"),
                Kind.RULES_BEHIND: self.behind_of_rules,
            },
            self._readable_store,
            Books(self.alarms, self.journal, self.metrics),
            lambda: self.notifier,
        )
        return reconciler_assembly.watchdogs(self.settings, incarnation(socket.gethostname()), world)

    def _readable_store(self) -> Store | None:
        """The store, where there is one: to look makes none on a host without an indexer."""
        settings = self.settings
        is_there = settings.is_searched_by_elasticsearch or settings.store_path.exists()
        return self.store if is_there else None

    def job_worker(self, name: str, queues: tuple[str, ...], slots: int) -> LeaseWorker:
        """The role that runs jobs. `name` is the Celery node's (`celery@host`)."""
        born = incarnation(name)
        engine = self._adapters.engine(self.settings, born)
        identity = Identity(born, name, socket.gethostname(), queues, slots, _facts(self.settings, "job"))
        world = assembly.World(self.ledger, self.logs, engine, random.random, self.litter, self.metrics)
        return assembly.job_worker(identity, self.settings, world)

    def task_worker(self, name: str, queues: tuple[str, ...], slots: int) -> LeaseWorker:
        """The role that runs tasks. `name` is the Celery node's (`celery@host`)."""
        born = incarnation(name)
        identity = Identity(born, name, socket.gethostname(), queues, slots, _facts(self.settings, "task"))
        world = task_assembly.World(
            self.ledger,
            self._adapters.engine(self.settings, born),
            random.random,
            self._adapters.environ(),
            Path.cwd(),
            self.litter,
            self.metrics,
        )
        return task_assembly.task_worker(identity, self.settings, world)

    def orphans(self) -> Orphans:
        """What dead workers left on this host."""
        return leasing_assembly.orphans(self.settings, self.ledger)

    def checks(self, queues: Callable[[], Iterable[str]]) -> Mapping[str, Check]:
        """How each adapter is examined, by the part that it is; `queues`: those whose bells are counted."""
        return self._adapters.checks(self.settings, queues)

    def close(self) -> None:
        """Let go of everything that was built, last first."""
        while self._closing:
            self._closing.pop()()


class _LateCreators:
    """Creators that are made when the first is called: most submissions need none."""

    def __init__(self, made: Callable[[], Creators]) -> None:
        self._made = made

    def create(self, call: Call) -> tuple[Mapping[str, Any], ...]:
        return self._made().create(call)

    def close(self) -> None:
        """Whoever made them closes them."""


def _index_bounds(of: servers.Store) -> indices.Bounds:
    retention_ms = None if of.retention_s is None else round(of.retention_s * 1000)
    return indices.Bounds(of.rollover_size_bytes, round(of.rollover_age_s * 1000), retention_ms)


class _LateBell:
    """A bell that is made when it is first rung: most submissions need none, and Celery is slow to load."""

    def __init__(self, make: Callable[[], Bell]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Bell | None = None

    def ring(self, queue: str, times: int) -> None:
        self._bell().ring(queue, times)

    def waiting(self, queue: str) -> int:
        return self._bell().waiting(queue)

    def drop(self, queue: str) -> int:
        return self._bell().drop(queue)

    def close(self) -> None:
        with self._lock:
            if self._made is not None:
                self._made.close()

    def _bell(self) -> Bell:
        with self._lock:
            if self._made is None:
                self._made = self._make()
            return self._made


def _facts(settings: Settings, role: str) -> str:
    """What a worker tells of itself for as long as it lives, as JSON."""
    facts = {
        "roles": [role],
        "version": hysds.__version__,
        "pid": os.getpid(),
        "boot_id": machine.this().boot_id,
        "started": time.time(),
        "work_dir": str(settings.work_dir),
        "machine": host_facts.lasting(),
    }
    return json.dumps(facts)


def incarnation(name: str) -> str:
    """A name for one life of a process: the node's name, then what no other life has; 64 bytes at most."""
    return f"{name.encode()[:55].decode(errors='ignore')}/{os.urandom(4).hex()}"
