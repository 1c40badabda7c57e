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


def test_rendered_settings_are_printed_without_passwords(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wants them names a file, and is told so."""
    assert main(["config", "render"]) == 0
    shown = capsys.readouterr()

    assert "s3cret" not in shown.out
    assert "broker_url = 'redis://someone:***@host:6379/1'" in shown.out
    assert "passwords are masked" in shown.err


def test_a_rendered_file_holds_passwords_for_its_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rendered again it is replaced, with the same mode."""
    path = tmp_path / "celeryconfig.py"
    for _ in range(2):
        assert main(["config", "render", str(path)]) == 0

        assert "s3cret" in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        assert "mode 600; it holds passwords" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["celeryconfig.py"]


def test_a_file_of_somebody_else_is_not_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither one that was never rendered, nor one that was edited since, nor a link; --force does."""
    foreign, edited, link = (tmp_path / name for name in ("foreign.py", "edited.py", "link.py"))
    foreign.write_text("broker_url = 'mine'\n")
    main(["config", "render", str(edited)])
    edited.write_text(edited.read_text() + "# by hand\n")
    link.symlink_to(foreign)
    for path in (foreign, edited, link):
        before = path.read_text()
        assert main(["config", "render", str(path)]) == 2
        assert "stays as it is" in capsys.readouterr().err
        assert path.read_text() == before

    assert main(["config", "render", "--force", str(link)]) == 0
    assert (link.is_symlink(), foreign.read_text()) == (False, "broker_url = 'mine'\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [("no-module.py", "no module's file"), ("x.txt", "no module's file"), ("no/dir.py", "can't be written")],
)
def test_a_place_that_can_not_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    """With a sentence, and nothing is left."""
    assert main(["config", "render", str(tmp_path / name)]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
