"""Which index a job's document lives in: the generation that it was born in (rule 13)."""

from __future__ import annotations

import pytest
import redis

from contract.ledger.sample import end, job, keyed, started
from hysds.core.errors import Internal
from hysds.core.generations import Generations
from hysds.core.requests import Acceptance
from hysds.ports.ledger import Ledger
from services.redis import RedisServer


def _born_in(ledger: Ledger, item: Acceptance) -> int:
    kept = ledger.kept([item.id])[0]
    assert kept is not None
    return kept.record.generation


def test_a_new_ledger_has_one_generation(ledger: Ledger) -> None:
    """The first, which its first jobs are born in."""
    ledger.accept([item := job()])

    assert ledger.generations() == Generations(oldest=1, current=1)
    assert _born_in(ledger, item) == 1


def test_a_job_stays_in_the_generation_that_it_was_born_in(ledger: Ledger) -> None:
    """Whatever becomes of it after a rollover; new ones, duplicates and refused ones are born in the new one."""
    lease = started(ledger, keyed())

    assert ledger.roll(2, 0) == Generations(oldest=1, current=2)
    ledger.accept([twin := keyed(), other := job()])
    ledger.reject(refused := job(), "{}")
    ledger.commit(end(lease))

    kept = ledger.kept([lease.record.id])[0]
    assert kept is not None
    assert kept.record.generation == 1
    assert [_born_in(ledger, item) for item in (twin, other, refused)] == [2, 2, 2]


def test_a_reconciler_that_is_late_changes_nothing(ledger: Ledger) -> None:
    """Two of them roll over side by side: neither number goes down, and nothing is rolled over twice."""
    ledger.roll(3, 2)

    assert ledger.roll(3, 2) == Generations(oldest=2, current=3)
    assert ledger.roll(2, 1) == Generations(oldest=2, current=3)
    assert ledger.roll(0, 0) == Generations(oldest=2, current=3)
    assert ledger.generations() == Generations(oldest=2, current=3)


def test_the_current_generation_is_never_given_up(ledger: Ledger) -> None:
    """Whatever is asked: a new job's document must have an index."""
    ledger.roll(3, 9)
    ledger.accept([item := job()])

    assert ledger.generations() == Generations(oldest=3, current=3)
    assert not ledger.generations().is_dropped(_born_in(ledger, item))


@pytest.mark.parametrize("parts", ["valkey"], indirect=True)
@pytest.mark.parametrize(
    "commands", [(("SET", "x"),), (("HSET", "current", "soon"),)], ids=["another type", "no number"]
)
def test_what_another_program_wrote_there_is_refused_before_anything_is_written(
    ledger: Ledger, valkey_server: RedisServer, commands: tuple[tuple[str, ...], ...]
) -> None:
    """An accepted job would be in an index that nobody knows."""
    with redis.Redis.from_url(valkey_server.unix_url, decode_responses=True, protocol=2) as client:
        for command, *values in commands:
            client.execute_command(command, "{t}:generations", *values)
        before = sorted(client.scan_iter())

        for step in (lambda: ledger.accept([job()]), lambda: ledger.roll(2, 0), ledger.generations):
            with pytest.raises(Internal):
                step()

        assert sorted(client.scan_iter()) == before
