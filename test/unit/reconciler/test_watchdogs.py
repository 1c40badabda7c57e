"""What reconcilers find wrong, keep as alarms, and tell; over memory, with a clock that stands."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.ledger.alarms_memory import MemoryAlarms
from hysds.adapters.ledger.journal_memory import MemoryJournal
from hysds.adapters.ledger.memory import MemoryLedger
from hysds.adapters.ledger.memory_events import MemoryEvents
from hysds.adapters.ledger.roster_memory import MemoryRoster
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.adapters.notifier.memory import MemoryNotifier
from hysds.adapters.store.memory import MemoryStore
from hysds.core import moments
from hysds.core.errors import Internal, Unreachable
from hysds.core.floor_requests import Announcement, Drain, Fit
from hysds.core.happenings import Happening
from hysds.core.metric_names import Metric
from hysds.core.query import JobQuery
from hysds.core.requests import Acceptance, Bid, Held, Renewal
from hysds.core.watchdogs import Kind
from hysds.lib.uuid7 import Uuid7Source
from hysds.ports.notifier import Hook, Mail
from hysds.ports.store import Page, Store
from hysds.reconciler import assembly
from hysds.reconciler.watchdogs import Books, Watchdogs
from hysds.settings.model import Settings
from hysds.settings.watchdogs import Watchdogs as Words
from hysds.testing import FakeClock

_LEASE_MS, _ANNOUNCE_MS = 26_000, 60_000


class Deaf(MemoryNotifier):
    """Takes nothing while `is_away`."""

    is_away = False

    def mail(self, mail: Mail) -> None:
        if self.is_away:
            raise Unreachable("mail server", "away")
        super().mail(mail)


class Broken(MemoryStore):
    """Answers nothing while `is_away`."""

    is_away = False

    def search(self, query: JobQuery) -> Page:
        if self.is_away:
            raise Unreachable("store", "away")
        return super().search(query)

    def get(self, ids: Sequence[str]) -> tuple[dict[str, Any] | None, ...]:
        if self.is_away:
            raise Unreachable("store", "away")
        return super().get(ids)


class Bench:
    """A system in memory, and as many watchers of it as a test likes."""

    def __init__(self, home: Path, **settings: Any) -> None:
        self.clock = FakeClock()
        self.ledger = MemoryLedger(3_600_000, self.clock)
        self.events = MemoryEvents(self.ledger)
        self.journal = MemoryJournal(self.ledger, 10**6, self.now_s)
        self.alarms = MemoryAlarms(self.clock)
        self.roster = MemoryRoster(self.clock)
        self.store = Broken()
        self.notifier = Deaf()
        self.metrics = MemoryMetrics()
        self.new_id = Uuid7Source(lambda: self.clock() // 1000)
        self.settings = Settings(home=home, watchdogs=Words(**settings))
        self.behind_rules, self.are_rules_odd = 0, False
        self.first = self.watcher("r/1")

    def now_s(self) -> float:
        return self.clock() / 1e6

    def now_ms(self) -> int:
        return self.clock() // 1000

    def watcher(self, member: str, store: Store | None = None) -> Watchdogs:
        books = Books(self.alarms, self.journal, self.metrics)
        world = assembly.World(
            self.ledger,
            self.roster,
            self.readers(),
            lambda: store or self.store,
            books,
            lambda: self.notifier,
        )
        return assembly.watchdogs(self.settings, member, world, self.now_s)

    def readers(self) -> dict[Kind, Callable[[], int]]:
        def rules() -> int:
            if self.are_rules_odd:
                raise Internal("another version published the rules")
            return self.behind_rules

        return {Kind.INDEXER_BEHIND: lambda: self.events.backlog("indexer"), Kind.RULES_BEHIND: rules}

    def accept(self, queue: str = "q", job_type: str = "job:x") -> str:
        id_ = self.new_id()
        spec = json.dumps({"job_type": job_type, "payload": {}})
        self.ledger.accept([Acceptance(id_, "d", spec, queue, "1s")])
        return id_

    def claim(self, worker: str = "w") -> tuple[str, int]:
        """(id, fence) of the best job."""
        bid = Bid(f"{worker}/1", ("q",), Fit(now=("1s",)), self.new_id(), 10**9, 10**9)
        lease = self.ledger.claim(bid).lease
        assert lease is not None
        return lease.record.id, lease.record.fence

    def announce(
        self, name: str = "w", life: str = "1", held: tuple[tuple[str, int], ...] = (), **facts: Any
    ) -> None:
        told = {"lease_ms": _LEASE_MS, "announce_ms": _ANNOUNCE_MS, "work_dir": "/w", **facts}
        said = Announcement(name, name, ("q",), 1, Fit(now=("1s",)), json.dumps(told))
        leases = tuple(Held(*one) for one in held)
        self.ledger.renew(Renewal(f"{name}/{life}", said, leases, (), _LEASE_MS, _ANNOUNCE_MS))

    def fail(self, name: str, count: int = 10, since_ms: int = 7) -> None:
        """Announce a worker with failures in a row."""
        self.announce(
            name, failing={"count": count, "since_ms": since_ms, "classes": {"gpu": count}, "jobs": []}
        )

    def complete(self, duration_s: float, job_type: str = "job:x") -> None:
        """A document of a job that took so long."""
        id_ = self.new_id()
        info = {"time_end": moments.iso(self.now_ms()), "duration": duration_s}
        document = {
            "id": id_, "revision": 1, "resource": "job", "type": job_type, "status": "job-completed",
            "job": {"job_info": info},
        }  # fmt: skip
        assert self.store.write([document])[0].how == "written"

    def pass_time(self, seconds: int) -> None:
        """In steps that the ledger's clock follows."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.ledger.wake(10)
            self.ledger.expire(10)

    def stands(self) -> list[str]:
        return [f"{one.kind} {one.subject}" for one in self.alarms.all()[1] if one.stands]

    def told(self) -> list[Happening]:
        return [note.happening for note in self.journal.follow("", 1_000, 0)]

    def count(self, metric: Metric) -> dict[str, float]:
        return {kind: value for (kind,), value in self.metrics.numbers(metric).items() if value}


