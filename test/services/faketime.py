"""Clocks of single processes that jump while they run: libfaketime, preloaded, told by a file of each its own."""

from __future__ import annotations

import os
from pathlib import Path

from services import required

_SITE = Path(__file__).with_name("faketime_site")


def faketime_library() -> Path:
    """Debian's libfaketime, in the form for programs with threads."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        required.missing("libfaketime", "libfaketime")
    return found[0]


class FakeClock:
    """The wall clock of a process that was started with `variables`; steady clocks stay what they are."""

    def __init__(self, directory: Path, name: str) -> None:
        library = faketime_library()
        self._file = directory / f"{name}.clock"
        self.jump(0)
        self.variables = {
            "LD_PRELOAD": str(library),
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_SITE), os.environ.get("PYTHONPATH")))),
        }

    def jump(self, hours: float) -> None:
        """The process's clock is so far ahead of the true one from now on (negative: behind)."""
        aside = self._file.with_suffix(".part")
        aside.write_text(f"{round(hours * 3600):+d}s\n")
        aside.replace(self._file)
