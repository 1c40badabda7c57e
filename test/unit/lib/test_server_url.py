"""URLs of servers taken apart: one host as urllib does it, several in any notation."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from hysds.lib import server_url


@pytest.mark.parametrize(
    "url", ["redis://u:p@a:1/2?db=3", "unix:///a,b?db=1", "https://[::1]:9200", "rpc://"]
)
def test_one_place_is_split_as_ever(url: str) -> None:
    """A comma in a path is no second host."""
    assert server_url.split(url) == urlsplit(url)


@pytest.mark.parametrize("place", ["a:1,[::1]:2", "[::1]:2,a:1", "a,b,c"])
def test_several_hosts_may_be_of_any_notation(place: str) -> None:
    """Also on a Python that refuses brackets behind another host."""
    parts = server_url.split(f"rediss+sentinel://us:p%40@{place}/service?db=3")

    assert (parts.scheme, parts.netloc) == ("rediss+sentinel", f"us:p%40@{place}")
    assert (parts.path, parts.query) == ("/service", "db=3")
    assert (parts.username, parts.password) == ("us", "p%40")


def test_what_is_no_url_at_all_is_still_refused() -> None:
    """By urllib's own error."""
    with pytest.raises(ValueError, match="IPv6"):
        server_url.split("redis://[::1/2")
