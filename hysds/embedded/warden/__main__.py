"""Where the warden's interpreter starts: `python -I -S <this folder> <control> <lock>`, two descriptors.

An isolated interpreter knows no installed package: the folder that holds `hysds` comes last in its path, so that
nothing beside it can take the place of the standard library.
"""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    del sys.path[0]
    sys.path.append(str(Path(__file__).absolute().parents[3]))
    importlib.import_module("hysds.embedded.warden.warden").serve(int(sys.argv[1]), int(sys.argv[2]))