def test_a_stuck_queue_is_an_alarm_an_event_and_a_number(tmp_path: Path) -> None:
    """Once, however often it is seen and by however many; and gone once the queue moves again."""
    bench = Bench(tmp_path, queue_age_s=100)
    second = bench.watcher("r/2")
    bench.accept()
    bench.clock.advance(101)
    for _ in range(3):
        bench.first.look()
        second.look()

    assert bench.stands() == ["queue-stuck queue q"]
    assert bench.count(Metric.WATCHDOG_ALARMS) == {"queue-stuck": 1}
    assert bench.count(Metric.WATCHDOG_RAISED) == {"queue-stuck": 1}
    bench.claim()
    bench.first.look()
    bench.clock.advance(61)
    second.look()
    bench.first.look()

    assert bench.alarms.all()[1] == ()
    assert bench.count(Metric.WATCHDOG_ALARMS) == {}
    assert [(one.type, one.status, one.tags) for one in bench.told()] == [
        ("watchdog", "alarm-raised", ("queue-stuck",)),
        ("watchdog", "alarm-over", ("queue-stuck",)),
    ]
    assert bench.told()[0].event["subject"] == "queue q"


def test_a_worker_on_which_everything_fails_is_drained_until_it_is_resumed(tmp_path: Path) -> None:
    """By the ledger's order, with an event as HySDS has it; and again when it goes on failing after that."""
    bench = Bench(tmp_path)
    bench.announce("v")
    bench.fail("w")
    bench.first.look()

    [order] = bench.ledger.drains()
    assert (order.name, order.reason) == (
        "w",
        "failures in a row: 10 failures in a row that may be its own (gpu 10)",
    )
    drained = [one for one in bench.told() if one.type == "worker_anomaly"]
    assert [(one.status, one.hostname) for one in drained] == [("job_drain", "w")]

    bench.ledger.undrain("w")
    bench.first.look()  # it has not announced itself since: the same failures
    bench.watcher("r/2").look()
    assert bench.ledger.drains() == ()

    bench.fail("w", since_ms=8)
    bench.first.look()
    assert [order.name for order in bench.ledger.drains()] == ["w"]


def test_a_worker_over_the_share_is_drained_once_there_is_room(tmp_path: Path) -> None:
    """Where two of three fail, one is drained; when that works again, the other."""
    bench = Bench(tmp_path)
    bench.announce("u")
    for name in ("v", "w"):
        bench.fail(name)
    bench.first.look()
    assert [order.name for order in bench.ledger.drains()] == ["v"]
    assert len(bench.stands()) == 2

    bench.ledger.undrain("v")
    bench.announce("v")
    bench.first.look()

    assert [order.name for order in bench.ledger.drains()] == ["w"]


def test_an_order_of_an_operator_stays_his(tmp_path: Path) -> None:
    """And is the end of it also when he takes it back."""
    bench = Bench(tmp_path)
    bench.fail("w")
    bench.ledger.drain(Drain("w", "new kernel"))
    bench.first.look()
    assert bench.ledger.drains()[0].reason == "new kernel"

    bench.ledger.undrain("w")
    bench.first.look()

    assert bench.ledger.drains() == ()


