"""Listening to Celery's events on real brokers: from real senders, through restarts of broker and listener."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery

from hysds.adapters.bell.celery_events import CeleryEvents
from hysds.adapters.ledger.journal_redis import RedisJournal
from hysds.adapters.ledger.server import Server
from hysds.core.celery_events import KINDS
from hysds.core.errors import Unreachable
from hysds.core.happenings import Happening
from hysds.ports.overheard import Hear
from hysds.settings.model import Settings
from hysds.settings.servers import Broker, Ledger
from services.process import ServerProcess
from services.rabbitmq import RabbitOptions, RabbitServer
from services.redis import RedisOptions, RedisServer

_PATIENCE_S = 60


class Heard:
    """What came, for a test that waits for it; `refuses` makes it fail."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.all: list[Happening] = []
        self.refused = 0
        self.refuses = False

    def __call__(self, happenings: Sequence[Happening]) -> None:
        with self._changed:
            if self.refuses:
                self.refused += 1
                self._changed.notify_all()
                raise Unreachable("ledger", "away")
            self.all += happenings
            self._changed.notify_all()

    def wait(self, is_enough: Callable[[], bool]) -> None:
        """Until the condition holds."""
        with self._changed:
            assert self._changed.wait_for(is_enough, _PATIENCE_S), self.all

    def uuids(self) -> list[object]:
        """Of the tasks, in order of arrival."""
        return [one.event["uuid"] for one in self.all if one.type.startswith("celery.task-")]


def _settings(tmp_path: Path, url: str, name: str) -> Settings:
    return Settings(home=tmp_path, ledger=Ledger(prefix=name), broker=Broker(url=url))


@contextmanager
def _listening(settings: Settings, heard: Hear) -> Iterator[threading.Event]:
    stop = threading.Event()
    events = CeleryEvents(settings, frozenset(KINDS))
    thread = threading.Thread(target=events.listen, args=(heard, stop), daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(_PATIENCE_S)
        assert not thread.is_alive()


def _say(url: str, *uuids: str) -> None:
    """As a Celery worker does."""
    app = Celery("sender", broker=url, set_as_current=False)
    with app.connection_for_write() as connection, app.events.Dispatcher(connection) as dispatcher:
        for uuid in uuids:
            dispatcher.send("task-failed", uuid=uuid, exception="x", traceback="")
    app.close()


def _say_until_heard(url: str, heard: Heard, prefix: str) -> None:
    """A subscription on Redis hears only what is said while it stands: say it until it does."""
    said = 0
    while not any(str(uuid).startswith(prefix) for uuid in heard.uuids()):
        _say(url, f"{prefix}{said}")
        said += 1
        assert said < 10_000


@pytest.fixture(params=["redis", "rabbitmq"])
def broker(
    request: pytest.FixtureRequest,
    start_redis: Callable[[RedisOptions], RedisServer],
    start_rabbitmq: Callable[[RabbitOptions], RabbitServer],
) -> tuple[ServerProcess, str]:
    """A broker of one's own of each kind, and its URL."""
    if request.param == "redis":
        redis = start_redis(RedisOptions())
        return redis, redis.url
    rabbit = start_rabbitmq(RabbitOptions())
    return rabbit, rabbit.url


def test_events_are_heard_again_after_the_broker_was_restarted(
    broker: tuple[ServerProcess, str], tmp_path: Path, unique_name: str
) -> None:
    """Killed, away for a while, started again: the listener finds its way back by itself."""
    server, url = broker
    heard = Heard()
    with _listening(_settings(tmp_path, url, unique_name), heard):
        _say_until_heard(url, heard, "before")

        server.kill()
        server.start()

        _say_until_heard(url, heard, "after")


def test_what_is_not_taken_is_offered_again(
    valkey_server: RedisServer, tmp_path: Path, unique_name: str
) -> None:
    """The ledger is away for a while: nothing that was heard is lost, in its order, and each once."""
    heard, url = Heard(), f"{valkey_server.url}"
    with _listening(_settings(tmp_path, url, unique_name), heard):
        _say_until_heard(url, heard, "first")
        heard.refuses = True
        _say(url, "a", "b")
        heard.wait(lambda: heard.refused > 0)
        _say(url, "c")
        heard.refuses = False
        heard.wait(lambda: heard.uuids()[-1:] == ["c"])

    assert [uuid for uuid in heard.uuids() if not str(uuid).startswith("first")] == ["a", "b", "c"]


def test_listeners_on_rabbitmq_share_the_events_and_find_those_of_the_time_between(
    rabbitmq_server: RabbitServer, tmp_path: Path, unique_name: str
) -> None:
    """Each event goes to one of them; what is said while none listens waits for the next."""
    settings, heard, url = _settings(tmp_path, rabbitmq_server.url, unique_name), Heard(), rabbitmq_server.url
    with _listening(settings, heard), _listening(settings, heard):
        _say_until_heard(url, heard, "begin")
        _say(url, *(str(number) for number in range(50)))
        heard.wait(lambda: "49" in heard.uuids())
    _say(url, "between")
    with _listening(settings, heard):
        heard.wait(lambda: "between" in heard.uuids())

    told = [uuid for uuid in heard.uuids() if not str(uuid).startswith("begin")]
    assert sorted(told, key=str) == sorted([*map(str, range(50)), "between"], key=str)


def test_a_message_that_is_no_event_ends_nothing(
    rabbitmq_server: RabbitServer, tmp_path: Path, unique_name: str
) -> None:
    """A pickle, a broken JSON, a number, in the exchange of events: they are passed over."""
    heard, url = Heard(), rabbitmq_server.url
    with _listening(_settings(tmp_path, url, unique_name), heard):
        _say_until_heard(url, heard, "before")
        app = Celery("stranger", broker=url, set_as_current=False)
        with app.connection_for_write() as connection:
            channel = connection.default_channel
            for body, kind in (
                (b"\x80\x04K\x01.", "application/x-python-serialize"),
                (b"{", "application/json"),
                (b"7", "application/json"),
            ):
                message = channel.prepare_message(body, content_type=kind, content_encoding="utf-8")
                channel.basic_publish(message, exchange="celeryev", routing_key="task.failed")
        app.close()
        _say_until_heard(url, heard, "after")


def test_what_two_listeners_on_redis_hear_is_told_once(
    valkey_server: RedisServer, tmp_path: Path, unique_name: str
) -> None:
    """Each has a subscription of its own, and hears all: one journal keeps each event once."""
    settings, url = _settings(tmp_path, valkey_server.url, unique_name), valkey_server.url
    server = Server(valkey_server.unix_url)
    journal = RedisJournal(server, unique_name, 10**6)
    listeners = [Heard(), Heard()]

    def both(heard: Heard) -> Hear:
        def hear(happenings: Sequence[Happening]) -> None:
            journal.tell(happenings)
            heard(happenings)

        return hear

    with _listening(settings, both(listeners[0])), _listening(settings, both(listeners[1])):
        for heard in listeners:
            _say_until_heard(url, heard, "begin")
        _say(url, *(str(number) for number in range(100)))
        for heard in listeners:
            heard.wait(lambda heard=heard: "99" in heard.uuids())

    told = [note.happening.event["uuid"] for note in journal.follow("", 10_000, 0)]
    assert sorted(uuid for uuid in told if not str(uuid).startswith("begin")) == sorted(map(str, range(100)))
    server.close()
