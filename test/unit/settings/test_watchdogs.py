"""What can be said of watchdogs, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core.errors import InvalidSettings
from hysds.settings import load, watchdogs


def loaded(tmp_path: Path, **variables: str) -> load.Loaded:
    return load.load(
        environ={"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": "", **variables}, directory=tmp_path
    )


def test_periods_are_read_by_type(tmp_path: Path) -> None:
    """With colons in the type's name."""
    found = loaded(tmp_path, HYSDS_WATCHDOGS_EXPECT="job:nightly=25h, x=90s").settings.watchdogs

    assert watchdogs.periods_ms(found.expect) == {"job:nightly": 90_000_000, "x": 90_000}
    assert watchdogs.periods_ms(None) == {}


@pytest.mark.parametrize(
    "entry", ["nightly", "=25h", "nightly=", "nightly=soon", "nightly=0s", "nightly=400d"]
)
def test_what_is_no_period_is_refused(tmp_path: Path, entry: str) -> None:
    """With its source."""
    with pytest.raises(InvalidSettings, match="HYSDS_WATCHDOGS_EXPECT"):
        loaded(tmp_path, HYSDS_WATCHDOGS_EXPECT=entry)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OFF", "queue-stuck,worker-sleepy"),
        ("MAIL_TO", "Ops <ops@example.org>"),
        ("FAILING_PERCENT", "0"),
        ("REPEAT", "1s"),
        ("OVERDUE_FACTOR", "1"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, name: str, text: str) -> None:
    """A watchdog that there is none of, an address with a name, nobody to drain."""
    with pytest.raises(InvalidSettings, match=f"HYSDS_WATCHDOGS_{name}"):
        loaded(tmp_path, **{f"HYSDS_WATCHDOGS_{name}": text})


def test_mail_needs_a_server(tmp_path: Path) -> None:
    """Whoever is to be told by mail would wait for it for ever."""
    with pytest.raises(InvalidSettings, match="mail_url"):
        loaded(tmp_path, HYSDS_WATCHDOGS_MAIL_TO="ops@example.org")


def test_a_file_of_webhooks_is_read_line_by_line(tmp_path: Path) -> None:
    """Twice the same is once."""
    file = tmp_path / "hooks"
    file.write_text("\n# chat\n https://a.example/1 \nhttps://b.example/2\nhttps://a.example/1\n")

    assert watchdogs.webhooks(file) == ("https://a.example/1", "https://b.example/2")
    assert watchdogs.webhooks(None) == ()


@pytest.mark.parametrize("content", [b"", b"# none\n\n", b"\xff\xfe"])
def test_a_file_without_a_webhook_is_refused(tmp_path: Path, content: bytes) -> None:
    """Somebody meant to be told; nor is one that is not there."""
    file = tmp_path / "hooks"
    file.write_bytes(content)
    for path in (file, tmp_path / "none"):
        with pytest.raises(InvalidSettings, match=str(path)):
            watchdogs.webhooks(path)
