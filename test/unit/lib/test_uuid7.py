"""UUIDs of version 7: strictly increasing whatever the clock does."""

from __future__ import annotations

import threading
import uuid
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hysds.lib.uuid7 import Uuid7Source, compose

_NOW_MS = 1_800_000_000_000


@given(st.lists(st.integers(0, 2**47), min_size=2), st.randoms(use_true_random=False))
def test_ids_of_one_source_strictly_increase_whatever_the_clock_does(
    times_ms: list[int], random: Random
) -> None:
    """It may stand still, jump, or step back."""
    clock = iter(times_ms)
    source = Uuid7Source(lambda: next(clock), random.getrandbits)

    made = [source() for _ in times_ms]

    assert all(one < two for one, two in pairwise(made))


def test_a_counter_that_is_full_borrows_from_the_next_millisecond() -> None:
    """Even then the order holds."""
    # The first id seeds the counter at 2^42 - 3: below the bound by two, whatever the true source would give.
    source = Uuid7Source(lambda: _NOW_MS, lambda bits: (1 << 42) - 3 if bits == 41 else 0)
    source()

    source()
    last, next_ = source(), source()

    assert last < next_
    assert next_.startswith(compose(_NOW_MS + 1, 0, 0)[:13])


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**42 - 1), st.integers(0, 2**32 - 1))
def test_an_id_is_a_uuid_of_version_7_in_canonical_form(ms: int, counter: int, random: int) -> None:
    """As RFC 9562 lays it out: time first, then version, counter, variant, chance."""
    text = compose(ms, counter, random)
    value = uuid.UUID(text)

    assert str(value) == text
    assert (value.version, value.variant, value.int >> 80) == (7, uuid.RFC_4122, ms)


def test_threads_that_share_a_source_never_get_the_same_id() -> None:
    """Each thread sees its own ids increase."""
    source = Uuid7Source(lambda: _NOW_MS)
    made: list[list[str]] = [[] for _ in range(4)]

    def make(box: list[str]) -> None:
        box.extend(source() for _ in range(500))

    threads = [threading.Thread(target=make, args=(box,)) for box in made]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(box == sorted(box) for box in made)
    assert len({id for box in made for id in box}) == 2_000