def test_a_silent_worker_stays_an_alarm_until_it_is_heard_of(tmp_path: Path) -> None:
    """Also after the ledger has forgotten it."""
    bench = Bench(tmp_path)
    bench.announce("w")
    bench.pass_time(29)
    bench.first.look()
    assert bench.stands() == []

    bench.pass_time(3)
    bench.first.look()
    bench.pass_time(60)
    assert bench.ledger.workers() == ()
    bench.first.look()
    assert bench.stands() == ["worker-silent worker w"]

    bench.announce("w", life="2")
    bench.first.look()
    assert bench.stands() == []


def test_a_worker_that_left_is_not_silent(tmp_path: Path) -> None:
    """It said so."""
    bench = Bench(tmp_path)
    bench.announce("w")
    bench.ledger.leave("w/1")
    bench.pass_time(60)
    bench.first.look()

    assert bench.stands() == []


def test_a_job_far_over_the_usual_time_of_its_type_is_an_alarm(tmp_path: Path) -> None:
    """By what completed of late; one of a type of which nothing is known is none."""
    bench = Bench(tmp_path, overdue_least_s=10)
    for _ in range(5):
        bench.complete(20.0)
    known, unknown = bench.accept(), bench.accept(job_type="job:new")
    held = tuple(bench.claim() for _ in range(2))
    bench.announce(held=held)
    bench.clock.advance(59)
    bench.first.look()
    assert bench.stands() == []

    bench.clock.advance(2)
    bench.announce(held=held)
    bench.first.look()

    assert bench.stands() == [f"job-overdue job {known}"]
    [alarm] = bench.alarms.all()[1]
    assert (alarm.job, alarm.worker, unknown in alarm.what) == (known, "w", False)


def test_the_store_is_asked_for_a_type_now_and_then_alone(tmp_path: Path) -> None:
    """Whatever number of its jobs runs, and however often is looked."""
    asked = Counter[str]()

    class Counting(Broken):
        def search(self, query: JobQuery) -> Page:
            asked.update(query.type)
            return super().search(query)

    bench = Bench(tmp_path, overdue_least_s=10)
    counting = Counting()
    watcher = bench.watcher("r/3", counting)
    for _ in range(20):
        bench.accept()
    held = tuple(bench.claim() for _ in range(20))
    bench.clock.advance(11)
    for _ in range(5):
        bench.announce(held=held)
        watcher.look()

    assert asked == {"x": 1, "job:x": 1}


def test_while_the_store_is_away_nothing_is_said_of_jobs(tmp_path: Path) -> None:
    """What stood stands, and all that the ledger tells is watched on."""
    bench = Bench(tmp_path, expect=("job:nightly=1h",), queue_age_s=100)
    bench.first.look()
    assert bench.stands() == ["type-missing type job:nightly"]

    bench.store.is_away = True
    bench.accept()
    bench.clock.advance(101)
    bench.first.look()

    assert bench.stands() == ["queue-stuck queue q", "type-missing type job:nightly"]


def test_a_type_that_is_expected_is_missing_until_one_of_it_completes(tmp_path: Path) -> None:
    """Within its period, under either spelling of its name."""
    bench = Bench(tmp_path, expect=("nightly=1h",), off=("indexer-behind",))
    bench.complete(1.0, "job:nightly")
    bench.first.look()
    assert bench.stands() == []

    bench.clock.advance(3_700)
    bench.first.look()

    assert bench.stands() == ["type-missing type nightly"]


def test_an_indexer_is_behind_when_it_is_for_long(tmp_path: Path) -> None:
    """Ten thousand jobs that come at once are behind it for a moment."""
    bench = Bench(tmp_path, behind=3, behind_for_s=60)
    for _ in range(4):
        bench.accept()
    bench.first.look()
    bench.clock.advance(59)
    bench.first.look()
    assert bench.stands() == []

    bench.clock.advance(2)
    bench.first.look()

    assert bench.stands() == ["indexer-behind indexer"]


def test_that_no_indexer_writes_is_told_when_it_lasts(tmp_path: Path) -> None:
    """One that can't reach the store does not sign the roster; a restart takes a moment."""
    bench = Bench(tmp_path, behind_for_s=60)
    for second in range(70):
        if second % 5 == 0 and second < 20:
            bench.roster.sign("indexer", "i/1")
        bench.first.look()
        bench.clock.advance(1)
    assert bench.stands() == []

    bench.clock.advance(30)
    bench.first.look()
    assert bench.stands() == ["indexer-behind indexer"]

    bench.roster.sign("indexer", "i/2")
    bench.first.look()
    assert bench.stands() == []


