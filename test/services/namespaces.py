"""A network of two ends for one test: a namespace of its own for whoever is to be cut off, and a cable to it."""

from __future__ import annotations

import os
import subprocess
from types import TracebackType

from services import required

_NOBODY = "02:00:00:00:00:99"


class CableNetwork:
    """A network namespace behind a virtual cable. `run_in` before a command starts it inside; needs root.

    The cable's ends are `here` and `there`; nothing else is reachable from inside.
    """

    def __init__(self) -> None:
        tag = f"{os.getpid() % 10**6:06d}"
        self._name, self._ours, self._theirs = f"hysds-{tag}", f"hy{tag}a", f"hy{tag}b"
        third, fourth = divmod(os.getpid() % 2**14, 64)
        self.here, self.there = (f"10.231.{third}.{4 * fourth + end}" for end in (1, 2))
        self.run_in = ("ip", "netns", "exec", self._name)
        self._neighbour = (self.here, "dev", self._theirs)

    def __enter__(self) -> CableNetwork:
        required.program("ip", "iproute2")
        made = _ip("netns", "add", self._name, check=False)
        if made.returncode:
            required.missing(
                f"a network namespace ({made.stderr.strip()})", "iproute2; run the tests as root"
            )
        _ip("link", "add", self._ours, "type", "veth", "peer", "name", self._theirs, "netns", self._name)
        _ip("addr", "add", f"{self.here}/30", "dev", self._ours)
        _ip("link", "set", self._ours, "up")
        _ip("-n", self._name, "addr", "add", f"{self.there}/30", "dev", self._theirs)
        _ip("-n", self._name, "link", "set", self._theirs, "up")
        _ip("-n", self._name, "link", "set", "lo", "up")
        return self

    def pull_cable(self) -> None:
        """Their end goes down: whoever sends learns at once that there is no way."""
        _ip("-n", self._name, "link", "set", self._theirs, "down")

    def plug_in(self) -> None:
        """Undo `pull_cable`."""
        _ip("-n", self._name, "link", "set", self._theirs, "up")

    def drop_packets(self) -> None:
        """What is sent from inside vanishes without a word: it goes to an address of hardware that nobody has."""
        _ip("-n", self._name, "neigh", "replace", *self._neighbour, "lladdr", _NOBODY, "nud", "permanent")

    def pass_packets(self) -> None:
        """Undo `drop_packets`; connections that lived through it go on."""
        _ip("-n", self._name, "neigh", "del", *self._neighbour)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _ip("link", "del", self._ours, check=False)
        _ip("netns", "del", self._name, check=False)


def _ip(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=check)
