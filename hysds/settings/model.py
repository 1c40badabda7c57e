"""What can be set: one frozen dataclass a section, the meaning of each value under its field.

People write the names without the unit's suffix, with any unit: `ledger.lease = "30s"`, `HYSDS_LEDGER_LEASE=30s`
set `ledger.lease_s`. A field that ends in `_s` is a duration in seconds, one in `_bytes` a size in bytes. The sections
of servers and workers stand in `servers`, `worker` and `tasks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from hysds.core import celery_events, ledger_clock, status
from hysds.core.policies import Policies, QueuePolicy, Share
from hysds.lib import server_url
from hysds.lib.structured_log import Plan
from hysds.settings import log as log_words
from hysds.settings import search_url, urls
from hysds.settings.archive import Archive
from hysds.settings.catalog import Catalog
from hysds.settings.creators import Creators
from hysds.settings.declaring import bounded
from hysds.settings.metrics import Metrics
from hysds.settings.outward import Egress, Notifier
from hysds.settings.servers import Broker, Ledger, Store, Tls
from hysds.settings.tasks import Tasks
from hysds.settings.watchdogs import Watchdogs
from hysds.settings.worker import TEN_YEARS_S, Worker

CLOCK_CAP_S = ledger_clock.CLOCK_CAP_MS / 1000
"""The most that one step adds to the ledger's clock; a fixed rule of the ledger, no setting."""

_DUPLICATE_STATES = tuple(
    state.value
    for state in (status.Status.QUEUED, status.Status.WAITING, status.Status.STARTED, status.Status.COMPLETED)
)


@dataclass(frozen=True)
class Jobs:
    """What holds for a job whose spec does not say."""

    default_time_limit_s: float = bounded(604_800.0, least=1, most=TEN_YEARS_S)
    """The soft limit of a job whose spec has no limit; its hard one follows after the gap."""

    hard_time_limit_gap_s: float = bounded(300.0, least=0, most=86_400)
    """A soft limit without a hard one is followed by a hard one so much later."""

    max_spec_size_bytes: int = bounded(10**6, least=1_000, most=10**6)
    """A larger job spec is refused. It can only be lowered."""

    dedup_window_s: float | None = field(
        default=2_592_000.0, metadata={"least": 1, "most": TEN_YEARS_S, "none": "forever"}
    )
    """How long a completed job stands for its duplicates. `forever` (None): always."""

    dedup_states: tuple[str, ...] = field(default=_DUPLICATE_STATES, metadata={"choices": _DUPLICATE_STATES})
    """The states in which a job stands for a later one with the same work."""


@dataclass(frozen=True)
class Logs:
    """Live output in the ledger; the whole of it lies in the work directory."""

    per_job_bytes: int = bounded(16 * 10**6, least=65_536, most=2**30)
    """The newest output of one job that is kept."""

    retention_s: float = bounded(3_600.0, least=0)
    """How long the output of an ended job is kept."""

    memory_bytes: int = bounded(256 * 10**6, least=10**6)
    """The output of all jobs together; above it live output is dropped, and says so."""


@dataclass(frozen=True)
class Indexer:
    """How events become documents."""

    batch: int = bounded(2_000, least=1, most=10_000)
    """The most events that are read at once; of more than 500 jobs the next documents are made while others are
    written."""

    interval_s: float = bounded(0.2, least=0.01, most=60)
    """The longest that an event waits for others to be written with."""

    ghost_interval_s: float = bounded(60.0, least=0.05, most=86_400)
    """How often the store's live jobs are held against the ledger; one that it does not know is ended as failed."""

    spill_dir: Path | None = None
    """Where documents wait on this host's disk while the store is away for long; a disk that outlives the process.
    None: `spill` under `home`."""

    spill_at_events: int = bounded(100_000, least=1)
    """While the store is away: so many events in the ledger, and all that waits is spilled."""

    spill_at_memory_percent: int = bounded(50, least=1, most=100)
    """The same, by how much of its memory the ledger's server uses. Of one without a limit only events count."""

    spill_limit_bytes: int = bounded(10 * 10**9, least=0)
    """The most that is spilled on this host; also 500 MB of its disk stay free. Above it everything waits in the
    ledger. 0: nothing is spilled."""


@dataclass(frozen=True)
class Journal:
    """What happens beside jobs, on its way to documents of workers and events."""

    memory_bytes: int = bounded(32 * 10**6, least=65_536)
    """What the ledger's server holds of it; above it the oldest that nobody has read goes, and is counted."""

    worker_interval_s: float = bounded(30.0, least=1, most=3_600)
    """How often the document of a worker that works is written anew."""

    worker_retention_s: float | None = field(default=604_800.0, metadata={"least": 60, "none": "forever"})
    """How long the document of a worker that is gone is kept. `forever` (None): always."""

    event_retention_s: float | None = field(default=2_592_000.0, metadata={"least": 60, "none": "forever"})
    """How long documents of events are kept. `forever` (None): always, or for as long as their index is."""

    celery_events: tuple[str, ...] | None = field(
        default=celery_events.KINDS, metadata={"choices": celery_events.KINDS, "none": "none"}
    )
    """Which of Celery's own events become documents. `none` (None): nobody listens to them."""


