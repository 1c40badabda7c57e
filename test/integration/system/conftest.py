"""Whole systems, on each broker."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator

import pytest

from services.process import own_directory
from services.redis import RedisServer
from worlds.system import RunningSystem


@pytest.fixture
def systems(valkey_server: RedisServer, unique_name: str) -> Iterator[Callable[..., RunningSystem]]:
    """Set up a system whose ledger is the session's Valkey; all of it ends with the test."""
    with contextlib.ExitStack() as stack:

        def make(broker_url: str, ledger_url: str | None = None, **variables: str) -> RunningSystem:
            url = ledger_url or valkey_server.url
            home = own_directory("system")
            # Guardians of killed workers may still be at work below it.
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            made = RunningSystem(home, url, broker_url, HYSDS_LEDGER_PREFIX=unique_name, **variables)
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture(params=["valkey", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """Each broker in turn; the Valkey one in a database of its own."""
    server = request.getfixturevalue(f"{request.param}_server")
    return f"{server.url[:-1]}1" if request.param == "valkey" else server.url
