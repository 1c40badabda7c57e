"""Looks at every part at once, each in a thread of its own: one that hangs costs its own finding and no more."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hysds.core.errors import HysdsError, Unreachable
from hysds.lib import owners
from hysds.ports import findings
from hysds.ports.findings import Finding, Severity

Check = Callable[[], Iterable[Finding]]

_ALLOW = "let this user read it, or set HYSDS_HOME (or the setting that names it) to a place of your own"
_MEND = "look whether it runs, and whether it is the one that you mean: hysds config show --origin"


@dataclass(frozen=True, slots=True)
class Part:
    """What was found in one part."""

    name: str
    found: tuple[Finding, ...]
    is_reachable: bool = True

    @property
    def worst(self) -> Severity:
        """The greatest severity in it."""
        return max((one.severity for one in self.found), default=Severity.OK)


def examine(checks: Mapping[str, Check], within_s: float) -> list[Part]:
    """All parts in the order of the checks; the answer comes within this time, whatever hangs."""
    until_s = time.monotonic() + within_s
    looks = [_Look(name, check) for name, check in checks.items()]
    return [look.part(until_s, within_s) for look in looks]


class _Look:
    """One check under way. Nobody waits for its thread at the process's end."""

    def __init__(self, name: str, check: Check) -> None:
        self._name = name
        self._check = check
        self._part: Part | None = None
        self._thread = threading.Thread(target=self._run, name=f"doctor-{name}", daemon=True)
        self._thread.start()

    def part(self, until_s: float, within_s: float) -> Part:
        self._thread.join(max(until_s - time.monotonic(), 0))
        return self._part or self._without(f"no answer within {within_s:.1f} s")

    def _run(self) -> None:
        try:
            self._part = Part(self._name, tuple(self._check()))
        except Unreachable as away:
            self._part = self._without(str(away))
        except HysdsError as refusal:
            self._part = Part(self._name, (findings.error(f"{self._name}.refused", str(refusal), "", _MEND),))
        except PermissionError as closed:
            why = owners.refusal(Path(os.fsdecode(closed.filename))) if closed.filename else str(closed)
            self._part = Part(self._name, (findings.error(f"{self._name}.forbidden", why, "", _ALLOW),))
        except Exception as surprise:  # noqa: BLE001  a thread's outer shell: the other parts are told all the same
            text = f"it could not be looked at: {type(surprise).__name__}: {surprise}"
            self._part = Part(
                self._name, (findings.error(f"{self._name}.defect", text, "", "please report it"),)
            )

    def _without(self, why: str) -> Part:
        return Part(self._name, (findings.error(f"{self._name}.unreachable", why, "", _MEND),), False)
