"""What only logs on a real server can show: full memory, keys that expire, books that stay exact, repeated sends."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hysds.adapters.ledger.logs_memory import MemoryLogs
from hysds.adapters.ledger.logs_redis import RedisLogs
from hysds.adapters.ledger.scripts import Script
from hysds.adapters.ledger.server import Server
from hysds.core.errors import Full, Internal
from hysds.ports.logs import Chunk
from hysds.settings import model
from services.redis import RedisOptions, RedisServer

JOB = "01890000-0000-7000-8000-000000000001"
OTHER = "01890000-0000-7000-8000-000000000002"
MB = 10**6


@pytest.fixture
def server(valkey_server: RedisServer) -> Iterator[Server]:
    """A connection to the session's Valkey."""
    server = Server(valkey_server.url)
    yield server
    server.close()


@pytest.fixture(params=["start_valkey", "start_redis"])
def small(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of 32 MB: output may use it up to 28 MB."""
    start: Callable[[RedisOptions], RedisServer] = request.getfixturevalue(request.param)
    server = Server(start(RedisOptions(maxmemory_bytes=32 * MB)).url)
    yield server
    server.close()


def _noise(size_bytes: int, offset: int = 0) -> Chunk:
    """Output that nothing could make smaller."""
    return Chunk("stdout", offset, random.Random(offset).randbytes(size_bytes))


def _used(server: Server) -> int:
    told = str(server.wait("INFO", "memory", timeout_s=0))
    return int(told.split("used_memory:")[1].split(maxsplit=1)[0])


def _held(server: Server, name: str) -> dict[str, int]:
    """What each log really takes, counted from its entries, plus its fixed costs."""
    sizes = {}
    for key in server.send("KEYS", f"{{{name}}}:log:*"):
        rows = server.wait("XRANGE", key, "-", "+", timeout_s=0, as_bytes=True)
        data = [dict(zip(flat[::2], flat[1::2], strict=True)).get(b"d", b"") for _, flat in rows]
        sizes[key.removeprefix(f"{{{name}}}:log:")] = 512 + sum(64 + len(part) for part in data)
    return sizes


def _fill_up(server: Server, size_bytes: int) -> None:
    """Jobs take all memory that there is: one of these is refused."""
    numbers = itertools.count()
    with pytest.raises(Full):  # noqa: PT012 - which write is refused does not matter
        while True:
            server.send("SET", f"job:{next(numbers)}", "x" * size_bytes)


def _booked(server: Server, name: str) -> tuple[dict[str, int], set[str]]:
    """What each log takes by the books, and which have a time to go."""
    flat = server.send("ZRANGE", f"{{{name}}}:logs:size", 0, -1, "WITHSCORES")
    due = server.send("ZRANGE", f"{{{name}}}:logs:due", 0, -1)
    return {log: int(size) for log, size in zip(flat[::2], flat[1::2], strict=True)}, set(due)


def test_output_leaves_the_last_eighth_of_the_servers_memory_to_the_jobs(
    small: Server, unique_name: str
) -> None:
    """Logs whose own bound is far above the server's memory stop before it: each write of a job goes through."""
    logs = RedisLogs(small, unique_name, model.Logs(per_job_bytes=16 * MB, memory_bytes=256 * MB))
    for at in range(400):
        logs.append(f"{JOB}{at % 4}", 1, [_noise(200_000, at * 200_000)])
        small.send("SET", "job", "x" * 100_000)

    assert _used(small) <= 29 * MB
    assert 10 * MB < logs.held_bytes() < 28 * MB
    assert sum(_held(small, unique_name).values()) == logs.held_bytes()


def test_logs_give_way_when_the_jobs_need_the_memory(small: Server, unique_name: str) -> None:
    """When jobs have filled the server, the next output is dropped, says so, and frees what logs held."""
    logs = RedisLogs(small, unique_name, model.Logs(per_job_bytes=16 * MB, memory_bytes=256 * MB))
    for at in range(50):
        assert logs.append(JOB, 1, [_noise(200_000, at * 200_000)]) == 0
    _fill_up(small, 100_000)

    assert logs.append(JOB, 1, [_noise(200_000, 10 * MB)]) == 200_000
    assert logs.held_bytes() < 7 * MB
    small.send("SET", "job:more", "x" * 100_000)
    assert sum(_held(small, unique_name).values()) == logs.held_bytes()


def test_dropped_output_shows_as_missed_and_the_end_is_still_told(small: Server, unique_name: str) -> None:
    """With the server full of jobs nothing is kept of the output; its follower learns the amount, and the end."""
    logs = RedisLogs(small, unique_name, model.Logs())
    _fill_up(small, 100_000)
    small.send("DEL", *(f"job:{number}" for number in range(10)))
    assert logs.append(JOB, 1, [_noise(1000)]) == 1000
    assert logs.append(JOB, 1, [_noise(500, 1000), Chunk("note", 0, b"gone")]) == 504
    logs.finish(JOB, 1)

    heard = logs.read(JOB, 1, "", 10, 0)
    assert (heard.chunks, heard.missed_bytes, heard.ended) == ((), 1504, True)


def test_an_end_is_marked_even_in_full_memory(small: Server, unique_name: str) -> None:
    """`finish` is a few bytes, and followers must not wait for them until memory is free."""
    logs = RedisLogs(small, unique_name, model.Logs())
    logs.append(JOB, 1, [_noise(1000)])
    _fill_up(small, 10_000)
    logs.finish(JOB, 1)

    assert logs.read(JOB, 1, "", 10, 0).ended


def test_keys_expire_by_themselves_and_the_books_follow(server: Server, unique_name: str) -> None:
    """Without any further step the server frees a log's keys; the next step takes it out of the sum, exactly."""
    logs = RedisLogs(server, unique_name, model.Logs(retention_s=3600))
    logs.append(JOB, 1, [_noise(5000)])
    logs.append(OTHER, 1, [_noise(7000)])
    logs.finish(JOB, 1)
    lives_s = [server.send("TTL", f"{{{unique_name}}}:{kind}:{JOB}:1") for kind in ("log", "logstate")]
    assert [3590 <= life_s <= 3600 for life_s in lives_s] == [True, True]
    # As if the hour were over: the keys go, and so does their time in the books.
    server.send("DEL", *(f"{{{unique_name}}}:{kind}:{JOB}:1" for kind in ("log", "logstate")))
    server.send("ZADD", f"{{{unique_name}}}:logs:due", 1, f"{JOB}:1")
    logs.append(OTHER, 1, [_noise(1000, 7000)])

    assert logs.held_bytes() == 512 + 64 + 7000 + 64 + 1000
    assert _booked(server, unique_name) == (_held(server, unique_name), {f"{OTHER}:1"})


@pytest.mark.parametrize("lost", ["log", "logstate"])
def test_a_log_that_lost_a_key_begins_anew(server: Server, unique_name: str, lost: str) -> None:
    """Half a log, whoever deleted the other half, is dropped whole before output is added, and the sum holds."""
    logs = RedisLogs(server, unique_name, model.Logs())
    logs.append(JOB, 1, [_noise(5000)])
    server.send("DEL", f"{{{unique_name}}}:{lost}:{JOB}:1")
    logs.append(JOB, 1, [_noise(1000, 5000)])

    assert logs.held_bytes() == 512 + 64 + 1000
    assert _booked(server, unique_name) == (_held(server, unique_name), {f"{JOB}:1"})


class Repeating(Server):
    """Sends every script twice, as after an answer that was lost on the way."""

    def run(self, script: Script, keys: Any, arguments: Any) -> Any:
        super().run(script, keys, arguments)
        return super().run(script, keys, arguments)


def test_a_repeated_append_adds_nothing(valkey_server: RedisServer, unique_name: str) -> None:
    """The transport repeats a send whose answer was lost: the output stands once, with the first answer."""
    server = Repeating(valkey_server.url)
    logs = RedisLogs(server, unique_name, model.Logs())
    assert logs.append(JOB, 1, [Chunk("stdout", 0, b"once"), Chunk("note", 0, b"too")]) == 0
    assert logs.append(JOB, 1, [Chunk("stdout", 4, b"more")]) == 0
    logs.finish(JOB, 1)

    heard = logs.read(JOB, 1, "", 10, 0)
    assert [chunk.data for chunk in heard.chunks] == [b"once", b"too", b"more"]
    assert (heard.missed_bytes, heard.ended) == (0, True)
    server.close()


class Counting(Server):
    """Counts what goes out and comes back."""

    sends = 0

    def _insist(self, call: Callable[[], Any]) -> Any:
        self.sends += 1
        return super()._insist(call)


def test_each_call_is_one_round_trip(valkey_server: RedisServer, unique_name: str) -> None:
    """However many chunks are appended or read, and with others' logs to be dropped for them."""
    server = Counting(valkey_server.url)
    logs = RedisLogs(server, unique_name, model.Logs(per_job_bytes=100_000, memory_bytes=200_000))
    calls = [
        lambda: logs.append(JOB, 1, [_noise(1000, at * 1000) for at in range(90)]),
        lambda: logs.finish(JOB, 1),
        lambda: logs.append(OTHER, 1, [_noise(90_000)]),
        lambda: logs.append(f"{JOB}3", 1, [_noise(90_000)]),
        lambda: logs.read(OTHER, 1, "", 100, 1),
    ]
    counts = []
    for call in calls:
        before = server.sends
        call()
        counts.append(server.sends - before)
    server.close()

    assert counts == [1] * len(calls)


@pytest.mark.parametrize("key", ["log:{JOB}:1", "logstate:{JOB}:1", "logs:due", "logs:size", "logs:total"])
def test_a_key_of_another_type_stops_the_step_before_it_writes(
    server: Server, unique_name: str, key: str
) -> None:
    """Something else under one of the keys is an error, and no other key is made."""
    foreign = f"{{{unique_name}}}:{key.format(JOB=JOB)}"
    server.send("RPUSH", foreign, "foreign")
    logs = RedisLogs(server, unique_name, model.Logs())
    with pytest.raises(Internal, match="should be a"):
        logs.append(JOB, 1, [_noise(10)])
    with pytest.raises(Internal, match="should be a"):
        logs.finish(JOB, 1)

    assert server.send("KEYS", f"{{{unique_name}}}:*") == [foreign]


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("append"),
            st.integers(0, 5),
            st.lists(
                st.tuples(st.sampled_from(["stdout", "stderr", "note"]), st.integers(1, 40_000)),
                min_size=1,
                max_size=4,
            ),
        ),
        st.tuples(st.just("finish"), st.integers(0, 5), st.just([])),
        st.tuples(st.just("move"), st.sampled_from([1, 3, 40, 200, 90_000]), st.just([])),
        st.tuples(st.just("lose"), st.integers(0, 5), st.just([])),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_the_books_are_exact_whatever_happens(server: Server, unique_name: str, steps: Any) -> None:
    """Appends, ends, time and lost keys in any order: the sum is that of the books, and the books are what is kept.

    Only a log that just lost its keys may still stand in them, until its time or its next step comes.
    """
    server.send("FLUSHALL")
    now_ms = [1_800_000_000_000]
    bounds = model.Logs(per_job_bytes=70_000, memory_bytes=200_000, retention_s=100)
    logs = RedisLogs(server, unique_name, bounds, lambda: now_ms[0])
    offsets: dict[tuple[int, str], int] = {}
    for kind, number, parts in steps:
        id = f"{JOB}{number}"
        if kind == "append":
            chunks = []
            for stream, size in parts:
                offset = offsets.get((number, stream), 0)
                offsets[number, stream] = offset + size
                chunks.append(Chunk(stream, offset, b"z" * size))
            assert logs.append(id, 1, chunks) in (0, sum(size for _, size in parts))
        elif kind == "finish":
            logs.finish(id, 1)
        elif kind == "move":
            now_ms[0] += number * 1000
        else:
            server.send("DEL", f"{{{unique_name}}}:log:{id}:1", f"{{{unique_name}}}:logstate:{id}:1")
        sizes, due = _booked(server, unique_name)
        held = _held(server, unique_name)
        assert {log: size for log, size in sizes.items() if log in held} == held
        assert set(sizes) == due
        assert sum(sizes.values()) == logs.held_bytes() <= 200_000 + 512 + 64
    now_ms[0] += 10**9
    logs.append(OTHER, 1, [Chunk("stdout", 0, b"x")])

    assert logs.held_bytes() == 512 + 65
    assert len(server.send("KEYS", f"{{{unique_name}}}:*")) == 5


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_memory_and_server_answer_alike(server: Server, unique_name: str, steps: Any) -> None:
    """The same calls in any order get the same answers from both, and the same is read at the end."""
    server.send("FLUSHALL")
    now_ms = [1_800_000_000_000]
    bounds = model.Logs(per_job_bytes=70_000, memory_bytes=200_000, retention_s=100)
    both = [
        RedisLogs(server, unique_name, bounds, lambda: now_ms[0]),
        MemoryLogs(bounds, lambda: now_ms[0] / 1000),
    ]
    for kind, number, parts in steps:
        now_ms[0] += number * 1000 if kind == "move" else 1
        if kind == "append":
            chunks = [Chunk(stream, 0, b"z" * size) for stream, size in parts]
            one, other = (logs.append(f"{JOB}{number}", 1, chunks) for logs in both)
            assert one == other
        elif kind == "finish":
            for logs in both:
                logs.finish(f"{JOB}{number}", 1)
    for logs in both:
        logs.append(OTHER, 1, [Chunk("stdout", 0, b"sweeps")])

    assert both[0].held_bytes() == both[1].held_bytes()
    for number in range(6):
        one, other = (logs.read(f"{JOB}{number}", 1, "", 100, 0) for logs in both)
        assert (one.chunks, one.missed_bytes, one.ended) == (other.chunks, other.missed_bytes, other.ended)
