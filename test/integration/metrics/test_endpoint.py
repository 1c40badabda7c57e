"""The endpoint of a process, asked over real sockets by those who behave and those who don't."""

from __future__ import annotations

import json
import logging
import socket
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hysds.adapters.metrics.endpoint import HttpEndpoint, Page
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.adapters.metrics.targets import TargetFile
from hysds.adapters.metrics.telling import Place, Told
from hysds.core.metric_names import TABLE, Metric
from hysds.ports.metrics import Address

HERE = Address("127.0.0.1", 0)


@pytest.fixture
def metrics() -> MemoryMetrics:
    """With something of each kind in it."""
    made = MemoryMetrics()
    made.count(
        Metric.JOBS_ENDED, 2, status="job-failed", failure_class="user", type='job:"a"\n\\', queue="q\ud800"
    )
    made.gauge(Metric.JOBS_DUE, 7)
    made.table(Metric.QUEUE_READY, {("gpu",): 3, ("cpu",): 0})
    for seconds in (0.0001, 0.001, 3.0, 1e6):
        made.observe(Metric.ROUND, seconds)
    return made


@pytest.fixture
def told(metrics: MemoryMetrics, tmp_path: Path) -> Iterator[Told]:
    """An endpoint on any port."""
    endpoint = Told(metrics, Place("indexer", HERE, tmp_path / "run" / "metrics")).start()
    yield endpoint
    endpoint.close()


def _at(endpoint: Told | HttpEndpoint) -> Address:
    assert endpoint.address is not None
    return endpoint.address


def _said(address: Address, request: bytes) -> bytes:
    with socket.create_connection((address.host, address.port), timeout=30) as asker:
        asker.sendall(request)
        return b"".join(iter(lambda: asker.recv(65_536), b""))


def test_prometheus_reads_what_was_measured(told: Told) -> None:
    """All of the table, with odd labels escaped, buckets cumulative, and what the kernel says of the process."""
    with urllib.request.urlopen(_at(told).url, timeout=30) as answer:
        text = answer.read().decode()

    families = {family.name: family for family in text_string_to_metric_families(text)}
    samples = {
        (one.name, *sorted(one.labels.items())): one.value
        for family in families.values()
        for one in family.samples
    }
    labels = {"status": "job-failed", "failure_class": "user", "type": 'job:"a"\n\\', "queue": "q?"}
    assert samples["hysds_jobs_ended_total", *sorted(labels.items())] == 2
    assert samples["hysds_jobs_due",] == 7
    assert samples["hysds_queue_ready_jobs", ("queue", "gpu")] == 3
    assert samples["hysds_reconciler_round_seconds_bucket", ("le", "0.001")] == 2
    assert samples["hysds_reconciler_round_seconds_bucket", ("le", "+Inf")] == 4
    assert samples["hysds_reconciler_round_seconds_count",] == 4
    assert samples["hysds_reconciler_refused_total",] == 0
    assert "process_resident_memory_bytes" in families
    assert {shape.name.removesuffix("_total") for shape in TABLE} <= set(families)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (
            b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=",
        ),
        (b"GET /metrics?name[]=x HTTP/1.0\n\n", b"HTTP/1.1 200 OK"),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 404 Not Found"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"HTTP/1.1 405 Method Not Allowed"),
        (b"\x16\x03\x01\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"\r\n\r\n", b"HTTP/1.1 400 Bad Request"),
        (b"GET /" + b"x" * 20_000, b""),
    ],
)
def test_every_request_gets_its_answer(told: Told, request_: bytes, answer: bytes) -> None:
    """Also what is no request; one without end is left."""
    try:
        said = _said(_at(told), request_)
    except ConnectionError:  # reset, as what was sent was not read to its end
        said = b""

    assert said.startswith(answer)
    assert answer or not said


def test_whoever_asks_for_the_head_gets_no_body(told: Told) -> None:
    """As HTTP has it."""
    said = _said(_at(told), b"HEAD /metrics HTTP/1.1\r\n\r\n")

    assert said.endswith(b"\r\n\r\n")
    assert said.count(b"\r\n\r\n") == 1


