"""What every archive keeps to: all that was appended is read again, by anybody, whatever became of its writers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from hysds.adapters.archive import members
from hysds.adapters.archive.directory import DirectoryArchive
from hysds.adapters.archive.memory import MemoryArchive
from hysds.adapters.archive.remote import RemoteArchive
from hysds.core.errors import InvalidSettings, Unreachable
from hysds.ports.archive import Archive

Make = Callable[[], Archive]


@pytest.fixture(params=["memory", "directory", "objects", "files by URL"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """One more process's view of the same archive. Segments are small."""
    if request.param == "memory":
        made = MemoryArchive()
        yield lambda: made
        return
    if request.param == "directory":
        yield lambda: DirectoryArchive(tmp_path / "a b" / "archive", segment_bytes=2_000)
        return
    fsspec.filesystem("memory").store.clear()
    url = "memory://bucket/archive" if request.param == "objects" else f"local://{tmp_path}/deep/archive"
    yield lambda: RemoteArchive(url, url, segment_bytes=2_000)
    fsspec.filesystem("memory").store.clear()


def _document(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": f"job {number}", "revision": 10 + number, "job": {"params": {"ü": "\n" * 3}}, **changes}


def _read(archive: Archive) -> list[dict[str, Any]]:
    notes: list[str] = []
    found = list(archive.read(notes.append))
    assert notes == []
    return found


def test_an_archive_that_nothing_was_appended_to_is_empty(make: Make) -> None:
    """Its place need not exist."""
    archive = make()
    archive.append([])

    assert _read(archive) == []


def test_what_was_appended_is_read_in_its_order(make: Make) -> None:
    """Every field of it, from one segment or many."""
    archive = make()
    documents = [_document(number, pad="x" * 50 * (number % 7)) for number in range(400)]

    for start in range(0, 400, 20):
        archive.append(documents[start : start + 20])

    assert _read(archive) == documents
    assert _read(make()) == documents


def test_several_processes_append_side_by_side(make: Make) -> None:
    """None of them loses what another appended."""
    first, second = make(), make()
    for number in range(0, 40, 2):
        first.append([_document(number)])
        second.append([_document(number + 1)])

    assert sorted(one["revision"] for one in _read(make())) == [10 + number for number in range(40)]


def test_a_job_may_come_several_times(make: Make) -> None:
    """Nothing is replaced: whoever reads takes the highest revision."""
    archive = make()
    archive.append([_document(1)])
    archive.append([_document(1, revision=99), _document(1)])

    assert sorted(one["revision"] for one in _read(archive)) == [11, 11, 99]


def test_after_its_end_a_process_may_begin_anew(make: Make) -> None:
    """A closed archive's segments are as good as any."""
    archive = make()
    archive.append([_document(1)])
    archive.close()
    archive.append([_document(2)])

    assert [one["revision"] for one in _read(archive)] == [11, 12]


def test_a_document_larger_than_a_segment_is_kept_whole(make: Make) -> None:
    """With small ones around it."""
    archive = make()
    large = _document(2, params="y" * 5_000_000)

    archive.append([_document(1), large, _document(3)])

    assert _read(archive) == [_document(1), large, _document(3)]


@pytest.mark.parametrize("cut", [1, 7, 20])
def test_the_torn_end_of_a_writer_that_died_is_told_and_nothing_else_is_lost(
    tmp_path: Path, cut: int
) -> None:
    """Nobody was told that those documents are kept: their jobs come again."""
    archive = DirectoryArchive(tmp_path)
    archive.append([_document(1)])
    [path] = tmp_path.iterdir()
    whole = path.stat().st_size
    archive.append([_document(2)])
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - cut)
    DirectoryArchive(tmp_path).append([_document(3)])
    notes: list[str] = []

    found = list(DirectoryArchive(tmp_path).read(notes.append))

    assert sorted(one["id"] for one in found) == ["job 1", "job 3"]
    assert notes == [f"{path.name} ends in a part that was never finished, at byte {whole}"]


def test_damage_in_the_middle_hides_nothing_behind_it(tmp_path: Path) -> None:
    """A broken disk takes the documents that it took, and says where."""
    archive = DirectoryArchive(tmp_path)
    for number in range(3):
        archive.append([_document(number)])
    [path] = tmp_path.iterdir()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    notes: list[str] = []

    found = list(archive.read(notes.append))

    assert [one["id"] for one in found] == ["job 0", "job 2"]
    assert len(notes) == 1
    assert "can't be read" in notes[0]


def test_what_is_no_document_of_ours_is_told(tmp_path: Path) -> None:
    """Another program's lines in a segment; another program's files beside them are none of ours."""
    (tmp_path / f"1{members.ENDING}").write_bytes(
        gzip.compress(b'{"id": "a", "revision": 1}\n[]\n{"id": 5}\n{"id": "b", "revision": "2"}\nnonsense\n')
    )
    (tmp_path / "notes.txt").write_text("not ours")
    notes: list[str] = []

    found = list(DirectoryArchive(tmp_path).read(notes.append))

    assert found == [{"id": "a", "revision": 1}]
    assert len(notes) == 4


def test_an_archive_is_read_with_common_tools(tmp_path: Path) -> None:
    """A segment is gzip, and a line of it a document: `zcat *.jsonl.gz | jq`."""
    archive = DirectoryArchive(tmp_path)
    archive.append([_document(1)])
    archive.append([_document(2)])
    [path] = tmp_path.iterdir()

    lines = gzip.decompress(path.read_bytes()).splitlines()

    assert [json.loads(line)["id"] for line in lines] == ["job 1", "job 2"]
    assert path.stat().st_mode & 0o077 == 0


def test_a_segment_that_somebody_took_away_is_not_written_to_any_more(tmp_path: Path) -> None:
    """A file without a name would be gone with its process."""
    archive = DirectoryArchive(tmp_path)
    archive.append([_document(1)])
    for path in tmp_path.iterdir():
        path.unlink()

    archive.append([_document(2)])

    assert [one["id"] for one in _read(archive)] == ["job 2"]


def test_a_place_that_can_not_be_used_is_unreachable(tmp_path: Path) -> None:
    """A file stands where the directory should: whoever appends tries again, and whoever reads is told."""
    (tmp_path / "file").write_text("")
    archive = DirectoryArchive(tmp_path / "file" / "archive")

    with pytest.raises(Unreachable, match="archive"):
        archive.append([_document(1)])
    with pytest.raises(Unreachable, match="archive"):
        list(archive.read(print))


def test_a_place_whose_package_is_missing_is_a_wrong_setting() -> None:
    """Said at the start, not at the first ended job."""
    with pytest.raises(InvalidSettings, match=r"archive\.url.*nowhere"):
        RemoteArchive("nowhere://bucket", "nowhere://bucket")
