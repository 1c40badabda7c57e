"""What to say where no system runs under a home and the last one did not end in order."""

from __future__ import annotations

from hysds.core import moments
from hysds.embedded.home import Home


def told(home: Home, goes_on: str = "goes on with the next `hysds up`") -> str:
    """A sentence, which ends with how it `goes_on`; "" where it ended in order, or nobody can tell."""
    crashed_s = home.crashed_s()
    if crashed_s is None:
        return ""
    return (
        f"the system under {home.path} did not end in order: it wrote last at {moments.iso(round(crashed_s * 1000))}, "
        f"and nothing runs since; what was accepted is kept, and {goes_on}"
    )
