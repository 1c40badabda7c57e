"""What an embedded system is made of, and the plan for its warden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hysds.embedded import valkey
from hysds.embedded.home import Home
from hysds.embedded.warden.plan import SERVER, Plan, Start
from hysds.settings import environment


@dataclass(frozen=True, slots=True)
class Role:
    """One role: its name, which is that of its log, and its command line.

    Roles of a lower `stage` are ended, and gone, before those of a higher one are asked to. `grace_s` lies between
    the first SIGTERM, which asks to finish what there is, and the second, which asks to end at once.
    `tells_ready`: it calls `hysds.lib.readiness.tell` with the descriptor of `environment.ready_fd`.
    """

    name: str
    argv: Sequence[str]
    stage: int
    grace_s: float = 15.0
    tells_ready: bool = True


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take. `orphaned_grace_s` is the longest grace when the process that started all is dead."""

    server_grace_s: float = 15.0
    orphaned_grace_s: float = 2.0
    hurry_s: float = 5.0


def plan(
    server: Path, home: Home, roles: Sequence[Role], environ: Mapping[str, str], patience: Patience
) -> Plan:
    """What the warden has to run."""
    served = Role(SERVER, valkey.arguments(server, home), 0, patience.server_grace_s, tells_ready=False)
    return Plan(
        replace(_start(served, home, environ), umask=0o077),
        str(home.socket),
        [_start(role, home, environ) for role in roles],
        str(home.path),
        environment.READY_FD,
        patience.orphaned_grace_s,
        patience.hurry_s,
    )


def _start(role: Role, home: Home, environ: Mapping[str, str]) -> Start:
    log = str(home.log_of(role.name))
    return Start(role.name, list(role.argv), dict(environ), log, role.stage, role.grace_s, role.tells_ready)
