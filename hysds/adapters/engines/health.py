"""What holds jobs on this host: whether memory limits are the kernel's, and which sandboxes there are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from hysds.lib.process.guard import cgroup
from hysds.ports import findings
from hysds.ports.findings import Finding

_TRIED_WITHIN_S = 2.0


def check() -> Iterator[Finding]:
    """All that was found, tried out for real."""
    if cgroup.find(None) is not None:
        yield findings.ok("sandbox.memory", "memory limits of jobs are held by the kernel (control groups)")
    else:
        yield findings.note(
            "sandbox.memory",
            "no control group can be made here: memory limits are held by looking at each job's processes, so a job "
            "may be above its limit for a moment",
            "this host",
            "start workers by systemd with Delegate=yes, or as root",
        )
    yield _tried(
        "namespaces",
        "user namespaces",
        ("unshare", "--user", "--map-root-user", "true"),
        "kernel.unprivileged_userns_clone",
    )
    yield _tried(
        "bwrap",
        "bubblewrap",
        ("bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"),
        "the package bubblewrap",
    )


def _tried(name: str, what: str, command: tuple[str, ...], needed: str) -> Finding:
    if shutil.which(command[0]) is None:
        return findings.note(f"sandbox.{name}", f"{what}: {command[0]} is not installed", "this host")
    try:
        ended = subprocess.run(command, capture_output=True, timeout=_TRIED_WITHIN_S, check=False, text=True)
    except (OSError, subprocess.TimeoutExpired) as error:
        return findings.note(f"sandbox.{name}", f"{what} can't be used: {error}", "this host")
    if ended.returncode == 0:
        return findings.ok(f"sandbox.{name}", f"{what} can be used")
    said = " ".join(ended.stderr.split())[:200]
    return findings.note(f"sandbox.{name}", f"{what} can't be used ({said}); it needs {needed}", "this host")
