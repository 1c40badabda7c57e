"""What is wrong with processes of the system under the home that live: for `hysds status` and `hysds doctor`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hysds.bootstrap import System
from hysds.doctor import hung
from hysds.doctor.hung import Heard, Living
from hysds.embedded.standing import Process, State
from hysds.embedded.warden.plan import SERVER
from hysds.lib import machine
from hysds.lib.process import vitals
from hysds.settings.model import Settings


@dataclass(frozen=True, slots=True)
class Trouble:
    """`what` goes on a sentence that begins with the process."""

    name: str
    pid: int
    what: str
    mend: str

    @property
    def sentence(self) -> str:
        """The whole of it."""
        return f"{self.name}: process {self.pid} {self.what}; {self.mend}"


def heard(system: System) -> Heard:
    """Who was heard of, and when.

    Raises: Unreachable
    """
    return hung.heard(system.ledger.workers(), system.roster.signatures(), machine.this().boot_id)


def is_server_stopped(found: State) -> bool:
    """By the kernel's word, which costs no time."""
    pids = [process.pid for process in found.processes if process.name == SERVER]
    return any(pid is not None and vitals.is_stopped(pid) for pid in pids)


def troubles(found: State, told: Heard | None, settings: Settings) -> list[Trouble]:
    """All that is wrong. `told`: None where the ledger does not answer."""
    silences = _silences(settings)
    uptimes = {process.name: process.uptime_s or 0.0 for process in found.processes}
    server_s = uptimes.get(SERVER, 0.0)
    seen = []
    for process in found.processes:
        if process.pid is None:
            continue
        one = Living(
            process.name,
            process.pid,
            vitals.is_stopped(process.pid),
            min(uptimes[process.name], server_s),
            silences.get(process.name) if process.is_ready else None,
        )
        what = hung.trouble(one, told) or _deaf(process, told)
        if what:
            seen.append(Trouble(process.name, process.pid, what, _mend(process.pid, found.is_standing)))
    return seen


def _silences(settings: Settings) -> Mapping[str, float]:
    """How long each role may be silent."""
    return {
        "worker": hung.worker_silence_s(settings.ledger.lease_s),
        "reconciler": hung.role_silence_s(settings.reconciler.interval_s),
        "indexer": hung.role_silence_s(settings.indexer.interval_s),
    }


def _deaf(process: Process, told: Heard | None) -> str:
    """The server took commands when it was started."""
    return "does not answer" if process.name == SERVER and process.is_ready and told is None else ""


def _mend(pid: int, is_standing: bool) -> str:
    return (
        f"kill -9 {pid}, it is started again" if is_standing else f"kill -9 {pid} ends it and its `hysds run`"
    )
