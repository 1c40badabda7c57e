"""Which URLs are taken, and that no secret of one is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from hysds.settings import urls


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:1/0", "redis://h:1/0"),
        ("redis://:pw@h/0", "redis://:***@h/0"),
        ("amqps://user:pw@h:5671//", "amqps://user:***@h:5671//"),
        ("redis://:p@s/w?d@h/0", "redis://:***@h/0"),
        ("redis://user:a:b@h", "redis://user:***@h"),
        ("unix://:pw@/run/x.sock?db=1", "unix://:***@/run/x.sock?db=1"),
        ("redis://h/0?password=pw&db=1", "redis://h/0?password=***&db=1"),
        ("amqp://guest@h", "amqp://guest@h"),
        (
            "redis+sentinel://:pw@a,b:1/s?sentinel_password=q",
            "redis+sentinel://:***@a,b:1/s?sentinel_password=***",
        ),
        ("no url at all", "no url at all"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    """Also one that was not quoted and so breaks the URL."""
    assert urls.masked(url) == shown


@pytest.mark.parametrize(
    "url",
    ["redis://h", "redis://h:6379/15", "rediss://:p%40w@h:6380/0", "unix:///run/v.sock", "unix://u:p@/run/v.sock?db=2",
     "redis://[::1]:6379/0", "redis+sentinel://a/s", "rediss+sentinel://u:p%40@a:1,[::1]:2,c/my-master?db=3",
     "redis+sentinel://a/s?sentinel_user=u&sentinel_password=p"],
)  # fmt: skip
def test_the_forms_of_a_redis_server_are_taken(url: str) -> None:
    """TCP, TLS, unix sockets and services behind Sentinels, with a user and a database."""
    assert urls.problem(url, urls.REDIS_SCHEMES) is None


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://:pw@", "names no host"),
        ("redis:///0", "names no host"),
        ("redis://user:pw", "can't be read"),
        ("pw", "begins with none of redis://"),
        ("redis://:pw@h:port/0", "can't be read"),
        ("redis://:p/w@h/0", "can't be read"),
        ("redis://:pw@h:99999", "can't be read"),
        ("redis://h/pw", "else than a database number"),
        ("redis://h/0?db=x", "no database number"),
        ("unix://run/v.sock", "absolute path"),
        ("unix://", "absolute path"),
        ("unix:///" + "x" * 107, "at most 107 bytes"),
        ("rediss://h?ssl_cert_reqs=none", "always verified"),
        ("rediss://h?ssl_check_hostname=false", "always verified"),
        ("rediss://h?ssl_ca_certs=/x", "set ca_file"),
        ("redis://h?socket_timeout=3", "no parameter 'socket_timeout'"),
        ("amqp://h", "begins with none of redis://"),
        ("sentinel://h", "begins with none of redis://"),
        ("localhost:6379", "begins with none of redis://"),
        ("redis+sentinel://:pw@a:1,:2/s", "names no Sentinels"),
        ("redis+sentinel://:pw@a:x/s", "names no Sentinels"),
        ("redis+sentinel://:pw@/s", "names no Sentinels"),
        ("redis+sentinel://:pw@a:1,b:2", "names no service"),
        ("redis+sentinel://:pw@a:1/s/0", "names no service"),
        ("redis+sentinel://a/s?db=x", "no database number"),
        ("redis+sentinel://a/s?sentinel_password=", "is empty"),
        ("redis+sentinel://a/s?socket_timeout=1", "no parameter 'socket_timeout'"),
        ("redis://a?sentinel_password=pw", "no parameter 'sentinel_password'"),
    ],
)
def test_other_forms_are_refused_without_showing_a_password(url: str, message: str) -> None:
    """Nothing in a URL is ignored: what has no effect is named."""
    complaint = urls.problem(url, urls.REDIS_SCHEMES)

    assert complaint is not None
    assert message in complaint
    assert "pw" not in complaint


@pytest.mark.parametrize(
    ("url", "number", "moved"),
    [
        ("redis://:pw@h:1/3", 3, "redis://:pw@h:1/7"),
        ("rediss://h", 0, "rediss://h/7"),
        ("redis://h/0?db=2", 2, "redis://h/7"),
        ("unix://:pw@/run/v.sock", 0, "unix://:pw@/run/v.sock?db=7"),
        ("unix:///run/v.sock?db=4", 4, "unix:///run/v.sock?db=7"),
        ("redis+sentinel://a,b:1/s", 0, "redis+sentinel://a,b:1/s?db=7"),
        (
            "redis+sentinel://:pw@a/s?db=4&sentinel_password=%26",
            4,
            "redis+sentinel://:pw@a/s?db=7&sentinel_password=%26",
        ),
    ],
)
def test_the_database_of_a_url_is_known_and_can_be_changed(url: str, number: int, moved: str) -> None:
    """The broker's default is the database after the ledger's, on the same server with the same user."""
    assert urls.database(url) == number
    assert urls.in_database(url, 7) == moved


@pytest.mark.parametrize("url", ["sqlite:///var/x/j.db", "sqlite:////var/x/j.db"])
def test_a_sqlite_url_names_an_absolute_path(url: str) -> None:
    """With three slashes, or with four as other programs write it."""
    assert urls.problem(url, urls.STORE_SCHEMES) is None
    assert urls.sqlite_path(url) == Path("/var/x/j.db")


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite://host/x.db", "sqlite:///x.db?mode=ro", "postgres://h/x"]
)
def test_other_stores_are_refused(url: str) -> None:
    """What is no file and no Elasticsearch is none that HySDS can search."""
    assert urls.problem(url, urls.STORE_SCHEMES) is not None
