"""How the flow of messages follows the gate."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from hysds.bootsteps.valves import PolledValve, PushedValve, valve_for
from hysds.settings.celery import SOCKET_TIMEOUT_S


class Consumer:
    """What a valve touches of kombu's consumers."""

    def __init__(self) -> None:
        self.within_prefetch = True
        self.channel = SimpleNamespace(
            qos=SimpleNamespace(can_consume=lambda: self.within_prefetch), _in_poll=None
        )
        self.done: list[str] = []
        self.during_cancel = lambda: None

    def consume(self) -> None:
        self.done.append("consume")

    def cancel(self) -> None:
        self.done.append("cancel")
        self.during_cancel()


def test_redis_is_polled_only_while_the_gate_is_open_and_prefetch_allows() -> None:
    """Either of both stops the next pop."""
    consumer, gate = Consumer(), [True]
    PolledValve(consumer, lambda: gate[0])

    assert consumer.channel.qos.can_consume() is True
    gate[0] = False
    assert consumer.channel.qos.can_consume() is False
    gate[0], consumer.within_prefetch = True, False
    assert consumer.channel.qos.can_consume() is False


def test_the_answer_to_a_pop_that_is_on_its_way_is_read_with_the_gate_shut() -> None:
    """The bell in it would otherwise be in no queue, and heard by nobody."""
    consumer = Consumer()
    PolledValve(consumer, lambda: False)

    consumer.channel._in_poll = object()

    assert consumer.channel.qos.can_consume() is True


def test_one_pop_waits_for_less_than_a_command_may_take() -> None:
    """Else kombu would give a broker up that only has no bell."""
    consumer = Consumer()
    PolledValve(consumer, lambda: True)

    assert 1 < consumer.channel.brpop_timeout < SOCKET_TIMEOUT_S


def test_rabbitmq_is_told_only_of_changes() -> None:
    """The loop has begun to consume; looking again at the same gate does nothing."""
    consumer, gate = Consumer(), [True]
    valve = PushedValve(consumer, lambda: gate[0])
    for is_open in (True, False, False, True, True):
        gate[0] = is_open
        valve.look()

    assert consumer.done == ["cancel", "consume"]


def test_a_message_that_arrives_while_rabbitmq_confirms_does_not_cancel_again() -> None:
    """The gate looks for each message that it puts back."""
    consumer = Consumer()
    valve = PushedValve(consumer, lambda: False)
    consumer.during_cancel = valve.look

    valve.look()

    assert consumer.done == ["cancel"]


def test_each_transport_that_settings_allow_has_its_valve() -> None:
    """Any other is an error at the worker's start."""
    assert isinstance(valve_for("redis", Consumer(), bool), PolledValve)
    assert isinstance(valve_for("amqp", Consumer(), bool), PushedValve)
    with pytest.raises(KeyError):
        valve_for("sqs", Consumer(), bool)
