"""`hysds config show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hysds.cli.main import main
from hysds.settings import fields


@pytest.fixture(autouse=True)
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYSDS_HOME", str(tmp_path))
    monkeypatch.setenv("HYSDS_CONFIG", "")
    monkeypatch.setenv("HYSDS_LEDGER_URL", "redis://someone:s3cret@host:6379/0")
    monkeypatch.setenv("HYSDS_LEDGER_LEASE", "40s")


def test_every_setting_is_shown_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a setting; a password is masked."""
    assert main(["config", "show"]) == 0
    out = capsys.readouterr().out

    assert [line.split()[0] for line in out.splitlines()[1:]] == list(fields.table())
    assert "s3cret" not in out
    assert "redis://someone:***@host:6379/0" in out


def test_the_origin_of_each_value_is_shown_when_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wonders where a value comes from is told."""
    assert main(["config", "show", "--origin"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ledger.lease ")]

    assert line.split(None, 2) == ["ledger.lease", "40s", "environment HYSDS_LEDGER_LEASE"]


def test_machines_get_all_that_is_known_of_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, with meaning and variable."""
    assert main(["config", "show", "--json"]) == 0
    rows = {row["name"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}

    assert list(rows) == list(fields.table())
    assert rows["ledger.lease"]["variable"] == "HYSDS_LEDGER_LEASE"
    assert rows["ledger.lease"]["origin"] == "environment HYSDS_LEDGER_LEASE"
    assert rows["worker.slots"]["origin"] == "default"
    assert rows["ledger.lease"]["meaning"]
    assert (rows["store.url"]["value"], rows["ledger.lease"]["effective"]) == (None, None)
    assert rows["store.url"]["effective"].endswith("jobs.db")
