"""Creators called in processes of their own, which are kept for the next call while they behave."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from hysds.adapters.creators import functions
from hysds.adapters.creators.child import Child, Rules
from hysds.ports.creators import Call, CallFailed

_KEPT = 2
"""So many idle processes are kept."""


class ProcessCreators:
    """Starts a process when no idle one is there: callers on several threads do not wait for each other."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        self._idle: dict[int, list[Child]] = {}
        """By the process that started them: one that was forked from it can't share them."""

    def create(self, call: Call) -> tuple[Mapping[str, Any], ...]:
        try:
            name = functions.chosen(call.function, self._rules.prefixes)
        except functions.NoCreator as refusal:
            raise CallFailed(str(refusal)) from refusal
        while True:
            child, is_new = self._taken()
            try:
                return tuple(child.create(name, call.info, call.job_type))
            except BrokenPipeError as error:
                if is_new:
                    raise CallFailed("can't be called: its process died as it started") from error
            finally:
                self._put_back(child)

    def close(self) -> None:
        with self._lock:
            idle = self._idle.pop(os.getpid(), [])
        for child in idle:
            child.close()

    def _taken(self) -> tuple[Child, bool]:
        with self._lock:
            idle = self._idle.get(os.getpid(), [])
            child = idle.pop() if idle else None
        if child is not None and child.is_fit:
            return child, False
        if child is not None:
            child.close()
        try:
            return Child(self._rules), True
        except OSError as error:
            raise CallFailed(f"can't be called: no process can be started ({error.strerror})") from error

    def _put_back(self, child: Child) -> None:
        with self._lock:
            idle = self._idle.setdefault(os.getpid(), [])
            if child.is_fit and len(idle) < _KEPT:
                idle.append(child)
                return
        child.close()
