"""Errors as people see them."""

from __future__ import annotations

import errno

import pytest

from hysds.cli import exits, faults
from hysds.cli.exits import Exit
from hysds.core.errors import (
    Complaint,
    CreatorFailed,
    Full,
    HysdsError,
    Internal,
    InvalidSettings,
    InvalidSpec,
    NotFound,
    TaskFailed,
    Unreachable,
)
from hysds.core.status import TERMINAL, Status
from hysds.embedded.errors import ChildEnded, HomeInUse


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidSpec((Complaint("$", "no"),)), Exit.REFUSED),
        (InvalidSettings("environment X", "no"), Exit.REFUSED),
        (Full("no"), Exit.REFUSED),
        (NotFound("no"), Exit.REFUSED),
        (Unreachable("ledger", "no"), Exit.UNREACHABLE),
        (Internal("no"), Exit.FAILED),
        (TaskFailed("an id", "user", "no"), Exit.FAILED),
        (HomeInUse("no", None), Exit.REFUSED),
        (ChildEnded("valkey", "no"), Exit.UNREACHABLE),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: Exit) -> None:
    """A script can tell a wrong request from a system that is away."""
    told = faults.told(error)

    assert told is not None
    assert told[1] is code
    assert told[0].startswith("hysds: ")


def test_all_complaints_are_in_one_block_with_their_paths() -> None:
    """A spec is mended in one go."""
    told = faults.told(InvalidSpec((Complaint("$.payload", "is required"), Complaint("$.tag", "too long"))))

    assert told == ("hysds: refused:\n  $.payload: is required\n  $.tag: too long", Exit.REFUSED)


def test_a_creators_failure_is_a_block_with_its_last_lines() -> None:
    """A line each."""
    told = faults.told(CreatorFailed("creator m.f raised ValueError: no", ("in f", "ValueError: no")))

    assert told == (
        "hysds: creator m.f raised ValueError: no\n  in f\n  ValueError: no",
        Exit.REFUSED,
    )


def test_an_error_can_not_steer_a_terminal() -> None:
    """What a spec or a server says is shown as text."""
    told = faults.told(NotFound("a\x1b[2Jb"))

    assert told is not None
    assert "\x1b" not in told[0]


def test_an_unexpected_error_is_not_hidden() -> None:
    """What nobody foresaw is shown whole by the shell: it has no short form."""
    assert faults.told(ZeroDivisionError()) is None


def test_a_full_disk_is_no_traceback() -> None:
    """What we print finds no room: one line. A file that we open ourselves is another matter, and shown whole."""
    told = faults.told(OSError(errno.ENOSPC, "No space left on device"))

    assert told == ("hysds: the output can't be written: No space left on device", Exit.FAILED)
    assert faults.told(OSError(errno.ENOSPC, "No space left on device", "/a/file")) is None


def test_what_was_added_to_an_error_is_in_its_block() -> None:
    """Whoever passed it on knows what became of the job."""
    error = ChildEnded("worker", "the worker ended")
    error.add_note("the job was not submitted")

    assert faults.told(error) == (
        "hysds: the embedded system does not run:\n  the worker ended\n  the job was not submitted",
        Exit.UNREACHABLE,
    )


def test_every_error_of_the_tree_is_expected() -> None:
    """No error that HySDS raises on purpose shows a traceback."""
    assert all(faults.told(kind("no")) for kind in HysdsError.__subclasses__() if kind is not InvalidSpec
               and kind not in (Unreachable, InvalidSettings, TaskFailed))  # fmt: skip


def test_each_terminal_status_has_an_exit_code() -> None:
    """A duplicate has none of its own: it ends as the job that stands for it."""
    codes = {status: exits.of_status(status.value) for status in TERMINAL - {Status.DEDUPED}}

    assert codes == {Status.COMPLETED: 0, Status.FAILED: 1, Status.REVOKED: 3}
    with pytest.raises(KeyError):
        exits.of_status("job-deduped")
