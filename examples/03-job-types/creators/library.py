"""Makes the jobs of a request `{"folder": …}`: a count of each text in it, and one of all together."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def make_jobs(info: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs, by the texts' names."""
    texts = sorted(Path(info["folder"]).glob("*.txt"))
    if not texts:
        raise ValueError(f"there are no texts in {info['folder']}")
    counts = [
        {"type": "count", "name": f"count-{text.stem}", "params": {"text": str(text)}} for text in texts
    ]
    total = {"type": "total", "name": "count-all", "params": {"texts": [str(text) for text in texts]}}
    return [*counts, total]
