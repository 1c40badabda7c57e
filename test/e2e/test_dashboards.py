"""Each query of the dashboards and saved objects, against live servers, after the examples alone ran."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from e2e import dashboards
from e2e.conftest import ROOT, CommandLine
from hysds.core.metric_names import TABLE
from hysds.core.query import JobQuery
from hysds.core.status import LIVE
from services.elastic_node import ElasticNode
from services.process import own_directory
from services.prometheus import PrometheusServer, prometheus_program
from services.redis import valkey_program
from services.required import missing

_EXAMPLES = ROOT / "examples"
_FAILS = "06-failures-and-metrics/broken.json"
"""Its command ends with 1, as its README says."""


_TOLD_IN_TIME = (
    "hysds_store_bytes",
    "hysds_watchdog_alarms",
    'hysds_happenings_written_total{resource="worker"} > 0',
    'hysds_happenings_written_total{resource="event"} > 0',
)
"""What duties tell that are not due in every round, however quick the examples are."""


@dataclass(frozen=True, slots=True)
class Ran:
    """Servers that know what the examples did."""

    prometheus: PrometheusServer
    elastic: ElasticNode
    prefix: str

    def search(self, search: dashboards.Search) -> int:
        """Rows that Elasticsearch finds."""
        answer = self.elastic.request("POST", f"/{self.prefix}{search.index}/_search", dict(search.body))
        return search.rows(answer)


@pytest.fixture(scope="module")
def ran(elastic_server: ElasticNode) -> Iterator[Ran]:
    """All examples, on one system with metrics and Elasticsearch; it stands until the tests are over."""
    valkey_program()
    directory, prometheus = own_directory("e2e"), PrometheusServer(prometheus_program())
    with elastic_server.own_prefix() as prefix:
        home = _command_line(directory, elastic_server, prefix)
        try:
            prometheus.start()
            _run_all(home, prometheus)
            elastic_server.request("POST", f"/{prefix}*/_refresh")
            yield Ran(prometheus, elastic_server, prefix)
        finally:
            home.close()
            home.hysds("down", "--now")
            prometheus.remove()
            shutil.rmtree(directory, ignore_errors=True)


def _command_line(directory: Path, elastic: ElasticNode, prefix: str) -> CommandLine:
    """What the examples' own exports say, too."""
    home = CommandLine(
        directory,
        HYSDS_STORE_URL=elastic.url,
        HYSDS_STORE_INDEX_PREFIX=prefix,
        HYSDS_METRICS_PORT="0",
        HYSDS_METRICS_INTERVAL="250ms",
        HYSDS_CONFIG=str(_EXAMPLES / "03-job-types" / "hysds.toml"),
        HYSDS_TASKS_ALLOW="letters",
        HYSDS_WORKER_QUEUES="default,word-count,flaky",
    )
    home.environment["PYTHONPATH"] += os.pathsep + str(_EXAMPLES / "04-tasks")
    return home


def _run_all(home: CommandLine, prometheus: PrometheusServer) -> None:
    up = home.hysds("up", "--detach")
    assert up.returncode == 0, up.stderr
    home.start_ready("worker", "task", "--concurrency", "2")
    targets = _targets(home)
    assert len(targets) == 4
    prometheus.scrape(*targets)
    prometheus.await_series("count(up == 1) == 4")
    for line in _lines():
        done = home.shell(line)
        assert done.returncode == int(_FAILS in line), (line, done.stdout, done.stderr)
    _await_ends(home)
    for told in _TOLD_IN_TIME:
        prometheus.await_series(told)
    # Thrice behind the end of all, so that every rate has something to compare.
    prometheus.await_series("max(hysds_index_behind_events) == 0")
    since = round(time.time(), 3)
    prometheus.await_series(f"min(count_over_time((timestamp(hysds_role_info) > {since})[1m:250ms])) >= 3")


def _targets(home: CommandLine) -> list[str]:
    """Where Prometheus finds the processes of this host, as files tell it."""
    files = sorted((home.home / "run" / "metrics").glob("*.json"))
    return [target for file in files for group in json.loads(file.read_text()) for target in group["targets"]]


def _lines() -> Iterator[str]:
    """The commands of all READMEs that submit what can be run."""
    for readme in sorted(_EXAMPLES.glob("*/README.md")):
        for block in re.findall(r"```sh\n(.*?)```", readme.read_text(), re.DOTALL):
            for line in block.splitlines():
                if (
                    re.match(r"hysds (run|submit|schedule (add|run))\b|python ", line)
                    and "/nowhere" not in line
                ):
                    yield line


def _await_ends(home: CommandLine) -> None:
    live = JobQuery(status=frozenset(status.value for status in LIVE), limit=0)
    with home.client() as client:
        while client.jobs(live).total:
            time.sleep(0.1)  # jobs of other processes


def test_each_query_of_the_operations_dashboard_finds_series(ran: Ran) -> None:
    """Over the time of the examples; those of its variables, too."""
    asked = dashboards.expressions(dashboards.dashboard("operations"))

    assert len(asked) > 40
    assert [one for one in asked if not ran.prometheus.query(one[1])] == []


def test_each_query_of_the_jobs_dashboard_finds_rows(ran: Ran) -> None:
    """Of every index, with every number that a panel shows."""
    asked = dashboards.grafana_searches(dashboards.dashboard("jobs"))

    assert len({search.index for search in asked}) == 5
    assert [search for search in asked if not ran.search(search)] == []


def test_each_query_of_kibana_s_saved_objects_finds_rows(ran: Ran) -> None:
    """Of saved searches and of visualizations."""
    asked = dashboards.kibana_searches(dashboards.kibana_objects())

    assert len({search.index for search in asked}) == 5
    assert [search for search in asked if not ran.search(search)] == []


def test_dashboards_name_metrics_of_the_table_and_nothing_else() -> None:
    """A metric that was renamed would leave an empty panel."""
    told = {one.name for one in TABLE}
    suffixes = r"(_bucket|_sum|_count)?$"
    text = (dashboards.CONFIGS / "grafana" / "operations.json").read_text()
    named = {re.sub(suffixes, "", name) for name in re.findall(r"\bhysds_\w+", text)}

    assert named - told == {"hysds_ledger_memory"}  # a pattern that means two
    assert len(named) > 30


def test_saved_objects_refer_to_each_other_and_have_one_place_each() -> None:
    """Kibana refuses a file whose references lead nowhere; a data source that a dashboard names is provisioned."""
    objects = dashboards.kibana_objects()
    known = {(one["type"], one["id"]) for one in objects}
    boards = [dashboards.dashboard(name) for name in ("jobs", "operations")]
    provisioned = (dashboards.CONFIGS / "grafana" / "datasources.yaml").read_text()

    assert len(known) == len(objects)
    assert {(ref["type"], ref["id"]) for one in objects for ref in one["references"]} <= known
    for board in boards:
        ids = [panel["id"] for panel in board["panels"]]
        assert len(set(ids)) == len(ids)
        for variable in board["templating"]["list"]:
            if variable["type"] == "datasource":
                assert f"- name: {variable['current']['value']}\n" in provisioned


def test_the_configuration_of_prometheus_is_one() -> None:
    """As Prometheus's own tool judges it."""
    tool = prometheus_program().with_name("promtool")
    if not tool.exists():
        missing("promtool", "prometheus")

    checked: Any = subprocess.run(
        [tool, "check", "config", dashboards.CONFIGS / "prometheus" / "prometheus.yml"],
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
