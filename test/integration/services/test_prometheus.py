"""The Prometheus that dashboards' queries are run against is real, and reads what it is told to."""

from __future__ import annotations

import pytest

from services.prometheus import PrometheusServer
from services.web import WebServer, answer


def test_what_is_served_is_scraped_and_found(prometheus_server: PrometheusServer) -> None:
    """A target named while the server runs is read, and a query answers with its series; a bad query says so."""
    page = answer(body=b'jobs{queue="a"} 7\n', Content_Type="text/plain; version=0.0.4")
    with WebServer(lambda _: page) as web:
        prometheus_server.scrape(f"127.0.0.1:{web.port}")
        found = prometheus_server.await_series('jobs{queue="a"}')

    assert found[0]["value"][1] == "7"
    with pytest.raises(ValueError, match="parse error"):
        prometheus_server.query("sum(")
