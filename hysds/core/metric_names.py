"""The metrics of HySDS: a closed table of names, kinds, labels and what each says.

A label is closed, so that its values are few by nature (a status, a step), or OPEN: users name its values, and
`metric_series` bounds how many there are. Seconds are the unit of all times, as Prometheus has it; no metric has a
label for a job.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum


class Kind(StrEnum):
    """How a metric is measured, in Prometheus's words."""

    COUNTER = "counter"
    """Grows; begins at 0 with the process."""
    GAUGE = "gauge"
    """Is what it is now."""
    HISTOGRAM = "histogram"
    """Counts what was observed by its size."""


class Fold(StrEnum):
    """What becomes of rows of a gauge for whose labels there is no room."""

    SUM = "sum"
    MAX = "max"


OPEN = frozenset({"type", "queue", "rule", "worker"})
"""Labels whose values users choose."""

FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)
"""Upper bounds, in seconds, for what a machine does."""
LONG_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
"""Upper bounds, in seconds, for what jobs do."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the table says of one metric."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, growing; a last one without bound is understood."""
    fold: Fold = Fold.SUM


def _counter(name: str, help: str, *labels: str) -> Shape:
    return Shape(name, Kind.COUNTER, help, labels)


def _gauge(name: str, help: str, *labels: str, fold: Fold = Fold.SUM) -> Shape:
    return Shape(name, Kind.GAUGE, help, labels, fold=fold)


def _histogram(name: str, buckets: tuple[float, ...], help: str, *labels: str) -> Shape:
    return Shape(name, Kind.HISTOGRAM, help, labels, buckets)


