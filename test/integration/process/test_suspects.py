"""Processes that nobody may look at, as ssh-agent makes itself one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import hysds

NOBODY = 65534
# Root may look at everything: the code below begins by being somebody else. It answers for itself with one line.
_CODE = """
import ctypes, json, os, signal, time
from hysds.adapters.engines.process import GuardedRun
from hysds.lib.process import ending, leftovers, suspects

prctl = ctypes.CDLL(None).prctl
PR_SET_DUMPABLE = 4

def become(dumpable, in_own_session):
    prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0)
    if in_own_session:
        os.setsid()

def orphan(dumpable=0, in_own_session=True, below_another=False):
    # The first child ends, or becomes a parent that anybody can look at.
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        if below_another:
            become(1, True)
        if os.fork() == 0:
            become(dumpable, in_own_session)
            os.write(theirs, b"%d" % os.getpid())
        elif not below_another:
            os._exit(0)
        time.sleep(1000)
    if not below_another:
        os.waitpid(child, 0)
    pid = int(os.read(ours, 20))
    started.extend([pid, child] if below_another else [pid])
    return pid

class Lost:
    pid = None
    def wait(self, timeout_s=None):
        return ending.lost(None)

started = []
marks = lambda: leftovers.Marks({"HYSDS_TEST_MARK": "nobody's"}, (), origin)
said = {}
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(USER), os.setuid(USER)
try:
    older = orphan()
    while suspects.origin().since_s - leftovers.table.process(older).born / os.sysconf("SC_CLK_TCK") < 0.05:
        os.sched_yield()
    origin = suspects.origin()
    hidden = orphan()
    cleared = [older, orphan(dumpable=1), orphan(in_own_session=False), orphan(below_another=True)]
    unsure = leftovers.unsure(marks())
    said["hidden"] = hidden in unsure
    said["cleared"] = [pid in unsure for pid in cleared]
    elsewhere = suspects.Origin(origin.since_s, "0::/another\\n", origin.view)
    said["in other groups"] = hidden in leftovers.unsure(leftovers.Marks(marks().variables, (), elsewhere))
    said["ended"] = leftovers.end(marks(), 30)
    said["all gone"] = GuardedRun(Lost(), marks()).wait(None).all_gone
    os.kill(hidden, signal.SIGKILL)
    while hidden in leftovers.unsure(marks()):
        os.sched_yield()
    said["ended at last"] = leftovers.end(marks(), 30)
    said["all gone at last"] = GuardedRun(Lost(), marks()).wait(None).all_gone
finally:
    for pid in started:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
print(json.dumps(said))
"""


def test_what_can_not_be_looked_at_is_neither_killed_nor_denied(tmp_path: Path) -> None:
    """A process of our user that may be the command's: its end is not claimed while it lives, nor waited for. Cleared
    is what is older, what stayed in an older session, what has a younger parent of its own, what is in other groups.
    """
    code = _CODE.replace("USER", str(NOBODY))
    package = str(Path(hysds.__file__).parents[1])
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": package},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )

    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout) == {
        "hidden": True,
        "cleared": [False, False, False, False],
        "in other groups": False,
        "ended": False,
        "all gone": False,
        "ended at last": True,
        "all gone at last": True,
    }
