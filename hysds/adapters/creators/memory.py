"""The twin in this process, for tests: functions are called where they are asked for, without limits."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from typing import Any

from hysds.adapters.creators import answers, functions
from hysds.adapters.creators.answers import Bounds
from hysds.ports.creators import Call, CallFailed


class MemoryCreators:
    """Holds no process; of the bounds, those of the answer hold."""

    def __init__(self, prefixes: tuple[str, ...], bounds: Bounds) -> None:
        self._prefixes = prefixes
        self._bounds = bounds

    def create(self, call: Call) -> tuple[Mapping[str, Any], ...]:
        try:
            name = functions.chosen(call.function, self._prefixes)
            function = functions.resolved(name, self._prefixes)
            info = json.loads(json.dumps(call.info))  # as a process of its own would have it
            answer = functions.called(function, info, call.job_type)
            return tuple(
                answers.decoded(answers.encoded(answer, self._bounds.jobs, self._bounds.answer_bytes))
            )
        except (functions.NoCreator, answers.Unfit) as refusal:
            raise CallFailed(str(refusal)) from refusal
        except Exception as error:
            lines = tuple(traceback.format_exc().splitlines())
            raise CallFailed(f"raised {type(error).__name__}: {error}", lines) from error

    def close(self) -> None:
        """Nothing is held."""
