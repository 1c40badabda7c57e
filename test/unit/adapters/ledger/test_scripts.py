"""The scripts as they are sent."""

from __future__ import annotations

import hashlib
from importlib import resources

import pytest

from hysds.adapters.ledger import scripts

_NAMES = sorted(
    file.name.removesuffix(".lua")
    for file in (resources.files("hysds.adapters.ledger") / "lua").iterdir()
    if file.name.endswith(".lua") and not file.name.startswith("log_")
)


_READS = {
    *("EXISTS", "GET", "HEXISTS", "HGETALL", "HMGET", "LLEN", "LRANGE", "SCAN", "SISMEMBER", "SMEMBERS"),
    *("ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZSCAN"),
}


@pytest.mark.parametrize("name", _NAMES)
def test_a_transition_keeps_its_flags_on_the_first_line(name: str) -> None:
    """Redis reads them there alone; only what takes new jobs in may be refused when memory is full."""
    script = scripts.transition(name)

    flags = "#!lua" if name in ("accept", "reject", "stage") else "#!lua flags=allow-oom"
    assert script.text.splitlines()[0] == flags
    assert script.text.count("#!lua") == 1
    assert script.sha == hashlib.sha1(script.text.encode()).hexdigest()


@pytest.mark.parametrize("name", _NAMES)
def test_a_transition_writes_only_when_all_is_decided(name: str) -> None:
    """Its own file calls nothing of the server that writes: writes are staged, and `finish` carries them out."""
    own = (resources.files("hysds.adapters.ledger") / "lua" / f"{name}.lua").read_text()

    called = {part.split("'")[0] for part in own.split("redis.call('")[1:]}
    assert called <= _READS
