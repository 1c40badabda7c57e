"""`python -m hysds` is the `hysds` command."""

import sys

from hysds.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
