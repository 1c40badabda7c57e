"""Where the guardian's interpreter starts: `python -I -S <this folder> <descriptor>`.

An isolated interpreter knows no installed package, so the folder above this one becomes the first place it
looks in, and the program runs as the package `guard`, wherever HySDS is installed.
"""

import importlib
import os
import sys

if __name__ == "__main__":
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    importlib.import_module("guard.guardian").main(int(sys.argv[1]))
