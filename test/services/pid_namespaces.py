"""A pid namespace of its own for a command, as a container has one: it sees no process but its own."""

from __future__ import annotations

import subprocess

from services import required


def run_in() -> tuple[str, ...]:
    """What to put before a command. All of it dies with the process that this starts; needs root."""
    unshare = required.program("unshare", "util-linux")
    before = (str(unshare), "--pid", "--fork", "--kill-child", "--mount-proc")
    tried = subprocess.run([*before, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        required.missing(f"a pid namespace ({tried.stderr.strip()})", "util-linux; run the tests as root")
    return before
