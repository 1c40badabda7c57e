"""What can be set: one frozen dataclass a section, the meaning of each value under its field.

People write the names without the unit's suffix, with any unit: `ledger.lease = "30s"`, `HYSDS_LEDGER_LEASE=30s`
set `ledger.lease_s`. A field that ends in `_s` is a duration in seconds, one in `_bytes` a size in bytes.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from hysds.core import ledger_clock, queue_names, status
from hysds.lib.structured_log import Plan
from hysds.settings import log as log_words
from hysds.settings import urls

CLOCK_CAP_S = ledger_clock.CLOCK_CAP_MS / 1000
"""The most that one step adds to the ledger's clock; a fixed rule of the ledger, no setting."""

_ANSWER_S, _SHORT_ANSWER_S = 5.0, 1.0
_TEN_YEARS_S = 315_360_000.0
_DUPLICATE_STATES = tuple(
    state.value
    for state in (status.Status.QUEUED, status.Status.WAITING, status.Status.STARTED, status.Status.COMPLETED)
)


_T = TypeVar("_T")


def _bounded(default: _T, least: float | None = None, most: float | None = None) -> _T:
    """A field whose value, in seconds, bytes or as a number, lies between both, ends included."""
    return field(default=default, metadata={"least": least, "most": most})


def _names(pattern: str, what: str, rule: str) -> dict[str, str]:
    """Of a field that names something: its grammar, and that in words."""
    return {"pattern": pattern, "rule": f"can't name a {what}: {rule}"}


_PREFIX = _names(r"[A-Za-z0-9._-]{1,64}", "prefix", "letters, digits and . _ - only, 64 at most")
_WORKER = _names(r"[A-Za-z0-9._-]{1,128}", "worker", "letters, digits and . _ - only, 128 at most")
_QUEUES = _names(queue_names.PATTERN, "queue", f"{queue_names.RULE}, and commas between several")


@dataclass(frozen=True)
class Tls:
    """How a server's certificate is verified, and who we say that we are. Verification is never off."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    ciphers: str | None = None


@dataclass(frozen=True)
class Ledger:
    """Where the truth about live jobs is kept, and how long."""

    url: str | None = field(default=None, repr=False)  # it may hold a password
    """The Redis or Valkey server: `redis://`, `rediss://` (TLS, always verified) or `unix:///path?db=0`; or a service
    that Sentinels watch: `redis+sentinel://host:port,host:port/service?db=0` (`rediss+sentinel://`: with TLS).
    None: the embedded server, on a unix socket under `home`."""

    prefix: str = field(default="hysds", metadata=_PREFIX)
    """What every key of the ledger begins with; two systems on one server take two prefixes."""

    ca_file: Path | None = None
    """The authorities that may vouch for the server (PEM). None: those of the operating system."""

    cert_file: Path | None = None
    """Our own certificate (PEM), for a server that asks for one. None: we show none."""

    key_file: Path | None = None
    """The private key of `cert_file`. None: it lies in `cert_file`."""

    ciphers: str | None = None
    """The ciphers that TLS may use, in OpenSSL's notation. None: Python's choice."""

    lease_s: float = _bounded(30.0, least=5, most=86_400)
    """How long a worker owns a job without renewing. The job is queued again when it runs out."""

    renew_interval_s: float = _bounded(2.0, least=0.1, most=3_600)
    """How often a worker renews its leases and announces itself; five of these and the clocks' slack fit
    in a lease."""

    timeout_s: float | None = _bounded(None, least=0.1, most=60)
    """How long the server may take to answer; a call without an answer is made three times. None: 5 s, or a quarter
    of a short lease as its worker counts it, but at least 1 s."""

    record_retention_s: float = _bounded(3_600.0, least=1)
    """How long the record of an ended job stays in the ledger after the store has confirmed its document."""

    @property
    def worker_lease_s(self) -> float:
        """The lease as its worker counts it: shorter by twice the cap of the ledger's clock."""
        return ledger_clock.sure_s(self.lease_s)

    @property
    def answer_timeout_s(self) -> float:
        """How long the server may take to answer. Three of these fit in a worker's lease: whoever renews learns in time
        that nobody answers."""
        if self.timeout_s is not None:
            return self.timeout_s
        return min(_ANSWER_S, max(self.worker_lease_s / 4, _SHORT_ANSWER_S))

    @property
    def tls(self) -> Tls:
        return Tls(self.ca_file, self.cert_file, self.key_file, self.ciphers)


