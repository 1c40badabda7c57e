"""A process that runs an embedded system with one role: `holder.py HOME RECORD MODE…`; it prints all pids as JSON.

It stops in order when its stdin ends. A test may kill it instead. With `detach` among the modes it leaves the system
behind, and ends.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from hysds.embedded.roles import Company, Patience, Role
from hysds.embedded.system import EmbeddedSystem
from hysds.settings.model import Settings

ROLE = Path(__file__).with_name("role.py")


def main(home: str, record: str, *modes: str) -> None:
    """Start, tell, wait, stop."""
    role = Role("worker", [sys.executable, str(ROLE), "worker", record, *modes], 0, grace_s=600)
    patience = Patience(orphaned_grace_s=0.2, hurry_s=0.2)
    company = Company([role], dict(os.environ), patience, stands="detach" in modes)
    with EmbeddedSystem(Settings(home=Path(home)), company) as system:
        system.await_roles()
        print(json.dumps(dict(system.pids)), flush=True)
        if "detach" in modes:
            system.stand(detached=True)
            return
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
