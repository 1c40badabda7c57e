"""Events in a line: when, what, where, and what matters of it."""

from __future__ import annotations

from hysds.cli import events
from hysds.core import happenings
from hysds.core.happenings import EVENT, WORKER, Happening


def _row(**event: object) -> tuple[str, ...]:
    told = Happening("id", EVENT, "rule-fired", "fired", 1_800_000_000_000, "host-1", event=event)
    return events.row(happenings.document(told))


def test_a_line_has_what_matters_of_an_event() -> None:
    """In one order, whatever else it holds; nothing where it holds nothing."""
    assert _row(pid=7, job_id="j1", rule="again") == (
        "2027-01-15T08:00:00.000Z",
        "rule-fired",
        "host-1",
        "again j1",
    )
    assert _row(pid=7)[-1] == ""


def test_a_worker_is_shown_by_its_name() -> None:
    """As the host of its document."""
    told = Happening("celery@w1", WORKER, "worker-offline", "x", 1_000, event={"reason": "silent"})

    assert events.row(happenings.document(told))[1:] == ("worker-offline", "celery@w1", "silent")


def test_what_an_event_says_can_not_steer_a_terminal_nor_fill_it() -> None:
    """Anybody may have written it."""
    what = _row(exception="\x1b[31m" + "x" * 5_000, reason=["\x07"])[-1]

    assert not {"\x1b", "\x07"} & set(what)
    assert len(what) == 120
