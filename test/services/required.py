"""What a test needs from the machine: skips where it is missing, and fails where nothing may be missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def missing(what: str, package: str) -> NoReturn:
    """End the test: a skip with its reason, or a failure where the environment says CI=true."""
    reason = f"{what} is not installed (Debian: apt-get install {package})"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}; with CI=true a missing service is a failure", pytrace=False)
    pytest.skip(reason)


def program(name: str, package: str) -> Path:
    """The path of an executable on the PATH or in /usr/sbin (which an ordinary user's PATH lacks)."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
    if found is None:
        missing(name, package)
    return Path(found)
