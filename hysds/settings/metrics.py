"""Where each process of a system tells its metrics."""

from dataclasses import dataclass, field
from enum import Enum

from hysds.lib import addresses
from hysds.settings.declaring import bounded


class Role(Enum):
    """Who has metrics, and how far its port lies above `metrics.port`: several roles of one host need no other
    setting.
    """

    RECONCILER = 0
    INDEXER = 1
    JOB_WORKER = 2
    TASK_WORKER = 3
    ORCHESTRATOR = 4

    @property
    def word(self) -> str:
        """As metrics and people call it."""
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True)
class Metrics:
    """What Prometheus reads. An endpoint answers anybody who reaches it, in the clear, and says nothing of a job's
    content."""

    port: int | None = bounded(None, least=0, most=65_535 - max(role.value for role in Role))
    """Where the roles tell their metrics: a reconciler at this port, an indexer, a job worker, a task worker and an
    orchestrator at the four after it, in this order. 0: each at any port that is free, and the files below
    `run/metrics` in `home` tell Prometheus which. None: nowhere."""

    bind: str = field(default="127.0.0.1", metadata={"complaint": addresses.bind_problem})
    """The address of this host at which they do. The default: processes of this host alone reach it."""

    interval_s: float = bounded(5.0, least=0.2, most=3_600)
    """How often a reconciler that has metrics looks at the ledger for them, whoever reads them how often."""

    def port_of(self, role: Role) -> int | None:
        """Where a role tells its own; 0: anywhere, None: nowhere."""
        return self.port + role.value if self.port else self.port
