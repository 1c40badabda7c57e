"""The memory ledger and the Redis one never differ, whatever is done to them in whatever order."""

from __future__ import annotations

import os
import random
import secrets

import pytest
import redis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from contract.ledger.run_down import RunDown
from contract.ledger.side_by_side import SideBySide, Step
from hysds.adapters.ledger.server import Server
from services.redis import RedisServer

_EXAMPLES = 105
_STEPS = 100
_NUMBER = st.integers(0, 999)
_SEED = int(os.environ.get("HYSDS_LEDGER_SEED") or secrets.randbits(32))


def test_both_ledgers_do_the_same_in_ten_thousand_steps(
    valkey_server: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers, records, sets, keys, inboxes and events are equal after each step, and no rule is broken.

    Stale fences, lost replies, given-up nonces, a clock that jumps. HYSDS_LEDGER_SEED repeats a run.
    """
    server = Server(valkey_server.unix_url)
    client = redis.Redis.from_url(valkey_server.unix_url, decode_responses=True, protocol=2)
    taken = 0

    @seed(_SEED)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # shrinking so many numbers takes minutes and does not make the steps fewer
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.tuples(*(_NUMBER,) * 5), min_size=_STEPS, max_size=_STEPS))
    def run(steps: list[Step]) -> None:
        nonlocal taken
        valkey_server.flush()
        both = SideBySide(server, client, "t")
        for step in steps:
            taken += 1
            both.take(step)

    with capsys.disabled():
        print(f"\nledger side by side: HYSDS_LEDGER_SEED={_SEED}", end="", flush=True)
    try:
        run()
    finally:
        client.close()
        server.close()
    with capsys.disabled():
        print(f", {taken} steps")

    assert taken >= 10_000


@pytest.mark.parametrize("number", range(6))
def test_all_ends_and_nothing_is_left(
    valkey_server: RedisServer, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    """Whatever was begun, each job ends once workers and a reconciler go on, and is forgotten with all that it had."""
    chance = random.Random(_SEED + number)
    with capsys.disabled():
        print(f"\nrun down: HYSDS_LEDGER_SEED={_SEED}", end="", flush=True)
    server = Server(valkey_server.unix_url)
    client = redis.Redis.from_url(valkey_server.unix_url, decode_responses=True, protocol=2)
    both = RunDown(server, client, "t", chance)
    try:
        for _ in range(_STEPS):
            both.take(tuple(chance.randrange(1_000) for _ in range(5)))  # type: ignore[arg-type]

        both.end_all()
        both.forget_all()
    finally:
        client.close()
        server.close()
