"""Loaded by every Python of a role under test, whose PYTHONPATH names this folder: it sets the fault points.

A guardian is started by the worker as `sys.executable -I -S …`, which loads no such file: the executable that the
worker is shown here is a small program that starts guardians with fault points and all else as it is.
"""

import os
import sys

if os.environ.get("FAULT_POINTS"):
    from worlds.faults.inside import moments

    sys.executable = os.path.join(os.environ["FAULT_POINTS"], "python")
    moments.install(os.environ["FAULT_POINTS"])
