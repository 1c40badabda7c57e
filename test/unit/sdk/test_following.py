"""Following a job's output, over all its attempts, to its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hysds.core.errors import NotFound
from hysds.ports.engines import Workload
from hysds.ports.logs import Chunk
from hysds.sdk.following import Began, Missed, Output, Over, Place, Quiet, Seen
from hysds.testing import Play, SimulatedSystem

_FLAKY = {
    "job_type": "job:flaky",
    "job_queue": "default",
    "payload": {"_command": "flaky"},
    "retry": {"user": {"attempts": 2, "delay": 0}},
}


def _system(tmp_path: Path, plays: list[Play]) -> SimulatedSystem:
    left = iter(plays)

    def script(workload: Workload) -> Play:
        return next(left)

    return SimulatedSystem(tmp_path, script)


def _texts(seen: list[Seen]) -> list[bytes]:
    return [one.chunk.data for one in seen if isinstance(one, Output)]


def test_a_follower_sees_every_attempt_with_its_output_in_order(tmp_path: Path) -> None:
    """Each attempt begins, gives what it wrote, and is over; then the job has ended and so does the follower."""
    with _system(tmp_path, [Play(exit_code=3, stdout=b"first\n"), Play(stdout=b"second\n")]) as system:
        job = system.client.submit(_FLAKY)
        system.settle()
        seen = [one for one in system.client.follow(job.id) if not isinstance(one, Quiet)]

        assert [type(one) for one in seen] == [Began, Output, Over, Began, Output, Over]
        assert _texts(seen) == [b"first\n", b"second\n"]
        first, second = (one for one in seen if isinstance(one, Began))
        assert first.fence != second.fence
        assert first.worker.startswith("simulated@test/")
        assert first.files.endswith(f"/{job.id}.f{first.fence}")
        assert (system.settings.work_dir / first.files).is_dir()


def test_a_job_without_output_is_followed_to_its_end(tmp_path: Path) -> None:
    """A log that never came to be keeps nobody waiting once the attempt is over."""
    with _system(tmp_path, [Play()]) as system:
        job = system.client.submit(_FLAKY)
        system.settle()

        seen = [type(one) for one in system.client.follow(job.id) if not isinstance(one, Quiet)]
        assert seen == [Began, Over]


def test_a_follower_waits_for_a_job_that_has_not_begun_and_says_so(tmp_path: Path) -> None:
    """While nothing happens it gives Quiet, so that whoever watches can look after other things."""
    with _system(tmp_path, [Play(stdout=b"at last\n")]) as system:
        job = system.client.submit(_FLAKY)
        follower = iter(system.client.follow(job.id))
        waited = next(follower)
        system.settle()
        seen = list(follower)

        assert isinstance(waited, Quiet)
        assert _texts(seen) == [b"at last\n"]


def test_another_follower_goes_on_where_the_first_was_left(tmp_path: Path) -> None:
    """What was given is not given again: the place survives the follower, as after a lost connection."""
    with _system(tmp_path, [Play(exit_code=1, stdout=b"first\n"), Play(stdout=b"second\n")]) as system:
        job = system.client.submit(_FLAKY)
        system.settle()
        place = Place()
        first = iter(system.client.follow(job.id, place))
        begun = [next(first), next(first)]
        seen = [one for one in system.client.follow(job.id, place) if not isinstance(one, Quiet)]

        assert _texts(begun) == [b"first\n"]
        assert _texts(seen) == [b"second\n"]
        assert [type(one) for one in seen] == [Over, Began, Output, Over]


def test_output_between_the_last_read_and_the_end_is_not_lost(tmp_path: Path) -> None:
    """The ledger may say that the attempt is over before its last lines were read: they are read once more."""
    with SimulatedSystem(tmp_path) as system:
        late: list[Callable[[], object]] = []
        job = system.client.submit(_FLAKY)
        system.settle()
        fence = system.system.ledger.kept([job.id])[0].record.fence  # type: ignore[union-attr]
        follower = system.client.follow(job.id)
        late.append(lambda: system.system.logs.append(job.id, fence, [Chunk("stdout", 0, b"last words\n")]))
        seen: list[Seen] = []
        for one in follower:
            seen.append(one)
            if isinstance(one, Quiet) and late:
                late.pop()()

        assert _texts(seen) == [b"last words\n"]


def test_what_there_is_now_is_given_without_waiting(tmp_path: Path) -> None:
    """A job that has not begun has no output yet; one that ended has all of it."""
    with _system(tmp_path, [Play(stdout=b"out\n", stderr=b"err\n")]) as system:
        job = system.client.submit(_FLAKY)

        assert list(system.client.follow(job.id).so_far()) == []
        system.settle()
        assert sorted(_texts(list(system.client.follow(job.id).so_far()))) == [b"err\n", b"out\n"]


def test_a_late_follower_is_told_what_is_gone(tmp_path: Path) -> None:
    """The live log keeps only the newest output: the size of the gap comes before what is left."""
    big = b"".join(b"%07d\n" % number for number in range(2_500_000))
    with _system(tmp_path, [Play(stdout=big)]) as system:
        job = system.client.submit(_FLAKY)
        system.settle()
        seen = list(system.client.follow(job.id))
        kept = b"".join(_texts(seen))
        missed = sum(one.size_bytes for one in seen if isinstance(one, Missed))

        assert missed > 0
        assert missed + len(kept) == len(big)
        assert big.endswith(kept)


def test_an_unknown_job_can_not_be_followed(tmp_path: Path) -> None:
    """An id that the ledger never saw, or has forgotten, is an error and no endless wait."""
    with SimulatedSystem(tmp_path) as system, pytest.raises(NotFound):
        list(system.client.follow("01930f5e-7b1c-7000-8000-0123456789ab"))
