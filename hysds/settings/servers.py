"""Where the servers are: the ledger, the broker, the store, and how TLS to them is verified."""

from dataclasses import dataclass, field
from pathlib import Path

from hysds.core import ledger_clock
from hysds.settings.declaring import bounded, names

_ANSWER_S, _SHORT_ANSWER_S = 5.0, 1.0
_PREFIX = names(r"[A-Za-z0-9._-]{1,64}", "prefix", "letters, digits and . _ - only, 64 at most")
_INDEX_PREFIX = names(
    r"[a-z0-9][a-z0-9._-]{0,63}",
    "prefix of indices",
    "small letters, digits and . _ - only, a letter or digit first, 64 at most",
)


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

    lease_s: float = bounded(30.0, least=5, most=86_400)
    """How long a worker owns a job without renewing. The job is queued again when it runs out."""

    renew_interval_s: float = bounded(2.0, least=0.1, most=3_600)
    """How often a worker renews its leases and announces itself; five of these and the clocks' slack fit
    in a lease."""

    timeout_s: float | None = bounded(None, least=0.1, most=60)
    """How long the server may take to answer; a call without an answer is made three times. None: 5 s, or a quarter
    of a short lease as its worker counts it, but at least 1 s."""

    record_retention_s: float = bounded(3_600.0, least=1)
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

    bell_expires_s: float = bounded(60.0, least=1, most=86_400)
    """A bell that nobody heard for so long is dropped; the work that it spoke of is not."""

    connect_timeout_s: float = bounded(5.0, least=0.1, most=600)
    """How long one attempt to connect may take."""

    heartbeat_s: float = bounded(60.0, least=1, most=3_600)
    """How often RabbitMQ and its clients show each other that they live; Redis has no such thing."""

    @property
    def tls(self) -> Tls:
        return Tls(self.ca_file, self.cert_file, self.key_file, self.ciphers)


@dataclass(frozen=True)
class Store:
    """Where documents are searched."""

    url: str | None = field(default=None, repr=False)  # it may hold a password
    """`sqlite:///path`, always an absolute path, on a local disk; or an Elasticsearch cluster, with one host of it or
    several: `https://host:9200,host:9200` (TLS, always verified), `http://…`. None: `store/jobs.db` under `home`."""

    username: str | None = None
    """Who we are to Elasticsearch. None: whom the URL names, or nobody."""

    password: str | None = field(default=None, repr=False, metadata={"secret": True})
    """The password of `username`."""

    api_key: str | None = field(default=None, repr=False, metadata={"secret": True})
    """An API key of Elasticsearch, in its encoded form, in place of a user. None: none is sent."""

    ca_file: Path | None = None
    """The authorities that may vouch for Elasticsearch (PEM). None: those of the operating system."""

    index_prefix: str | None = field(default=None, metadata=_INDEX_PREFIX)
    """What every index and alias in Elasticsearch begins with; two systems on one cluster take two prefixes. None:
    nothing, so the names are HySDS's own (`job_status-current`)."""

    timeout_s: float = bounded(30.0, least=0.1, most=600)
    """How long Elasticsearch may take for one answer."""

    rollover_size_bytes: int = bounded(20 * 10**9, least=10**6)
    """New jobs go to new indices in Elasticsearch once one has this size."""

    rollover_age_s: float = bounded(30 * 86_400.0, least=1)
    """New jobs go to new indices in Elasticsearch once theirs are so old, and hold something. Retention takes whole
    indices, so what is kept is kept for so much longer at most."""

    retention_s: float | None = field(default=None, metadata={"least": 1, "none": "forever"})
    """How long after its last job was accepted an index in Elasticsearch is dropped, with all its documents; one with a
    job that has not ended is kept. `forever` (None): never."""
