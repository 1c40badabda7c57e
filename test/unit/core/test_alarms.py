"""From what watchdogs see to what people are told, as values."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from hysds.core import alarms
from hysds.core.alarms import CALM_MS, Alarm, Sight
from hysds.core.watchdogs import Kind, Trouble

_KINDS = frozenset(Kind)
_QUEUE = Trouble(Kind.QUEUE_STUCK, "queue q", "is stuck")
_JOB = Trouble(Kind.JOB_OVERDUE, "job j", "runs on", job="j")
_T = 1_000_000


class Shelf:
    """Alarms, look after look."""

    def __init__(self) -> None:
        self.kept: dict[str, Alarm] = {}

    def look(self, now_ms: int, *troubles: Trouble, kinds: Iterable[Kind] = _KINDS) -> list[Alarm]:
        changed = alarms.seen(self.kept.values(), Sight(troubles, frozenset(kinds)), now_ms)
        self.kept |= {one.key: one for one in changed}
        return changed

    def tell(self, now_ms: int, channel: str = "mail", repeat_ms: int | None = 10_000) -> alarms.Message:
        sent = alarms.message(self.kept.values(), channel, repeat_ms, now_ms)
        self.kept |= {one.key: one for one in alarms.after(sent, channel, now_ms)}
        return sent

    @property
    def one(self) -> Alarm:
        [alarm] = self.kept.values()
        return alarm


def test_a_trouble_is_one_alarm_look_after_look() -> None:
    """It changes nothing to see it again."""
    shelf = Shelf()

    assert [one.revision for one in shelf.look(_T, _QUEUE)] == [1]
    assert shelf.look(_T + 5_000, _QUEUE) == []
    assert (shelf.one.since_ms, shelf.one.stands) == (_T, True)


def test_an_alarm_is_over_when_its_trouble_stays_away() -> None:
    """One that is back within a minute was never over."""
    shelf = Shelf()
    shelf.look(_T, _QUEUE)
    shelf.look(_T + 1)
    assert not shelf.one.is_over(_T + CALM_MS)
    shelf.look(_T + CALM_MS, _QUEUE)
    assert shelf.one.stands

    shelf.look(_T + 2)

    assert shelf.one.is_over(_T + 2 + CALM_MS)
    assert shelf.one.since_ms == _T


def test_what_could_not_be_looked_at_still_stands() -> None:
    """While the store is away nobody knows that jobs are in time again."""
    shelf = Shelf()
    shelf.look(_T, _QUEUE, _JOB)
    shelf.look(_T + 1, kinds={Kind.QUEUE_STUCK})

    assert {key: one.stands for key, one in shelf.kept.items()} == {_QUEUE.key: False, _JOB.key: True}


def test_the_text_is_brought_up_to_date_now_and_then() -> None:
    """Each look says another age; a write for each would be one every few seconds."""
    shelf = Shelf()
    shelf.look(_T, _QUEUE)
    later = Trouble(Kind.QUEUE_STUCK, "queue q", "is stuck for an hour")

    assert shelf.look(_T + 59_999, later) == []
    assert [one.what for one in shelf.look(_T + 60_000, later)] == ["is stuck for an hour"]


def test_what_was_done_about_a_trouble_is_kept() -> None:
    """Whoever looks next need not do it again, also where it was done late."""
    shelf = Shelf()
    shelf.look(_T, _QUEUE)
    [changed] = alarms.seen([shelf.one], Sight([_QUEUE], _KINDS, {_QUEUE.key}), _T + 1)

    assert changed.is_settled
    assert alarms.seen([changed], Sight([_QUEUE], _KINDS), _T + 2) == []


def test_each_channel_is_told_once_then_at_each_repeat_then_of_the_end() -> None:
    """And after that no more."""
    shelf = Shelf()
    shelf.look(_T, _QUEUE)

    assert [one.subject for one in shelf.tell(_T).begun] == ["queue q"]
    assert not shelf.tell(_T + 9_999)
    assert [one.subject for one in shelf.tell(_T + 9_999, "hook").begun] == ["queue q"]
    assert [one.subject for one in shelf.tell(_T + 10_000).again] == ["queue q"]
    assert not shelf.tell(_T + 10**9, repeat_ms=None)
    shelf.look(_T + 20_000)
    assert not shelf.tell(_T + 20_001)
    assert [one.subject for one in shelf.tell(_T + 20_000 + CALM_MS).over] == ["queue q"]
    assert not shelf.tell(_T + 20_001 + CALM_MS)
    assert set(shelf.one.told) == {"hook"}


def test_who_was_never_told_of_an_alarm_is_not_told_of_its_end() -> None:
    """A trouble that came and went while the mail server was away."""
    shelf = Shelf()
    shelf.look(_T, _QUEUE)
    shelf.look(_T + 1)

    assert not shelf.tell(_T + 1 + CALM_MS)


def test_an_alarm_is_forgotten_once_all_that_were_told_know_its_end() -> None:
    """A channel that is no more, or that takes nothing for a day, keeps none."""
    shelf = Shelf()
    shelf.look(_T, _QUEUE)
    assert not alarms.is_forgettable(shelf.one, (), _T)
    shelf.tell(_T)
    shelf.look(_T + 1)
    over_ms = _T + 1 + CALM_MS
    assert not alarms.is_forgettable(shelf.one, {"mail"}, over_ms)
    assert alarms.is_forgettable(shelf.one, {"hook"}, over_ms)
    assert alarms.is_forgettable(shelf.one, {"mail"}, over_ms + 86_400_000)

    shelf.tell(over_ms)

    assert alarms.is_forgettable(shelf.one, {"mail"}, over_ms)


def test_a_message_names_the_first_and_counts_the_rest() -> None:
    """Its subject is one line, whatever people call their queues; of many alarms the first are listed."""
    shelf = Shelf()
    odd = Trouble(Kind.QUEUE_STUCK, "queue a\r\nBcc: x@y", "is stuck", "start one")
    shelf.look(_T, odd)
    shelf.look(_T + 1, odd, *(Trouble(Kind.JOB_OVERDUE, f"job {at:03}", "runs on") for at in range(50)))
    sent = shelf.tell(_T + 2)

    head = alarms.subject(sent, "hysds")
    assert head == "hysds: queue a??Bcc: x@y is stuck (and 50 more)"
    text = alarms.text(sent)
    assert text.startswith(
        "New:\n- queue a??Bcc: x@y is stuck (since 1970-01-01T00:16:40.000Z, queue-stuck)\n  start one\n"
    )
    assert "- and 21 more\n" in text
    assert len(alarms.documents(sent)) == 30
    assert alarms.documents(sent)[0]["status"] == "begun"


def test_an_alarm_is_stored_as_json() -> None:
    """And read back as it was; what is none is no alarm."""
    shelf = Shelf()
    shelf.look(_T, _JOB)
    shelf.tell(_T)

    assert alarms.from_stored(alarms.stored(shelf.one)) == shelf.one
    for text in ("", "3", "{}", '{"key": "x"}'):
        with pytest.raises((ValueError, TypeError)):
            alarms.from_stored(text)


def test_a_clock_that_is_set_back_delays_no_message() -> None:
    """What was noted while the server's clock was hours ahead is past all the same."""
    ahead_ms = _T + 36_000_000
    shelf = Shelf()
    shelf.look(ahead_ms, _QUEUE)
    assert shelf.tell(ahead_ms).begun
    assert shelf.tell(_T).again, "the next message is due"

    shelf.look(ahead_ms)
    assert shelf.one.is_over(_T)
    assert shelf.tell(_T).over
