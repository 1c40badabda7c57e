"""The settings of a store in Elasticsearch: which hosts, who we are, and that no secret is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.core.errors import InvalidSettings
from hysds.settings import fields, load, rendering, search_url, show, urls
from hysds.settings.load import Loaded
from hysds.settings.search_url import Cluster


def _loaded(tmp_path: Path, **variables: str) -> Loaded:
    environ = {"HYSDS_HOME": str(tmp_path), "HYSDS_CONFIG": "", **variables}
    return load.load(environ=environ, directory=tmp_path)


@pytest.mark.parametrize(
    ("url", "cluster"),
    [
        ("https://h", Cluster((("h", 9200),), True, "", None, None)),
        ("http://a:1,[::1]:2,c", Cluster((("a", 1), ("::1", 2), ("c", 9200)), False, "", None, None)),
        ("https://u%40x:p%2Fw@h/es/", Cluster((("h", 9200),), True, "/es", "u@x", "p/w")),
    ],
)
def test_a_cluster_is_named_by_its_hosts(url: str, cluster: Cluster) -> None:
    """Several hosts, their ports, a user, the path of a proxy."""
    assert urls.problem(url, urls.STORE_SCHEMES) is None
    assert search_url.read(url) == cluster


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://", "names no hosts"),
        ("https://a,:1", "names no hosts"),
        ("https://a:x", "names no hosts"),
        ("https://user@h", "needs a password"),
        ("https://h/a b", "has a path of other"),
        ("https://h?verify=no", "no parameter 'verify'"),
    ],
)
def test_what_names_no_cluster_is_refused(url: str, message: str) -> None:
    """The reason shows nothing of the URL."""
    complaint = urls.problem(url, urls.STORE_SCHEMES)

    assert complaint is not None
    assert message in complaint


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"HYSDS_STORE_INDEX_PREFIX": "x"}, "store.index_prefix has no use"),
        ({"HYSDS_STORE_URL": "sqlite:///x/y", "HYSDS_STORE_API_KEY": "abcdef"}, "store.api_key has no use"),
        ({"HYSDS_STORE_URL": "https://h", "HYSDS_STORE_USERNAME": "u"}, "need each other"),
        (
            {"HYSDS_STORE_URL": "https://a:b@h", "HYSDS_STORE_USERNAME": "u", "HYSDS_STORE_PASSWORD": "p"},
            "take one out",
        ),
        ({"HYSDS_STORE_URL": "https://a:b@h", "HYSDS_STORE_API_KEY": "abcdef"}, "in place of a user"),
        ({"HYSDS_STORE_URL": "https://h", "HYSDS_STORE_API_KEY": "abcdef x"}, "no key"),
        ({"HYSDS_STORE_URL": "https://h", "HYSDS_STORE_API_KEY": "äabcdef"}, "no key"),
        ({"HYSDS_STORE_URL": "https://a%3Ab:abcdef@h"}, "holds a colon"),
        ({"HYSDS_STORE_URL": "http://a:b@h"}, "in the clear"),
        ({"HYSDS_STORE_URL": "http://h", "HYSDS_STORE_API_KEY": "abcdef"}, "in the clear"),
        ({"HYSDS_STORE_URL": "http://h", "HYSDS_STORE_CA_FILE": "/etc/hosts"}, "asks for no TLS"),
        ({"HYSDS_STORE_URL": "https://h", "HYSDS_STORE_CA_FILE": "/no/such"}, "can't be read"),
        ({"HYSDS_STORE_URL": "https://h", "HYSDS_STORE_INDEX_PREFIX": "Upper"}, "can't name a prefix"),
    ],
)
def test_what_would_not_be_honoured_is_refused(
    tmp_path: Path, variables: dict[str, str], message: str
) -> None:
    """Options that contradict each other, or that the store has no use for; the secret is not in the message."""
    with pytest.raises(InvalidSettings, match=message) as caught:
        _loaded(tmp_path, **variables)
    assert "abcdef" not in str(caught.value)


def test_a_password_may_go_to_this_host_without_tls(tmp_path: Path) -> None:
    """Nobody else reads what stays here."""
    settings = _loaded(tmp_path, HYSDS_STORE_URL="http://a:b@127.0.0.1:1,localhost:2,[::1]").settings

    assert settings.is_searched_by_elasticsearch


def test_secrets_of_the_store_are_masked_everywhere(tmp_path: Path) -> None:
    """In `config show`, in a rendered file, in the settings' own text; the log knows what to mask."""
    said = {"HYSDS_STORE_URL": "https://h", "HYSDS_STORE_USERNAME": "me", "HYSDS_STORE_PASSWORD": "geheim1"}
    by_key = {"HYSDS_STORE_URL": "https://h", "HYSDS_STORE_API_KEY": "geheim2"}
    in_url = {"HYSDS_STORE_URL": "https://me:geheim3@h,i"}
    for variables, secret in ((said, "geheim1"), (by_key, "geheim2"), (in_url, "geheim3")):
        loaded = _loaded(tmp_path, **variables)
        shown = [row.value for row in show.rows(loaded.settings, loaded.origins)]

        assert loaded.settings.secrets == (secret,)
        assert secret not in " ".join(shown)
        assert "***" in " ".join(shown)
        assert secret not in rendering.rendered(loaded.settings, loaded.origins, "x", masks=True)
        assert secret in rendering.rendered(loaded.settings, loaded.origins, "x", masks=False)
        assert rendering.holds_secrets(loaded.settings, loaded.origins)
        assert secret not in repr(loaded.settings)
        assert secret in loaded.handed_on().values() or variables == in_url


def test_a_secret_that_is_not_set_is_none(tmp_path: Path) -> None:
    """Stars stand for a value alone."""
    settings = _loaded(tmp_path).settings

    assert fields.table()["store.password"].show(settings.store.password) == "none"
