"""How often a call to something outside is repeated."""

from __future__ import annotations

import logging

import pytest

from hysds.lib.transport_retry import Persistence, insist

AT_ONCE = Persistence(attempts=3, first_wait_s=0.0)


class Flaky:
    """Fails so many times, then answers."""

    def __init__(self, failures: int, error: type[Exception] = OSError) -> None:
        self.calls = 0
        self._failures = failures
        self._error = error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error(f"secret {self.calls}")
        return "answer"


def test_a_call_that_succeeds_is_made_once() -> None:
    """Its answer is handed on."""
    call = Flaky(0)

    assert insist(call, (OSError,), AT_ONCE) == "answer"
    assert call.calls == 1


def test_a_call_is_repeated_until_it_succeeds() -> None:
    """Two failures of three attempts are not seen."""
    call = Flaky(2)

    assert insist(call, (OSError,), AT_ONCE) == "answer"
    assert call.calls == 3


def test_the_last_attempts_error_passes() -> None:
    """With all attempts used up the caller sees what the last one met."""
    call = Flaky(9)

    with pytest.raises(OSError, match="secret 3"):
        insist(call, (OSError,), AT_ONCE)
    assert call.calls == 3


def test_an_error_that_is_not_the_transports_passes_at_once() -> None:
    """A repeat would not mend it."""
    call = Flaky(9, ValueError)

    with pytest.raises(ValueError, match="secret 1"):
        insist(call, (OSError,), AT_ONCE)
    assert call.calls == 1


def test_nothing_of_a_call_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The errors and arguments of a call may hold secrets; its caller decides what is said."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(OSError, match="secret"):
        insist(Flaky(9), (OSError,), AT_ONCE)

    assert caplog.text == ""
