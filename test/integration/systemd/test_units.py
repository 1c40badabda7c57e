"""The systemd units as shipped: systemd takes them, they start what there is, and stop no sooner than the roles do."""

from __future__ import annotations

import shlex
import subprocess
import sys
from configparser import RawConfigParser
from pathlib import Path

import click
import pytest

from hysds.cli import indexer, own_roles, reconciler, up
from hysds.cli.main import make_group
from hysds.embedded.roles import Patience
from hysds.leasing import draining
from hysds.lib import units
from hysds.settings import load
from services import required

_FOLDER = Path(__file__).parents[3] / "configs" / "systemd"
_PROGRAM = "/opt/hysds/bin/hysds"
_NAMES = (
    "hysds-worker@.service",
    "hysds-task-worker@.service",
    "hysds-orchestrator@.service",
    "hysds-indexer.service",
    "hysds-reconciler.service",
    "hysds-up.service",
)


def _service(name: str) -> dict[str, str]:
    """The keys of a unit's service; of one that stands there twice the last."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(_FOLDER / name)
    return dict(parser["Service"])


def _stop_s(name: str) -> float:
    return units.parse_duration(_service(name)["TimeoutStopSec"] + "s")


@pytest.fixture
def loaded(tmp_path: Path) -> load.Loaded:
    """The settings by default."""
    return load.load(environ={"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": ""}, directory=tmp_path)


def test_every_role_has_its_unit() -> None:
    """And there is no other."""
    assert sorted(path.name for path in _FOLDER.iterdir()) == sorted(_NAMES)


@pytest.mark.parametrize("name", _NAMES)
def test_systemd_takes_the_unit_without_a_word(name: str, tmp_path: Path) -> None:
    """Every key is known and every value is good, in the place of a program that is there."""
    verify = required.program("systemd-analyze", "systemd")
    unit = tmp_path / name
    unit.write_text((_FOLDER / name).read_text().replace(_PROGRAM, sys.executable))
    checked = subprocess.run(
        [verify, "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_systemd_would_refuse_a_unit_that_is_wrong(tmp_path: Path) -> None:
    """Or the test above could not fail."""
    verify = required.program("systemd-analyze", "systemd")
    unit = tmp_path / "wrong.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nKillMode=odd\nTimeoutStopSecs=1\n")
    checked = subprocess.run(
        [verify, "verify", "--man=no", unit], capture_output=True, text=True, check=False, timeout=60
    )

    assert "odd" in checked.stderr
    assert "TimeoutStopSecs" in checked.stderr


@pytest.mark.parametrize("name", _NAMES)
def test_what_a_unit_starts_is_a_command_with_its_options(name: str) -> None:
    """As the command line of today knows it."""
    program, *words = shlex.split(_service(name)["ExecStart"].replace("%i", "w1"))
    assert program == _PROGRAM

    command: click.Command = make_group()
    context = click.Context(command, info_name="hysds")
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    assert command.make_context(command.name, words).command is command


@pytest.mark.parametrize("name", _NAMES)
def test_a_role_is_ended_in_order_and_started_for_ever(name: str) -> None:
    """SIGTERM to the role alone, SIGKILL to all of it; no limit of starts, as a server may be away for long."""
    service = _service(name)

    assert (service["KillMode"], service["Restart"]) == ("mixed", "always")
    assert "StartLimitIntervalSec=0" in (_FOLDER / name).read_text()


@pytest.mark.parametrize("name", ["hysds-worker@.service", "hysds-task-worker@.service", "hysds-up.service"])
def test_what_runs_jobs_gives_them_no_restriction(name: str) -> None:
    """Rootless containers and setuid launchers need new privileges, namespaces and all system calls."""
    service = _service(name)

    assert (service["Delegate"], service["OOMPolicy"]) == ("yes", "continue")
    assert not {"NoNewPrivileges", "RestrictNamespaces", "SystemCallFilter", "PrivateTmp"} & set(service)


@pytest.mark.parametrize("name", ["hysds-worker@.service", "hysds-task-worker@.service"])
def test_a_worker_has_the_time_that_its_drain_takes(loaded: load.Loaded, name: str) -> None:
    """At the settings' defaults: a default that grows must grow here too, and nobody waits much longer than needed."""
    worker = loaded.settings.worker
    longest_s = draining.longest_s(worker.drain_timeout_s, worker.stop_grace_s)

    assert longest_s < _stop_s(name) < longest_s + 60


def test_the_other_roles_have_the_time_that_their_end_takes(loaded: load.Loaded) -> None:
    """The indexer writes what is left; the reconciler's last two steps wait for a server that hangs."""
    assert _stop_s("hysds-indexer.service") > indexer.LONGEST_END_S
    rounds_s = 2 * 3 * loaded.settings.ledger.answer_timeout_s
    assert rounds_s + reconciler.LONGEST_BESIDE_S < _stop_s("hysds-reconciler.service")


def test_a_whole_system_has_the_time_that_all_of_its_parts_take(loaded: load.Loaded) -> None:
    """The worker and the reconciler, then the indexer, then the server."""
    roles = own_roles.company(loaded, up.worker_grace_s(loaded.settings), stands=True).roles
    stages = {role.stage for role in roles}
    longest_s = sum(max(role.grace_s for role in roles if role.stage == stage) for stage in stages)

    assert longest_s + Patience().server_grace_s < _stop_s("hysds-up.service")
