"""The guardian's program with fault points: `python -I -S -X utf8 guarded.py <the guardian's folder> <descriptor>`."""

import os
import runpy
import sys

if __name__ == "__main__":
    sys.path.insert(0, os.path.abspath(f"{__file__}/../../../.."))
    from worlds.faults.inside import moments

    moments.install(os.environ["FAULT_POINTS"])
    del sys.path[0]
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
