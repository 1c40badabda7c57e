"""What every bell does, whoever carries it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor


def test_a_bell_rings_in_its_own_queue_as_often_as_asked(hall, unique_name) -> None:
    """Three rings of one queue are three messages there, each of which names it, and none elsewhere."""
    hall.bell.ring(f"{unique_name}-gpu", 3)
    hall.bell.ring(f"{unique_name}-cpu", 1)

    assert hall.ear.take(f"{unique_name}-gpu") == [f"{unique_name}-gpu"] * 3
    assert hall.ear.take(f"{unique_name}-cpu") == [f"{unique_name}-cpu"]
    assert hall.ear.take(f"{unique_name}-gpu") == []


def test_no_times_is_no_bell(hall, unique_name) -> None:
    """A queue rung zero times hears nothing."""
    hall.bell.ring(unique_name, 0)

    assert hall.ear.take(unique_name) == []


def test_many_threads_ring_one_bell(hall, unique_name) -> None:
    """Rings of eight threads at once all arrive."""
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: hall.bell.ring(unique_name, 2), range(24)))

    assert hall.ear.take(unique_name) == [unique_name] * 48


def test_a_bell_that_was_closed_opens_again_when_rung(hall, unique_name) -> None:
    """Closing lets go of connections, twice if need be; a later ring makes a new one."""
    hall.bell.ring(unique_name, 1)
    hall.bell.close()
    hall.bell.close()
    hall.bell.ring(unique_name, 1)

    assert hall.ear.take(unique_name) == [unique_name] * 2


def test_bells_that_nobody_heard_can_be_counted(hall, unique_name) -> None:
    """None where nothing ever rang, and none once they are heard."""
    assert hall.bell.waiting(unique_name) == 0

    hall.bell.ring(unique_name, 3)
    assert hall.bell.waiting(unique_name) == 3

    hall.ear.take(unique_name)
    assert hall.bell.waiting(unique_name) == 0
