"""A client whose own moments can be armed too: what it sends to ledger and broker, from the test's process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from hysds.core.errors import Unreachable
from hysds.ports.bell import Bell
from hysds.ports.ledger import Ledger
from hysds.settings.model import Settings
from hysds.wiring.real import RealAdapters
from worlds.faults.inside.strike import Arms

MOMENTS = ("accept sent", "accept applied", "bell rung", "cancel asked")
_T = TypeVar("_T")


class ArmedAdapters(RealAdapters):
    """Real ones; ledger and bell tell where they are."""

    def __init__(self, handed_on: Mapping[str, str], arms: Arms) -> None:
        super().__init__(handed_on)
        self._arms = arms

    def ledger(self, settings: Settings) -> Ledger:
        return cast(Ledger, _ArmedLedger(super().ledger(settings), self._arms))

    def bell(self, settings: Settings) -> Bell:
        return cast(Bell, _ArmedBell(super().bell(settings), self._arms))


class _ArmedLedger:
    """Hands everything on to a ledger."""

    def __init__(self, ledger: Ledger, arms: Arms) -> None:
        self._ledger = ledger
        self._arms = arms

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def accept(self, batch: Any) -> Any:
        self._arms.reached("accept sent", lambda: repr(batch))
        accepted = self._ledger.accept(batch)
        self._arms.reached("accept applied", lambda: repr(batch))
        return accepted

    def cancel(self, ids: Any) -> Any:
        moved = self._ledger.cancel(ids)
        self._arms.reached("cancel asked", lambda: repr(ids))
        return moved


class _ArmedBell:
    """Hands everything on to a bell."""

    def __init__(self, bell: Bell, arms: Arms) -> None:
        self._bell = bell
        self._arms = arms

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bell, name)

    def ring(self, queue: str, times: int) -> None:
        self._bell.ring(queue, times)
        self._arms.reached("bell rung", lambda: None)


class Insisting(threading.Thread):
    """Repeats a call, in a thread of its own, until it is answered, as a careful client does."""

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._call = call
        self._given_up = threading.Event()
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            while not self._given_up.is_set():
                try:
                    self._call()
                except Unreachable:
                    self._given_up.wait(0.05)
                else:
                    return
        except BaseException as error:  # noqa: BLE001  the test's own thread raises it, in `done`
            self.error = error

    def look(self) -> None:
        """Raises: what the call raised so far."""
        if self.error is not None:
            raise self.error

    def done(self, timeout_s: float) -> None:
        """Until it was answered. Raises: what the call raised; AssertionError when no answer came in time."""
        self.join(timeout_s)
        answered = not self.is_alive()
        self._given_up.set()
        self.look()
        assert answered, f"no answer within {timeout_s} s"
