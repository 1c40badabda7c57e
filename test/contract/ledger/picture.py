"""All that a ledger holds, as one value: what two ledgers that did the same must agree on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import redis

from hysds.adapters.ledger import codec
from hysds.core.book import Book
from hysds.core.floor_requests import Announcement, Drain, Fit
from hysds.core.generations import Generations
from hysds.core.queue_tallies import QueueTally
from hysds.core.record import Attempt, Record
from hysds.core.requests import Event
from hysds.core.status import Status
from hysds.core.throttle_values import Pair, Throttle, pair_of_line
from hysds.core.throttles import Throttles

_DUMP = """
local rows = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind, value = redis.call('TYPE', key).ok, false
  if kind == 'hash' then value = redis.call('HGETALL', key) end
  if kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
  if kind == 'set' then value = redis.call('SMEMBERS', key) end
  if kind == 'list' then value = redis.call('LRANGE', key, 0, -1) end
  if kind == 'string' then value = redis.call('GET', key) end
  rows[#rows + 1] = {string.sub(key, #ARGV[1] + 1), value}
end
return {rows, redis.call('XRANGE', ARGV[1] .. 'events', ARGV[2], '+')}
"""


@dataclass(frozen=True)
class Picture:
    """The same fields from either side; what the book derives and Redis stores as an index is here too."""

    records: Mapping[str, Record]
    specs: Mapping[str, str]
    attempts: Mapping[str, Sequence[Attempt]]
    errors: Mapping[str, str]
    keys: Mapping[str, tuple[str, int]]
    ready: Mapping[tuple[str, str], Sequence[tuple[int, str]]]
    due: Mapping[str, int]
    leases: Mapping[str, int]
    workers: Mapping[str, tuple[int, Announcement | None, int, str]]
    inboxes: Mapping[str, Sequence[str]]
    paused: frozenset[str]
    known: Mapping[str, int]
    tallies: Mapping[str, QueueTally]
    retire: Mapping[str, int]
    retire_keys: Mapping[str, int]
    clock: tuple[int, int, int]
    held: Mapping[str, Mapping[str, str]]
    hears: Mapping[str, frozenset[str]]
    shapes: Mapping[str, frozenset[str]]
    queues: frozenset[str]
    drains: Mapping[str, Drain]
    throttles: Mapping[str, Throttle]
    holders: Mapping[str, Mapping[str, int]]
    called: Mapping[tuple[str, Pair], Mapping[str, int]]
    expected: Mapping[tuple[str, Pair], int]
    lines: Mapping[str, Sequence[tuple[int, str]]]
    at: Mapping[str, str]
    waits: Mapping[tuple[str, Pair], Mapping[str, int]]
    pairs: Mapping[str, frozenset[Pair]]
    tokens: Mapping[str, int]
    behind: frozenset[str]
    kids: Mapping[str, Mapping[str, int]]
    members: Mapping[str, Mapping[str, int]]
    staged: Mapping[str, Sequence[tuple[Mapping[str, Any], str]]]
    dependents: Mapping[str, frozenset[str]]
    chores: Mapping[str, int]
    generations: Generations


def of_book(book: Book) -> Picture:
    """The picture of a memory ledger."""
    held: dict[str, dict[str, str]] = {}
    for record in book.records.values():
        if record.status is Status.STARTED:
            held.setdefault(record.owner, {})[record.id] = record.shape
    shapes: dict[str, set[str]] = {}
    for queue, shape in book.places.ready:
        shapes.setdefault(queue, set()).add(shape)
    hears: dict[str, set[str]] = {}
    for name, worker in book.floor.workers.items():
        drained = book.floor.drain_of(name) is not None
        if worker.announcement is not None and worker.announcement.slots > 0 and not drained:
            for queue in worker.announcement.queues:
                hears.setdefault(queue, set()).add(name)
    keys = {digest: (key.owner, key.until_ms) for digest, key in book.keys.by_digest.items()}
    return Picture(
        records=dict(book.records),
        specs=dict(book.specs),
        attempts={id: list(attempts) for id, attempts in book.attempts.items()},
        errors=dict(book.errors),
        keys=keys,
        ready={pair: list(entries) for pair, entries in book.places.ready.items()},
        due=dict(book.places.due),
        leases=dict(book.places.leases),
        workers={
            name: (worker.until_ms, worker.announcement, worker.pledged, worker.reserved)
            for name, worker in book.floor.workers.items()
        },
        inboxes={name: list(notices) for name, notices in book.floor.inboxes.items()},
        paused=frozenset(book.paused),
        known=book.queues.known(),
        tallies={one.queue: replace(one, ready=0, oldest_ms=0) for one in book.queues.all()},
        retire=dict(book.retire),
        retire_keys={digest: until_ms for digest, (_, until_ms) in keys.items() if until_ms > 0},
        clock=(book.clock.ms, book.clock.wall_ms, book.clock.debt_ms),
        held=held,
        hears={queue: frozenset(names) for queue, names in hears.items()},
        shapes={queue: frozenset(names) for queue, names in shapes.items()},
        queues=frozenset(shapes) | frozenset(book.paused),
        drains=dict(book.floor.drains),
        **_throttles_of(book.throttles),
        kids={id: asdict(kids) for id, kids in book.kin.kids.items()},
        members={
            id: {name: int(told) for name, told in told.items()} for id, told in book.kin.members.items()
        },
        staged={
            id: [(json.loads(codec.dumps(codec.submission(item))), item.spec) for item in line]
            for id, line in book.kin.staged.items()
        },
        dependents={id: frozenset(names) for id, names in book.kin.dependents.items()},
        chores={f"{chore} {id}": ms for (chore, id), ms in book.kin.chores.items()},
        generations=book.generations,
    )


def _throttles_of(throttles: Throttles) -> dict[str, Any]:
    waits: dict[tuple[str, Pair], dict[str, int]] = {}
    for line, name in throttles.at.items():
        waits.setdefault((name, pair_of_line(line)), {})[line] = throttles.lines[line][0][0]
    pairs: dict[str, set[Pair]] = {}
    for name, pair in [*waits, *throttles.called]:
        pairs.setdefault(name, set()).add(pair)
    return {
        "throttles": dict(throttles.known),
        "holders": {name: dict(held) for name, held in throttles.holders.items()},
        "called": {key: dict(scores) for key, scores in throttles.called.items()},
        "expected": dict(throttles.expected),
        "lines": {line: list(entries) for line, entries in throttles.lines.items()},
        "at": dict(throttles.at),
        "waits": waits,
        "pairs": {name: frozenset(found) for name, found in pairs.items()},
        "tokens": dict(throttles.tokens),
        "behind": frozenset(throttles.behind),
    }


class RedisCamera:
    """Takes pictures of the keys under one prefix, and reads on in the event stream."""

    def __init__(self, client: redis.Redis, base: str) -> None:
        self._dump: Any = client.register_script(_DUMP)
        self._base = base
        self._after = "-"

    def take(self) -> tuple[Picture, list[Event]]:
        """What there is now, and the events since the last picture."""
        rows, entries = self._dump(args=[self._base, self._after])
        if entries:
            self._after = f"({entries[-1][0]}"
        return _of_keys(dict(rows)), [codec.event(flat) for _, flat in entries]


def _of_keys(keys: Mapping[str, Any]) -> Picture:
    def named(kind: str) -> dict[str, Any]:
        return {name.removeprefix(kind): value for name, value in keys.items() if name.startswith(kind)}

    clock = _pairs(keys.get("clock", []))
    long = named("long:")
    return Picture(
        records={
            id: codec.record(["id", id, *flat, *long.get(id, [])]) for id, flat in named("job:").items()
        },
        specs=named("spec:"),
        attempts={id: [codec.attempt(text) for text in texts] for id, texts in named("tries:").items()},
        errors=named("error:"),
        keys={digest: (text.split()[0], int(text.split()[1])) for digest, text in named("dedup:").items()},
        ready={
            _pair(name): [(score, id) for id, score in _scores(flat).items()]
            for name, flat in named("ready:").items()
        },
        due=_scores(keys.get("due", [])),
        leases=_scores(keys.get("lease", [])),
        workers={
            name: (until_ms, *_worker(_pairs(keys.get(f"worker:{name}", []))))
            for name, until_ms in _scores(keys.get("workers", [])).items()
        },
        inboxes=named("inbox:"),
        paused=frozenset(name for name, flat in named("queue:").items() if _pairs(flat).get("paused") == "1"),
        known=_scores(keys.get("known", [])),
        tallies={name: codec.tally((name, 0, 0, flat)) for name, flat in _queues(keys).items()},
        retire=_scores(keys.get("retire", [])),
        retire_keys=_scores(keys.get("retire:keys", [])),
        clock=(
            int(clock.get("clock_ms", "0")),
            int(clock.get("wall_ms", "0")),
            int(clock.get("debt_ms", "0")),
        ),
        held={name: _pairs(flat) for name, flat in named("held:").items()},
        hears={queue: frozenset(_scores(flat)) for queue, flat in named("hears:").items()},
        shapes={queue: frozenset(names) for queue, names in named("shapes:").items()},
        queues=frozenset(keys.get("queues", [])),
        drains={order.name: order for order in codec.drains(keys.get("drains", []))},
        throttles={name: _throttle(_pairs(flat)) for name, flat in named("throttle:").items()},
        holders={name: _scores(flat) for name, flat in named("holders:").items()},
        called={_name_and_pair(name): _scores(flat) for name, flat in named("called:").items()},
        expected={
            (name, Pair(*pair.split("\n"))): ms
            for name, flat in named("expects:").items()
            for pair, ms in _scores(flat).items()
        },
        lines={
            line: [(score, id) for id, score in _scores(flat).items()]
            for line, flat in named("line:").items()
        },
        at=_pairs(keys.get("lines", [])),
        waits={_name_and_pair(name): _scores(flat) for name, flat in named("wait:").items()},
        pairs={
            name: frozenset(Pair(*one.split("\n")) for one in all_) for name, all_ in named("pairs:").items()
        },
        tokens=_scores(keys.get("tokens", [])),
        behind=frozenset(keys.get("behind", [])),
        kids={
            id: {name: int(text) for name, text in _pairs(flat).items()}
            for id, flat in named("kids:").items()
        },
        members={id: _scores(flat) for id, flat in named("members:").items()},
        staged={
            id: [(json.loads(texts[at]), texts[at + 1]) for at in range(0, len(texts), 2)]
            for id, texts in named("staged:").items()
        },
        dependents={id: frozenset(_scores(flat)) for id, flat in named("after:").items()},
        chores=_scores(keys.get("chores", [])),
        generations=codec.generations(keys.get("generations", [])),
    )


def _worker(fields: Mapping[str, str]) -> tuple[Announcement | None, int, str]:
    announcement = None
    if "slots" in fields:
        now, empty, never = (tuple(json.loads(fields[name])) for name in ("now", "empty", "never"))
        announcement = Announcement(
            fields["host"],
            fields["name"],
            tuple(json.loads(fields["queues"])),
            int(fields["slots"]),
            Fit(now, empty, never),
            fields["facts"],
        )
    return announcement, int(fields.get("pledged", "0")), fields.get("reserved", "")


def _queues(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of each queue that is known; one that only has ready jobs needs none."""
    names = {*_scores(keys.get("known", [])), *keys.get("queues", [])}
    return {name: keys.get(f"queue:{name}", []) for name in names} | {
        name.removeprefix("queue:"): flat for name, flat in keys.items() if name.startswith("queue:")
    }


def _pair(name: str) -> tuple[str, str]:
    queue, _, shape = name.rpartition(":")
    return queue, shape


def _throttle(fields: Mapping[str, str]) -> Throttle:
    return Throttle(**{name: int(value) for name, value in fields.items()})


def _name_and_pair(text: str) -> tuple[str, Pair]:
    name, queue, shape = text.split("\n")
    return name, Pair(queue, shape)


def _pairs(flat: Sequence[str]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _scores(flat: Sequence[str]) -> dict[str, int]:
    return {member: int(float(score)) for member, score in _pairs(flat).items()}
