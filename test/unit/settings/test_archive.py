"""Where the archive is: a directory, or a place that fsspec knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core.errors import InvalidSettings
from hysds.settings import load
from hysds.settings.archive import Archive


def _url(home: Path, url: str) -> Archive:
    return load.load(None, {"HYSDS_HOME": str(home), "HYSDS_ARCHIVE_URL": url}, home).settings.archive


@pytest.mark.parametrize("url", ["/data/an archive", "file:///data/an%20archive"])
def test_a_directory_is_named_by_its_path(tmp_path: Path, url: str) -> None:
    """As it is, or as a URL."""
    assert _url(tmp_path, url).directory == Path("/data/an archive")


def test_any_other_url_is_no_directory(tmp_path: Path) -> None:
    """fsspec knows what it means."""
    assert _url(tmp_path, "s3://bucket/archive").directory is None
    assert Archive().directory is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("archive", "absolute path"),
        ("s3://", "names no place"),
        ("file://archive", "absolute path"),
        ("simplecache::s3://bucket", "one place"),
        ("S 3://bucket", "one place"),
    ],
)
def test_what_names_no_place_is_refused(tmp_path: Path, url: str, says: str) -> None:
    """At the start, with the reason."""
    with pytest.raises(InvalidSettings, match=says):
        _url(tmp_path, url)


def test_its_password_is_a_secret(tmp_path: Path) -> None:
    """No log shows it."""
    variables = {"HYSDS_HOME": str(tmp_path), "HYSDS_ARCHIVE_URL": "ftp://me:hidden%21@host/archive"}

    loaded = load.load(None, variables, tmp_path)

    assert {"hidden%21", "hidden!"} <= set(loaded.settings.secrets)
    assert "hidden" not in repr(loaded.settings)


@pytest.mark.parametrize("name", ["ROLLOVER_SIZE=1GB", "ROLLOVER_AGE=1d", "RETENTION=30d"])
def test_what_only_elasticsearch_has_is_refused_without_it(tmp_path: Path, name: str) -> None:
    """An option that nothing honours would be believed."""
    variable, _, value = name.partition("=")

    with pytest.raises(InvalidSettings, match="names no Elasticsearch"):
        load.load(None, {"HYSDS_HOME": str(tmp_path), f"HYSDS_STORE_{variable}": value}, tmp_path)
