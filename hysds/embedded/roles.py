"""What an embedded system is made of, and the plan for its warden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hysds.embedded import inherited, valkey
from hysds.embedded.home import Home
from hysds.embedded.warden.plan import SERVER, Plan, Rotation, Start
from hysds.settings import environment

WARDEN = "warden"
"""What the warden's log is called."""


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


@dataclass(frozen=True, slots=True)
class Company:
    """Who runs in a system besides its server, and how."""

    roles: Sequence[Role]
    environ: Mapping[str, str]
    """The whole environment of all of them."""
    patience: Patience = Patience()
    rotation: Rotation = field(default_factory=Rotation)
    stands: bool = False
    """It is meant to stay: `EmbeddedSystem.stand` is called once all are ready."""


def plan(server: Path, home: Home, company: Company) -> Plan:
    """What the warden has to run."""
    patience = company.patience
    environ = inherited.by_roles(company.environ)
    served = Role(SERVER, valkey.arguments(server, home), 0, patience.server_grace_s, tells_ready=False)
    return Plan(
        server=replace(_start(served, home, inherited.by_server(environ)), umask=0o077),
        socket=str(home.socket),
        roles=[_start(role, home, environ) for role in company.roles],
        directory=str(home.path),
        ready_variable=environment.READY_FD,
        orphaned_grace_s=patience.orphaned_grace_s,
        hurry_s=patience.hurry_s,
        control=str(home.door),
        lock=str(home.lock),
        mark=str(home.mark),
        log=str(home.log_of(WARDEN)),
        rotation=company.rotation,
        stands=company.stands,
    )


def _start(role: Role, home: Home, environ: Mapping[str, str]) -> Start:
    log = str(home.log_of(role.name))
    return Start(role.name, list(role.argv), dict(environ), log, role.stage, role.grace_s, role.tells_ready)
