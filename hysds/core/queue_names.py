"""What may name a queue, wherever one is named: in a spec, in settings, on a worker's command line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hysds.core import json_text
from hysds.core.errors import Complaint

PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,127}"
RULE = "letters, digits and _ . : @ + - only, 128 at most, the first a letter or digit"
_WHOLE = re.compile(PATTERN)


def check(name: str, path: str = "$.job_queue") -> Iterator[Complaint]:
    """Complaints about a queue's name; `path` is where it stands."""
    if not _WHOLE.fullmatch(name):
        yield Complaint(
            path,
            f"{json_text.shown(name)} can't name a queue: {RULE}",
        )
