"""A ledger that a scene is played on, and the history of what happened there.

Calls go through the ledger's port to a real server; the clock is the scene's. What a worker is told, what its jobs do
and what the stream tells is written down for the checker. A worker here obeys what it is told, as a real one does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hysds.adapters.ledger.redis import RedisLedger
from hysds.adapters.ledger.redis_events import RedisEvents
from hysds.adapters.ledger.scripts import Script
from hysds.adapters.ledger.server import Server
from hysds.chaos.history import (
    Answer,
    Asked,
    Call,
    Document,
    Effect,
    History,
    Kind,
    Leftover,
    Listed,
    Mark,
    Terms,
)
from hysds.core.document import document
from hysds.core.errors import HysdsError
from hysds.core.floor_requests import Announcement, Drain, Fit
from hysds.core.generations import FIRST
from hysds.core.ledger_clock import CLOCK_CAP_MS
from hysds.core.record import GROUP
from hysds.core.requests import Acceptance, Accepting, Bid, Commit, Held, Lease, Purge, Renewal
from hysds.core.status import Status
from hysds.lib import uuid7
from hysds.ports.events import Entry

START_US = 1_800_000_000_000_000
LEASE_MS = 10_000
ANNOUNCE_MS = 20_000
RETENTION_MS = 60_000
TWINS = frozenset({Status.QUEUED, Status.WAITING, Status.STARTED, Status.COMPLETED})
_TRANSIENT = ("lease", "due", "workers", "queues", "chores", "lines", "tokens", "behind")
_TRANSIENT_OF = (
    *("ready:", "shapes:", "held:", "worker:", "inbox:", "hears:"),
    *("kids:", "members:", "staged:", "after:"),
    *("throttle:", "holders:", "called:", "wait:", "pairs:", "line:", "expects:"),
)


class ScriptedServer(Server):
    """A connection whose transitions are scripts of our own; everything else is the ledger's."""

    def __init__(self, url: str, script: Callable[[str], Script]) -> None:
        super().__init__(url)
        self._script = script

    def run(
        self,
        script: Script,
        keys: Sequence[str],
        arguments: Sequence[str | int | bytes],
        as_bytes: bool = False,
    ) -> Any:
        is_ours = "/" not in script.name and not script.name.startswith("log_")
        return super().run(self._script(script.name) if is_ours else script, keys, arguments, as_bytes)


class SceneOver(Exception):
    """What a scene goes on with did not happen: what did is judged as it is."""


