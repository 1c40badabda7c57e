"""What doctor says of the place of an archive."""

from __future__ import annotations

from pathlib import Path

import fsspec

from hysds.adapters.archive import health
from hysds.adapters.archive.directory import DirectoryArchive
from hysds.adapters.archive.remote import RemoteArchive
from hysds.ports.findings import Severity


def test_a_directory_is_as_it_should_be_once_something_was_archived(tmp_path: Path) -> None:
    """Before, the indexer makes it; the look does not."""
    folder = tmp_path / "archive"
    [before] = health.of_directory(folder)
    assert not folder.exists()
    DirectoryArchive(folder).append([{"id": "a", "revision": 1}])
    [after] = health.of_directory(folder)

    assert (before.code, after.code) == ("archive.new", "archive.writable")


def test_a_file_in_its_place_is_an_error(tmp_path: Path) -> None:
    """Nothing can be archived, and no job is forgotten."""
    (tmp_path / "file").write_text("")

    [found] = health.of_directory(tmp_path / "file" / "archive")

    assert (found.code, found.severity) == ("archive.readonly", Severity.ERROR)


def test_an_archive_elsewhere_answers() -> None:
    """With what it holds."""
    fsspec.filesystem("memory").store.clear()
    RemoteArchive("memory://b/a", "memory://b/a").append([{"id": "a", "revision": 1}])

    [found] = health.of_url("memory://b/a", "memory://b/a")

    assert found.what == "the archive answers, with 1 segment"


def test_only_a_store_that_can_be_lost_by_itself_is_told_to_have_an_archive() -> None:
    """A file on the same disk as the ledger is lost with it."""
    assert [one.severity for one in health.no_archive(True)] == [Severity.NOTE]
    assert [one.severity for one in health.no_archive(False)] == [Severity.OK]
