"""What a task worker and the orchestrator's role are told by their settings."""

from dataclasses import dataclass, field

from hysds.core import queue_names
from hysds.settings.declaring import bounded, names
from hysds.settings.worker import TEN_YEARS_S, usable_cpus

_RULE = f"{queue_names.RULE}, and commas between several"
_QUEUES = names(queue_names.PATTERN, "queue", _RULE)
_QUEUE = names(queue_names.PATTERN, "queue", queue_names.RULE)
_MODULES = names(
    r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", "module", "dotted names of modules, with commas between several"
)


@dataclass(frozen=True)
class Tasks:
    """Light Python calls: where they run, which may be called, and what a worker's children may use."""

    queues: tuple[str, ...] = field(default=("tasks",), metadata=_QUEUES)
    """The queues of tasks; the first is where one runs that names none. A job worker refuses them."""

    submit_queue: str = field(default="jobs_processed", metadata=_QUEUE)
    """The broker's queue in which `hysds worker orchestrator` hears `submit_job`."""

    allow: tuple[str, ...] | None = field(default=None, metadata=_MODULES)
    """Modules whose functions may be called; `a.b` stands for `a.b` and all below it. None: nothing may be called here.
    A submitter that knows them refuses other functions at once; the worker always does."""

    concurrency: int = field(default_factory=usable_cpus, metadata={"least": 1, "most": 1024})
    """How many tasks a worker runs at a time, each in a child process of its own. Default: the usable processors."""

    default_time_limit_s: float = bounded(600.0, least=0.1, most=TEN_YEARS_S)
    """The soft limit of a task that has none; its hard one follows after jobs.hard_time_limit_gap."""

    max_tasks_per_child: int | None = bounded(1_000, least=1)
    """A child is replaced after so many tasks. None: never for that."""

    max_memory_per_child_bytes: int | None = bounded(None, least=1_000_000)
    """A child that holds more than this after a task is replaced. None: never for that."""

    result_backend: str | None = field(default=None, repr=False)  # it may hold a password
    """Where whoever calls over the broker hears of results: `rpc://`, or a Redis as `broker.url` names one. None:
    `rpc://` on RabbitMQ, else the broker's Redis. TLS to it takes the broker's files. Only `submit_job` and `run_task`
    use it."""

    result_expires_s: float = bounded(86_400.0, least=1, most=TEN_YEARS_S)
    """How long a result over the broker is kept for whoever asked."""
