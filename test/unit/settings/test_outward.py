"""Settings of what calls the outside: creators, users' URLs, mail."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core.errors import InvalidSettings
from hysds.settings import environment, load, outward

MAIL = {"HYSDS_NOTIFIER_MAIL_URL": "smtps://us:s3cret@mail.test", "HYSDS_NOTIFIER_MAIL_SENDER": "a@b.test"}


def _loaded(tmp_path: Path, **variables: str) -> load.Loaded:
    return load.load(None, {"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": "", **variables}, tmp_path)


def test_what_may_be_called_is_read_as_lists(tmp_path: Path) -> None:
    """With commas between."""
    settings = _loaded(
        tmp_path,
        HYSDS_CREATORS_PREFIXES="mysite.creators,hysds.creators",
        HYSDS_CREATORS_DIR="creators",
        HYSDS_EGRESS_ALLOW="10.1.0.0/16,hooks.example.org",
    ).settings

    assert settings.creators.prefixes == ("mysite.creators", "hysds.creators")
    assert settings.creators.dir == tmp_path / "creators"
    assert settings.egress.allow == ("10.1.0.0/16", "hooks.example.org")


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("HYSDS_CREATORS_PREFIXES", "os.system()", "can't name a module"),
        ("HYSDS_CREATORS_PREFIXES", "", "needed"),
        ("HYSDS_CREATORS_JOBS", "100001", "too much"),
        ("HYSDS_CREATORS_TIME_LIMIT", "0", "too little"),
        ("HYSDS_EGRESS_ALLOW", "10.1.0.1/16", "neither a network"),
        ("HYSDS_EGRESS_SCHEMES", "file", "none of https, http"),
        ("HYSDS_NOTIFIER_MAIL_URL", "http://mail.test", "begins with none of smtps://"),
        ("HYSDS_NOTIFIER_MAIL_URL", "smtp://us:s3cret@mail.test", "in the clear"),
        ("HYSDS_NOTIFIER_MAIL_URL", "smtps://mail.test/path", "something after the host"),
        ("HYSDS_NOTIFIER_MAIL_URL", "smtps://", "names no host"),
        ("HYSDS_NOTIFIER_MAIL_SENDER", "Ops <ops@example.org>", "can't name a sender"),
    ],
)
def test_a_wrong_value_is_told_with_its_source(tmp_path: Path, variable: str, value: str, why: str) -> None:
    """And shows no password."""
    with pytest.raises(InvalidSettings) as caught:
        _loaded(tmp_path, **{variable: value})

    assert variable in str(caught.value)
    assert why in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("left_out", list(MAIL))
def test_a_mail_server_and_a_sender_need_each_other(tmp_path: Path, left_out: str) -> None:
    """One without the other would send nothing, silently."""
    with pytest.raises(InvalidSettings, match="need each other"):
        _loaded(tmp_path, **{name: value for name, value in MAIL.items() if name != left_out})


def test_the_password_of_the_mail_server_is_a_secret(tmp_path: Path) -> None:
    """No log shows it."""
    settings = _loaded(tmp_path, **MAIL).settings

    assert "s3cret" in settings.secrets
    assert "s3cret" not in repr(settings)


def test_a_key_is_read_from_its_file(tmp_path: Path) -> None:
    """Without the line's end that an editor adds."""
    (tmp_path / "key").write_text("0123456789abcdef\n")

    assert outward.key(tmp_path / "key") == b"0123456789abcdef"
    assert outward.key(None) is None


@pytest.mark.parametrize("text", [None, "", "short\n"])
def test_a_file_without_a_key_is_told(tmp_path: Path, text: str | None) -> None:
    """Nobody believes calls to be signed that are not; the message shows nothing of the file."""
    if text is not None:
        (tmp_path / "key").write_text(text)
    with pytest.raises(InvalidSettings, match=str(tmp_path / "key")) as caught:
        outward.key(tmp_path / "key")

    assert "short" not in str(caught.value)


def test_a_child_that_runs_an_operators_code_learns_no_setting() -> None:
    """Only what finds programs and modules."""
    environ = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "HYSDS_LEDGER_URL": "redis://x",
        "AWS_SECRET": "x",
        "PYTHONPATH": "/p",
    }

    assert environment.bare(environ) == {"PATH": "/bin", "LC_ALL": "C", "PYTHONPATH": "/p"}