@dataclass(frozen=True)
class Broker:
    """Where Celery's messages, the bells, go."""

    url: str | None = field(default=None, repr=False)  # it may hold a password
    """RabbitMQ (`amqp://`, `amqps://`) or Redis (`redis://`, `rediss://`, `unix:///path?db=1`, `redis+sentinel://…`).
    None: the ledger's server with its TLS, in the database after the ledger's."""

    ca_file: Path | None = None
    """The authorities that may vouch for the broker (PEM). None: those of the operating system."""

    cert_file: Path | None = None
    """Our own certificate (PEM), for a broker that asks for one. None: we show none."""

    key_file: Path | None = None
    """The private key of `cert_file`. None: it lies in `cert_file`."""

    ciphers: str | None = None
    """The ciphers that TLS may use, in OpenSSL's notation. None: Python's choice."""

    bell_expires_s: float = _bounded(60.0, least=1, most=86_400)
    """A bell that nobody heard for so long is dropped; the work that it spoke of is not."""

    connect_timeout_s: float = _bounded(5.0, least=0.1, most=600)
    """How long one attempt to connect may take."""

    heartbeat_s: float = _bounded(60.0, least=1, most=3_600)
    """How often RabbitMQ and its clients show each other that they live; Redis has no such thing."""

    @property
    def tls(self) -> Tls:
        return Tls(self.ca_file, self.cert_file, self.key_file, self.ciphers)


@dataclass(frozen=True)
class Store:
    """Where documents are searched."""

    url: str | None = None
    """`sqlite:///path`, always an absolute path, on a local disk. None: `store/jobs.db` under `home`."""


def usable_cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def host_name() -> str:
    """This machine's name, in what a worker's name may hold."""
    return os.uname().nodename or "localhost"


@dataclass(frozen=True)
class Worker:
    """What a job worker on this host takes, where it works, and how it stops."""

    name: str = field(default_factory=host_name, metadata=_WORKER)
    """What the worker is called. Default: the host's name."""

    queues: tuple[str, ...] = field(default=("default",), metadata=_QUEUES)
    """The queues that it takes work from; in one order over all of them."""

    slots: int = field(default_factory=usable_cpus, metadata={"least": 1, "most": 1024})
    """How many slots it has; a job takes `resources.slots` of them. Default: the usable processors."""

    memory_bytes: int | None = _bounded(None, least=1_000_000)
    """Memory for all its jobs together. None: all of the host's."""

    disk_reserve_bytes: int = _bounded(10**9, least=0)
    """Disk that is kept back when a job asks for some: it starts only where that much is free besides. A job that asks
    for none starts on any disk."""

    work_dir: Path | None = None
    """Where the work directories of jobs lie (`jobs/YYYY/…` below it). None: `work` under `home`."""

    drain_timeout_s: float = _bounded(60.0, least=0, most=_TEN_YEARS_S)
    """How long running jobs may go on after SIGTERM, before they are stopped and given back."""

    stop_grace_s: float = _bounded(10.0, least=0, most=86_400)
    """Between SIGTERM and SIGKILL to a job that is cancelled or drained."""

    isolation_limit_s: float = _bounded(300.0, least=1, most=_TEN_YEARS_S)
    """How long jobs run on while their worker can't reach the ledger. Set to the lease, two attempts never run
    at once; longer, a job outlives longer outages."""


