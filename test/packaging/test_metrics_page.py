"""The page on metrics says what the table of metrics says, and every metric is measured somewhere."""

from __future__ import annotations

import re
from pathlib import Path

from hysds.core.metric_names import TABLE, Metric, Shape

_ROOT = Path(__file__).parents[2]


def _row(one: Shape) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.help} |"


def test_the_page_lists_all_metrics_as_the_table_has_them() -> None:
    """In its order; a row that differs is printed as it should be."""
    page = (_ROOT / "docs" / "operating.md").read_text().splitlines()

    assert [line for line in page if line.startswith("| `hysds_")] == [_row(one) for one in TABLE]


def test_each_metric_is_measured() -> None:
    """A name that nobody counts would be an empty promise."""
    sources = [path for path in (_ROOT / "hysds").rglob("*.py") if path.name != "metric_names.py"]
    measured = set(re.findall(r"\bMetric\.([A-Z_]+)\b", "\n".join(path.read_text() for path in sources)))

    assert {one.name for one in Metric} - measured == set()