def test_those_who_connect_and_say_nothing_keep_nobody_out() -> None:
    """More of them than are served at once: they are left after a while, and who waited is answered."""
    endpoint = HttpEndpoint(
        "indexer", HERE, Page(lambda: b"x", "text/plain", asker_s=0.3), lambda address: None
    )
    endpoint.start()
    address = _at(endpoint)
    silent = [socket.create_connection((address.host, address.port), timeout=30) for _ in range(6)]

    said = _said(address, b"GET /metrics HTTP/1.1\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 200 OK")
    assert sum(thread.name == "metrics-answer" for thread in threading.enumerate()) <= 4
    for one in silent:
        one.close()
    endpoint.close()


def test_a_port_in_use_is_said_once_and_had_when_it_is_free(
    metrics: MemoryMetrics, caplog: pytest.LogCaptureFixture
) -> None:
    """The process works on meanwhile; the sentence names the port and what to do."""
    caplog.set_level(logging.INFO)
    found: list[Address] = []
    has_it = threading.Event()

    def note(address: Address) -> None:
        found.append(address)
        has_it.set()

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        endpoint = HttpEndpoint(
            "indexer", Address("127.0.0.1", port), Page(lambda: b"x", "text/plain"), note, 0.02
        )
        endpoint.start()

        assert endpoint.address is None
    assert has_it.wait(60)
    assert _said(found[0], b"GET /metrics HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\nx")
    endpoint.close()
    errors = [one.getMessage() for one in caplog.records if one.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert f"127.0.0.1 port {port} can't be had (Address already in use)" in errors[0]
    assert "HYSDS_METRICS_PORT" in errors[0]


def test_a_page_that_breaks_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The asker is left without an answer, the next one is asked what he wants."""
    pages = iter([b"second"])
    first = threading.Event()

    def text() -> bytes:
        if not first.is_set():
            first.set()
            raise RuntimeError("a defect")
        return next(pages)

    endpoint = HttpEndpoint("indexer", HERE, Page(text, "text/plain"), lambda address: None)
    endpoint.start()

    assert _said(_at(endpoint), b"GET /metrics HTTP/1.1\r\n\r\n") == b""
    assert _said(_at(endpoint), b"GET /metrics HTTP/1.1\r\n\r\n").endswith(b"second")
    endpoint.close()
    assert "a defect" in caplog.text


def test_an_address_of_ipv6_is_one_too() -> None:
    """Its URL has it in brackets."""
    endpoint = HttpEndpoint(
        "indexer", Address("::1", 0), Page(lambda: b"x", "text/plain"), lambda address: None
    )
    endpoint.start()
    address = _at(endpoint)

    assert address.url == f"http://[::1]:{address.port}/metrics"
    assert _said(address, b"GET /metrics HTTP/1.1\r\n\r\n").endswith(b"x")
    endpoint.close()


def test_an_endpoint_that_was_closed_answers_nobody(told: Told) -> None:
    """Its port is free at once, and its thread ends."""
    address = _at(told)
    told.close()
    told.close()

    with pytest.raises(ConnectionError):
        socket.create_connection((address.host, address.port), timeout=30).close()
    with socket.create_server((address.host, address.port)):
        pass


def test_files_for_prometheus_name_who_lives(told: Told, tmp_path: Path) -> None:
    """One of a dead process goes when the next begins; one's own goes with the end."""
    directory = tmp_path / "run" / "metrics"
    [mine] = directory.iterdir()
    address = _at(told)
    assert json.loads(mine.read_text()) == [
        {"targets": [f"127.0.0.1:{address.port}"], "labels": {"role": "indexer"}}
    ]
    dead = directory / "indexer-1.json"
    dead.write_text("[]")
    other = TargetFile(directory, "reconciler-2")

    other.write(Address("::", 9), {"role": "reconciler"})

    assert {path.name for path in directory.iterdir()} == {mine.name, "reconciler-2.json"}
    assert json.loads((directory / "reconciler-2.json").read_text())[0]["targets"] == ["[::1]:9"]
    told.close()
    other.remove()
    assert list(directory.iterdir()) == []


def test_a_directory_that_can_not_be_written_is_no_reason_not_to_answer(
    metrics: MemoryMetrics, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Prometheus has to be told the address in another way; that is said."""
    (tmp_path / "file").write_text("")

    endpoint = Told(metrics, Place("indexer", HERE, tmp_path / "file" / "metrics")).start()

    assert _said(_at(endpoint), b"GET /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert "no file can be written" in caplog.text
    endpoint.close()
