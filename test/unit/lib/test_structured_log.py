"""Lines with fields and without secrets."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hysds.lib import structured_log
from hysds.lib.structured_log import Plan, bound, redacted

_LOG = logging.getLogger("hysds.some.room")
Lines = Callable[[], list[str]]


@pytest.fixture
def log() -> Iterator[Callable[..., Lines]]:
    """Log by a plan into a text; the loggers are as before when the test ends."""
    root, room = logging.getLogger(), logging.getLogger("hysds.some")
    before, levels = root.handlers[:], (root.level, room.level)

    def by(plan: Plan, secrets: tuple[str, ...] = (), **fields: str) -> Lines:
        text = io.StringIO()
        structured_log.configure(plan, secrets, logging.StreamHandler(text), **fields)
        return lambda: text.getvalue().splitlines()

    yield by
    root.handlers[:] = before
    root.setLevel(levels[0])
    room.setLevel(levels[1])


def test_a_line_of_json_has_time_level_room_message_and_fields(log: Callable[..., Lines]) -> None:
    """Those of the process, those of what it is about, those of the line."""
    lines = log(Plan(form="json"), role="worker")
    with bound(job="j1", fence=7):
        _LOG.info("job %s: claimed", "j1", extra={"action": "claim", "tries": 2})

    line = json.loads(lines()[0])
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info", "room": "some.room", "message": "job j1: claimed",
        "role": "worker", "job": "j1", "fence": 7, "action": "claim", "tries": 2,
    }  # fmt: skip


def test_a_line_for_people_names_what_its_message_does_not(log: Callable[..., Lines]) -> None:
    """And stays one line, whatever the message holds."""
    lines = log(Plan())
    with bound(job="j1", fence=7):
        _LOG.warning("job j1:\nodd", extra={"status": "job-failed"})

    [line] = lines()
    assert line.endswith("WARNING/some.room] job j1:\\nodd fence=7 status=job-failed")


def test_levels_of_rooms_stand_over_the_level(log: Callable[..., Lines]) -> None:
    """A room speaks more, or less, than the rest."""
    lines = log(Plan(level=logging.WARNING, rooms={"hysds.some": logging.DEBUG}))
    _LOG.debug("heard")
    logging.getLogger("hysds.other").info("not heard")

    assert [line.rpartition("] ")[2] for line in lines()] == ["heard"]


def test_without_a_level_info_is_logged_and_debug_is_not(log: Callable[..., Lines]) -> None:
    """As roles always did."""
    lines = log(Plan())
    _LOG.debug("quiet")
    _LOG.info("loud")

    assert len(lines()) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at redis://user:geh/e@im@host/0 now", "at redis://user:***@host/0 now"),
        ("amqp://:pw1@h and rediss://u:pw2@h", "amqp://:***@h and rediss://u:***@h"),
        ("https://host/path is no secret", "https://host/path is no secret"),
        ("password=hunter2, user=x", "password=***, user=x"),
        ('{"api_key": "abc def", "n": 1}', '{"api_key": ***, "n": 1}'),
        ("AWS_SECRET_ACCESS_KEY=abc/def+g", "AWS_SECRET_ACCESS_KEY=***"),
        ("{'HF_TOKEN': 'hf_abc'}", "{'HF_TOKEN': ***}"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ***"),
        ("the key of the queue is long", "the key of the queue is long"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, shown: str) -> None:
    """Passwords of URLs, values of names that sound like secrets; nothing else is touched."""
    assert redacted(text) == shown


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_that_are_known_are_hidden_wherever_they_stand(log: Callable[..., Lines], form: str) -> None:
    """In messages, fields and tracebacks; those of a job only in what is said of it."""
    lines = log(Plan(form=form), ("opensesame",))
    with bound(["hunter2hunter2", "1"], job="j1"):
        try:
            raise ValueError("opensesame hunter2hunter2")
        except ValueError:
            _LOG.exception("opensesame: 1 hunter2hunter2", extra={"field": "opensesame", "token": "abcdef"})
    text = "\n".join(lines())

    assert "opensesame" not in text
    assert "hunter2hunter2" not in text
    assert "abcdef" not in text
    assert "***: 1 ***" in text
    assert "ValueError" in text


def test_no_line_holds_a_whole_document(log: Callable[..., Lines]) -> None:
    """What is too long is cut and says so; values that are no text or number are left out."""
    lines = log(Plan(form="json"))
    document: dict[str, Any] = {"payload": "x" * 100_000}
    _LOG.info("job: %s", document, extra={"data": document, "long": "y" * 10_000})

    assert len(lines()[0]) < 6_000
    assert "characters left out" in lines()[0]
    assert "data" not in json.loads(lines()[0])


def test_what_is_bound_in_one_thread_says_nothing_in_another(log: Callable[..., Lines]) -> None:
    """Slots of one worker log side by side."""
    lines = log(Plan(form="json"))
    with bound(job="mine"):
        other = threading.Thread(target=lambda: _LOG.info("other"))
        other.start()
        other.join()
        _LOG.info("mine")
    _LOG.info("after")

    assert [json.loads(line).get("job") for line in lines()] == [None, "mine", None]


def test_a_hostile_line_costs_little(log: Callable[..., Lines]) -> None:
    """Text in which a pattern might search for long comes back whole or cut, not never."""
    lines = log(Plan())
    _LOG.info("token %s", "a" * 1_000_000)
    _LOG.info("://%s", ":" * 1_000_000)

    assert len(lines()) == 2
    assert sys.getsizeof(lines()[0]) < 10_000
