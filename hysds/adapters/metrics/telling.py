"""Puts an endpoint together: the metrics of this process, where it tells them, and the file that says so."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path

from hysds.adapters.metrics.endpoint import HttpEndpoint, Page
from hysds.adapters.metrics.exposition import CONTENT_TYPE, exposition
from hysds.adapters.metrics.memory import MemoryMetrics
from hysds.adapters.metrics.targets import TargetFile
from hysds.ports.metrics import Address

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process of a role tells. `targets`: the directory of files for Prometheus."""

    role: str
    at: Address
    targets: Path


class Told:
    """The endpoint of this process, once it was started."""

    def __init__(self, metrics: MemoryMetrics, place: Place) -> None:
        self._place = place
        self._file = TargetFile(place.targets, f"{place.role}-{os.getpid()}")
        self._http = HttpEndpoint(place.role, place.at, Page(exposition(metrics), CONTENT_TYPE), self._note)

    @property
    def address(self) -> Address | None:
        """Where it answers; None: it has no port yet."""
        return self._http.address

    def start(self) -> Told:
        """Answer from now on."""
        self._http.start()
        return self

    def close(self) -> None:
        """Answer nobody any more."""
        self._http.close()
        self._file.remove()

    def _note(self, address: Address) -> None:
        try:
            self._file.write(address, {"role": self._place.role})
        except OSError as error:
            _LOG.warning(
                "Prometheus finds the metrics of this %s at %s only if it is told: no file can be written below %s: %s",
                self._place.role,
                address.url,
                self._place.targets,
                error,
            )
