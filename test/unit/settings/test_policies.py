"""Policies of queues, types, users and keys: read from files, variables, a celeryconfig; shown and handed on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hysds.core.errors import InvalidSettings
from hysds.core.policies import QueuePolicy, Share
from hysds.settings import environment, load, policies, rendering, show
from hysds.settings.load import Loaded

_TOML = """
[queues.gpu]
types = ["job:train-*"]
users = ["ann", "b*"]
soft_time_limit = "1h"
time_limit = "2h"
max_time_limit = "1d"
max_running = 40
max_running_per_user = 4
max_running_per_type = 5
max_running_per_key = 6
rate = "90/m"
burst = 3

[queues."*"]
max_running = 100

[types."job:train-*"]
max_running = 7

[users."*"]
rate = 2

[keys."tile-*"]
max_running = 2
"""
_GPU = QueuePolicy(
    ("job:train-*",), ("ann", "b*"), 3600.0, 7200.0, 86_400.0, 40, 4, 5, 6, 1.5, 3
)  # fmt: skip


def loaded(home: Path, text: str = "", name: str = "hysds.toml", **variables: str) -> Loaded:
    """Settings of a file with this text."""
    home.mkdir(exist_ok=True)
    (home / name).write_text(text)
    return load.load(
        None, {"HYSDS_HOME": str(home), "HYSDS_CONFIG": str(home / name)} | variables, directory=home
    )


def test_a_settings_file_has_a_table_a_policy(tmp_path: Path) -> None:
    """With units, lists and patterns; each remembers where it is set."""
    settings = loaded(tmp_path, _TOML).settings

    assert settings.queues == {"gpu": _GPU, "*": QueuePolicy(max_running=100)}
    assert settings.types == {"job:train-*": Share(7)}
    assert settings.users == {"*": Share(None, 2.0)}
    assert settings.keys == {"tile-*": Share(2)}
    assert settings.queues["gpu"].source == f"{tmp_path}/hysds.toml: queues.gpu"
    assert settings.policies.queues is settings.queues


def test_a_variable_holds_the_same_as_json(tmp_path: Path) -> None:
    """And comes before the file, as a whole."""
    settings = loaded(tmp_path, _TOML, HYSDS_QUEUES='{"cpu": {"rate": "2/h"}}').settings

    assert settings.queues == {"cpu": QueuePolicy(rate_per_s=2 / 3600)}
    assert settings.queues["cpu"].source == "environment HYSDS_QUEUES.cpu"
    assert settings.users == {"*": Share(None, 2.0)}


def test_a_celeryconfig_holds_them_among_the_settings_of_hysds(tmp_path: Path) -> None:
    """As a dict of dicts."""
    text = 'HYSDS_SETTINGS = {"queues": {"gpu": {"max_running": 3}}, "users": {"*": {"max_running": 1}}}\n'

    settings = loaded(tmp_path, text, "celeryconfig.py").settings

    assert settings.queues == {"gpu": QueuePolicy(max_running=3)}
    assert settings.users == {"*": Share(1)}


def test_a_child_process_and_a_rendered_file_have_the_same_policies(tmp_path: Path) -> None:
    """They travel as JSON with units."""
    text = policies.written(loaded(tmp_path, _TOML).settings.queues)
    before = loaded(tmp_path, "", HYSDS_QUEUES=text)
    handed = load.load(None, environment.handed_on(before.settings, before.origins, None), directory=tmp_path)
    rendered = rendering.rendered(before.settings, before.origins, "celeryconfig", masks=False)

    assert handed.settings.queues["gpu"] == _GPU
    assert loaded(tmp_path / "other", rendered, "celeryconfig.py").settings.queues["gpu"] == _GPU


def test_each_policy_is_shown_with_its_origin(tmp_path: Path) -> None:
    """A line each; a table without any is one line that says so."""
    result = loaded(tmp_path, _TOML)
    rows = {row.name: row for row in show.rows(result.settings, result.origins)}
    plain = {row.name: row for row in show.rows(loaded(tmp_path, "").settings, result.origins)}

    assert json.loads(rows["queues.gpu"].value)["rate"] == "1.5/s"
    assert json.loads(rows["queues.gpu"].value)["max_time_limit"] == "1d"
    assert rows["users.*"].value == '{"rate": "2/s"}'
    assert rows["keys.tile-*"].origin == f"{tmp_path}/hysds.toml: keys"
    assert "queues" not in rows
    assert plain["queues"].value == "none"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"gpu": {"max_runing": 1}}, "gpu: no such key: max_runing; there are types, users"),
        ({"gpu": {"max_running": 0}}, "gpu: max_running: a whole number from 1"),
        ({"gpu": {"max_running": True}}, "a whole number from 1"),
        ({"gpu": {"max_running": "3"}}, 'a whole number from 1 to 1000000000 is needed, not "3"'),
        ({"gpu": {"rate": "fast"}}, "gpu: rate: 'fast' is not a rate: use 10/s"),
        ({"gpu": {"rate": 0}}, "is not a rate"),
        ({"gpu": {"rate": "0.00000000001/d"}}, "more than ten years"),
        ({"gpu": {"burst": 2}}, "gpu: burst has no use without rate"),
        ({"gpu": {"time_limit": "1 fortnight"}}, "is not a duration"),
        ({"gpu": {"time_limit": 0}}, "must be more than nothing"),
        ({"gpu": {"soft_time_limit": 9, "time_limit": 8}}, "soft_time_limit is beyond time_limit"),
        ({"gpu": {"time_limit": 9, "max_time_limit": 8}}, "can't be beyond max_time_limit"),
        ({"gpu": {"max_running": 3, "max_running_per_user": 4}}, "bounds nothing"),
        ({"gpu": {"types": "job:x"}}, "gpu: types: a list of names or patterns"),
        ({"gpu": {"users": [1]}}, "names and patterns are texts"),
        ({"a queue": {}}, "can't name a queue"),
        ({"gpu": 3}, "gpu: a table of keys is needed"),
        ([], "a table of policies by name is needed"),
    ],
)
def test_a_policy_that_can_t_be_is_refused_with_its_name(tmp_path: Path, table: Any, words: str) -> None:
    """And where it is set."""
    with pytest.raises(InvalidSettings) as caught:
        loaded(tmp_path, "", HYSDS_QUEUES=json.dumps(table))

    assert str(caught.value).startswith("environment HYSDS_QUEUES: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"), [("{", "not JSON"), ('{"a": {}, "a": {}}', "$.a: given twice"), ("", "not JSON")]
)
def test_a_variable_that_is_no_json_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """With what is wrong in it."""
    with pytest.raises(InvalidSettings, match="environment HYSDS_USERS") as caught:
        loaded(tmp_path, "", HYSDS_USERS=text)

    assert words in str(caught.value)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """Over all policies of a table."""
    with pytest.raises(InvalidSettings) as caught:
        loaded(tmp_path, '[users.ann]\nmax_running = 0\nage = 3\n[users.""]\n')

    for words in ("ann: max_running:", "ann: no such key: age", '"" is no name'):
        assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/hysds.toml: users: ")
