"""What every spill does: portions come out as they went in, oldest first, each until it is done with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hysds.adapters.spill.files import FileSpill, Room
from hysds.adapters.spill.memory import MemorySpill
from hysds.core.errors import Full
from hysds.ports.spill import Held, Portion, Spill
from hysds.ports.store import DeadLetter

_LIMIT = 100_000
_NOW_MS = 1_767_225_600_000
Made = Callable[[], Spill]


def _file(path: Path) -> Spill:
    return FileSpill(path / "spill", "redis://one hysds", Room(_LIMIT, 0, 2_000), lambda: _NOW_MS)


def _memory(path: Path) -> Spill:
    return MemorySpill(_LIMIT, lambda: _NOW_MS)


@pytest.fixture(params=[_file, _memory], ids=["files", "memory"])
def spill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spill]:
    """An empty one."""
    with ExitStack() as stack:
        made: Spill = request.param(tmp_path)
        stack.callback(made.close)
        yield made


def _portion(number: int, count: int = 3) -> Portion:
    return Portion(tuple(f'{{"id":"{number}-{one}","text":"größe\\u2028 [x]"}}' for one in range(count)))


def test_an_empty_spill_gives_nothing(spill: Spill) -> None:
    """And `done` of nothing is nothing."""
    assert spill.oldest() is None
    spill.done()
    assert spill.held() == Held()


def test_portions_come_out_in_order_and_whole(spill: Spill) -> None:
    """Documents and letters, over any number of files."""
    letter = DeadLetter("x", 7, "ValueError: [no] JSON\nsecond line", 99)
    portions = [Portion(_portion(number).documents, (letter,)) for number in range(60)]
    for portion in portions:
        spill.append(portion)

    found = []
    while (portion_ := spill.oldest()) is not None:
        found.append(portion_)
        spill.done()

    assert found == portions
    assert spill.held() == Held()


def test_a_portion_is_given_until_it_is_done_with(spill: Spill) -> None:
    """The store may fail any number of times in between."""
    spill.append(_portion(1))
    spill.append(_portion(2))

    assert [spill.oldest(), spill.oldest()] == [_portion(1), _portion(1)]
    spill.done()
    assert spill.oldest() == _portion(2)


def test_portions_that_come_while_it_is_drained_come_last(spill: Spill) -> None:
    """An outage may begin again at any time."""
    spill.append(_portion(1))
    spill.oldest()
    spill.append(_portion(2))
    spill.done()

    assert spill.oldest() == _portion(2)
    spill.done()
    assert spill.oldest() is None


def test_what_is_held_is_counted(spill: Spill) -> None:
    """Documents and letters, bytes, and since when."""
    spill.append(_portion(1, 4))
    spill.append(Portion((), (DeadLetter("x", 7, "why", 99),)))
    held = spill.held()

    assert (held.documents, held.since_ms) == (5, _NOW_MS)
    assert held.size_bytes > 0


def test_a_spill_at_its_limit_takes_no_more_and_keeps_what_it_has(spill: Spill) -> None:
    """The portion that was refused is not in it; once some is drained it takes more."""
    large = Portion(tuple(f'{{"id":"{n}","x":"{hash((n, 1)):x}{hash((n, 2)):x}"}}' for n in range(1_500)))
    taken = 0
    while _takes(spill, large):
        taken += 1
    kept = spill.held().documents
    while spill.oldest() is not None:
        spill.done()
    spill.append(large)

    assert taken > 0
    assert kept == taken * 1_500
    assert spill.oldest() == large


def _takes(spill: Spill, portion: Portion) -> bool:
    try:
        spill.append(portion)
    except Full:
        return False
    return True
