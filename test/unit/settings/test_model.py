"""What the settings have in common with the rules of a job; written twice only where an import would cost too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core import parse, queue_names
from hysds.core.errors import InvalidSettings
from hysds.settings import load, model, worker


@pytest.mark.parametrize(
    "name",
    ["gpu", "a.b-c_d", "job:x@v1+2", "9", "x" * 128, "x" * 129, "", "-a", "a b", "a{b}", "é", "a,b", "a/b"],
)
def test_a_worker_takes_the_queues_that_a_spec_may_name(name: str) -> None:
    """No job could ever reach a queue that only one of the two knows."""
    given = {"worker.queues": [name]}

    if list(queue_names.check(name)):
        with pytest.raises(InvalidSettings):
            load.load(given, {"HYSDS_CONFIG": ""})
    else:
        assert load.load(given, {"HYSDS_CONFIG": ""}).settings.worker.queues == (name,)


def test_the_default_bound_of_a_spec_is_that_of_its_parser() -> None:
    """Who parses without settings refuses the same specs."""
    assert model.Jobs().max_spec_size_bytes == parse.MAX_SPEC_BYTES


def test_a_settings_object_can_be_made_by_hand() -> None:
    """Tests of other rooms take one as an argument; only the home has no default."""
    settings = model.Settings(home=Path("/h"), worker=worker.Worker(slots=2))

    assert settings.worker.slots == 2
    assert settings.work_dir == Path("/h/work")
    assert hash(settings) == hash(model.Settings(home=Path("/h"), worker=worker.Worker(slots=2)))
