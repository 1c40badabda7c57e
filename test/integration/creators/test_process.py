"""Creators that misbehave in a process of their own cost their own call, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hysds.adapters.creators.answers import Bounds
from hysds.adapters.creators.child import Rules
from hysds.adapters.creators.process import ProcessCreators
from hysds.lib.process.guard import tree
from hysds.ports.creators import Call, CallFailed
from hysds.settings import environment

TESTS = Path(__file__).parents[2]

Make = Callable[..., ProcessCreators]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes creators with these bounds, which all leave no process behind."""
    made: list[ProcessCreators] = []

    def one(time_limit_s: float = 60.0, patience_s: float = 20.0) -> ProcessCreators:
        bounds = Bounds(time_limit_s, memory_bytes=2**30, answer_bytes=1_000_000, jobs=50)
        rules = Rules(
            ("worlds.creating", "worlds.slow_creating"), TESTS, bounds, environment.bare(), patience_s
        )
        made.append(ProcessCreators(rules))
        return made[-1]

    before = set(tree.children(os.getpid()))
    yield one
    for creators in made:
        creators.close()
    assert set(tree.children(os.getpid())) <= before


def _call(name: str, **info: object) -> Call:
    return Call(f"worlds.creating.{name}", info, "x")


def _created(creators: ProcessCreators, name: str, **info: object) -> Any:
    [job] = creators.create(_call(name, **info))
    return job["params"]


def _refusal(creators: ProcessCreators, name: str, **info: object) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        creators.create(_call(name, **info))
    return caught.value


def test_a_call_finds_nothing_that_another_one_left(make: Make) -> None:
    """Each call is a fork of the same process, which imported the module once."""
    creators = make()
    first, second = _created(creators, "counting"), _created(creators, "counting")

    assert (first["calls"], second["calls"]) == (1, 1)
    assert first["pid"] != second["pid"]
    assert first["parent"] == second["parent"]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("dying", "ended its process with exit code 3"),
        ("dying_well", "wrote into the pipe of its answer"),
        ("crashing", "was ended by signal 11"),
        ("killing_its_parent", "ended its process"),
        ("leaving", "raised SystemExit: enough"),
        ("eating", "raised MemoryError: "),
        ("endless_answer", "wrote more than 1,000,000 bytes (creators.answer)"),
    ],
)
def test_one_that_ends_its_process_is_refused_and_the_next_is_served(
    make: Make, name: str, what: str
) -> None:
    """Whichever way it goes, no answer of it reaches the next call."""
    creators = make()
    refusal = _refusal(creators, name)

    assert refusal.what == what
    assert _created(creators, "one", x=1) == {"x": 1}


def test_a_crash_shows_where_it_was(make: Make) -> None:
    """A segmentation fault has a traceback too."""
    refusal = _refusal(make(), "crashing")

    assert any("in crashing" in line for line in refusal.tail)


def test_a_traceback_begins_in_the_creator(make: Make) -> None:
    """Whoever wrote it has nothing to look for in ours."""
    tail = _refusal(make(), "raising", nothing=0).tail

    assert tail[0] == "Traceback (most recent call last):"
    assert "creating.py" in tail[1]


@pytest.mark.parametrize("name", ["hanging", "hanging_in_c"])
def test_one_that_hangs_is_ended_and_shows_where(make: Make, name: str) -> None:
    """At the time limit, whatever it does with signals and with the interpreter."""
    refusal = _refusal(make(time_limit_s=0.3), name)

    assert refusal.what == "did not end within 0.3 s (creators.time_limit)"
    assert any(f"in {name}" in line for line in refusal.tail)


def test_one_that_stopped_itself_is_ended_from_outside(make: Make) -> None:
    """It can't end itself: its caller does, after some patience."""
    creators = make(time_limit_s=2.0, patience_s=1.0)
    refusal = _refusal(creators, "stopping")

    assert refusal.what == "did not end within 2 s (creators.time_limit)"
    assert _created(creators, "one") == {}


def test_an_import_that_hangs_is_ended_and_shows_where(make: Make) -> None:
    """The module's own code runs under the same limit."""
    creators = make(time_limit_s=0.3)
    with pytest.raises(CallFailed) as caught:
        creators.create(Call("worlds.slow_creating.one", {}, "x"))

    assert caught.value.what == "did not end within 0.3 s (creators.time_limit)"
    assert any("slow_creating.py" in line for line in caught.value.tail)


def test_what_it_prints_reaches_nobody(make: Make, capfd: pytest.CaptureFixture[str]) -> None:
    """Megabytes on standard output do not block it, and are no part of its answer."""
    assert _created(make(), "printing") == {}
    assert capfd.readouterr() == ("", "")


def test_processes_that_it_leaves_are_gone_with_its_answer(make: Make) -> None:
    """A session of their own does not save them."""
    left = _created(make(), "leaving_processes")["left"]

    assert not tree.is_alive(left)


def test_it_inherits_neither_secrets_nor_descriptors_nor_the_directory(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the environment only what finds programs and modules; of files its own pipes alone."""
    monkeypatch.setenv("HYSDS_LEDGER_URL", "redis://:secret@host")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with open(__file__) as held:
        os.set_inheritable(held.fileno(), True)
        found = _created(make(), "looking_around")

    assert "secret" not in str(found)
    assert set(found["environ"]) <= {"HOME", "LANG", "PATH", "PYTHONPATH", "TMPDIR", "TZ", "VIRTUAL_ENV"} | {
        name for name in found["environ"] if name.startswith("LC_")
    }
    assert not any(Path(__file__).name in fd for fd in found["fds"])
    assert (found["cwd"], found["stdin"]) == ("/", "")


def test_an_idle_process_that_died_is_replaced(make: Make) -> None:
    """Whoever ended it between two calls costs nobody a submission."""
    creators = make()
    os.kill(_created(creators, "counting")["parent"], signal.SIGKILL)

    assert _created(creators, "one") == {}


def test_a_module_that_somebody_mended_is_read_anew(tmp_path: Path) -> None:
    """The next call has the new code, without a restart of whoever submits."""
    module = tmp_path / "mended.py"
    bounds = Bounds(60.0, 2**30, 1_000_000, 50)
    creators = ProcessCreators(Rules(("mended",), tmp_path, bounds, environment.bare()))
    found = []
    for number in (1, 2):
        module.write_text(f"def make(info): return {{'type': 'tile', 'params': {{'number': {number}}}}}\n")
        found += [creators.create(Call("mended.make", {}, "x"))[0]["params"]["number"] for _ in range(2)]
    creators.close()

    assert found == [1, 1, 2, 2]


def test_callers_on_several_threads_do_not_wait_for_each_other(make: Make, tmp_path: Path) -> None:
    """While one creator takes its time, others are served by a process of their own."""
    creators = make()
    until = tmp_path / "until"
    found: list[Any] = []
    slow = threading.Thread(target=lambda: found.append(_created(creators, "waiting", until=str(until))))
    slow.start()
    served = [_created(creators, "one", x=number) for number in range(3)]
    until.touch()
    slow.join()

    assert (served, found) == ([{"x": number} for number in range(3)], [{}])


def test_a_payload_beyond_what_a_pipe_holds_arrives_whole(make: Make) -> None:
    """In both directions."""
    text = "ä" * 80_000

    assert _created(make(), "one", text=text) == {"text": text}