class Metric(Enum):
    """All metrics, in the order in which they are told."""

    # ---- every role ---
    ROLE = _gauge("hysds_role_info", "1 while this process has the role and version.", "role", "version")

    # ---- jobs, from the events that indexers have written ---
    JOBS_ACCEPTED = _counter("hysds_jobs_accepted_total", "Jobs that entered the ledger.", "type", "queue")
    JOBS_ENDED = _counter(
        "hysds_jobs_ended_total",
        "Jobs that ended, by status and class of failure (empty: none).",
        "status",
        "failure_class",
        "type",
        "queue",
    )
    JOB_STEPS = _counter(
        "hysds_job_steps_total", "Steps of jobs in the ledger, with the status they led to.", "step", "status"
    )
    ATTEMPTS_ENDED = _counter(
        "hysds_attempts_ended_total",
        "Attempts that ended, by how: a status, a class of failure, or released.",
        "how",
        "type",
        "queue",
    )
    JOB_RETRIES = _counter(
        "hysds_job_retries_total",
        "Attempts after which their job goes on, by how they ended.",
        "how",
        "type",
        "queue",
    )
    LEASES_EXPIRED = _counter(
        "hysds_leases_expired_total", "Leases that ran out, or whose worker was proved dead.", "queue"
    )
    JOB_WAIT = _histogram("hysds_job_wait_seconds", LONG_S, "From ready to the start of an attempt.", "queue")
    JOB_RUN = _histogram("hysds_attempt_seconds", LONG_S, "How long attempts took.", "type")
    JOB_PHASE = _histogram(
        "hysds_attempt_phase_seconds", LONG_S, "How long the phases of attempts took.", "phase", "type"
    )

    # ---- the ledger, looked at by reconcilers ---
    LEDGER_UP = _gauge("hysds_ledger_up", "1 while the ledger answers.")
    LEDGER_SAMPLED = _gauge(
        "hysds_ledger_sampled_timestamp_seconds", "When the ledger was looked at last, since 1970."
    )
    LEDGER_ANSWER = _histogram(
        "hysds_ledger_answer_seconds", FAST_S, "How long the ledger took to answer a small question."
    )
    LEDGER_MEMORY = _gauge("hysds_ledger_memory_bytes", "Memory that the ledger's server uses.")
    LEDGER_MEMORY_LIMIT = _gauge(
        "hysds_ledger_memory_limit_bytes", "Memory at which it accepts nothing more; absent: without limit."
    )
    JOBS_STARTED = _gauge("hysds_jobs_started", "Jobs with a lease.")
    JOBS_DUE = _gauge("hysds_jobs_due", "Jobs for which a time is set.")
    QUEUE_READY = _gauge("hysds_queue_ready_jobs", "Ready jobs of a queue.", "queue")
    QUEUE_OLDEST = _gauge(
        "hysds_queue_oldest_seconds",
        "For how long the oldest ready job of a queue has been ready.",
        "queue",
        fold=Fold.MAX,
    )
    QUEUE_RUNNING = _gauge("hysds_queue_running_jobs", "Running jobs of a queue.", "queue")
    QUEUE_WAITING = _gauge(
        "hysds_queue_waiting_jobs", "Waiting jobs of a queue, by for what.", "queue", "reason"
    )
    QUEUE_PAUSED = _gauge("hysds_queue_paused", "1 while a queue is paused.", "queue", fold=Fold.MAX)
    QUEUE_WORKERS = _gauge("hysds_queue_workers", "Workers that hear a queue and take jobs.", "queue")
    WORKERS = _gauge("hysds_workers", "Announced workers, by state.", "state")
    SLOTS = _gauge("hysds_slots", "Slots of the workers that are heard.")
    SLOTS_BUSY = _gauge("hysds_slots_busy", "Slots of them that jobs hold.")
    ROLE_HEARD = _gauge(
        "hysds_role_heard_seconds",
        "How long ago the last process of a role was heard.",
        "role",
        fold=Fold.MAX,
    )

    # ---- reconcilers ---
    DUTIES = _counter("hysds_reconciler_changes_total", "What the reconciler's duties changed.", "duty")
    DUTIES_REFUSED = _counter("hysds_reconciler_refused_total", "Duties that could not be done.")
    ROUND = _histogram("hysds_reconciler_round_seconds", FAST_S, "How long a round of all duties took.")

    # ---- indexers ---
    INDEXED = _counter(
        "hysds_index_documents_total",
        "Documents by outcome: written, held (the store had newer), set-aside (dead letters), spilled (to disk).",
        "outcome",
    )
    INDEX_LAG = _histogram(
        "hysds_index_lag_seconds", FAST_S, "From a job's step to its document in the store."
    )
    INDEX_BEHIND = _gauge("hysds_index_behind_events", "Events that no indexer has done with.")
    INDEX_AWAY = _gauge("hysds_index_away", "1 while this indexer can't reach ledger or store.")
    STREAM_EVENTS = _gauge("hysds_stream_events", "Events that the ledger's stream holds.")
    SPILL_WAITING = _gauge("hysds_index_spill_documents", "Documents on this host's disk, for the store.")
    SPILL_BYTES = _gauge("hysds_index_spill_bytes", "Disk that documents for the store take on this host.")
    ARCHIVED = _counter("hysds_archived_documents_total", "Documents appended to the archive.")
    HAPPENINGS = _counter(
        "hysds_happenings_written_total", "Documents of workers and events written to the store.", "resource"
    )
    JOURNAL_BEHIND = _gauge(
        "hysds_journal_behind_entries", "Entries of the journal that are not in the store yet."
    )
    JOURNAL_DROPPED = _counter(
        "hysds_journal_dropped_total", "Entries of the journal that were dropped for room."
    )

    # ---- workers, each of itself ---
    WORKER_SLOTS = _gauge("hysds_worker_slots", "Slots of this worker.")
    WORKER_RUNNING = _gauge("hysds_worker_running_attempts", "Attempts that this worker carries out.")
    WORKER_ATTEMPTS = _counter(
        "hysds_worker_attempts_total", "Attempts that this worker carried out, by how they ended.", "how"
    )
    RECEIVED = _counter(
        "hysds_received_total",
        "Submissions over the broker: accepted, duplicate, refused, failed (they come again).",
        "outcome",
    )

    # ---- indices, rules, watchdogs, notifications ---
    INDICES = _gauge("hysds_store_indices", "Indices of Elasticsearch.", "resource")
    INDEX_DOCUMENTS = _gauge("hysds_store_documents", "Documents in them.", "resource")
    INDEX_BYTES = _gauge("hysds_store_bytes", "Disk that one copy of them takes.", "resource")
    ROLLOVERS = _counter("hysds_store_rollovers_total", "New generations of indices.")
    RETIRED = _counter(
        "hysds_store_indices_dropped_total", "Indices dropped as their time was over.", "resource"
    )
    RULES_FIRED = _counter(
        "hysds_rules_fired_total", "What rules did, by outcome: fired, failed, stopped.", "rule", "outcome"
    )
    RULES_BEHIND = _gauge("hysds_rules_behind_events", "Events that no rule has seen yet.")
    WATCHDOG_ALARMS = _gauge("hysds_watchdog_alarms", "Alarms that stand now.", "watchdog")
    WATCHDOG_RAISED = _counter("hysds_watchdog_raised_total", "Alarms that were raised.", "watchdog")
    NOTIFIED = _counter(
        "hysds_notifications_total", "Mails and webhooks, by outcome: sent, failed.", "channel", "outcome"
    )


TABLE = tuple(one.value for one in Metric)
"""What the table says, row by row."""
