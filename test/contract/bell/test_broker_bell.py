"""What a bell on a real broker does besides: how it is sent, and what a broker that is away means."""

from __future__ import annotations

import pytest

from hysds.adapters.bell.celery import TASK
from hysds.core.errors import Unreachable
from services.rabbitmq import RabbitOptions
from services.redis import RedisOptions


@pytest.fixture(params=["valkey", "rabbitmq"])
def url(request) -> str:
    """A broker that all tests share."""
    return request.getfixturevalue(f"{request.param}_server").url


@pytest.fixture(params=["valkey", "rabbitmq"])
def own_broker(request):
    """A broker of the test's own, to stop and start."""
    start = request.getfixturevalue(f"start_{request.param}")
    return start(RedisOptions() if request.param == "valkey" else RabbitOptions())


def test_a_bell_is_a_small_transient_message_that_expires(url, hang, listen, unique_name) -> None:
    """It names the task and the queue, is not written to disk, and is worth nothing after `bell_expires`."""
    hang(url, bell_expires_s=33).ring(unique_name, 1)

    [message] = listen(url).messages(unique_name)
    assert message.headers["task"] == TASK
    assert message.payload[0] == [unique_name]
    assert message.headers["expires"] is not None
    assert message.headers["ignore_result"] is True
    assert message.properties["delivery_mode"] == 1
    assert message.properties["expiration"] == "33000"
    assert len(message.body) < 200


def test_celerys_own_variables_do_not_move_the_bell(url, hang, listen, unique_name, monkeypatch) -> None:
    """Celery lets CELERY_BROKER_URL override what an app is configured with; a bell goes where the settings say."""
    for name in ("CELERY_BROKER_URL", "CELERY_BROKER_WRITE_URL"):
        monkeypatch.setenv(name, "redis://127.0.0.1:1/0")
    hang(url).ring(unique_name, 1)

    assert listen(url).take(unique_name) == [unique_name]


def test_a_broker_that_is_away_is_unreachable_and_its_password_stays_unsaid(hang, start_valkey) -> None:
    """The error names the part and the place; a password in the URL, quoted or not, is in no text of it."""
    server = start_valkey(RedisOptions(password="s/cr@t"))
    url = server.url
    server.stop()

    with pytest.raises(Unreachable) as caught:
        hang(url).ring("q", 1)

    assert caught.value.part == "broker"
    shown = repr(caught.value) + str(caught.value)
    assert "127.0.0.1" in shown
    assert "s/cr@t" not in shown
    assert "s%2Fcr%40t" not in shown


def test_a_wrong_password_is_unreachable_and_stays_unsaid(hang, start_valkey) -> None:
    """A broker that refuses us does not take the bell, and the error shows nothing of what was tried."""
    server = start_valkey(RedisOptions(password="right"))

    with pytest.raises(Unreachable) as caught:
        hang(server.url.replace(":right@", ":wr0ng@")).ring("q", 1)

    assert "wr0ng" not in repr(caught.value) + str(caught.value)


def test_a_bell_finds_its_broker_again_after_a_restart(own_broker, hang, listen, unique_name) -> None:
    """While the broker is down each ring says so; the first ring after its return arrives, on a new connection."""
    bell = hang(own_broker.url)
    bell.ring(unique_name, 1)
    own_broker.stop()
    with pytest.raises(Unreachable):
        bell.ring(unique_name, 1)
    own_broker.start()

    listen(own_broker.url).take(unique_name)
    bell.ring(unique_name, 1)

    assert listen(own_broker.url).take(unique_name) == [unique_name]


def test_a_restart_between_two_rings_goes_unnoticed(own_broker, hang, listen, unique_name) -> None:
    """A kept connection that the broker has closed costs a second attempt, and no bell."""
    bell = hang(own_broker.url)
    bell.ring(unique_name, 1)
    own_broker.stop()
    own_broker.start()
    listen(own_broker.url).take(unique_name)

    bell.ring(unique_name, 1)

    assert listen(own_broker.url).take(unique_name) == [unique_name]
