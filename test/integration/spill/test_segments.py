"""A spill on a real disk: killed processes, full disks, damage, and several processes at one directory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from hysds.adapters.spill import segments
from hysds.adapters.spill.files import FileSpill, Room
from hysds.core.errors import Full, Unreachable
from hysds.ports.spill import Held, Portion
from services.disks import small_disk

_OF = "redis://one hysds"
_ROOM = Room(10**9, 0)
_CHILD = """
import sys
from pathlib import Path
from hysds.adapters.spill.files import FileSpill, Room
from hysds.ports.spill import Portion

spill = FileSpill(Path(sys.argv[1]), "redis://one hysds", Room(10**9, 0, int(sys.argv[2])))
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "append":
        spill.append(Portion((rest,)))
        print("kept", flush=True)
    elif word == "oldest":
        found = spill.oldest()
        print(found.documents[0] if found else "nothing", flush=True)
    elif word == "done":
        spill.done()
        print("dropped", flush=True)
"""


class _Child:
    """A process at the spill that does what it is told."""

    def __init__(self, folder: Path, segment_bytes: int = 10**6) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(folder), str(segment_bytes)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def told(self, order: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Callable[..., _Child]]:
    """Starts processes at the spill; each is killed at the end."""
    with ExitStack() as stack:

        def start(segment_bytes: int = 10**6) -> _Child:
            made = _Child(tmp_path, segment_bytes)
            stack.callback(made.kill)
            return made

        yield start


def _document(number: int) -> str:
    return json.dumps({"id": str(number), "revision": number + 1})


def _drained(spill: FileSpill) -> list[str]:
    found: list[str] = []
    while (portion := spill.oldest()) is not None:
        found += portion.documents
        spill.done()
    return found


def _spill(folder: Path, of: str = _OF, room: Room = _ROOM) -> FileSpill:
    return FileSpill(folder, of, room)


def test_what_a_killed_process_had_spilled_is_taken_by_the_next(
    tmp_path: Path, child: Callable[..., _Child]
) -> None:
    """kill -9 after the append has returned: its events were done with, so all of it must be there."""
    victim = child()
    assert [victim.told(f"append {_document(number)}") for number in range(3)] == ["kept"] * 3
    victim.kill()

    with closing(_spill(tmp_path)) as spill:
        assert _drained(spill) == [_document(number) for number in range(3)]
        assert spill.held() == Held()
    assert list(tmp_path.iterdir()) == []


def test_the_segment_of_a_living_process_is_left_to_it(tmp_path: Path, child: Callable[..., _Child]) -> None:
    """Whether it writes or drains; others count it all the same."""
    writer, reader = child(), child()
    writer.told(f"append {_document(1)}")
    with closing(_spill(tmp_path)) as spill:
        assert spill.oldest() is None
        assert spill.held().documents == 1

        assert writer.told("oldest") == _document(1)
        assert reader.told("oldest") == "nothing"
        assert spill.oldest() is None
        writer.kill()
        assert spill.oldest() is not None


def test_a_process_killed_in_the_middle_of_draining_leaves_nothing_out(
    tmp_path: Path, child: Callable[..., _Child]
) -> None:
    """What it had written to the store already comes once more."""
    with closing(_spill(tmp_path)) as spill:
        for number in range(4):
            spill.append(Portion((_document(number),)))
    victim = child()
    assert victim.told("oldest") == _document(0)
    assert victim.told("done") == "dropped"
    assert victim.told("oldest") == _document(1)
    victim.kill()

    with closing(_spill(tmp_path)) as spill:
        assert _drained(spill) == [_document(number) for number in range(4)]


def test_processes_drain_side_by_side_and_each_segment_goes_to_one(
    tmp_path: Path, child: Callable[..., _Child]
) -> None:
    """Segments of one frame here."""
    with closing(_spill(tmp_path, room=Room(10**9, 0, 1))) as spill:
        for number in range(20):
            spill.append(Portion((_document(number),)))
    workers = [child(), child(), child()]
    found: list[str] = []
    while workers:
        for worker in list(workers):
            if (told := worker.told("oldest")) == "nothing":
                workers.remove(worker)
            else:
                found.append(told)
                worker.told("done")

    assert sorted(found) == sorted(_document(number) for number in range(20))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_portion_that_was_never_finished_is_passed_over(tmp_path: Path, cut: int) -> None:
    """The file ends anywhere in its last frame, as a kill or a power loss leaves it: those before are there."""
    with closing(_spill(tmp_path)) as spill:
        spill.append(Portion((_document(1),)))
        (path,) = segments.files(tmp_path)
        whole = path.stat().st_size
        spill.append(Portion(tuple(_document(number) for number in range(2, 40))))
    size = min(whole + cut, path.stat().st_size - 1)
    os.truncate(path, size)

    with closing(_spill(tmp_path)) as spill:
        assert _drained(spill) == [_document(1)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", [0, 5, 20])
def test_a_segment_without_a_whole_beginning_is_dropped(tmp_path: Path, left: int) -> None:
    """Its writer was killed before anything was confirmed; or a power loss left zeros."""
    with closing(_spill(tmp_path)) as spill:
        spill.append(Portion((_document(1),)))
    (path,) = segments.files(tmp_path)
    os.truncate(path, left)
    (tmp_path / "0000000000000-00000000.spill").write_bytes(bytes(500))

    with closing(_spill(tmp_path)) as spill:
        assert spill.oldest() is None
    assert list(tmp_path.iterdir()) == []


def test_damage_costs_its_own_portion_and_the_file_is_kept_for_people(tmp_path: Path) -> None:
    """A bit that a disk turned around: what stands before and behind it is drained."""
    with closing(_spill(tmp_path)) as spill:
        for number in range(3):
            spill.append(Portion((_document(number),)))
    (path,) = segments.files(tmp_path)
    data = bytearray(path.read_bytes())
    middle = data.index(b"HySp", data.index(b"HySp") + 4) + 30
    data[middle] ^= 1
    path.write_bytes(data)

    with closing(_spill(tmp_path)) as spill:
        assert _drained(spill) == [_document(0), _document(2)]
        assert spill.held() == Held()
    assert [one.suffix for one in tmp_path.iterdir()] == [".damaged"]


def test_a_file_that_is_no_segment_is_put_aside(tmp_path: Path) -> None:
    """And the others are drained."""
    (tmp_path / "0000000000000-00000000.spill").write_bytes(b"anything\nelse" * 1_000)
    with closing(_spill(tmp_path)) as spill:
        spill.append(Portion((_document(1),)))

        assert _drained(spill) == [_document(1)]
    assert [one.name for one in tmp_path.iterdir()] == ["0000000000000-00000000.damaged"]


def test_the_segments_of_another_ledger_are_left_alone(tmp_path: Path) -> None:
    """Two systems of one user share the directory."""
    with closing(_spill(tmp_path)) as ours, closing(_spill(tmp_path, "redis://two hysds")) as theirs:
        theirs.append(Portion((_document(2),)))
        theirs.close()
        ours.append(Portion((_document(1),)))

        assert _drained(ours) == [_document(1)]
        assert ours.held() == Held()
        assert _drained(theirs) == [_document(2)]


def test_a_segment_that_somebody_deleted_is_not_written_any_more(tmp_path: Path) -> None:
    """A cleaner of old files; what comes later is kept."""
    with closing(_spill(tmp_path)) as spill:
        spill.append(Portion((_document(1),)))
        (path,) = segments.files(tmp_path)
        path.unlink()
        spill.append(Portion((_document(2),)))

    with closing(_spill(tmp_path)) as spill:
        assert _drained(spill) == [_document(2)]


_FULL = """
import json, os, resource, sys
from pathlib import Path
from hysds.adapters.spill.files import FileSpill, Room
from hysds.core.errors import Full
from hysds.ports.spill import Portion

resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
spill = FileSpill(Path(sys.argv[1]), "redis://one hysds", Room(10**9, 0))
kept = []
for number in range(60):
    document = json.dumps({"id": str(number), "x": os.urandom(50).hex()})
    try:
        spill.append(Portion((document,)))
        kept.append(document)
    except Full:
        pass
print(json.dumps(kept))
"""


def test_a_write_that_has_no_room_leaves_what_was_kept_whole(tmp_path: Path) -> None:
    """The kernel takes a part of a frame and refuses the rest: it is taken back, and those before stand."""
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(tmp_path)], capture_output=True, text=True, check=True
    )
    kept = json.loads(done.stdout)

    with closing(_spill(tmp_path)) as spill:
        assert 5 < len(kept) < 60
        assert len(segments.files(tmp_path)) == 1
        assert _drained(spill) == kept


def test_a_full_disk_takes_no_more_and_takes_more_again_when_there_is_room(tmp_path: Path) -> None:
    """Everything that was kept comes out, nothing that was refused, in one piece each."""
    with small_disk(tmp_path / "disk", "1m") as disk, closing(_spill(disk / "spill")) as spill:
        kept: list[str] = []
        refused = 0
        for number in range(400):
            document = json.dumps({"id": str(number), "x": os.urandom(3_000).hex()})
            try:
                spill.append(Portion((document,)))
                kept.append(document)
            except Full:
                refused += 1
        drained = _drained(spill)
        spill.append(Portion((_document(1),)))

        assert (len(kept) > 50, refused > 50) == (True, True)
        assert drained == kept
        assert _drained(spill) == [_document(1)]


def test_a_disk_with_little_left_is_not_filled(tmp_path: Path) -> None:
    """The ledger's own files may lie on it."""
    with (
        closing(_spill(tmp_path, room=Room(10**9, 1 << 60))) as spill,
        pytest.raises(Full, match="free some"),
    ):
        spill.append(Portion((_document(1),)))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    """A file stands in its place."""
    (tmp_path / "home").write_text("a file")
    spill = _spill(tmp_path / "home" / "spill")
    with pytest.raises(Unreachable, match="the spill can't be reached"):
        spill.append(Portion((_document(1),)))