@dataclass(frozen=True)
class Jobs:
    """What holds for a job whose spec does not say."""

    default_time_limit_s: float = _bounded(604_800.0, least=1, most=_TEN_YEARS_S)
    """The soft limit of a job whose spec has no limit; its hard one follows after the gap."""

    hard_time_limit_gap_s: float = _bounded(300.0, least=0, most=86_400)
    """A soft limit without a hard one is followed by a hard one so much later."""

    max_spec_size_bytes: int = _bounded(10**6, least=1_000, most=10**6)
    """A larger job spec is refused. It can only be lowered."""

    dedup_window_s: float | None = field(
        default=2_592_000.0, metadata={"least": 1, "most": _TEN_YEARS_S, "none": "forever"}
    )
    """How long a completed job stands for its duplicates. `forever` (None): always."""

    dedup_states: tuple[str, ...] = field(default=_DUPLICATE_STATES, metadata={"choices": _DUPLICATE_STATES})
    """The states in which a job stands for a later one with the same work."""


@dataclass(frozen=True)
class Logs:
    """Live output in the ledger; the whole of it lies in the work directory."""

    per_job_bytes: int = _bounded(16 * 10**6, least=65_536, most=2**30)
    """The newest output of one job that is kept."""

    retention_s: float = _bounded(3_600.0, least=0)
    """How long the output of an ended job is kept."""

    memory_bytes: int = _bounded(256 * 10**6, least=10**6)
    """The output of all jobs together; above it live output is dropped, and says so."""


@dataclass(frozen=True)
class Indexer:
    """How events become documents."""

    batch: int = _bounded(500, least=1, most=10_000)
    """The most events that are read, and documents that are written, at once."""

    interval_s: float = _bounded(0.2, least=0.01, most=60)
    """The longest that an event waits for others to be written with."""

    ghost_interval_s: float = _bounded(60.0, least=0.05, most=86_400)
    """How often the store's live jobs are held against the ledger; one that it does not know is ended as failed."""


@dataclass(frozen=True)
class Reconciler:
    """How often what nobody finished is put right."""

    interval_s: float = _bounded(1.0, least=0.05, most=CLOCK_CAP_S)
    """Between two rounds. Not above 2 s: the ledger's clock would fall behind the wall's."""

    batch: int = _bounded(500, least=1, most=500)
    """The most jobs that one step of a duty changes; a round goes on while there are more."""


@dataclass(frozen=True)
class Settings:
    """All settings of one process; read once, frozen after."""

    home: Path
    """Where all state of an embedded system lies. `HYSDS_HOME`, else `~/.hysds`."""

    log: tuple[str, ...] | None = field(default=None, metadata={"complaint": log_words.complaint})
    """What is logged (`HYSDS_LOG`): a level, levels of rooms, and the form of lines (console or json), such as
    `info,job_worker=debug,format=json`. None: from info on, for people."""

    ledger: Ledger = Ledger()
    broker: Broker = Broker()
    store: Store = Store()
    worker: Worker = field(default_factory=Worker)
    jobs: Jobs = Jobs()
    logs: Logs = Logs()
    indexer: Indexer = Indexer()
    reconciler: Reconciler = Reconciler()

    @property
    def log_plan(self) -> Plan:
        """What `log` asks for."""
        return log_words.plan(self.log)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What nobody may read in a log: the passwords of all URLs, as they stand there and as they are meant."""
        found = [urlsplit(url).password for url in (self.ledger_url, self.broker_url, self.store.url or "")]
        return tuple(form for one in found if one for form in {one, unquote(one)})

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
    def store_path(self) -> Path:
        """The SQLite file of the store."""
        if self.store.url is not None:
            return urls.sqlite_path(self.store.url)
        return self.home / "store" / "jobs.db"

    @property
    def work_dir(self) -> Path:
        """The root of all work directories."""
        return self.worker.work_dir or self.home / "work"
