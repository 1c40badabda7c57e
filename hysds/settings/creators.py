"""What job creators may do: functions of the operator's that turn one submission into jobs."""

from dataclasses import dataclass, field
from pathlib import Path

from hysds.settings.declaring import bounded, names

_PREFIXES = names(
    r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*",
    "module",
    "dotted names of modules or packages, such as mysite.creators, with commas between several",
)


@dataclass(frozen=True)
class Creators:
    """Which creators may be called, and what one call may take."""

    prefixes: tuple[str, ...] = field(default=("hysds.creators",), metadata=_PREFIXES)
    """The modules and packages whose functions job types may name as creators. Default: those that come with HySDS,
    `hysds.creators`, which also stands for HySDS's own names, such as `utils.get_job_json`."""

    dir: Path | None = None
    """A directory with modules of creators, searched after all installed ones. None: only installed ones are found."""

    time_limit_s: float = bounded(30.0, least=0.1, most=3_600)
    """How long one call may take; a longer one is ended, and the submission refused."""

    memory_bytes: int = bounded(10**9, least=128 * 10**6)
    """The most address space that the process of a call may have."""

    answer_bytes: int = bounded(32 * 10**6, least=1_000, most=10**9)
    """The most that one call may answer, as JSON."""

    jobs: int = bounded(10_000, least=1, most=100_000)
    """The most jobs that one submission may become, over all creators and queues of its type."""
