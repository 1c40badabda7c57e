"""What `hysds doctor` finds about the metrics of this host."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hysds.adapters.metrics import health
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.adapters.metrics.telling import Place, Told
from hysds.core.metric_names import Metric
from hysds.ports.findings import Finding
from hysds.ports.metrics import Address
from hysds.settings.metrics import Metrics


class _Stranger(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody asks."""


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of another program."""
    with HTTPServer(("127.0.0.1", 0), _Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _codes(found: Iterator[Finding]) -> list[str]:
    return [one.code for one in found]


def test_each_living_process_is_asked(tmp_path: Path) -> None:
    """One that answers is well; a file of a dead one says nothing, one that is no list neither."""
    metrics = MemoryMetrics()
    metrics.gauge(Metric.ROLE, 1, role="indexer", version="1")
    told = Told(metrics, Place("indexer", Address("127.0.0.1", 0), tmp_path)).start()
    (tmp_path / "reconciler-1.json").write_text(
        '[{"targets": ["127.0.0.1:1"], "labels": {"role": "reconciler"}}]'
    )

    [found] = health.check(Metrics(port=0), tmp_path)

    assert found.code == "metrics.told"
    assert told.address is not None
    assert found.where == told.address.url
    told.close()
    assert _codes(health.check(Metrics(port=0), tmp_path)) == []


def test_a_process_that_tells_of_another_role_is_no_process_of_ours(tmp_path: Path) -> None:
    """Its port may be another program's by now."""
    told = Told(MemoryMetrics(), Place("indexer", Address("127.0.0.1", 0), tmp_path)).start()

    assert _codes(health.check(Metrics(port=0), tmp_path)) == ["metrics.silent"]
    told.close()


def test_another_program_on_a_role_s_port_is_found(tmp_path: Path, stranger: int) -> None:
    """With the ports of fixed settings; the role cannot tell itself, as its process has no address."""
    found = [
        one
        for one in health.check(Metrics(port=stranger), tmp_path)
        if stranger == int(one.where.split(":")[1])
    ]

    assert _codes(iter(found)) == ["metrics.taken"]
    assert "reconciler" in found[0].what


def test_metrics_that_are_off_are_no_complaint(tmp_path: Path) -> None:
    """Nobody asked for them."""
    assert _codes(health.check(Metrics(), tmp_path)) == ["metrics.off"]
