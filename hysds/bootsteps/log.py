"""Celery's log in our form: one handler, levels by room, no secrets. Its own lines and the job worker's look alike.

`HYSDS_LOG` says from which level on; where it says none, Celery's `--loglevel` does.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from logging.handlers import WatchedFileHandler
from typing import Any

from celery.app.log import Logging
from celery.utils.log import mlevel
from celery.utils.nodenames import node_format

from hysds.lib import structured_log


class Log(Logging):  # type: ignore[misc]  # Celery publishes no types
    """Stands in the app as `app.log`."""

    def setup_logging_subsystem(
        self, loglevel: Any = None, logfile: Any = None, hostname: str | None = None, **_: Any
    ) -> list[object]:
        """Once a process. Answers what Celery asks for: that nobody else has set it up."""
        if Logging._setup:
            return []
        Logging._setup = True
        settings = self.app.system.settings
        plan = settings.log_plan
        if plan.level is None:
            plan = replace(plan, level=mlevel(loglevel or self.loglevel))
        handler = WatchedFileHandler(node_format(logfile, hostname)) if isinstance(logfile, str) else None
        structured_log.configure(plan, settings.secrets, handler, role="worker", node=hostname or "")
        # What Celery says of each task (`celery.task`, `celery.redirected`) goes where all else goes.
        for name in ("celery", "celery.task", "celery.redirected"):
            logging.getLogger(name).handlers.clear()
        return []
