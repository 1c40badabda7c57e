"""What is particular to the store in a file: whose file it is, several processes, disks that are full or closed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.store import sqlite_file, sqlite_query
from hysds.adapters.store.sqlite import SqliteStore
from hysds.core.errors import Refused, Unreachable
from hysds.core.query import JobQuery

Opener = Callable[..., SqliteStore]

_WRITER = """
import sys
from pathlib import Path
from hysds.adapters.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
first = int(sys.argv[2])
sys.stdin.readline()
for revision in range(first, 60, 3):
    for start in range(0, 40, 10):
        store.write([{"id": str(n), "revision": revision, "error": f"r{revision}"} for n in range(start, start + 10)])
        print(revision, flush=True)
store.close()
"""


@pytest.fixture
def open_store() -> Iterator[Opener]:
    """Stores in files, each closed at the end."""
    with ExitStack() as stack:
        yield lambda path, busy_timeout_s=30.0: stack.enter_context(
            closing(SqliteStore(path, busy_timeout_s))
        )


def _document(id_: str = "a", revision: int = 1) -> dict[str, Any]:
    return {"id": id_, "revision": revision, "error": "some words"}


def _writer(path: Path, first: int) -> subprocess.Popen[str]:
    """Another process that writes revisions `first`, `first` + 3, … of 40 jobs once a line comes in."""
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), str(first)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_documents_outlive_the_process(tmp_path: Path, open_store: Opener) -> None:
    """What one store wrote another one reads, with nothing closed in between."""
    first, second = open_store(tmp_path / "new" / "jobs.db"), open_store(tmp_path / "new" / "jobs.db")
    first.write([_document()])

    assert second.get(["a"]) == (_document(),)
    first.close()
    second.close()
    assert open_store(tmp_path / "new" / "jobs.db").search(JobQuery(text="words")).total == 1


def test_processes_share_a_new_file_and_the_newest_revision_wins(tmp_path: Path, open_store: Opener) -> None:
    """Three processes make the file at once and write the same jobs; nobody fails, nothing newer is lost."""
    path = tmp_path / "jobs.db"
    writers = [_writer(path, first) for first in (1, 2, 3)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()

    assert [writer.communicate()[0].count("\n") for writer in writers] == [80, 80, 76]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    store = open_store(path)
    page = store.search(JobQuery(text="r59"))
    assert (page.total, {document["revision"] for document in page.documents}) == (40, {59})
    assert store.search(JobQuery(limit=0)).total == 40
    store.close()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["jobs.db"]


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path, open_store: Opener) -> None:
    """After kill -9 in the middle of writing the file is sound, and what was answered is there."""
    path = tmp_path / "jobs.db"
    writer = _writer(path, 1)
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write("go\n")
    writer.stdin.flush()
    answered = [int(writer.stdout.readline()) for _ in range(30)]
    writer.kill()
    writer.communicate()

    store = open_store(path)
    documents = store.search(JobQuery(limit=100)).documents
    assert len(documents) == 40
    assert all(document["revision"] >= answered[-5] for document in documents)
    by_text = store.search(JobQuery(text=f"r{documents[0]['revision']}"))
    assert documents[0]["id"] in {document["id"] for document in by_text.documents}
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.execute("INSERT INTO full_text (full_text, rank) VALUES ('integrity-check', 1)")


def test_the_full_text_table_stays_in_step_with_the_documents(tmp_path: Path, open_store: Opener) -> None:
    """SQLite's own comparison of the two finds no difference after writes and changes."""
    store = open_store(tmp_path / "jobs.db")
    for revision in range(1, 5):
        store.write([{**_document(str(n), revision), "error": f"w{n * revision % 5}"} for n in range(20)])
    store.close()

    with closing(sqlite3.connect(tmp_path / "jobs.db")) as connection:
        connection.execute("INSERT INTO full_text (full_text, rank) VALUES ('integrity-check', 1)")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a shopping list, not a database at all", "is no SQLite file"),
        (b"", "belongs to another application"),
    ],
)
def test_a_file_that_is_not_ours_is_refused_and_left_as_it_was(
    tmp_path: Path, open_store: Opener, content: bytes, told: str
) -> None:
    """A wrong path must not cost somebody a file."""
    path = tmp_path / "file"
    path.write_bytes(content)

    with pytest.raises(Refused, match=told):
        open_store(path).write([_document()])

    assert path.read_bytes() == content


def test_another_applications_database_is_refused(tmp_path: Path, open_store: Opener) -> None:
    """Neither written nor turned into a write-ahead log."""
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE jobs (id)")
    before = path.read_bytes()

    with pytest.raises(Refused, match="belongs to another application"):
        open_store(path).search(JobQuery())

    assert path.read_bytes() == before