@dataclass(frozen=True)
class Reconciler:
    """How often what nobody finished is put right."""

    interval_s: float = bounded(1.0, least=0.05, most=CLOCK_CAP_S)
    """Between two rounds. Not above 2 s: the ledger's clock would fall behind the wall's."""

    batch: int = bounded(500, least=1, most=500)
    """The most jobs that one step of a duty changes; a round goes on while there are more."""


@dataclass(frozen=True)
class Settings:
    """All settings of one process; read once, frozen after."""

    home: Path
    """Where all state of an embedded system lies. `HYSDS_HOME`, else `~/.hysds`."""

    log: tuple[str, ...] | None = field(default=None, metadata={"complaint": log_words.complaint})
    """What is logged (`HYSDS_LOG`): a level, levels of rooms, and the form of lines (console or json), such as
    `info,job_worker=debug,format=json`. None: from info on, for people."""

    ledger: Ledger = field(default_factory=Ledger)
    broker: Broker = field(default_factory=Broker)
    store: Store = field(default_factory=Store)
    archive: Archive = field(default_factory=Archive)
    worker: Worker = field(default_factory=Worker)
    jobs: Jobs = Jobs()
    catalog: Catalog = field(default_factory=Catalog)

    queues: Mapping[str, QueuePolicy] = field(default_factory=dict, hash=False)
    """What queues take and how much of it at once, by the queue's name, `*` for all others: `types`, `users`,
    `soft_time_limit`, `time_limit`, `max_time_limit`, `max_running`, `max_running_per_user`, `max_running_per_type`,
    `max_running_per_key`, `rate`, `burst`."""

    types: Mapping[str, Share] = field(default_factory=dict, hash=False)
    """How much job types may take, by name or pattern (`job:train-*`): `max_running`, `rate` (`10/s`), `burst`."""

    users: Mapping[str, Share] = field(default_factory=dict, hash=False)
    """How much each user may take, by name or pattern: `max_running`, `rate`, `burst`."""

    keys: Mapping[str, Share] = field(default_factory=dict, hash=False)
    """How much the jobs of one `concurrency_key` may take, by name or pattern: `max_running`, `rate`, `burst`. Of a key
    that no policy names one job runs at once."""

    creators: Creators = field(default_factory=Creators)
    tasks: Tasks = field(default_factory=Tasks)
    egress: Egress = field(default_factory=Egress)
    notifier: Notifier = field(default_factory=Notifier)
    logs: Logs = Logs()
    journal: Journal = Journal()
    indexer: Indexer = Indexer()
    reconciler: Reconciler = Reconciler()
    metrics: Metrics = field(default_factory=Metrics)
    watchdogs: Watchdogs = field(default_factory=Watchdogs)

    @property
    def log_plan(self) -> Plan:
        """What `log` asks for."""
        return log_words.plan(self.log)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may read in a log: passwords and keys; those of URLs as they stand and as they are meant."""
        places = (self.store.url, self.archive.url, self.tasks.result_backend, self.notifier.mail_url)
        found = [server_url.split(url or "").password for url in (self.ledger_url, self.broker_url, *places)]
        plain = [one for one in (self.store.password, self.store.api_key) if one]
        return (*(form for one in found if one for form in {one, unquote(one)}), *plain)

    @property
    def policies(self) -> Policies:
        """What queues, types, users and concurrency keys may do."""
        return Policies(self.queues, self.types, self.users, self.keys)

    @property
    def ledger_url(self) -> str:
        """Where the ledger is, the embedded one included."""
        return self.ledger.url or f"unix://{urls.quoted_path(self.home / 'run' / 'valkey.sock')}"

    @property
    def broker_url(self) -> str:
        """Where the broker is; without one of its own, the ledger's server in the next database."""
        if self.broker.url is not None:
            return self.broker.url
        return urls.in_database(self.ledger_url, urls.database(self.ledger_url) + 1)

    @property
    def broker_tls(self) -> Tls:
        """The TLS that belongs to `broker_url`."""
        return self.ledger.tls if self.broker.url is None else self.broker.tls

    @property
    def result_backend(self) -> str:
        """Where results of calls over the broker go; without one of its own, the broker."""
        if self.tasks.result_backend is not None:
            return self.tasks.result_backend
        return "rpc://" if self.broker_url.startswith("amqp") else self.broker_url

    @property
    def is_searched_by_elasticsearch(self) -> bool:
        """Whether the store is an Elasticsearch cluster, and no file."""
        return self.store.url is not None and search_url.is_search(self.store.url)

    @property
    def store_shown(self) -> str:
        """Where the store is, for people; no secret in it."""
        return (
            urls.masked(self.store.url or "") if self.is_searched_by_elasticsearch else str(self.store_path)
        )

    @property
    def store_path(self) -> Path:
        """The SQLite file of the store; of a store in Elasticsearch, the one that is not used."""
        if self.store.url is not None and not self.is_searched_by_elasticsearch:
            return urls.sqlite_path(self.store.url)
        return self.home / "store" / "jobs.db"

    @property
    def metric_targets(self) -> Path:
        """Where processes leave files that tell Prometheus where they answer."""
        return self.home / "run" / "metrics"

    @property
    def spill_dir(self) -> Path:
        """Where documents wait on this host's disk."""
        return self.indexer.spill_dir or self.home / "spill"

    @property
    def work_dir(self) -> Path:
        """The root of all work directories."""
        return self.worker.work_dir or self.home / "work"
