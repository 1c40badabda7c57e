"""What HYSDS_LOG may say."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hysds.core.errors import InvalidSettings
from hysds.settings import load
from hysds.settings.model import Settings


def _settings(tmp_path: Path, text: str | None) -> Settings:
    variables = {"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": ""}
    return load.load(
        environ=variables | ({} if text is None else {"HYSDS_LOG": text}), directory=tmp_path
    ).settings


def test_a_level_levels_of_rooms_and_a_form(tmp_path: Path) -> None:
    """Later words win; `celery` is our door and the library."""
    plan = _settings(
        tmp_path, "debug,info,job_worker=debug,adapters.ledger=warning,celery=error,format=json"
    ).log_plan

    assert (plan.level, plan.form) == (logging.INFO, "json")
    assert plan.rooms == {
        "hysds.job_worker": logging.DEBUG,
        "hysds.adapters.ledger": logging.WARNING,
        "hysds.celery": logging.ERROR,
        "celery": logging.ERROR,
        "elastic_transport": logging.ERROR,
    }


def test_without_a_word_nothing_is_said(tmp_path: Path) -> None:
    """Then a role logs from info on, and Celery as its option says; empty is as not set."""
    for text in (None, ""):
        plan = _settings(tmp_path, text).log_plan
        assert (plan.level, plan.form) == (None, "console")
        assert plan.rooms == {"elastic_transport": logging.ERROR}


def test_the_search_client_is_heard_where_it_is_asked_for(tmp_path: Path) -> None:
    """By itself it would log a line a request."""
    plan = _settings(tmp_path, "elastic_transport=info").log_plan

    assert plan.rooms == {"elastic_transport": logging.INFO}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("loud", "'loud' is no level: debug, info, warning, error"),
        ("job_wrker=debug", "there is no room 'job_wrker' (did you mean job_worker?)"),
        ("adapters.ledgers=debug", "there is no room 'adapters.ledgers' (did you mean adapters.ledger?)"),
        ("../../etc=debug", "there is no room"),
        ("job_worker=", "'' is no level"),
        ("format=xml", "format is console or json, not 'xml'"),
    ],
)
def test_a_word_that_means_nothing_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    """With where it stands, and what there is instead."""
    with pytest.raises(InvalidSettings) as refused:
        _settings(tmp_path, text)

    assert refused.value.source == "environment HYSDS_LOG"
    assert complaint in str(refused.value)


def test_a_child_is_handed_the_same_words(tmp_path: Path) -> None:
    """Roles that `hysds up` starts log as it was told."""
    variables = {"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": "", "HYSDS_LOG": "info,indexer=debug"}
    loaded = load.load(environ=variables, directory=tmp_path)

    assert load.load(environ=loaded.handed_on(), directory=tmp_path).settings.log == ("info", "indexer=debug")


def test_passwords_of_urls_are_secrets_as_they_stand_and_as_they_are_meant(tmp_path: Path) -> None:
    """A library may print either."""
    variables = {
        "HYSDS_HOME": str(tmp_path),
        "HYSDS_CONFIG": "",
        "HYSDS_LEDGER_URL": "redis://:a%40bcdefg@h/0",
    }
    settings = load.load(environ=variables, directory=tmp_path).settings

    assert {"a%40bcdefg", "a@bcdefg"} <= set(settings.secrets)