@dataclass
class Stage:
    """One scene's ledger. `now_us` is the server's wall clock, `boot_us` the host's, which nobody can set."""

    server: Server
    now_us: int = START_US
    boot_us: int = 1_000_000
    terms: Terms = field(default_factory=Terms)

    def __post_init__(self) -> None:
        self.ledger = RedisLedger(self.server, "m", RETENTION_MS, lambda: self.now_us)
        self.events = RedisEvents(self.server, "m")
        self.asked: dict[str, Asked] = {}
        self.items: dict[str, Acceptance] = {}
        self.told: dict[str, Entry] = {}
        self.answers: list[Answer] = []
        self.effects: list[Effect] = []
        self.drained: set[str] = set()
        self.oldest = FIRST
        """The generations below were dropped."""
        self.store: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self._position = ""

    # ---- time ------------------------------------------------------------------------------------------------------

    def pass_ms(self, ms: int) -> None:
        """Time passes, and the reconciler ticks every second of it."""
        while ms > 0:
            part = min(ms, 1_000)
            self.now_us += part * 1_000
            self.boot_us += part * 1_000
            ms -= part
            self.ledger.wake(100)
            self.ledger.settle(100)

    def jump_ms(self, ms: int) -> None:
        """Somebody sets the wall clock, or the ledger was away; the next step sees it."""
        self.now_us += ms * 1_000

    def lose_leases(self) -> None:
        """Time passes until every lease of now is over, and the reconciler ends them."""
        self.pass_ms(LEASE_MS + 1_000 + CLOCK_CAP_MS)  # a wall clock that went back costs the cap once
        self.ledger.expire(100)

    # ---- submitters ------------------------------------------------------------------------------------------------

    def submit(
        self, ends: Sequence[Status] = (Status.COMPLETED,), steps: int | None = None, **changes: Any
    ) -> str:
        """A new job's id. `steps`: None, it leaves no effects."""
        number = next(self._numbers)
        id = uuid7.compose(self.now_us // 1_000, number, 0)
        item = replace(
            Acceptance(id, digest=f"digest {number}", spec='{"job_type": "job:m"}', queue="gpu", shape="1s"),
            **changes,
        )
        self.accept(item, ends, steps)
        return id

    def accept(self, item: Acceptance, ends: Sequence[Status], steps: int | None = None) -> None:
        """Submit this, and remember what was answered."""
        self.step()
        [answer] = self.ledger.accept([item]).answers
        forced = item.may_repeat or bool(item.retry_of)
        self.items[item.id] = item
        self.asked[item.id] = Asked(
            *(item.id, answer.how.value, steps, frozenset(ends), item.dedup, forced),
            limits=item.limits,
            oldest=self.oldest,
        )

    def group(self, members: int, staged: bool = False, ends: Sequence[Status] = (Status.COMPLETED,)) -> str:
        """A group of so many jobs, in one step, or staged and sealed; its id."""
        number = next(self._numbers)
        group = Acceptance(
            uuid7.compose(self.now_us // 1_000, number, 0),
            f"digest {number}",
            '{"job_type": "job:m"}',
            "gpu",
            "1s",
            kind=GROUP,
            members=members,
            staged=members if staged else 0,
        )
        items = [self._member(group) for _ in range(members)]
        self.step()
        answers = self.ledger.accept([group] if staged else [group, *items]).answers
        if staged:
            # Whoever seals too early must not get half of a group going.
            self.ledger.stage(group.id, 0, items[: members - 1])
            self.ledger.seal(group.id)
            self.ledger.stage(group.id, 0, items)
            self.ledger.seal(group.id)
            self.ledger.settle(100)
        for item in (group, *items):
            may = ends if item is group or len(ends) > 1 else (Status.COMPLETED,)
            self.asked[item.id] = Asked(item.id, answers[0].how.value, None, frozenset(may), "", False)
        return group.id

    def family(self, *items: Acceptance, ends: Sequence[Sequence[Status]]) -> None:
        """These jobs in one step, and how each that is accepted may end."""
        self.step()
        answers = self.ledger.accept(items).answers
        for item, answer, may in zip(items, answers, ends, strict=True):
            if answer.how is not Accepting.ACCEPTED:
                continue
            self.asked[item.id] = Asked(item.id, answer.how.value, None, frozenset(may), "", False)

    def _member(self, group: Acceptance) -> Acceptance:
        number = next(self._numbers)
        id = uuid7.compose(self.now_us // 1_000, number, 0)
        return Acceptance(id, f"digest {number}", '{"job_type": "job:m"}', "gpu", "1s", parent=group.id)

    def cancel(self, id: str) -> None:
        """Ask for a job's end."""
        self.step()
        [(_, told)] = self.ledger.cancel([id]).answers
        self.asked[id] = replace(self.asked[id], cancel=told)

    def purge(self, id: str, digest: str = "") -> None:
        """An operator takes a job out for good, where the ledger lets him."""
        self.step()
        self.ledger.purge([Purge(id, digest)])

    def drain(self, worker: str) -> None:
        """An operator's order; `undrain` takes it back."""
        self.step()
        self.ledger.drain(Drain(worker, "scene", self.now_us // 1_000, 0))
        self.drained.add(worker)

    def undrain(self, worker: str) -> None:
        self.step()
        self.ledger.undrain(worker)
        self.drained.discard(worker)

    def roll(self, current: int, oldest: int = FIRST) -> None:
        """A reconciler rolls the store's indices over, and drops those that the ledger has given up."""
        self.step()
        self.oldest = max(self.oldest, self.ledger.roll(current, oldest).oldest)

    # ---- workers ---------------------------------------------------------------------------------------------------

    def claim(self, worker: str, nonce: str = "", queue: str = "gpu") -> Lease | None:
        """A bid for one job; the lease, where one was won."""
        self.step()
        bid = replace(self.bid(worker, nonce), queues=(queue,))
        return self._won(bid, self.ledger.claim(bid).lease)

    def take(self, worker: str, nonce: str = "", queue: str = "gpu") -> Lease:
        """A bid that must win, or the scene can't go on.

        Raises: SceneOver
        """
        lease = self.claim(worker, nonce, queue)
        if lease is None:
            raise SceneOver(f"{worker} got no job")
        return lease

    def claim_unanswered(self, worker: str, nonce: str) -> None:
        """A bid whose answer is lost on its way."""
        self.step()
        self.ledger.claim(self.bid(worker, nonce))

    def bid(self, worker: str, nonce: str = "") -> Bid:
        return Bid(
            worker, ("gpu",), Fit(now=("1s", "1s!")), nonce or f"nonce {next(self._numbers)}", LEASE_MS, 5_000
        )

    def renew(self, worker: str, *leases: Lease, given_up: Sequence[str] = ()) -> list[str]:
        """What a worker is told of each of these leases."""
        self.step()
        said = Announcement("host", worker, ("gpu",), 2, Fit(now=("1s", "1s!")))
        held = tuple(Held(lease.record.id, lease.record.fence) for lease in leases)
        renewed = self.ledger.renew(Renewal(worker, said, held, tuple(given_up), LEASE_MS, ANNOUNCE_MS))
        told = [standing.value for standing in renewed.standings]
        for lease, word in zip(leases, told, strict=True):
            self._note(Call.RENEW, worker, lease.record.id, lease.record.fence, word)
        return told

    def commit(self, worker: str, lease: Lease, status: Status = Status.COMPLETED, **changes: Any) -> str:
        """The end of an attempt; what the worker is told."""
        self.step()
        commit = replace(Commit(lease.record.id, lease.record.fence, status), **changes)
        told = self.ledger.commit(commit).how.value
        self._note(Call.COMMIT, worker, lease.record.id, lease.record.fence, told)
        return told

    def release(self, worker: str, lease: Lease) -> str:
        """A job given back; what the worker is told."""
        self.step()
        [(_, told)] = self.ledger.release(lease.record.id, lease.record.fence).answers
        self._note(Call.RELEASE, worker, lease.record.id, lease.record.fence, told)
        return told

    def listen(self, worker: str, *held: Lease) -> None:
        """Take the notices; one that names a job and no lease means whatever lease of it is held."""
        for notice in self.ledger.listen(worker, 0):
            word, *names = notice.split(" ")
            if word not in ("lost", "cancel"):
                continue
            id = names[0]
            holds = next((lease.record.fence for lease in held if lease.record.id == id), 0)
            fence = int(names[1]) if len(names) > 1 else holds
            self._note(Call.NOTICE, worker, id, fence, word)

    def work(self, lease: Lease, *marks: Mark, steps: int = 2) -> None:
        """What a job does: these marks, or all of a whole attempt."""
        whole = [(Mark.BEGIN, 0), *((Mark.STEP, number) for number in range(1, steps + 1)), (Mark.END, 0)]
        for mark, number in [one for one in whole if not marks or one[0] in marks]:
            self.step()
            id, fence = lease.record.id, lease.record.fence
            self.effects.append(Effect(id, fence, mark, number, self.boot_us, self.now_us))

    # ---- the store -------------------------------------------------------------------------------------------------

    def shown(self, id: str) -> dict[str, Any] | None:
        """A job's document as the indexer would write it now; None where the ledger has forgotten the job."""
        [kept] = self.ledger.kept([id])
        return None if kept is None else document(kept.record, kept.spec, kept.attempts, kept.error)

    def index(self, id: str, shown: dict[str, Any] | None) -> None:
        """The indexer writes a document, older ones never over newer, and tells the ledger."""
        if shown is None:
            return
        if self.store.get(id, {"revision": 0})["revision"] < shown["revision"]:
            self.store[id] = shown
        self.ledger.confirm([(id, shown["revision"])])

    # ---- the end ---------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read on in the stream."""
        while entries := self.events.follow(self._position, 500, 0):
            self.told |= {entry.position: entry for entry in entries}
            self._position = entries[-1].position

    def history(self) -> History:
        """All that happened; what still runs out runs out first, and workers that are silent are forgotten."""
        self.pass_ms(2 * ANNOUNCE_MS)
        unheard(lambda: self.ledger.expire(100))
        self.read()
        for id in self.asked:
            self.index(id, self.shown(id))
        return History(
            tuple(self.asked.values()),
            tuple(self.told.values()),
            tuple(self.effects),
            {id: _document(shown) for id, shown in self.store.items()},
            tuple(self.answers),
            tuple(self._leftovers()),
            self.terms,
        )

    def step(self) -> None:
        """A millisecond passes between any two things."""
        self.now_us += 1_000
        self.boot_us += 1_000

    def _won(self, bid: Bid, lease: Lease | None) -> Lease | None:
        if lease is not None:
            # A lease of an older claim was won by this bid before the order.
            is_new = lease.record.fence == self.now_us
            said = "drained" if bid.worker in self.drained and is_new else ""
            self._note(Call.CLAIM, bid.worker, lease.record.id, lease.record.fence, said, bid.nonce)
        return lease

    def _note(self, call: Call, worker: str, id: str, fence: int, said: str, nonce: str = "") -> None:
        self.answers.append(Answer(call, worker, id, fence, said, self.events.end(), nonce))

    def _leftovers(self) -> list[Leftover]:
        keys = [str(key).removeprefix("{m}:") for key in self.server.send("KEYS", "{m}:*")]
        left = [key for key in sorted(keys) if key in _TRANSIENT or key.startswith(_TRANSIENT_OF)]
        counted = [
            f"queue:{one.queue}: {one.running} running, {one.waiting} waiting"
            for one in self.ledger.tallies()
            if one.running or one.waiting
        ]
        return [Leftover(Kind.KEY, key) for key in [*left, *counted]]


def unheard(call: Callable[[], object]) -> None:
    """A call that the ledger refuses or does not answer: its caller knows nothing."""
    try:
        call()
    except HysdsError:
        return


def _document(shown: dict[str, Any]) -> Document:
    ended = [one for one in shown.get("attempts", []) if "ended" in one]
    listed = tuple(Listed(one["fence"], one["how"]) for one in ended)
    fence, twin = shown.get("fence", 0), shown.get("dedup_job", "")
    return Document(shown["id"], shown["revision"], shown["status"], fence, listed, twin, shown["generation"])