def test_a_newer_schema_is_refused(tmp_path: Path, open_store: Opener) -> None:
    """An old HySDS does not guess at a new one's file, and says what to do."""
    path = tmp_path / "jobs.db"
    store = open_store(path)
    store.write([_document()])
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {sqlite_file.SCHEMA + 1}")

    with pytest.raises(Refused, match=r"newer HySDS .*; upgrade this one"):
        open_store(path).get(["a"])


def test_a_locked_file_is_unreachable_until_it_is_free(tmp_path: Path, open_store: Opener) -> None:
    """A writer that does not get its turn says so; readers go on, and so does it once the file is free."""
    path = tmp_path / "jobs.db"
    store = open_store(path, busy_timeout_s=0.01)
    store.write([_document()])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreachable, match="held it for too long"):
            store.write([_document("b")])
        assert store.search(JobQuery()).total == 1
        other.execute("ROLLBACK")

    store.write([_document("b")])
    assert store.search(JobQuery()).total == 2
    store.close()


def test_a_full_file_is_unreachable_and_keeps_what_it_has(tmp_path: Path, open_store: Opener) -> None:
    """Out of space in the middle of a batch: the batch is not there, everything before it is."""
    path = tmp_path / "jobs.db"
    store = open_store(path)
    store.write([_document()])
    with closing(sqlite3.connect(path)) as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    large = [{**_document(str(n)), "blob": os.urandom(50_000).hex()} for n in range(20)]
    connection = store._file._connected()
    connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    with pytest.raises(Unreachable, match="the disk is full; free some space"):
        store.write(large)

    assert store.search(JobQuery()).total == 1
    connection.execute("PRAGMA max_page_count = 1073741823")
    store.write(large)
    assert store.search(JobQuery()).total == 21
    store.close()


def test_a_directory_that_cannot_be_made_is_unreachable(tmp_path: Path, open_store: Opener) -> None:
    """The message names the path."""
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(Unreachable, match=r"file/jobs\.db"):
        open_store(tmp_path / "file" / "jobs.db").write([_document()])


def test_a_damaged_file_is_unreachable(tmp_path: Path, open_store: Opener) -> None:
    """Pages of noise are reported, not answered from."""
    path = tmp_path / "jobs.db"
    store = open_store(path)
    store.write([_document(str(n)) for n in range(500)])
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))

    with pytest.raises(Unreachable, match="it is damaged"):
        open_store(path).search(JobQuery())


@pytest.mark.parametrize("cursor", ["", JobQuery().cursor_at(5, "a")])
def test_live_jobs_are_found_by_an_index_whatever_number_has_ended(
    tmp_path: Path, open_store: Opener, cursor: str
) -> None:
    """The next page of one status is a range of an index: no other row is read, and none is sorted."""
    path = tmp_path / "jobs.db"
    open_store(path).write([_document()])
    query = JobQuery(status=frozenset({"job-queued"}), cursor=cursor)
    with closing(sqlite3.connect(path)) as connection:
        for statement in (sqlite_query.page(query), sqlite_query.total(query)):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.parameters).fetchall()
            [jobs] = [step for *_, step in plan if " jobs " in step]
            assert jobs.startswith("SEARCH jobs USING COVERING INDEX by_status (status=?")


def test_a_deleted_file_is_made_anew(tmp_path: Path, open_store: Opener) -> None:
    """Nothing is written into a file that has no name any more."""
    path = tmp_path / "jobs.db"
    store = open_store(path)
    store.write([_document()])
    for file in tmp_path.iterdir():
        file.unlink()

    store.write([_document("b")])

    assert open_store(path).get(["a", "b"]) == (None, _document("b"))
    store.close()


def test_the_file_is_its_owners_alone(tmp_path: Path, open_store: Opener) -> None:
    """Documents hold what people ran: nobody else reads them."""
    store = open_store(tmp_path / "store" / "jobs.db")
    store.write([_document()])

    modes = {file.name: file.stat().st_mode & 0o077 for file in (tmp_path / "store").iterdir()}
    store.close()

    assert modes == {"jobs.db": 0, "jobs.db-wal": 0, "jobs.db-shm": 0}
    assert (tmp_path / "store").stat().st_mode & 0o077 == 0


def test_a_network_file_system_is_told_from_a_local_one(tmp_path: Path) -> None:
    """By the kernel's table of mounts; without one, nothing is claimed."""
    device = tmp_path.stat().st_dev
    table = tmp_path / "mountinfo"
    table.write_text(
        "22 1 250:250 / /other rw - ext4 /dev/a rw\n"
        f"23 1 {os.major(device)}:{os.minor(device)} / /home rw,relatime shared:1 - nfs4 server:/home rw\n"
    )

    assert sqlite_file.file_system(tmp_path, table) == "nfs4"
    assert sqlite_file.file_system(tmp_path, tmp_path / "missing") == ""