def test_a_store_that_does_not_answer_for_long_is_told_though_nothing_is_asked_of_it(tmp_path: Path) -> None:
    """No job is late and no type is expected; the indexer may even write, to its own disk."""
    bench = Bench(tmp_path, behind_for_s=60, off=("indexer-behind",))
    bench.store.is_away = True
    for _ in range(50):
        bench.first.look()
        bench.clock.advance(1)
    assert bench.stands() == []

    bench.clock.advance(30)
    bench.first.look()
    assert bench.stands() == ["store-away store"]

    bench.store.is_away = False
    bench.first.look()
    assert bench.stands() == []


def test_rules_that_nobody_here_can_read_are_behind_as_before(tmp_path: Path) -> None:
    """Nobody knows better; and all else is watched on."""
    bench = Bench(tmp_path, behind=3, behind_for_s=0, queue_age_s=100, off=("indexer-behind",))
    bench.behind_rules = 4
    bench.first.look()
    assert bench.stands() == ["rules-behind rules"]

    bench.are_rules_odd = True
    bench.accept()
    bench.clock.advance(101)
    bench.first.look()

    assert bench.stands() == ["queue-stuck queue q", "rules-behind rules"]


def test_what_is_off_is_not_watched(tmp_path: Path) -> None:
    """And an alarm of it that stood is over."""
    bench = Bench(tmp_path, queue_age_s=100)
    bench.accept()
    bench.clock.advance(101)
    bench.fail("w")
    bench.first.look()
    bench.settings = Settings(
        home=tmp_path, watchdogs=Words(queue_age_s=100, off=("queue-stuck", "worker-failing"))
    )
    bench.fail("w", since_ms=9)
    bench.ledger.undrain("w")
    bench.watcher("r/2").look()

    assert bench.stands() == []
    assert bench.ledger.drains() == ()


def test_people_are_told_once_by_however_many_watchers(tmp_path: Path) -> None:
    """At the beginning, at each repeat and at the end; by mail and by webhook."""
    file = tmp_path / "hooks"
    file.write_text("# operators\nhttps://chat.example.org/secret\n")
    bench = Bench(
        tmp_path,
        off=("indexer-behind",),
        queue_age_s=100,
        mail_to=("ops@example.org",),
        webhooks_file=file,
        repeat_s=3_600,
        gather_s=60,
    )
    watchers = [bench.first, bench.watcher("r/2")]
    bench.accept()
    bench.clock.advance(101)

    def look(times: int) -> None:
        for _ in range(times):
            for watcher in watchers:
                watcher.look()
            bench.clock.advance(5)

    look(100)
    assert [mail.subject for mail in bench.notifier.mails] == [
        "hysds: queue q is stuck: its oldest job has been ready for 1m41s; 1 job ready, 0 running"
    ]
    look(700)
    bench.claim()
    look(100)

    subjects = [mail.subject.partition(" is stuck")[0] for mail in bench.notifier.mails]
    assert subjects == ["hysds: queue q", "hysds: still: queue q", "hysds: over: queue q"]
    assert [hook.url for hook in bench.notifier.hooks] == ["https://chat.example.org/secret"] * 3
    [first, _, last] = [hook.document for hook in bench.notifier.hooks]
    assert (first["alarms"][0]["kind"], first["alarms"][0]["status"]) == ("queue-stuck", "begun")
    assert last["alarms"][0]["status"] == "over"
    assert first["text"].startswith("hysds: queue q")
    assert bench.alarms.all()[1] == ()


def test_what_comes_up_together_is_told_together(tmp_path: Path) -> None:
    """And what comes up right after it, once the time to gather is over."""
    bench = Bench(tmp_path, queue_age_s=100, mail_to=("ops@example.org",), gather_s=60)
    for queue in "abcd":
        bench.accept(queue)
    bench.clock.advance(101)
    bench.first.look()
    bench.fail("w")
    bench.first.look()
    assert [mail.subject.partition(" (")[2] for mail in bench.notifier.mails] == ["and 3 more)"]

    bench.clock.advance(60)
    bench.first.look()

    assert [mail.subject.partition(": ")[2][:8] for mail in bench.notifier.mails][1:] == ["worker w"]


