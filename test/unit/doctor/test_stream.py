"""What doctor says of events that nobody could read."""

from __future__ import annotations

from hysds.doctor import stream
from hysds.ports.events import Unreadable
from hysds.ports.findings import Severity


def test_nothing_is_said_where_all_could_be_read() -> None:
    """Not even that it is so."""
    assert list(stream.check(())) == []


def test_unreadable_events_are_a_warning_with_the_newest_reason() -> None:
    """How many, where the newest stands and why."""
    (found,) = stream.check([Unreadable("2-0", "KeyError: 'id'", "a b", 9), Unreadable("1-0", "x", "y", 8)])

    assert found.severity is Severity.WARNING
    assert "2 events" in found.what
    assert "2-0: KeyError: 'id'" in found.what
