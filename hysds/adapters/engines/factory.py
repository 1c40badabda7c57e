"""Engines by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hysds.adapters.engines.base import EngineSettings
from hysds.adapters.engines.process import ProcessEngine
from hysds.ports.engines import Engine

ENGINES: Mapping[str, Callable[[EngineSettings], Engine]] = {"process": ProcessEngine}


def engine(name: str, settings: EngineSettings) -> Engine:
    """A new engine of this name; KeyError for a name that settings should not have let through."""
    return ENGINES[name](settings)