def test_a_mail_server_that_is_away_is_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is lost, nobody else waits for it, and it is logged once."""
    bench = Bench(tmp_path, queue_age_s=100, mail_to=("ops@example.org",))
    bench.notifier.is_away = True
    bench.accept()
    bench.clock.advance(101)
    for _ in range(50):
        bench.first.look()
        bench.clock.advance(5)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "nobody could be told of alarms by ops@example.org: the mail server can't be reached: away"
    ]

    bench.notifier.is_away = False
    for _ in range(20):
        bench.first.look()
        bench.clock.advance(5)

    assert len(bench.notifier.mails) == 1


def test_what_another_changed_while_a_message_went_out_is_told_no_more(tmp_path: Path) -> None:
    """The note of it is put over whatever the alarm has become."""
    bench = Bench(tmp_path, queue_age_s=100, mail_to=("ops@example.org",))

    class Meddling(MemoryNotifier):
        def mail(self, mail: Mail) -> None:
            bench.claim()
            other.look()
            super().mail(mail)

        def hook(self, hook: Hook) -> None:
            raise AssertionError

    other = bench.watcher("r/2")
    bench.notifier = Meddling()  # type: ignore[assignment]
    mine = bench.watcher("r/1")
    bench.accept()
    bench.clock.advance(101)
    mine.look()

    [alarm] = bench.alarms.all()[1]
    assert (set(alarm.told), alarm.stands) == ({"mail"}, False)


class _Killed(BaseException):
    """What no handler of errors catches."""


def test_a_message_of_a_watcher_that_was_killed_is_sent_by_another(tmp_path: Path) -> None:
    """Once its turn is over: a message may come twice, and never not at all."""
    bench = Bench(tmp_path, queue_age_s=100, mail_to=("ops@example.org",))

    class Deadly(MemoryNotifier):
        def mail(self, mail: Mail) -> None:
            raise _Killed

    living = bench.watcher("r/2")
    bench.notifier = Deadly()  # type: ignore[assignment]
    dying = bench.watcher("r/1")
    bench.notifier = received = Deaf()
    living_too = bench.watcher("r/3")
    bench.accept()
    bench.clock.advance(101)
    with pytest.raises(_Killed):
        dying.look()
    living.look()
    assert received.mails == []

    bench.clock.advance(301)
    living_too.look()
    living.look()

    assert len(received.mails) == 1


@pytest.mark.parametrize("is_told", [False, True])
def test_the_event_of_a_watcher_that_was_killed_is_told_by_another_once(
    tmp_path: Path, is_told: bool
) -> None:
    """Whether it died before it had told the event or after."""
    bench = Bench(tmp_path, queue_age_s=100)

    class Deadly(MemoryJournal):
        def tell(self, happenings: Sequence[Happening]) -> int:
            if is_told:
                bench.journal.tell(happenings)
            raise _Killed

    books = Books(bench.alarms, Deadly(bench.ledger, 10**6, bench.now_s), bench.metrics)
    world = assembly.World(bench.ledger, bench.roster, {}, lambda: None, books, lambda: bench.notifier)
    dying = assembly.watchdogs(bench.settings, "r/2", world, bench.now_s)
    bench.accept()
    bench.clock.advance(101)
    with pytest.raises(_Killed):
        dying.look()
    bench.first.look()
    bench.first.look()

    assert [one.status for one in bench.told()] == ["alarm-raised"]


def test_a_drain_of_a_watcher_that_was_killed_is_told(tmp_path: Path) -> None:
    """It is told first: whoever finds a worker drained knows that somebody told of it."""
    bench = Bench(tmp_path)
    bench.announce("v")
    bench.fail("w")

    class Deadly(MemoryLedger):
        def drain(self, order: Drain) -> None:
            bench.ledger.drain(order)
            raise _Killed

        def __getattribute__(self, name: str) -> Any:
            return object.__getattribute__(self, name) if name == "drain" else getattr(bench.ledger, name)

    books = Books(bench.alarms, bench.journal, bench.metrics)
    ledger = Deadly(3_600_000, bench.clock)
    world = assembly.World(ledger, bench.roster, {}, lambda: None, books, lambda: bench.notifier)
    with pytest.raises(_Killed):
        assembly.watchdogs(bench.settings, "r/2", world, bench.now_s).look()
    bench.first.look()
    bench.watcher("r/3").look()

    assert [order.name for order in bench.ledger.drains()] == ["w"]
    assert [(one.type, one.status) for one in bench.told()] == [
        ("worker_anomaly", "job_drain"),
        ("watchdog", "alarm-raised"),
    ]


def test_every_kind_of_trouble_has_a_number_from_the_first_look(tmp_path: Path) -> None:
    """A dashboard shows that nothing is wrong, not nothing."""
    bench = Bench(tmp_path)
    bench.first.look()

    assert {kind for (kind,) in bench.metrics.numbers(Metric.WATCHDOG_ALARMS)} == {
        kind.value for kind in Kind
    }
