"""A real Prometheus that scrapes what a test names, and answers its queries."""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from services import required
from services.ports import Reservation
from services.process import ServerProcess, own_directory

_POLL_S = 0.05
_ROUNDS = 1200
_CONFIGURATION = """
global: {scrape_interval: 250ms, scrape_timeout: 250ms}
scrape_configs:
  - job_name: hysds
    file_sd_configs: [{files: [targets.json]}]
"""


def prometheus_program() -> Path:
    """Debian's server, 2.42."""
    return required.program("prometheus", "prometheus")


class PrometheusServer(ServerProcess):
    """One server with its series in its own directory, on 127.0.0.1; ready in a second."""

    def __init__(self, program: Path) -> None:
        directory = own_directory("prometheus")
        self._port = Reservation()
        (directory / "prometheus.yml").write_text(_CONFIGURATION)
        (directory / "targets.json").write_text("[]")
        command = [
            str(program),
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'series'}",
            f"--web.listen-address=127.0.0.1:{self._port.port}",
            "--log.level=warn",
        ]
        super().__init__(directory, command, {"PATH": os.defpath, "HOME": str(directory)}, self._greet)

    @property
    def url(self) -> str:
        """Where it answers, as a data source of a dashboard names it."""
        return f"http://127.0.0.1:{self._port.port}"

    def scrape(self, *targets: str) -> None:
        """From now on read these, each "host:port", four times a second; `up` tells when it has."""
        groups = [{"targets": list(targets)}] if targets else []
        beside = self.directory / "targets.new"
        beside.write_text(json.dumps(groups))
        beside.replace(self.directory / "targets.json")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that an instant query finds now, each with `metric` (labels) and `value` (time, text).

        Raises:
            ValueError: the expression is none.
        """
        asked = urllib.request.Request(
            f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        )
        try:
            with urllib.request.urlopen(asked, timeout=30) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                raise ValueError(f"{expression}: {refused.read().decode()}") from refused
        found: list[dict[str, Any]] = told["data"]["result"]
        return found

    def await_series(self, expression: str) -> list[dict[str, Any]]:
        """What `query` finds, once it finds anything; TimeoutError if that is never."""
        for _ in range(_ROUNDS):
            if found := self.query(expression):
                return found
            time.sleep(_POLL_S)
        raise TimeoutError(f"no series for {expression}; the server's log is {self.log}")

    def remove(self) -> None:
        """Kill the server, delete its directory and give its port back."""
        super().remove()
        self._port.close()

    def _greet(self) -> None:
        with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
            pass
